--- The instructions of a generation: a JSON object with at least a prompt, 1 to 1,000 characters (wire.md 5.1, D38).
local json = require "devkit4ai.util.json"
local limits = require "devkit4ai.api.limits"

local M = {}

-- A UTF-8 sequence by its first byte: how many bytes follow, and the range of the second (no overlong forms, no surrogates).
local function sequence(first)
  if first < 0x80 then return 0 end
  if first < 0xC2 then return nil end
  if first < 0xE0 then return 1, 0x80, 0xBF end
  if first < 0xF0 then return 2, first == 0xE0 and 0xA0 or 0x80, first == 0xED and 0x9F or 0xBF end
  if first < 0xF5 then return 3, first == 0xF0 and 0x90 or 0x80, first == 0xF4 and 0x8F or 0xBF end
  return nil
end

--- Counts the characters of a UTF-8 text.
---@param text string
---@return integer? count nil: it is not UTF-8
---@return integer? position of the first wrong byte
function M.length(text)
  if not text:find("[\128-\255]") then return #text end
  local count, at = 0, 1
  while at <= #text do
    local more, low, high = sequence(text:byte(at))
    if not more then return nil, at end
    for i = 1, more do
      local byte = text:byte(at + i) or 0
      if byte < (i == 1 and low or 0x80) or byte > (i == 1 and high or 0xBF) then return nil, at end
    end
    at, count = at + more + 1, count + 1
  end
  return count
end

-- How a text begins that is meant as a JSON object: a brace and a quote (after a quote: JSON in JSON), or a brace, a name and
-- a colon.
local OBJECT_STARTS = { '^%s*"?{%s*\\?["\']', "^%s*{%s*[%w_\128-\255]+%s*:" }

-- The instructions as a table, and their JSON text if that was given. A text that is a JSON object is sent as it is; any
-- other text is a prompt. A broken object is refused, because it would be paid for as a prompt.
local function parse(given)
  if type(given) == "table" then return given end
  local text = given:gsub("^\239\187\191", "") -- a byte order mark
  if not text:find('^%s*"?{') then return { prompt = given } end
  local object, why = json.decode_object(text)
  if object then return object, text end
  for _, pattern in ipairs(OBJECT_STARTS) do
    if text:find(pattern) then
      return nil, ("the text begins like a JSON object but is not one (%s); %s"):format(why,
        "correct the JSON, or begin the prompt with another character")
    end
  end
  return { prompt = given }
end

-- As parse. Instructions without a prompt, or with a blank one, are refused.
local function parse_with_prompt(given)
  local value, text = parse(given)
  if not value then return nil, text end
  if type(value.prompt) == "string" and value.prompt:find("%S") then return value, text end
  return nil, text and "the JSON text has no prompt; add one, such as {\"prompt\": \"a lighthouse\"}"
    or "the prompt is empty; say what the image shows"
end

--- Why instructions can't be used, apart from their length.
---@param given string|table a prompt, the JSON text of an object with a prompt, or a table with a prompt
---@return string? message nil: they can be used
function M.problem(given)
  local value, why = parse_with_prompt(given)
  return not value and why or nil
end

--- The JSON text that is sent.
---@param given string|table a prompt, the JSON text of an object with a prompt, or a table with a prompt
---@return string? text
---@return string? message why they can't be used
function M.encode(given)
  local value, text = parse_with_prompt(given)
  if not value then return nil, text end
  if not text then
    local why
    text, why = json.encode(value)
    if not text then return nil, "the instructions can't be written as JSON: " .. why end
  end
  local count, position = M.length(text)
  if not count then
    return nil, ("the instructions are not UTF-8 (at byte %d of their JSON); give text in UTF-8"):format(position)
  end
  if count > limits.MAX_INSTRUCTIONS then
    return nil, ("the instructions have %d characters as JSON; at most %d are taken"):format(
      count, limits.MAX_INSTRUCTIONS)
  end
  return text
end

local function trim(text)
  return text:match("^%s*(.-)%s*$")
end

--- The normal form of instructions, for a comparison: a table, its JSON text and a prompt alone become the same table. The
--- prompt has no outer spaces, there are no nulls, and JSON inside a prompt is unwrapped.
---@param value any
---@return table? normal nil: neither a text nor a table
---@return string? message why they can't be read
function M.normalize(value)
  if type(value) == "table" then
    local text, why = json.encode(value)
    if not text then return nil, "the instructions can't be written as JSON: " .. why end
    value = text
  end
  if type(value) ~= "string" then return nil end
  local decoded = json.decode_plain(value)
  if type(decoded) == "string" then return M.normalize(decoded) end
  if type(decoded) ~= "table" or next(decoded) == nil then return { prompt = trim(value) } end -- [] and {} decode to the same
  if type(decoded.prompt) ~= "string" then return decoded end
  if next(decoded, next(decoded)) == nil then return M.normalize(decoded.prompt) end
  decoded.prompt = trim(decoded.prompt)
  return decoded
end

--- Whether two decoded values are equal. The order of fields does not matter.
---@param a any
---@param b any
---@return boolean
function M.equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not M.equal(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

return M
