--- What a JSON body must hold, as rows, and the list of what is wrong with it.
local encoding = require "devkit4ai.sandbox.util.encoding"
local errors = require "devkit4ai.sandbox.api.errors"
local json = require "devkit4ai.sandbox.util.json"

local M = {}

--- An address of the usual form.
function M.email(value)
  return value:find("^[^%s@,;<>]+@[^%s@,;<>]+%.[^%s@.,;<>]+$") and #value <= 254
end

--- At least 8 characters with upper case, lower case and a digit.
function M.password(value)
  return (encoding.code_points(value) or 0) >= 8 and value:find("%u") and value:find("%l") and value:find("%d")
end

---@class devkit4ai.sandbox.Field
---@field [1] string name
---@field required boolean?
---@field min integer?  code points
---@field max integer?  code points
---@field check (fun(value: string): any)?
---@field finding string?  what a failed check is called in errors
---@field clears boolean?  null is a value of its own, json.null, and not the same as nothing

-- What is wrong with one value, or nil.
local function fault(row, value)
  if value == nil or value == json.null then
    if not row.required then return nil end
    return value == nil and "E37" or "not_text"
  end
  if type(value) ~= "string" then return "not_text" end
  if row.check and not row.check(value) then return row.finding end
  local length = encoding.code_points(value)
  if row.min and length < row.min then return "E34", row.min end
  if row.max and length > row.max then return "E35", row.max end
end

--- The named fields of a JSON body; or nil and the 422 that lists everything wrong with it.
---@param rows devkit4ai.sandbox.Field[]
---@param body string
---@param is_json boolean whether its Content-Type says so; a body of another type is no object
---@return table? values
---@return devkit4ai.sandbox.Answer? refusal
function M.read(rows, body, is_json)
  if body == "" then return nil, errors.invalid { errors.finding("E37", { "body" }) } end
  if not is_json then return nil, errors.invalid { errors.finding("not_object", { "body" }) } end
  local decoded, offset = json.decode(body)
  if offset or not encoding.code_points(body) then
    return nil, errors.invalid { errors.finding("not_json", { "body", offset or 0 }) }
  end
  if not json.is_object(decoded, body) then return nil, errors.invalid { errors.finding("not_object", { "body" }) } end
  local values, findings = {}, {}
  for _, row in ipairs(rows) do
    local value = decoded[row[1]]
    local what, limit = fault(row, value)
    if what then findings[#findings + 1] = errors.finding(what, { "body", row[1] }, limit) end
    if value ~= json.null or row.clears then values[row[1]] = value end
  end
  if #findings > 0 then return nil, errors.invalid(findings) end
  return values
end

-- What a text may be: how it is read (nil: it is none), and what a text that is none is called in errors.
local INTEGER = {
  finding = "not_integer",
  read = function(text) return text:find("^%-?%d+$") and tonumber(text) or nil end,
}
local WORDS = { ["true"] = true, ["false"] = false, ["1"] = true, ["0"] = false }
local BOOLEAN = { finding = "not_boolean", read = function(text) return WORDS[text:lower()] end }
local TEXT = { read = function(text) return text end }
local UUID = { finding = "E33", read = function(text) return encoding.is_uuid(text) and text:lower() or nil end }
M.kinds = { integer = INTEGER, boolean = BOOLEAN, text = TEXT, uuid = UUID }

local function decode(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(code) return string.char(tonumber(code, 16)) end))
end

---@class devkit4ai.sandbox.Parameter
---@field [1] string name
---@field kind table of M.kinds
---@field required boolean?
---@field default any
---@field min integer?
---@field max integer?

-- The value of one text, or nil and what is wrong with it.
local function value_of(row, text)
  if not text then
    if row.required then return nil, "E37" end
    return row.default
  end
  local value = row.kind.read(text)
  if value == nil then return nil, row.kind.finding end
  if row.min and value < row.min then return nil, "too_small", row.min end
  if row.max and value > row.max then return nil, "too_large", row.max end
  return value
end

--- The texts of a query, or of a form that is encoded like one, by name.
---@param text string
---@return table<string, string>
function M.decode(text)
  local given = {}
  for pair in text:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    given[decode(name)] = decode(value)
  end
  return given
end

--- The named values of a query or a form; or nil and the 422.
---@param rows devkit4ai.sandbox.Parameter[]
---@param given table<string, string>
---@param where "query"|"body"
---@return table? values
---@return devkit4ai.sandbox.Answer? refusal
function M.parameters(rows, given, where)
  local values, findings = {}, {}
  for _, row in ipairs(rows) do
    local value, what, limit = value_of(row, given[row[1]])
    if what then findings[#findings + 1] = errors.finding(what, { where, row[1] }, limit) end
    values[row[1]] = value
  end
  if #findings > 0 then return nil, errors.invalid(findings) end
  return values
end

return M
