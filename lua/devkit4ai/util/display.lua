--- Makes untrusted text safe to display: visible control characters, valid UTF-8, limited length. Pure.
local M = {}

local MAX_BYTES = 1000 -- of a text in a message; docs/errors.md has the number

-- Patterns of one valid UTF-8 character: no overlong form, no surrogate.
local FORMS = {
  "^[%z\1-\127]", "^[\194-\223][\128-\191]", "^\224[\160-\191][\128-\191]",
  "^[\225-\236\238\239][\128-\191][\128-\191]", "^\237[\128-\159][\128-\191]",
  "^\240[\144-\191][\128-\191][\128-\191]", "^[\241-\243][\128-\191][\128-\191][\128-\191]",
  "^\244[\128-\143][\128-\191][\128-\191]",
}

-- Patterns of characters that a terminal executes or hides: C1, text direction, line separators, tags.
local INVISIBLE = {
  "^\194[\128-\159]$", "^\216\156$", "^\226\128[\142\143\168-\174]$", "^\226\129[\160-\175]$", "^\239\187\191$",
  "^\243\160[\128\129][\128-\191]$",
}

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local REPLACEMENT = "\239\191\189" -- U+FFFD

--- The code point of one UTF-8 character.
---@param char string
---@return integer
function M.code_point(char)
  local lead = char:byte()
  local code = #char == 1 and lead or lead % (#char == 2 and 0x20 or #char == 3 and 0x10 or 8)
  for i = 2, #char do code = code * 64 + char:byte(i) % 64 end
  return code
end

--- Iterates over the characters of a text. A byte that is not UTF-8 counts as U+FFFD.
---@param text string
---@return fun(): string?, integer? next the character, and the position of the next one
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

local function is_invisible(char)
  for _, form in ipairs(INVISIBLE) do
    if char:find(form) then return true end
  end
  return false
end

local function make_visible(char)
  if #char == 1 then
    return char:find("^[ -~]$") and char or ESCAPES[char] or ("\\%03d"):format(char:byte())
  end
  return is_invisible(char) and ("\\u{%X}"):format(M.code_point(char)) or char
end

--- A text as one line. A control character becomes its Lua escape: \n, \027, \u{9B}. A byte that is not UTF-8 becomes
--- U+FFFD. A text above max_bytes ends with "... (N bytes more)".
---@param text string
---@param max_bytes number? bytes; default 1,000
---@return string
function M.text(text, max_bytes)
  max_bytes = max_bytes or MAX_BYTES
  if #text <= max_bytes and not text:find("[^ -~]") then return text end
  local parts, length, from = {}, 0, 1
  for char, next_at in M.characters(text) do
    local shown = make_visible(char)
    length = length + #shown
    if length > max_bytes then
      parts[#parts + 1] = ("... (%d bytes more)"):format(#text - from + 1)
      break
    end
    parts[#parts + 1], from = shown, next_at
  end
  return table.concat(parts)
end

local function json_escape(code)
  if code < 0x10000 then return ("\\u%04x"):format(code) end
  code = code - 0x10000
  return ("\\u%04x\\u%04x"):format(0xD800 + math.floor(code / 1024), 0xDC00 + code % 1024)
end

--- The same JSON, safe for a terminal.
---@param text string JSON whose ASCII control characters are escaped
---@return string
function M.json(text)
  if not text:find("[\128-\255]") then return text end
  local parts = {}
  for char in M.characters(text) do
    parts[#parts + 1] = is_invisible(char) and json_escape(M.code_point(char)) or char
  end
  return table.concat(parts)
end

--- The same as M.text for several lines: line feeds and tabs stay, and the length has no limit.
---@param text string
---@return string
function M.lines(text)
  if not text:find("[^\t\n -~]") then return text end
  return (text:gsub("[^\n\t]+", function(part) return M.text(part, math.huge) end))
end

return M
