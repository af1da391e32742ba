--- The text of an error value, with the traceback of its coroutine where Lua has a debug library.
local M = {}

local debug = rawget(_G, "debug") -- a host may leave it out

--- An error value as text. Never raises: __tostring may raise itself, or give no string.
---@param value any
---@return string
function M.text(value)
  local ok, text = pcall(tostring, value)
  if ok and type(text) == "string" then return text end
  return ("an error value without text (%s)"):format(type(value))
end

--- The same with the traceback.
---@param co thread the coroutine that the error ended
---@param value any
---@return string
function M.of(co, value)
  local text = M.text(value)
  return debug and debug.traceback(co, text) or text
end

return M
