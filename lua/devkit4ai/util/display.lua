--- Makes foreign text safe to display: control characters are visible, the UTF-8 is valid, the length has a limit. Pure.
local M = {}

local MOST = 1000 -- bytes of a text in a message; docs/errors.md names the number

-- The forms of one valid UTF-8 character: no overlong form, no surrogate.
local FORMS = {
  "^[%z\1-\127]", "^[\194-\223][\128-\191]", "^\224[\160-\191][\128-\191]",
  "^[\225-\236\238\239][\128-\191][\128-\191]", "^\237[\128-\159][\128-\191]",
  "^\240[\144-\191][\128-\191][\128-\191]", "^[\241-\243][\128-\191][\128-\191][\128-\191]",
  "^\244[\128-\143][\128-\191][\128-\191]",
}

-- Characters beyond ASCII that a terminal obeys or hides: C1, the signs of direction, line separators, tags.
local UNSEEN = {
  "^\194[\128-\159]$", "^\216\156$", "^\226\128[\142\143\168-\174]$", "^\226\129[\160-\175]$", "^\239\187\191$",
  "^\243\160[\128\129][\128-\191]$",
}

local NAMES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local REPLACEMENT = "\239\191\189" -- U+FFFD

--- The code point of one UTF-8 character.
---@param char string
---@return integer
function M.code(char)
  local lead = char:byte()
  local code = #char == 1 and lead or lead % (#char == 2 and 0x20 or #char == 3 and 0x10 or 8)
  for i = 2, #char do code = code * 64 + char:byte(i) % 64 end
  return code
end

--- Iterates over the characters of a text. A byte that is not UTF-8 counts as U+FFFD.
---@param text string
---@return fun(): string?, integer? next the character, and where the next one begins
function M.characters(text)
  local at = 1
  return function()
    if at > #text then return nil end
    for _, form in ipairs(FORMS) do
      local _, last = text:find(form, at)
      if last then
        local char = text:sub(at, last)
        at = last + 1
        return char, at
      end
    end
    at = at + 1
    return REPLACEMENT, at
  end
end

local function is_unseen(char)
  for _, form in ipairs(UNSEEN) do
    if char:find(form) then return true end
  end
  return false
end

local function visible(char)
  if #char == 1 then
    return char:find("^[ -~]$") and char or NAMES[char] or ("\\%03d"):format(char:byte())
  end
  return is_unseen(char) and ("\\u{%X}"):format(M.code(char)) or char
end

--- A text on one line. A control character becomes its escape in Lua: \n, \027, \u{9B}. A byte that is not UTF-8 becomes
--- U+FFFD. A longer text ends with "... (N bytes more)".
---@param text string
---@param most number? bytes; default 1,000
---@return string
function M.text(text, most)
  most = most or MOST
  if #text <= most and not text:find("[^ -~]") then return text end
  local parts, length, from = {}, 0, 1
  for char, next_at in M.characters(text) do
    local shown = visible(char)
    length = length + #shown
    if length > most then
      parts[#parts + 1] = ("... (%d bytes more)"):format(#text - from + 1)
      break
    end
    parts[#parts + 1], from = shown, next_at
  end
  return table.concat(parts)
end

local function escaped(code)
  if code < 0x10000 then return ("\\u%04x"):format(code) end
  code = code - 0x10000
  return ("\\u%04x\\u%04x"):format(0xD800 + math.floor(code / 1024), 0xDC00 + code % 1024)
end

--- JSON that means the same and may go to a terminal.
---@param text string JSON whose ASCII control characters are escaped
---@return string
function M.json(text)
  if not text:find("[\128-\255]") then return text end
  local parts = {}
  for char in M.characters(text) do
    parts[#parts + 1] = is_unseen(char) and escaped(M.code(char)) or char
  end
  return table.concat(parts)
end

--- M.text for several lines: line feeds and tabs stay, the length has no limit.
---@param text string
---@return string
function M.lines(text)
  if not text:find("[^\t\n -~]") then return text end
  return (text:gsub("[^\n\t]+", function(part) return M.text(part, math.huge) end))
end

return M
