--- Text and number conversions that ignore the locale of the program. Pure.
local M = {}

local function shift(by)
  return function(letter) return string.char(letter:byte() + by) end
end

local to_lower, to_upper = shift(32), shift(-32)

--- ASCII letters in lower case; other bytes stay.
---@param text string
---@return string
function M.lower(text)
  return (text:gsub("[ABCDEFGHIJKLMNOPQRSTUVWXYZ]", to_lower))
end

--- ASCII letters in upper case; other bytes stay.
---@param text string
---@return string
function M.upper(text)
  return (text:gsub("[abcdefghijklmnopqrstuvwxyz]", to_upper))
end

--- string.format for one number, with a point as the decimal sign.
---@param form string with one conversion: "%.14g"
---@param number number
---@return string
function M.format(form, number)
  local sign = ("%.1f"):format(1 / 2):sub(2, -2)
  local text = form:format(number)
  local from, to = text:find(sign, 1, true)
  return from and text:sub(1, from - 1) .. "." .. text:sub(to + 1) or text
end

--- Reads a decimal number without an exponent.
---@param value any a text or a number
---@return number? number nil: any other value
function M.number(value)
  if type(value) == "number" then return value end
  if type(value) ~= "string" then return nil end
  local sign, whole, fraction = value:match("^[ \t]*([+-]?)(%d+)%.?(%d*)[ \t]*$")
  if not whole then return nil end
  local number = tonumber(whole)
  if fraction ~= "" then number = number + tonumber(fraction) / 10 ^ #fraction end
  return sign == "-" and -number or number
end

return M
