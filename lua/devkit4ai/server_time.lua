--- The server's time, from a response's Date header. Times that the server names are relative to it.
local core = require "devkit4ai.core"

local M = {}

--- The Unix time at which the server sent a response.
---@param head string the response's header block
---@param now number Unix time by our clock, for a response without a date
---@return number seconds
function M.of(head, now)
  local date = core.header(head, "Date")
  return date and core.date(date) or now
end

return M
