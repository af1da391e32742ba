--- The text that goes with the images: a JSON object with at least a prompt, 1 to 1,000 characters (wire.md 5.1, D38).
local json = require "devkit4ai.util.json"

local M = {}

local MOST = 1000 -- characters (code points) after serialising

-- one UTF-8 character, by its first byte: how many bytes follow, and the range of the second (no overlong forms, no surrogates)
local function follow(first)
  if first < 0x80 then return 0 end
  if first < 0xC2 then return nil end
  if first < 0xE0 then return 1, 0x80, 0xBF end
  if first < 0xF0 then return 2, first == 0xE0 and 0xA0 or 0x80, first == 0xED and 0x9F or 0xBF end
  if first < 0xF5 then return 3, first == 0xF0 and 0x90 or 0x80, first == 0xF4 and 0x8F or 0xBF end
  return nil
end

--- Counts characters.
---@param text string
---@return integer? count nil: it is no UTF-8
---@return integer? at the byte where it goes wrong
function M.length(text)
  local count, at = 0, 1
  while at <= #text do
    local more, low, high = follow(text:byte(at))
    if not more then return nil, at end
    for i = 1, more do
      local byte = text:byte(at + i) or 0
      if byte < (i == 1 and low or 0x80) or byte > (i == 1 and high or 0xBF) then return nil, at end
    end
    at, count = at + more + 1, count + 1
  end
  return count
end

-- Text that is meant as a JSON object: a brace and a quote (after a quote: JSON in JSON), or a brace, a name and a colon.
local LIKE_AN_OBJECT = { '^%s*"?{%s*\\?["\']', "^%s*{%s*[%w_\128-\255]+%s*:" }

-- The instructions as a table, and their JSON text where that was given. A text that is a JSON object is sent as it is; any
-- other text is a prompt. A broken object is refused: it would be paid for as a prompt.
local function read(given)
  if type(given) == "table" then return given end
  local text = given:gsub("^\239\187\191", "") -- a byte order mark
  local object, why = json.object(text)
  if object then return object, text end
  for _, form in ipairs(LIKE_AN_OBJECT) do
    if text:find(form) then
      return nil, ("the text begins like a JSON object, but is none (%s); %s"):format(why,
        "correct the JSON, or begin the prompt with another character")
    end
  end
  return { prompt = given }
end

-- Whether there is something to draw: any text but a blank one. Gives what `read` gives.
local function with_prompt(value, text)
  if not value then return nil, text end
  if type(value.prompt) == "string" and value.prompt:find("%S") then return value, text end
  return nil, text and "the JSON text has no prompt; add one, such as {\"prompt\": \"a lighthouse\"}"
    or "the prompt is empty; say what the picture shows"
end

--- What is wrong with instructions before they are serialised.
---@param given string|table a prompt, the JSON text of an object with one, or a table with one
---@return string? message nil: there is a prompt
function M.trouble(given)
  local value, why = with_prompt(read(given))
  return not value and why or nil
end

--- Serialises.
---@param given string|table a prompt, the JSON text of an object with one, or a table with one
---@return string? text
---@return string? message what is wrong with it
function M.text(given)
  local value, text = with_prompt(read(given))
  if not value then return nil, text end
  if not text then
    local why
    text, why = json.encode(value)
    if not text then return nil, "the instructions can't be written as JSON: " .. why end
  end
  local count, at = M.length(text)
  if not count then
    return nil, ("the instructions are no UTF-8 (at byte %d of their JSON); give text in UTF-8"):format(at)
  end
  if count > MOST then
    return nil, ("the instructions have %d characters as JSON; at most %d are taken"):format(count, MOST)
  end
  return text
end

local function trim(text)
  return text:match("^%s*(.-)%s*$")
end

--- What instructions say, however they are written: a table, its JSON text, or a prompt alone; the prompt without blanks at
--- its ends, no nulls, and nothing wrapped in a prompt that is JSON itself.
---@param value any
---@return table? normal nil: it is no text and no table
---@return string? message what is wrong with it
function M.normal(value)
  if type(value) == "table" then
    local text, why = json.encode(value)
    if not text then return nil, "the instructions can't be written as JSON: " .. why end
    value = text
  end
  if type(value) ~= "string" then return nil end
  local said = json.plain(value)
  if type(said) == "string" then return M.normal(said) end
  if type(said) ~= "table" or next(said) == nil then return { prompt = trim(value) } end -- [] and {} decode to the same
  if type(said.prompt) ~= "string" then return said end
  if next(said, next(said)) == nil then return M.normal(said.prompt) end
  said.prompt = trim(said.prompt)
  return said
end

--- Whether two decoded values are the same, whatever the order of their fields.
---@param a any
---@param b any
---@return boolean
function M.same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not M.same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

return M
