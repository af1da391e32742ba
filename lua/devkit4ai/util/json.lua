--- JSON decoder and encoder on lua-cjson: nulls are absent, secrets are returned apart, whole numbers are integers, and the
--- locale of the program has no effect.

local M = {}

local pcall, type = pcall, type -- used for each response
local to_integer = math.tointeger or function(number) return number end
local null, decode, encode

-- ---- the decimal sign ----

-- An own instance: settings of the shared module would change it for the whole program. A new instance also reads the
-- decimal sign of the locale, which cjson uses to read and write numbers.
local function new_cjson()
  local cjson = require("cjson").new()
  cjson.decode_max_depth(1000) -- far beyond any response of this API; each level uses stack
  cjson.decode_invalid_numbers(false) -- NaN, Infinity and 0x10 are not JSON
  cjson.encode_sparse_array(false, 1, 0) -- reject a list with a hole (a ratio of 0 would write null)
  null, decode, encode = cjson.null, cjson.decode, cjson.encode
end

-- Whether the decimal sign has one byte. LuaJIT writes a point in every locale, so there only "C" is certain.
local function is_one_byte()
  if rawget(_G, "jit") then return not os.setlocale or os.setlocale(nil, "numeric") == "C" end
  return #("%.1f"):format(1 / 2) == 3
end

-- Runs fn(...) with a cjson that has the current decimal sign. cjson ends the process if that sign has several bytes, so
-- the "C" locale is set for that time.
local function with_current_sign(fn, ...)
  if is_one_byte() then
    new_cjson()
    return fn(...)
  end
  local before = os.setlocale(nil, "numeric")
  os.setlocale("C", "numeric")
  new_cjson()
  local ok, value, secrets = fn(...)
  os.setlocale(before, "numeric")
  return ok, value, secrets
end

with_current_sign(pcall, type, nil) -- creates the first instance

-- Whether cjson has the current decimal sign. If not, it may read [1,2] as 1.2. (1 / 2: Lua may not read 0.5 either.)
local function has_current_sign()
  local ok, value = pcall(decode, "[0.5]")
  return ok and value[1] == 1 / 2
end

-- ---- decoding ----

local SECRET_FIELDS = { access_token = true, refresh_token = true, api_key = true, developer_key = true, key = true }

--- Names of response fields that are secrets (wire.md 2.5), at any depth.
M.SECRET_FIELDS = SECRET_FIELDS

local numbers = false -- whether clean() found a number
local lengths = setmetatable({}, { __mode = "k" }) -- a list without its nulls -> its number of items in the JSON

-- Removes the nulls of a list: the other items move up.
local function remove_nulls(list, last_null)
  local last = last_null
  for key in next, list do
    if key > last then last = key end
  end
  local count = 0
  for i = 1, last do
    local item = list[i]
    if item ~= nil then
      count = count + 1
      list[i] = nil
      list[count] = item
    end
  end
  lengths[list] = last
end

--- The number of items that a list had in its JSON, nulls included.
---@param list table
---@return integer
function M.item_count(list)
  return lengths[list] or #list
end

-- Cleans a decoded value in place, and collects its secrets. names: fields that are secrets. A deeper one wins: those of
-- `provisioning` before the flat copies (wire.md D04). next: the iterator; LuaJIT compiles a loop only under this name.
local function clean(value, names, secrets, depth, next)
  local last_null
  for key, item in next, value do
    local kind = type(item)
    if kind == "string" then
      if names[key] then
        secrets = secrets or { values = {}, depths = {} }
        if depth >= (secrets.depths[key] or 0) then secrets.values[key], secrets.depths[key] = item, depth end
        value[key] = nil
      end
    elseif kind == "number" then
      value[key], numbers = to_integer(item) or item, true
    elseif kind == "table" then
      secrets = clean(item, names, secrets, depth + 1, next)
    elseif item == null then
      local in_list = last_null or key == 1 or value[1] ~= nil -- type(key) would cost 200 instructions per call
      value[key] = nil
      if in_list and key > (last_null or 0) then last_null = key end
    end
  end
  if last_null then remove_nulls(value, last_null) end
  return secrets
end

local NO_SECRETS = {}

--- The secrets that decode returns for a response without secrets.
M.NO_SECRETS = NO_SECRETS

local ESCAPES = { ["\\\\"] = "\1", ['\\"'] = "\2" }
local UNESCAPES = { ["\1"] = "\\\\", ["\2"] = '\\"', ["\3"] = "\\u", ["\4"] = "\\ufffd" }

local NOT_NUMBERS = { "([:,%[]%s*)%-?NaN%f[%W]", "([:,%[]%s*)%-?Infinity%f[%W]" } -- some servers write these

local function replace_nan(between, text)
  for _, form in ipairs(NOT_NUMBERS) do between = between:gsub(form, "%1null") end
  return between .. text
end

-- Corrects JSON that cjson rejects: a byte order mark, NUL bytes, half a surrogate pair (RFC 8259, 8), an unknown escape,
-- NaN.
local function repair(text)
  text = text:gsub("^[\239\187\191 \t\r\n]+", ""):match("^(.*[^%z])") or ""
  text = text:gsub("%z", "\\u0000"):gsub("[\1-\4]", " ")
  text = text:gsub('\\["\\]', ESCAPES)
    :gsub("\\u([dD][89abAB]%x%x)\\u([dD][c-fC-F]%x%x)", "\3%1\3%2"):gsub("\\u[dD][89a-fA-F]%x%x", "\4")
    :gsub("\\([^/bfnrtu])", "\1%1")
  text = (text .. '"'):gsub('([^"]*)("[^"]*"?)', replace_nan):sub(1, -2) -- the added quote includes the end of the text
  return (text:gsub("[\1-\4]", UNESCAPES))
end

local function read(text)
  local ok, value = pcall(decode, text)
  if ok then return true, value end
  local repaired, found = pcall(decode, repair(text))
  return repaired, repaired and found or value
end

-- Decodes a text; returns also its secrets.
local function read_and_clean(text, names)
  local ok, value = read(text)
  if not ok then return false, value, NO_SECRETS end
  if type(value) == "table" then
    local secrets = clean(value, names, nil, 1, next)
    return true, value, secrets and secrets.values or NO_SECRETS
  end
  numbers = numbers or type(value) == "number"
  if value == null then value = nil end
  return true, value, NO_SECRETS
end

-- Decodes a text that pcall(decode, text) alone does not decode correctly.
local function decode_again(text, names)
  numbers = false
  local ok, value, secrets = read_and_clean(text, names)
  if ok and not numbers or has_current_sign() then return ok, value, secrets end
  return with_current_sign(read_and_clean, text, names)
end

--- Decodes a response.
---@param text string
---@param fields function? an iterator in place of next; it may skip strings and booleans whose names are not in SECRET_FIELDS
---@return boolean ok false: the text is not JSON
---@return any value without nulls and secrets; nil for null; the reason, if the text is not JSON
---@return table<string, string> secrets by name
function M.decode(text, fields)
  local ok, value = pcall(decode, text)
  if ok and type(value) == "table" then
    numbers = false
    local secrets = clean(value, SECRET_FIELDS, nil, 1, fields or next)
    if not numbers or has_current_sign() then return true, value, secrets and secrets.values or NO_SECRETS end
  end
  return decode_again(text, SECRET_FIELDS)
end

--- Decodes a text and keeps its secrets.
---@param text string
---@return any value without nulls; nil for null and for a text that is not JSON
function M.decode_plain(text)
  local ok, value = decode_again(text, NO_SECRETS)
  if ok then return value end
end

-- Decodes an object without repairs: the text goes to a strict server.
local function read_object(text)
  if not text:find("^%s*{") then return false, "it does not begin with {" end
  for quoted in text:gsub("\\.", ""):gmatch('"([^"]*)"') do -- cjson would accept it
    if quoted:find("[%z\1-\31]") then return false, "a string has a control character; write a line break as \\n" end
  end
  return pcall(decode, text)
end

--- Decodes a text that must be a JSON object.
---@param text string
---@return table? object with the nulls of cjson; nil: the text is not a JSON object
---@return string? why
function M.decode_object(text)
  local ok, value = read_object(text)
  if not has_current_sign() then ok, value = with_current_sign(read_object, text) end
  if ok then return value end
  return nil, value
end

--- Decodes a record of a file: a text that must be a JSON object.
---@param text string
---@return table? object without nulls; nil: the text is not a JSON object
---@return string? why
function M.decode_record(text)
  local value, why = M.decode_object(text)
  if value then clean(value, NO_SECRETS, nil, 1, next) end
  return value, why
end

-- ---- encoding ----

local MAX_DIGITS = 14 -- that cjson writes; the digits of longer whole numbers are inserted afterwards
local LARGEST = 2 ^ 53 -- up to here, a float holds every whole number exactly

local function digits_of(number)
  return (math.type and math.type(number) == "integer" and "%d" or "%.0f"):format(number)
end

local function is_long(number)
  return number % 1 == 0 and (number >= 10 ^ MAX_DIGITS or number <= -10 ^ MAX_DIGITS)
end

-- Checks the numbers of a value. Returns: why they can't be written, whether one has a fraction, whether one is long.
local function check_numbers(value)
  local fraction, long = false, false
  for key, item in next, value do
    local kind = type(item)
    fraction = fraction or kind == "number" and item % 1 ~= 0 or type(key) == "number" and key % 1 ~= 0
    if kind == "number" and is_long(item) then
      if item > LARGEST or item < -LARGEST then
        return digits_of(item) .. " is beyond 2^53, where whole numbers are not exact; pass it as a string"
      end
      long = true
    elseif kind == "table" then
      local why, inner_fraction, inner_long = check_numbers(item)
      if why then return why end
      fraction, long = fraction or inner_fraction, long or inner_long
    end
  end
  return nil, fraction, long
end

-- A copy in which each long number is a string: the mark and the digits. A table without one is not copied.
local function with_marks(value, mark)
  if type(value) == "number" then return is_long(value) and mark .. digits_of(value) or value end
  if type(value) ~= "table" or not select(3, check_numbers(value)) then return value end
  local copy = {}
  for key, item in next, value do copy[key] = with_marks(item, mark) end
  return copy
end

local MARK, JSON_MARK = "\1", "\\u0001" -- in a string, and in its JSON

-- How often to repeat the mark so that the JSON text does not contain it.
local function mark_length(text)
  local times = 1
  while text:find(JSON_MARK:rep(times), 1, true) do times = times + 1 end
  return times
end

local function try_to_encode(value)
  return pcall(encode, value)
end

-- Encodes a value with fractions or long numbers, which cjson alone writes wrong. text: the JSON from cjson
local function encode_again(value, text, fraction, long)
  local times = long and mark_length(text)
  local marked = long and with_marks(value, MARK:rep(times)) or value
  local ok, written
  if fraction and not has_current_sign() then ok, written = with_current_sign(try_to_encode, marked)
  else ok, written = try_to_encode(marked) end
  if ok and long then written = written:gsub('"' .. JSON_MARK:rep(times) .. '(%-?%d+)"', "%1") end
  return ok, written
end

--- Encodes a table; an empty table becomes {}.
---@param value table
---@return string? text nil: JSON has no form for it (a function, a list with holes, NaN)
---@return string? why
function M.encode(value)
  local ok, text = pcall(encode, value)
  if not ok then return nil, text end
  local why, fraction, long = check_numbers(value)
  if why then return nil, why end
  if fraction or long then ok, text = encode_again(value, text, fraction, long) end
  if not ok then return nil, text end
  return (text:gsub("\\/", "/")) -- cjson escapes each '/'
end

return M
