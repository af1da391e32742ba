--- The server's time, as the `Date` of its last response told it. This machine's own clock may be wrong.
local core = require "devkit4ai.core"

local M = {}

--- Notes what a response says of the server's time. The steady clock carries it on: somebody may set the other one.
---@param client devkit4ai.Client
---@param head string the response's header block
function M.note(client, head)
  local date = core.header(head, "Date")
  local time = date and core.date(date)
  if time then client._server_zero = time - core.now() end
end

--- The server's Unix time at a moment of core.now().
---@param client devkit4ai.Client
---@param moment number
---@return number seconds
---@return boolean known false: no response told it yet, so this machine's clock is taken
function M.at(client, moment)
  local zero = client._server_zero
  if zero then return zero + moment, true end
  return os.time() - math.floor(core.now() - moment), false
end

return M
