--- Text and number conversions that ignore the locale of the program. Pure.
local M = {}

local TO_LOWER, TO_UPPER = {}, {} -- by letter

for byte = 65, 90 do
  local upper, lower = string.char(byte), string.char(byte + 32)
  TO_LOWER[upper], TO_UPPER[lower] = lower, upper
end

--- ASCII letters in lower case; other bytes stay.
---@param text string
---@return string
function M.lower(text)
  return (text:gsub("[ABCDEFGHIJKLMNOPQRSTUVWXYZ]", TO_LOWER))
end

--- ASCII letters in upper case; other bytes stay.
---@param text string
---@return string
function M.upper(text)
  return (text:gsub("[abcdefghijklmnopqrstuvwxyz]", TO_UPPER))
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
