-- Job files of tests.
local lines = require "devkit4ai.batch.jobs.lines"
local M = {}

--- Writes a file.
---@param path string
---@param text string
---@return string path
function M.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
  return path
end

--- All that an iterator of rows gives: a list of { row, line } and { false, line, why }; nil and why: the text can't be read.
---@param text string
---@param reader table devkit4ai.batch.jobs.csv or json_lines
---@return table[]? rows
---@return string? why
function M.rows(text, reader)
  local file = assert(io.tmpfile())
  file:write(text)
  file:seek("set", 0)
  local next_line, why = lines.of(file)
  if not next_line then return nil, why end
  local next_row, found = reader.rows(next_line), {}
  while true do
    local row, number, problem = next_row()
    if row == nil then return found end
    found[#found + 1] = { row, number, problem }
  end
end

return M
