--- The phases of nginx in which a caller can wait. In another one, a semaphore only returns an error.
local get_phase = require("ngx").get_phase

local M = {}

-- Not ssl_session_fetch: without OpenResty's patch of OpenSSL, a handler that waits there is ended.
local CAN_WAIT = {}
for phase in ("rewrite server_rewrite access precontent content timer ssl_cert preread"):gmatch("%S+") do
  CAN_WAIT[phase] = true
end
local NO_TIMER = { init = true, exit_worker = true } -- phases without ngx.timer.at

--- Why the caller can't wait in the current phase; nil: it can.
---@return string? why
function M.why_not()
  local phase = get_phase()
  if CAN_WAIT[phase] then return nil end
  if phase == "init" then
    return "nginx can't wait in init_by_lua: create the client there, and make its calls in a request"
  elseif NO_TIMER[phase] then
    return ("nginx can't wait in %s_by_lua: make the call before that"):format(phase)
  end
  return ("nginx can't wait in the phase %s: make the call in a timer, "
    .. "ngx.timer.at(0, function() ... end)"):format(phase)
end

return M
