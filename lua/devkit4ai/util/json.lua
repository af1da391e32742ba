--- JSON as this library wants it: null is absent, secrets are apart, whole numbers are integers, '/' stands as it is. The
--- program's locale changes nothing.
local locale = require "devkit4ai.util.locale"

local M = {}

local pcall, type = pcall, type -- of each answer
local whole = math.tointeger or function(number) return number end
local null, decode, encode

-- ---- the decimal sign ----

-- An instance of our own: settings of the shared module would be everybody's. Making one also tells cjson the locale's
-- decimal sign, with which it reads and writes numbers.
local function make()
  local cjson = require("cjson").new()
  cjson.decode_max_depth(1000) -- far beyond any answer of this API; each level takes stack
  cjson.decode_invalid_numbers(false) -- NaN, Infinity and 0x10 are no JSON
  cjson.encode_sparse_array(false, 1, 0) -- a list with a hole is refused (a ratio of 0 would write null)
  null, decode, encode = cjson.null, cjson.decode, cjson.encode
end

-- LuaJIT writes a point in every locale, so there only the C locale's sign is known.
local function is_one_byte()
  if rawget(_G, "jit") then return not os.setlocale or os.setlocale(nil, "numeric") == "C" end
  return #("%.1f"):format(1 / 2) == 3
end

-- Runs fn(...) with a cjson that knows the decimal sign of now. It ends the process where that sign has several bytes, so
-- there the numbers have a point meanwhile.
local function in_step(fn, ...)
  if is_one_byte() then
    make()
    return fn(...)
  end
  local before = os.setlocale(nil, "numeric")
  os.setlocale("C", "numeric")
  make()
  local ok, value, secrets = fn(...)
  os.setlocale(before, "numeric")
  return ok, value, secrets
end

in_step(pcall, type, nil) -- makes the first one

-- Whether cjson knows the decimal sign of now (1 / 2: Lua may not read 0.5 there). If not, it may read [1,2] as 1.2.
local function is_in_step()
  local ok, value = pcall(decode, "[0.5]")
  return ok and value[1] == 1 / 2
end

-- ---- decoding ----

local SECRET = { access_token = true, refresh_token = true, api_key = true, developer_key = true, key = true }

--- Fields of answers that are secrets (wire.md 2.5), wherever they stand.
M.SECRET = SECRET

local numbers = false -- whether the walk saw a number
local shortened = setmetatable({}, { __mode = "k" }) -- a list that lost nulls -> how many items it had

-- A list without its nulls: the other items move up.
local function close_up(list, last_null)
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
  shortened[list] = last
end

--- How many items a list had in its JSON, nulls included.
---@param list table
---@return integer
function M.count(list)
  return shortened[list] or #list
end

-- One walk, in place. names: which fields are secrets. One that stands deeper wins: `provisioning` before the flat copies
-- (wire.md D04). next: what gives the fields; by this name LuaJIT knows a loop that it can compile.
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
      value[key], numbers = whole(item) or item, true
    elseif kind == "table" then
      secrets = clean(item, names, secrets, depth + 1, next)
    elseif item == null then
      local in_list = last_null or key == 1 or value[1] ~= nil -- type(key) would cost each call 200 instructions
      value[key] = nil
      if in_list and key > (last_null or 0) then last_null = key end
    end
  end
  if last_null then close_up(value, last_null) end
  return secrets
end

local NONE = {}

--- What decode gives where an answer has no secrets.
M.NONE = NONE

local ASIDE = { ["\\\\"] = "\1", ['\\"'] = "\2" }
local BACK = { ["\1"] = "\\\\", ["\2"] = '\\"', ["\3"] = "\\u", ["\4"] = "\\ufffd" }

local NO_NUMBERS = { "([:,%[]%s*)%-?NaN%f[%W]", "([:,%[]%s*)%-?Infinity%f[%W]" } -- some servers write them

local function without_no_numbers(between, text)
  for _, form in ipairs(NO_NUMBERS) do between = between:gsub(form, "%1null") end
  return between .. text
end

-- JSON in which what cjson refuses is put right: a byte order mark, NUL bytes, half a surrogate pair (RFC 8259, 8), an escape
-- that JSON does not have, NaN.
local function repaired(text)
  text = text:gsub("^[\239\187\191 \t\r\n]+", ""):match("^(.*[^%z])") or ""
  text = text:gsub("%z", "\\u0000"):gsub("[\1-\4]", " ")
  text = text:gsub('\\["\\]', ASIDE)
    :gsub("\\u([dD][89abAB]%x%x)\\u([dD][c-fC-F]%x%x)", "\3%1\3%2"):gsub("\\u[dD][89a-fA-F]%x%x", "\4")
    :gsub("\\([^/bfnrtu])", "\1%1")
  text = (text .. '"'):gsub('([^"]*)("[^"]*"?)', without_no_numbers):sub(1, -2) -- with a quote, the end is looked at, too
  return (text:gsub("[\1-\4]", BACK))
end

local function read(text)
  local ok, value = pcall(decode, text)
  if ok then return true, value end
  local mended, found = pcall(decode, repaired(text))
  return mended, mended and found or value
end

-- The value of a text, and the secrets in it.
local function read_and_clean(text, names)
  local ok, value = read(text)
  if not ok then return false, value, NONE end
  if type(value) == "table" then
    local secrets = clean(value, names, nil, 1, next)
    return true, value, secrets and secrets.values or NONE
  end
  numbers = numbers or type(value) == "number"
  if value == null then value = nil end
  return true, value, NONE
end

-- For what pcall(decode, text) alone does not read right.
local function decode_again(text, names)
  numbers = false
  local ok, value, secrets = read_and_clean(text, names)
  if ok and not numbers or is_in_step() then return ok, value, secrets end
  return in_step(read_and_clean, text, names)
end

--- Decodes an answer.
---@param text string
---@param fields function? used in place of next; it may leave out fields with a text or a boolean that are not in SECRET
---@return boolean ok false: it is no JSON
---@return any value nil for null; without nulls and secrets; where it is no JSON, why
---@return table<string, string> secrets those that stood in it, by name
function M.decode(text, fields)
  local ok, value = pcall(decode, text)
  if ok and type(value) == "table" then
    numbers = false
    local secrets = clean(value, SECRET, nil, 1, fields or next)
    if not numbers or is_in_step() then return true, value, secrets and secrets.values or NONE end
  end
  return decode_again(text, SECRET)
end

--- Decodes what goes to the user as it came, secrets included.
---@param text string
---@return any value without nulls; nil where it is null or no JSON
function M.plain(text)
  local ok, value = decode_again(text, NONE)
  if ok then return value end
end

-- The decoded object of a text. Nothing is repaired: the text goes to a server that is strict.
local function read_object(text)
  if not text:find("^%s*{") then return false, "it does not begin with {" end
  for quoted in text:gsub("\\.", ""):gmatch('"([^"]*)"') do -- cjson would take it
    if quoted:find("[%z\1-\31]") then return false, "a string has a control character; write a line break as \\n" end
  end
  return pcall(decode, text)
end

--- Decodes a text that is a JSON object.
---@param text string
---@return table? object with cjson's nulls; nil: the text is no JSON object
---@return string? why
function M.object(text)
  local ok, value = read_object(text)
  if not is_in_step() then ok, value = in_step(read_object, text) end
  if ok then return value end
  return nil, value
end

-- ---- secrets in a text ----

-- Of a name in lower case, without "_" and "-".
local PARTS = { "secret", "password", "passwd", "passphrase", "privatekey" }
local ENDINGS = {
  "token", "key", "pwd", "otp", "authorization", "cookie", "credential", "credentials", "signature", "sig", "jwt",
}

--- Whether a value with this name is a secret: api_key, verification_token, clientSecret, Set-Cookie.
---@param name any
---@return boolean
function M.is_secret(name)
  if type(name) ~= "string" then return false end
  name = locale.lower(name):gsub("[_-]", "")
  for _, part in ipairs(PARTS) do
    if name:find(part, 1, true) then return true end
  end
  for _, ending in ipairs(ENDINGS) do
    if name:sub(-#ending) == ending then return true end
  end
  return false
end

local function hide(before, name)
  if M.is_secret(name) then return before .. "***" end
end

local function without_query(word)
  local _, scheme_end = word:find("%a:\\?/\\?/")
  if not scheme_end then return nil end
  local query = word:find("[?#]", scheme_end)
  if query then word = word:sub(1, query) .. "***" end
  return word:sub(1, scheme_end) .. word:sub(scheme_end + 1):gsub("^[^/?#@]*:[^/?#]*@", "***@")
end

--- A text without the query and the login of each URL: there may be a signature, or a password.
---@param text string
---@return string
function M.without_queries(text)
  return (text:gsub("[^%s\"'<>]+", without_query))
end

--- The text of an answer that may be broken, with *** in the place of each secret that stands under its name, and of the
--- query of each URL.
---@param text string
---@return string
function M.hide(text)
  text = text:gsub('\\["\\]', ASIDE) -- so that each quote begins or ends a text
  text = text:gsub('("([^"]*)"%s*:%s*")[^"]*', hide):gsub('("[^"]*[uU][rR][lL]"%s*:%s*"[^"?#]*[?#])[^"]*', "%1***")
    :gsub('("([^"]*)"%s*:%s*)%[[^%]]*%]?', hide):gsub('("([^"]*)"%s*:%s*){[^}]*}?', hide)
    :gsub('("([^"]*)"%s*:%s*)[^"%s%[{][^,}]*', hide)
  return (M.without_queries(text):gsub("[\1\2]", BACK))
end

-- ---- encoding ----

local DIGITS = 14 -- the most that cjson writes; longer whole numbers get their digits afterwards
local LARGEST = 2 ^ 53 -- up to here, each whole number is one of its own on each Lua

local function digits_of(number)
  return (math.type and math.type(number) == "integer" and "%d" or "%.0f"):format(number)
end

local function is_long(number)
  return number % 1 == 0 and (number >= 10 ^ DIGITS or number <= -10 ^ DIGITS)
end

-- Whether the numbers in a value can be written: why not, whether one has a decimal sign, whether one is long.
local function survey(value)
  local signed, long = false, false
  for key, item in next, value do
    local kind = type(item)
    signed = signed or kind == "number" and item % 1 ~= 0 or type(key) == "number" and key % 1 ~= 0
    if kind == "number" and is_long(item) then
      if item > LARGEST or item < -LARGEST then
        return digits_of(item) .. " is beyond 2^53, where whole numbers are not exact: give it as text"
      end
      long = true
    elseif kind == "table" then
      local why, deep, deep_long = survey(item)
      if why then return why end
      signed, long = signed or deep, long or deep_long
    end
  end
  return nil, signed, long
end

-- A copy with a text, the mark and the digits, in the place of each long number. What has none is not copied.
local function with_marks(value, mark)
  if type(value) == "number" then return is_long(value) and mark .. digits_of(value) or value end
  if type(value) ~= "table" or not select(3, survey(value)) then return value end
  local copy = {}
  for key, item in next, value do copy[key] = with_marks(item, mark) end
  return copy
end

local MARK, WRITTEN = "\1", "\\u0001" -- as a text has it, and as JSON has it

-- How often the mark is repeated, so that it does not stand in a JSON text.
local function free_mark(text)
  local times = 1
  while text:find(WRITTEN:rep(times), 1, true) do times = times + 1 end
  return times
end

local function try_to_encode(value)
  return pcall(encode, value)
end

-- Encodes a value that cjson alone writes wrong: it has decimal signs, or long numbers. text: what cjson made of it
local function encode_again(value, text, signed, long)
  local times = long and free_mark(text)
  local marked = long and with_marks(value, MARK:rep(times)) or value
  local ok, written
  if signed and not is_in_step() then ok, written = in_step(try_to_encode, marked)
  else ok, written = try_to_encode(marked) end
  if ok and long then written = written:gsub('"' .. WRITTEN:rep(times) .. '(%-?%d+)"', "%1") end
  return ok, written
end

--- Encodes a table; an empty one is {}.
---@param value table
---@return string? text nil: it holds what JSON can't (a function, a list with holes, NaN)
---@return string? why
function M.encode(value)
  local ok, text = pcall(encode, value)
  if not ok then return nil, text end
  local why, signed, long = survey(value)
  if why then return nil, why end
  if signed or long then ok, text = encode_again(value, text, signed, long) end
  if not ok then return nil, text end
  return (text:gsub("\\/", "/")) -- cjson always escapes '/', so each "\/" is one
end

return M
