--- The server's clock, from the `Date` header of its responses. This machine's clock may be wrong.
local core = require "devkit4ai.core"

local M = {}

local function date_of(head)
  local date = core.header(head, "Date")
  return date and core.date(date)
end

--- The Unix time at which the server sent a response. Times that the response names are relative to it.
---@param head string the response's header block
---@param now number Unix time by this machine's clock, for a response without a date
---@return number seconds
function M.of(head, now)
  return date_of(head) or now
end

--- Notes the server's time in a response, relative to core.now(): a user may set the other clock.
---@param client devkit4ai.Client
---@param head string the response's header block
function M.note(client, head)
  local time = date_of(head)
  if time then client._server_clock_offset = time - core.now() end
end

--- The server's Unix time at a time of core.now().
---@param client devkit4ai.Client
---@param moment number
---@return number seconds
---@return boolean known false: no response had a date yet, so it is this machine's time
function M.at(client, moment)
  local offset = client._server_clock_offset
  if offset then return offset + moment, true end
  return os.time() - math.floor(core.now() - moment), false
end

return M
