--- Text of error values, with a traceback if Lua has its debug library.
local M = {}

local debug = rawget(_G, "debug") -- absent in some hosts

--- An error value as text. Never raises: __tostring may raise an error, or return no string.
---@param value any
---@return string
function M.text(value)
  local ok, text = pcall(tostring, value)
  if ok and type(text) == "string" then return text end
  return ("an error value without text (%s)"):format(type(value))
end

--- An error value as text, with a traceback.
---@param co thread the coroutine that failed
---@param value any
---@return string
function M.of(co, value)
  local text = M.text(value)
  return debug and debug.traceback(co, text) or text
end

return M
