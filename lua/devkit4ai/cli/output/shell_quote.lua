--- Quoting for a shell, for command lines that the user can copy: a POSIX shell, or on Windows cmd and PowerShell.
local system = require "devkit4ai.util.system"

local M = {}

-- A quote in it ends neither shell's word in the same way, so it is left to the program, which reads \".
local function double_quoted(word)
  return '"' .. word:gsub('(\\*)"', '%1%1\\"'):gsub("(\\+)$", "%1%1") .. '"'
end

local function single_quoted(word)
  return "'" .. word:gsub("'", [['\'']]) .. "'"
end

-- For printf: control characters as octal numbers, so that the line can be displayed and copied.
local function escape(word)
  local function octal(bytes)
    return (bytes:gsub(".", function(byte) return ("\\%03o"):format(byte:byte()) end))
  end
  return (word:gsub("\\", "\\\\"):gsub("%%", "%%%%"):gsub("%c", octal):gsub("\194[\128-\159]", octal))
end

--- A word, quoted where a shell needs it.
---@param word string
---@return string
function M.word(word)
  if system.is_windows then return word:find "^[A-Za-z0-9_./:@+\\-]+$" and word or double_quoted(word) end
  if word:find("^[A-Za-z0-9_./:@%%+-]+$") then return word end
  if word:find "%c" or word:find "\194[\128-\159]" then
    return ('"$(printf %s)"'):format(single_quoted(escape(word)))
  end
  return single_quoted(word)
end

--- An option with its value. A value that begins with "-" is joined by "=".
---@param name string
---@param value string
---@return string
function M.option(name, value)
  return name .. (value:find "^%-" and "=" or " ") .. M.word(value)
end

return M
