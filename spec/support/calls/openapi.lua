-- Reader of the vendor's OpenAPI file for specs: a list of operations, sample responses, and checks of a value.
local cjson = require("cjson").new()

local M = {}

M.PATH = "spec/fixtures/contract/openapi.json"

-- A new copy of the decoded file, which a spec may change.
function M.read()
  local file = assert(io.open(M.PATH, "rb"))
  local text = file:read("*a")
  file:close()
  return cjson.decode(text)
end

local function resolve(document, schema)
  local name = schema["$ref"] and schema["$ref"]:match("^#/components/schemas/(.*)$")
  return name and document.components.schemas[name] or schema
end

-- The schema, without a null alternative.
local function beside_null(schema)
  for _, one in ipairs(schema.anyOf or {}) do
    if one.type ~= "null" then return one end
  end
  return schema
end

local function set_of(names)
  local set = {}
  for _, name in ipairs(names or {}) do set[name] = true end
  return set
end

local function pattern_of(path)
  return "^" .. path:gsub("[%-%.]", "%%%0"):gsub("{[%w_]+}", "[^/]+") .. "$"
end

local function body_of(document, operation)
  local content = operation.requestBody and operation.requestBody.content
  if not content then return nil, {} end
  local content_type, media = next(content)
  local schema = resolve(document, media.schema)
  local required, fields = set_of(schema.required), {}
  for name, field in pairs(schema.properties) do fields[name] = { schema = field, required = required[name] } end
  return content_type, fields
end

local function answer_of(operation)
  for status, answer in pairs(operation.responses) do
    if status:find("^2") then
      local media = answer.content and answer.content["application/json"]
      return tonumber(status), media and media.schema
    end
  end
end

--- The operations of the file. Those with fewer templates come first, because literal segments win (wire.md 1.2).
---@return table[] { method, path, pattern, query, body: name -> { schema, required }; content_type, status, answer }
function M.operations(document)
  local list = {}
  for path, methods in pairs(document.paths) do
    for method, operation in pairs(methods) do
      local entry = { method = method:upper(), path = path, pattern = pattern_of(path), query = {} }
      for _, parameter in ipairs(operation.parameters or {}) do
        if parameter["in"] == "query" then
          entry.query[parameter.name] = { schema = parameter.schema, required = parameter.required }
        end
      end
      entry.content_type, entry.body = body_of(document, operation)
      entry.status, entry.answer = answer_of(operation)
      list[#list + 1] = entry
    end
  end
  local function key(entry) return select(2, entry.path:gsub("{", "")) .. entry.path .. entry.method end
  table.sort(list, function(a, b) return key(a) < key(b) end)
  return list
end

--- The operation of a request.
function M.match(operations, method, path)
  for _, operation in ipairs(operations) do
    if operation.method == method and path:find(operation.pattern) then return operation end
  end
end

local FORMATS = { uuid = "497f6eca-6276-4993-bfeb-53cbbbba6f08", ["date-time"] = "2025-12-08T10:30:00Z" }

--- A value that matches a schema.
function M.sample(document, schema)
  schema = beside_null(resolve(document, schema or {}))
  schema = resolve(document, schema)
  if schema.type == "array" then return { M.sample(document, schema.items) } end
  if schema.type == "string" then return FORMATS[schema.format] or "text" end
  if schema.type == "integer" or schema.type == "number" then return 1 end
  if schema.type == "boolean" then return true end
  local value = {}
  for name, field in pairs(schema.properties or {}) do value[name] = M.sample(document, field) end
  return value
end

--- The enum values of a schema, as on the wire.
---@return string[] empty: the schema has no enum
function M.enumerated(schema)
  schema = beside_null(schema)
  if schema.type == "boolean" then return { "true", "false" } end
  local values = {}
  for _, value in ipairs(schema.enum or {}) do values[#values + 1] = tostring(value) end
  local alternatives = (schema.pattern or ""):match("^%^%((.*)%)%$$") -- an enum written as a pattern
  for value in (alternatives or ""):gmatch("[^|]+") do values[#values + 1] = value end
  return values
end

local WIRE = { integer = "^%-?%d+$", boolean = "^%l+$" }

--- Whether a text on the wire has the type of a schema: an integer has no point and no exponent.
function M.fits(schema, text)
  schema = beside_null(schema)
  if schema.format == "uuid" then return text:find("^%x+%-%x+%-%x+%-%x+%-%x+$") ~= nil and #text == 36 end
  return text:find(WIRE[schema.type] or "") ~= nil
end

return M
