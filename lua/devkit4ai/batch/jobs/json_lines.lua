--- Rows of a JSON Lines file: one JSON object per line. Nulls are absent.
local json = require "devkit4ai.util.json"

local M = {}

--- An iterator over the rows. Empty lines are skipped.
---@param next_line fun(): (string|false|nil), integer?, string? as devkit4ai.batch.jobs.lines.of gives it
---@return fun(): (table|false|nil), integer?, string? next_row as devkit4ai.batch.jobs.csv.rows gives it
function M.rows(next_line)
  return function()
    local text, number, why
    repeat text, number, why = next_line() until not text or text:find("%S")
    if not text then return text, number, why end
    local row, problem = json.decode_record(text)
    if row then return row, number end
    return false, number, "it is not a JSON object: " .. problem
  end
end

return M
