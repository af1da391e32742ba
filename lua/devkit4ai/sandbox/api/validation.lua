--- Validation of JSON bodies, forms and queries against rows of fields. An error lists everything that is wrong.
local encoding = require "devkit4ai.sandbox.util.encoding"
local errors = require "devkit4ai.sandbox.api.errors"
local json = require "devkit4ai.sandbox.util.json"

local M = {}

--- Tells whether a text looks like an email address.
---@param text string
function M.is_email(text)
  return text:find("^[^%s@,;<>]+@[^%s@,;<>]+%.[^%s@.,;<>]+$") and #text <= 254
end

--- Tells whether a password has at least 8 characters with upper case, lower case and a digit.
---@param text string
function M.is_strong_password(text)
  return (encoding.count_code_points(text) or 0) >= 8 and text:find("%u") and text:find("%l") and text:find("%d")
end

---@class devkit4ai.sandbox.JsonField a text field of a JSON body
---@field [1] string name
---@field required boolean?
---@field min integer?  code points
---@field max integer?  code points
---@field check (fun(value: string): any)?
---@field error string?  the id of the error of a failed check
---@field nullable boolean?  null stays in the values, as json.null; otherwise it counts as absent

-- The error id of one value of a JSON body, and the limit that it breaks; nil: the value is valid.
local function json_value_error(field, value)
  if value == nil or value == json.null then
    if not field.required then return nil end
    return value == nil and "E37" or "not_text"
  end
  if type(value) ~= "string" then return "not_text" end
  if field.check and not field.check(value) then return field.error end
  local length = encoding.count_code_points(value)
  if field.min and length < field.min then return "E34", field.min end
  if field.max and length > field.max then return "E35", field.max end
end

-- The object of a JSON body; or nil and the response.
local function decode_object(body, is_json)
  local function failed(id, loc) return nil, errors.validation_error { errors.validation_entry(id, loc) } end
  if body == "" then return failed("E37", { "body" }) end
  if not is_json then return failed("not_object", { "body" }) end
  local decoded, offset = json.decode(body)
  if offset or not encoding.count_code_points(body) then return failed("not_json", { "body", offset or 0 }) end
  if not json.is_object(decoded, body) then return failed("not_object", { "body" }) end
  return decoded
end

--- Validates a JSON body.
---@param fields devkit4ai.sandbox.JsonField[]
---@param body string
---@param is_json boolean whether the Content-Type is that of JSON
---@return table? values
---@return devkit4ai.sandbox.Response? error_response
function M.json_body(fields, body, is_json)
  local decoded, error_response = decode_object(body, is_json)
  if not decoded then return nil, error_response end
  local values, entries = {}, {}
  for _, field in ipairs(fields) do
    local name = field[1]
    local value = decoded[name]
    local id, limit = json_value_error(field, value)
    if id then entries[#entries + 1] = errors.validation_entry(id, { "body", name }, limit) end
    if value ~= json.null or field.nullable then values[name] = value end
  end
  if #entries > 0 then return nil, errors.validation_error(entries) end
  return values
end

local BOOLEANS = { ["true"] = true, ["false"] = false, ["1"] = true, ["0"] = false }

---@class devkit4ai.sandbox.ParameterType
---@field parse fun(text: string): any  nil: the text is not of this type
---@field error string?  the error id of a text that is not of this type

---@type table<string, devkit4ai.sandbox.ParameterType>
M.types = {
  integer = {
    error = "not_integer", parse = function(text) return text:find("^%-?%d+$") and tonumber(text) or nil end,
  },
  boolean = { error = "not_boolean", parse = function(text) return BOOLEANS[text:lower()] end },
  text = { parse = function(text) return text end },
  uuid = { error = "E33", parse = function(text) return encoding.is_uuid(text) and text:lower() or nil end },
}

---@class devkit4ai.sandbox.Parameter a parameter of a query, or a field of a form
---@field [1] string name
---@field type devkit4ai.sandbox.ParameterType
---@field required boolean?
---@field default any
---@field min integer?
---@field max integer?

-- The value of a text; or nil, the error id, and the limit that it breaks.
local function parse_parameter(parameter, text)
  if not text then
    if parameter.required then return nil, "E37" end
    return parameter.default
  end
  local value = parameter.type.parse(text)
  if value == nil then return nil, parameter.type.error end
  if parameter.min and value < parameter.min then return nil, "too_small", parameter.min end
  if parameter.max and value > parameter.max then return nil, "too_large", parameter.max end
  return value
end

--- Validates the parameters of a query, or the fields of a form.
---@param parameters devkit4ai.sandbox.Parameter[]
---@param texts table<string, string>
---@param location "query"|"body"
---@return table? values
---@return devkit4ai.sandbox.Response? error_response
function M.parameters(parameters, texts, location)
  local values, entries = {}, {}
  for _, parameter in ipairs(parameters) do
    local name = parameter[1]
    local value, id, limit = parse_parameter(parameter, texts[name])
    if id then entries[#entries + 1] = errors.validation_entry(id, { location, name }, limit) end
    values[name] = value
  end
  if #entries > 0 then return nil, errors.validation_error(entries) end
  return values
end

--- Validates the parameters of a path: each is a UUID.
---@param path_params table<string, string>
---@return devkit4ai.sandbox.Response? error_response
function M.path(path_params)
  local entries = {}
  for name, value in pairs(path_params) do
    if not encoding.is_uuid(value) then entries[#entries + 1] = errors.validation_entry("E33", { "path", name }) end
  end
  if #entries > 0 then return errors.validation_error(entries) end
end

return M
