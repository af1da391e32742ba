--- client:request: any request to the API, with the client's headers, deadline, session and retries.
local build = require "devkit4ai.request.build"
local call = require "devkit4ai.request.call"
local validate = require "devkit4ai.util.validate"
local creations = require "devkit4ai.util.errors.creations"
local errors = require "devkit4ai.util.errors"
local answered_ids = require "devkit4ai.generation.answered_ids"
local create_generation = require "devkit4ai.generation.create"
local images = require "devkit4ai.generation.input.images"
local json = require "devkit4ai.util.json"
local limits = require "devkit4ai.api.limits"
local locale = require "devkit4ai.util.locale"
local operations = require "devkit4ai.api.operations"
local plan = require "devkit4ai.request.plan"
local redact = require "devkit4ai.util.redact"
local tasks = require "devkit4ai.loop.tasks"
local waits = require "devkit4ai.loop.waits"

local M = {}

local REQUEST = validate.schema {
  method = { type = "string", required = true }, path = { type = "string", required = true },
  query = { type = "table" }, json = { type = "table" }, form = { type = "table" }, role = { type = "string" },
  on_upload = { type = "function" },
}

local VALUE = { type = "string or number or boolean", required = true }
local FIELD = { type = "string or number or boolean or table", required = true }

local PATH = "^/[A-Za-z0-9%-._~!$&'()*+,;=:@/%%]*$" -- RFC 3986

local PROFILES = { developer = "developer", end_user = "end_user", platform_operator = "platform_operator" }

-- As HTTP has it, where no operation says more; all of the API's own follow it.
local RETRY_CLASSES = { GET = "safe", PUT = "idempotent", DELETE = "delete", PATCH = "never", POST = "never" }

-- The operation that the request is, and its row. An exact path wins over a template.
local function operation_of(method, path)
  local found = "request"
  for name, row in pairs(operations.all()) do
    if row.method == method and row.path == path then return name, row end
    local pattern = row.path and "^" .. row.path:gsub("[%-.]", "%%%0"):gsub("{[%w_]+}", "[^/]+") .. "$"
    if row.method == method and pattern and path:find(pattern) then found = name end
  end
  return found, operations.get(found) or {}
end

-- The sorted names of a query or a form, and a copy of it: each value is read and checked once.
local function copy_of(what, values, row)
  local names, copy = {}, {}
  for name, value in pairs(values) do
    if type(name) ~= "string" then
      errors.raise(("client:request: %s: names must be strings, got %s %s"):format(what, type(name), tostring(name)))
    end
    validate.value(("client:request: %s.%s"):format(what, name), row, value)
    names[#names + 1], copy[name] = name, value
  end
  table.sort(names)
  return names, copy
end

-- The first name that can't be the name of a field: C and libcurl would cut or break it.
local function bad_name(names)
  for _, name in ipairs(names) do
    if name == "" or name:find("[%z\1-\31\127]") then return name end
  end
end

-- A form with a list of files is the core's multipart; any other form is name=value pairs.
local function fill_form(form, options)
  local names, copy = copy_of("form", form, FIELD)
  local fields, part = {}, nil
  local wrong = bad_name(names)
  if wrong then return nil, ("form: %s can't be the name of a field"):format(validate.describe(wrong)) end
  for _, name in ipairs(names) do
    if type(copy[name]) ~= "table" then
      fields[#fields + 1] = { name, build.text_of(copy[name]) }
    elseif part then
      return nil, "a form may have one list of files"
    else
      part = name
    end
  end
  if not part then
    options.json = build.encode_pairs(names, copy)
    return plan.URLENCODED
  end
  local files, why = images.copy("client:request", "form." .. part, copy[part], limits.MAX_IMAGES)
  if not files then return nil, why end
  if #fields > limits.MAX_FORM_FIELDS then
    return nil, ("a form with files may have %d other fields, not %d"):format(limits.MAX_FORM_FIELDS, #fields)
  end
  options.form = { part = part, files = files, fields = fields, max_bytes = limits.MAX_IMAGE_BYTES }
end

local function fill_body(given, options)
  if given.form then return fill_form(given.form, options) end
  if not given.json then return nil end
  local text, why = json.encode(given.json)
  options.json = text
  return text and "application/json", not text and "json can't be written: " .. why or nil
end

-- The values in a body or a query whose names are names of secrets: the server may repeat them.
local function find_secrets(values, found)
  for name, value in pairs(values) do
    if type(value) == "table" then
      find_secrets(value, found)
    elseif redact.is_secret_name(name) and (type(value) == "string" or type(value) == "number") then
      found[#found + 1] = build.text_of(value)
    end
  end
  return found
end

local function refuse(message, name)
  return waits.after_refusal(errors.refuse("invalid", message, name, "client:request"))
end

-- A request that creates a generation. An error that ends it reports the outcome, as for client:generate.
local function create(client, row, name, known, given, options)
  local instructions = known.listed and given.form and given.form[known.body.multipart.text_field]
  return create_generation.protect({
    scope = client, call_name = row.call_name, operation = name, sent_at = waits.now(),
    instructions = instructions and tostring(instructions) or nil,
  }, function(creation)
    options.creation = creation
    local response, _, err = call.run(client, name, {}, options, given.on_upload, row)
    if err then return create_generation.failure(creation, err) end
    local made = response.status < 300 and response.json
    if type(made) == "table" and type(made.id) == "string" then
      if known.listed then answered_ids.add(client, made.id) end
      creations.generation(tasks.current(), create_generation.handle(creation, made.id))
    end
    return response
  end)
end

--- Runs client:request.
function M.run(client, arguments, own)
  local given = validate.arguments("client:request", REQUEST, arguments, own)
  local method, role = locale.upper(given.method), given.role or client._role
  local wrong = not RETRY_CLASSES[method] and "method must be DELETE, GET, PATCH, POST or PUT"
    or not PROFILES[role] and "role must be developer, end_user or platform_operator"
    or not given.path:find(PATH) and "path must begin with / and have no space and no query"
    or given.json and given.form and "give either json or form"
  if wrong then return refuse(wrong, "request") end
  local name, known = operation_of(method, given.path)
  local options = validate.extra_fields(given)
  local content_type, why = fill_body(given, options)
  if why then return refuse(why, name) end
  local hidden = find_secrets({ given.json or {}, given.form or {}, given.query or {} }, {})
  options.hidden = hidden[1] and hidden
  local query = build.encode_pairs(copy_of("query", given.query or {}, VALUE))
  local row = {
    method = method, path = given.path, content_type = content_type, response = "raw", returns_headers = true,
    profile = { [client._role] = known.profile and known.profile[role] or PROFILES[role] },
    retry_class = known.retry_class or RETRY_CLASSES[method], billable = known.billable,
    unknown_advice = known.unknown_advice, unknown_statuses = known.unknown_statuses, call_name = "client:request",
  }
  if query ~= "" then options.url = client.base_url .. given.path .. "?" .. query end
  if known.billable and known.response == "generation" then
    return create(client, row, name, known, given, options)
  end
  return call.run(client, name, {}, options, given.on_upload, row)
end

return M
