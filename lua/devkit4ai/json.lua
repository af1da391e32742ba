--- JSON as this library wants it: null is absent, secrets are apart, whole numbers are integers, '/' stands as it is.
local cjson = require("cjson").new() -- ours alone: settings of the shared module would be everybody's

cjson.decode_max_depth(100) -- far beyond any answer of this API
cjson.decode_invalid_numbers(false) -- NaN, Infinity and 0x10 are no JSON
cjson.encode_sparse_array(false, 1, 0) -- a list with a hole is refused (a ratio of 0 would write null)

local M = {}

local null, decode = cjson.null, cjson.decode
local pcall, type = pcall, type -- of each answer
local whole = math.tointeger or function(number) return number end

-- Fields of answers that are secrets (CONTRACT 2.5), wherever they stand.
local SECRET = { access_token = true, refresh_token = true, api_key = true, developer_key = true, key = true }

-- One walk, in place. A secret that stands deeper wins: `provisioning` before the flat copies (D04).
local function clean(value, secrets, depth)
  for key, item in next, value do
    local kind = type(item)
    if kind == "string" then
      if SECRET[key] then
        secrets = secrets or { values = {}, depths = {} }
        if depth >= (secrets.depths[key] or 0) then secrets.values[key], secrets.depths[key] = item, depth end
        value[key] = nil
      end
    elseif kind == "number" then
      value[key] = whole(item) or item
    elseif kind == "table" then
      secrets = clean(item, secrets, depth + 1)
    elseif item == null then
      value[key] = nil
    end
  end
  return secrets
end

local NONE = {}

--- What decode gives where an answer has no secrets.
M.NONE = NONE

--- Decodes an answer.
---@param text string
---@return boolean ok false: it is no JSON
---@return any value nil for null; without nulls and secrets; where it is no JSON, why
---@return table<string, string> secrets those that stood in it, by name
function M.decode(text)
  local ok, value = pcall(decode, text)
  if not ok then return false, value, NONE end
  if type(value) == "table" then
    local secrets = clean(value, nil, 1)
    return true, value, secrets and secrets.values or NONE
  end
  if value == null then value = nil end
  return true, value, NONE
end

local function drop_nulls(value)
  for key, item in next, value do
    if item == null then value[key] = nil
    elseif type(item) == "table" then drop_nulls(item)
    elseif type(item) == "number" then value[key] = whole(item) or item end
  end
end

--- Decodes what goes to the user as it came, secrets included.
---@param text string
---@return any value without nulls; nil where it is null or no JSON
function M.plain(text)
  local ok, value = pcall(decode, text)
  if not ok or value == null then return nil end
  if type(value) == "table" then drop_nulls(value) end
  return value
end

local ASIDE, BACK = { ['\\"'] = "\1", ["\\\\"] = "\2" }, { ["\1"] = '\\"', ["\2"] = "\\\\" }

--- The text of an answer that may be broken, with *** in the place of each secret that stands under its name.
---@param text string
---@return string
function M.hide(text)
  text = text:gsub('\\["\\]', ASIDE) -- so that each quote begins or ends a text
  for name in pairs(SECRET) do
    text = text:gsub('("' .. name .. '"%s*:%s*")[^"]*', "%1***"):gsub('("' .. name .. '"%s*:%s*)[^"%s][^,}]*', "%1***")
  end
  return (text:gsub("[\1\2]", BACK))
end

local DIGITS = 14 -- the most that cjson writes; of a longer number, a seed say, another one would come out

local function too_long(value)
  for _, item in next, value do
    local kind = type(item)
    if kind == "number" and item % 1 == 0 and math.abs(item) >= 10 ^ DIGITS then return item end
    local found = kind == "table" and too_long(item)
    if found then return found end
  end
end

--- Encodes a table; an empty one is {}.
---@param value table
---@return string? text nil: it holds what JSON can't (a function, a list with holes, NaN)
---@return string? why
function M.encode(value)
  local ok, text = pcall(cjson.encode, value)
  if not ok then return nil, text end
  local number = too_long(value)
  if number then return nil, ("%.0f has more than %d digits: give it as text"):format(number, DIGITS) end
  return (text:gsub("\\/", "/")) -- cjson always escapes '/', so each "\/" is one
end

return M
