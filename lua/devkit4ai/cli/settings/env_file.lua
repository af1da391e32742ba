--- The file of --env-file: NAME=value lines in the dotenv format.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.cli.errors"
local limited_read = require "devkit4ai.cli.input.limited_read"

local M = {}

local MAX_BYTES = 1024 * 1024

local ESCAPES = { n = "\n", r = "\r", t = "\t" } -- in double quotes
local ESCAPED = '["\\$`]' -- characters that a backslash escapes there

local function unescape(text)
  return (text:gsub("\\(.)", function(char)
    if char:find(ESCAPED) then return char end
    return ESCAPES[char] or "\\" .. char
  end))
end

-- The position of the quote that closes the one at a position.
local function closing_quote(content, position)
  local quote = content:sub(position, position)
  if quote == "'" then return content:find("'", position + 1, true) end
  local at = position + 1
  while true do
    at = content:find('["\\]', at)
    if not at or content:sub(at, at) == '"' then return at end
    at = at + 2
  end
end

-- The value that begins at a position, and the end of its line; or nil and the reason.
local function read_value(content, position)
  local quote = content:match("^[\"']", position)
  if not quote then
    local line, line_end = content:match("^([^\n]*)()", position)
    return (line:gsub("^#.*", ""):gsub("%s#.*", ""):gsub("%s+$", "")), line_end
  end
  local last = closing_quote(content, position)
  if not last then return nil, "has a quote that is not closed" end
  local rest, line_end = content:match("^([^\n]*)()", last + 1)
  if rest:find "^%s*[^%s#]" then return nil, "has text after the closing quote" end
  local text = content:sub(position + 1, last - 1)
  return quote == '"' and unescape(text) or text, line_end
end

local NAME = "^[ \t]*([%w_.%-]+)[ \t]*=[ \t]*()"
local EXPORTED = "^[ \t]*export[ \t]+([%w_.%-]+)[ \t]*=[ \t]*()"
-- Lines without a value: blank, a comment, or only a name, which docker takes from the environment.
local IGNORED = { "^%s*$", "^%s*#", "^%s*[%w_]+%s*$", "^%s*export%s+[%w_]+%s*$" }

local function skip_line(content, position)
  local line, line_end = content:match("^([^\n]*)()", position)
  for _, form in ipairs(IGNORED) do
    if line:find(form) then return line_end end
  end
end

local function parse(content)
  local variables, position, number = {}, 1, 1
  content = content:gsub("^\239\187\191", ""):gsub("\r\n", "\n")
  while position <= #content do
    local name, start = content:match(NAME, position)
    if not name then name, start = content:match(EXPORTED, position) end
    local line_end = not name and skip_line(content, position)
    if not name and not line_end then return nil, number, "is no NAME=value" end
    if name then
      variables[name], line_end = read_value(content, start)
      if not variables[name] then return nil, number, line_end end
    end
    local _, line_feeds = content:sub(position, line_end):gsub("\n", "")
    number, position = number + line_feeds, line_end + 1
  end
  return variables
end

--- Reads the file.
---@param path string
---@return table<string, string>? variables
---@return string? message it has the number of the line, and never a value
---@return table? err
function M.read(path)
  local content, code = limited_read.file(path, MAX_BYTES)
  if not content then
    local reason = code and core.reason(code) or ("it has more than %d bytes"):format(MAX_BYTES)
    return errors.fail("file", ("--env-file %s can't be read: %s"):format(path, reason), errors.WRONG_USE)
  end
  if content:find "^\255\254" or content:find "^\254\255" then
    return errors.fail("file", ("--env-file %s is UTF-16: save it as UTF-8"):format(path), errors.WRONG_USE)
  end
  local variables, number, reason = parse(content)
  if variables then return variables end
  return errors.fail("file", ("%s: line %d %s"):format(path, number, reason), errors.WRONG_USE)
end

return M
