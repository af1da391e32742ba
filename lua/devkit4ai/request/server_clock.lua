--- The server's time, as the `Date` of a response tells it. This machine's own clock may be wrong.
local core = require "devkit4ai.core"

local M = {}

local function date_of(head)
  local date = core.header(head, "Date")
  return date and core.date(date)
end

--- The Unix time at which the server sent a response. Times that the response names are relative to it.
---@param head string the response's header block
---@param now number Unix time by our clock, for a response without a date
---@return number seconds
function M.of(head, now)
  return date_of(head) or now
end

--- Notes what a response says of the server's time. The steady clock carries it on: somebody may set the other one.
---@param client devkit4ai.Client
---@param head string the response's header block
function M.note(client, head)
  local time = date_of(head)
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
