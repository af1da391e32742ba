-- What each status of HTTP says, as Markdown for docs/errors.md. Written out of the client's own table: spec/devkit4ai/util/errors_spec.lua
-- holds that against wire.md 7, and the page against this.
local errors = require "devkit4ai.util.errors"

local M = {}

local DEFAULTS = { [3] = 399, [4] = 499, [5] = 599 } -- by the first digit: a status that no row names

local function row_of(status)
  local kind, outcome, _, transient = errors.of_status(status)
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
