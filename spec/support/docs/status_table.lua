-- Table of HTTP statuses as Markdown for docs/errors.md, generated from the client's table. spec/devkit4ai/util/errors_spec.lua
-- compares the client's table with the contract, and the page with this table.
local statuses = require "devkit4ai.util.errors.statuses"

local M = {}

local DEFAULTS = { [3] = 399, [4] = 499, [5] = 599 } -- by the first digit: for statuses without a row

local function row_of(status)
  local kind, outcome, _, transient = statuses.classify_status(status)
  return ("| `%s` | `%s` | %s |"):format(kind, outcome, transient and "yes" or "no")
end

--- The table.
---@return string
function M.markdown()
  local lines = { "| status | `err.kind` | `err.outcome` | transient |", "| --- | --- | --- | --- |" }
  for digit = 3, 5 do
    local default = row_of(DEFAULTS[digit])
    local groups, named = {}, {}
    for status = digit * 100, digit * 100 + 98 do
      local row = row_of(status)
      if row ~= default then
        if not named[row] then named[row], groups[#groups + 1] = {}, row end
        table.insert(named[row], status)
      end
    end
    for _, row in ipairs(groups) do lines[#lines + 1] = ("| %s %s"):format(table.concat(named[row], ", "), row) end
    lines[#lines + 1] = ("| %s%dxx %s"):format(groups[1] and "any other " or "", digit, default)
  end
  return table.concat(lines, "\n") .. "\n"
end

return M
