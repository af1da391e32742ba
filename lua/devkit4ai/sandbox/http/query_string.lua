--- Decoder of query strings and of application/x-www-form-urlencoded bodies.
local M = {}

local function unescape(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(code) return string.char(tonumber(code, 16)) end))
end

--- Decodes a query string. The last one of several values of a name wins.
---@param text string
---@return table<string, string>
function M.decode(text)
  local values = {}
  for pair in text:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    values[unescape(name)] = unescape(value)
  end
  return values
end

return M
