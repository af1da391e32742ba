--- client:request: any request to the API, with the client's headers, deadline, session and retries.
local build = require "devkit4ai.request.build"
local call = require "devkit4ai.request.call"
local validate = require "devkit4ai.util.validate"
local core = require "devkit4ai.core"
local creations = require "devkit4ai.util.creations"
local errors = require "devkit4ai.util.errors"
local find = require "devkit4ai.generation.find"
local generation = require "devkit4ai.resources.generation"
local images = require "devkit4ai.generation.images"
local json = require "devkit4ai.util.json"
local locale = require "devkit4ai.util.locale"
local operations = require "devkit4ai.api.operations"
local plan = require "devkit4ai.request.plan"
local tasks = require "devkit4ai.loop.tasks"
local waits = require "devkit4ai.loop.waits"

local M = {}

local REQUEST = validate.rows {
  method = { type = "string", required = true }, path = { type = "string", required = true },
  query = { type = "table" }, json = { type = "table" }, form = { type = "table" }, role = { type = "string" },
  on_upload = { type = "function" },
}

local LIMITS = operations.create_generation.body.form -- of images, whatever the form is for
local MOST_FIELDS = 4 -- texts beside the files; the limit of core.request (DK_MAX_FIELDS)

local VALUE = { type = "string or number or boolean", required = true }
local FIELD = { type = "string or number or boolean or table", required = true }

local PATH = "^/[A-Za-z0-9%-._~!$&'()*+,;=:@/%%]*$" -- RFC 3986

local PROFILES = { developer = "dev", end_user = "end", platform_operator = "op" }

-- The retry class of a method, for a request that is no known operation. The known operations follow it as well.
local REPEATS = { GET = "safe", PUT = "same", DELETE = "delete", PATCH = "never", POST = "never" }

-- The operation that the request is, and its row. An exact path wins over a template.
local function operation_of(method, path)
  local found = "request"
  for name, row in pairs(operations.all()) do
    if row.method == method and row.path == path then return name, row end
    local pattern = row.path and "^" .. row.path:gsub("[%-.]", "%%%0"):gsub("{[%w_]+}", "[^/]+") .. "$"
    if row.method == method and pattern and path:find(pattern) then found = name end
  end
  return found, operations[found] or {}
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
  if wrong then return nil, ("form: %s can't be the name of a field"):format(validate.kind(wrong)) end
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
    options.json = build.pairs_of(names, copy)
    return plan.PAIRS
  end
  local files, why = images.copy("client:request", "form." .. part, copy[part], LIMITS.most)
  if not files then return nil, why end
  if #fields > MOST_FIELDS then
    return nil, ("a form with files may have %d other fields, not %d"):format(MOST_FIELDS, #fields)
  end
  options.form = { part = part, files = files, fields = fields, max_bytes = LIMITS.max_bytes }
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
    elseif json.is_secret(name) and (type(value) == "string" or type(value) == "number") then
      found[#found + 1] = build.text_of(value)
    end
  end
  return found
end

local function refuse(message, name)
  return waits.after_refusal(errors.refuse("invalid", "client:request: " .. message, name))
end

-- A request that creates a generation. An error that ends it reports the outcome, as for client:generate.
local function create(client, row, name, known, given, options)
  local wanted, moment = known.findable and given.form and given.form[known.body.form.text], core.now()
  return generation.guard({
    says = row.says, operation = name,
    handle = function(id) return known.findable and client:generation(id) or generation.anonymous(client, id) end,
    search = function() return wanted and find.way(client, client._variable, tostring(wanted), moment) or "" end,
  }, function(creation)
    options.creation = creation
    local response, _, err = call.run(client, name, {}, options, given.on_upload, row)
    if err then
      if wanted and err.operation == name then
        find.tell_lost(err, client, client._variable, tostring(wanted), moment)
      end
      return generation.fail(creation, err)
    end
    local made = response.status < 300 and response.json
    if type(made) == "table" and type(made.id) == "string" then
      if known.findable then find.remember(client, made.id) end
      creations.generation(tasks.current(), creation.handle(made.id))
    end
    return response
  end)
end

--- Runs client:request.
function M.run(client, arguments, own)
  local given = validate.arguments("client:request", REQUEST, arguments, own)
  local method, role = locale.upper(given.method), given.role or client._role
  local wrong = not REPEATS[method] and "method must be DELETE, GET, PATCH, POST or PUT"
    or not PROFILES[role] and "role must be developer, end_user or platform_operator"
    or not given.path:find(PATH) and "path must begin with / and have no space and no query"
    or given.json and given.form and "give either json or form"
  if wrong then return refuse(wrong, "request") end
  local name, known = operation_of(method, given.path)
  local options = validate.extra(given)
  local content_type, why = fill_body(given, options)
  if why then return refuse(why, name) end
  local hidden = find_secrets({ given.json or {}, given.form or {}, given.query or {} }, {})
  options.hidden = hidden[1] and hidden
  local query = build.pairs_of(copy_of("query", given.query or {}, VALUE))
  local row = {
    method = method, path = given.path, content_type = content_type, answer = "response", heed = true,
    profile = { [client._role] = known.profile and known.profile[role] or PROFILES[role] },
    repeats = known.repeats or REPEATS[method], creates = known.creates, unknown = known.unknown,
    doubtful = known.doubtful, says = "client:request",
  }
  if query ~= "" then options.url = client.base_url .. given.path .. "?" .. query end
  if known.creates and known.answer == "generation" then
    return create(client, row, name, known, given, options)
  end
  return call.run(client, name, {}, options, given.on_upload, row)
end

return M
