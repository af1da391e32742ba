--- The file of --env-file: NAME=value lines, as dotenv files have them.
local bounded = require "devkit4ai.cli.input.limited_read"
local core = require "devkit4ai.core"
local exits = require "devkit4ai.cli.errors.exit_codes"

local M = {}

local MOST = 1024 * 1024 -- bytes

local ESCAPES = { n = "\n", r = "\r", t = "\t" } -- of double quotes; before another character, \ stands for that character
local ESCAPED = '["\\$`]'

local function unescape(text)
  return (text:gsub("\\(.)", function(char)
    if char:find(ESCAPED) then return char end
    return ESCAPES[char] or "\\" .. char
  end))
end

-- Where a quote that opens at a place is closed.
local function closing(content, at)
  local quote = content:sub(at, at)
  if quote == "'" then return content:find("'", at + 1, true) end
  local place = at + 1
  while true do
    place = content:find('["\\]', place)
    if not place or content:sub(place, place) == '"' then return place end
    place = place + 2
  end
end

-- The value that begins at a place, and where its line ends; nil and why.
local function value_at(content, at)
  local quote = content:match("^[\"']", at)
  if not quote then
    local line, stop = content:match("^([^\n]*)()", at)
    return (line:gsub("^#.*", ""):gsub("%s#.*", ""):gsub("%s+$", "")), stop
  end
  local last = closing(content, at)
  if not last then return nil, "has a quote that is not closed" end
  local rest, stop = content:match("^([^\n]*)()", last + 1)
  if rest:find "^%s*[^%s#]" then return nil, "has text after the closing quote" end
  local text = content:sub(at + 1, last - 1)
  return quote == '"' and unescape(text) or text, stop
end

local NAME = "^[ \t]*([%w_.%-]+)[ \t]*=[ \t]*()"
local EXPORTED = "^[ \t]*export[ \t]+([%w_.%-]+)[ \t]*=[ \t]*()"
-- Lines without a value: blank, a comment, a name alone, which docker takes from the environment.
local NOTHING = { "^%s*$", "^%s*#", "^%s*[%w_]+%s*$", "^%s*export%s+[%w_]+%s*$" }

local function skip(content, at)
  local line, stop = content:match("^([^\n]*)()", at)
  for _, form in ipairs(NOTHING) do
    if line:find(form) then return stop end
  end
end

local function parse(content)
  local variables, at, number = {}, 1, 1
  content = content:gsub("^\239\187\191", ""):gsub("\r\n", "\n")
  while at <= #content do
    local name, from = content:match(NAME, at)
    if not name then name, from = content:match(EXPORTED, at) end
    local stop = not name and skip(content, at)
    if not name and not stop then return nil, number, "is no NAME=value" end
    if name then
      variables[name], stop = value_at(content, from)
      if not variables[name] then return nil, number, stop end
    end
    local _, feeds = content:sub(at, stop):gsub("\n", "")
    number, at = number + feeds, stop + 1
  end
  return variables
end

--- Reads the file.
---@param path string
---@return table<string, string>? variables
---@return string? message it names a line by its number, and never shows a value
---@return table? err
function M.read(path)
  local content, code = bounded.content(path, MOST)
  if not content then
    local why = code and core.reason(code) or ("it has more than %d bytes"):format(MOST)
    return exits.fail("file", ("--env-file %s can't be read: %s"):format(path, why), exits.WRONG_USE)
  end
  if content:find "^\255\254" or content:find "^\254\255" then
    return exits.fail("file", ("--env-file %s is UTF-16: save it as UTF-8"):format(path), exits.WRONG_USE)
  end
  local variables, number, reason = parse(content)
  if variables then return variables end
  return exits.fail("file", ("%s: line %d %s"):format(path, number, reason), exits.WRONG_USE)
end

return M
