--- The way out: any request of the API, with the client's headers, deadline, session and repeats.
local build = require "devkit4ai.build"
local call = require "devkit4ai.call"
local check = require "devkit4ai.check"
local created = require "devkit4ai.created"
local errors = require "devkit4ai.errors"
local json = require "devkit4ai.json"
local operations = require "devkit4ai.operations"
local runtime = require "devkit4ai.runtime"

local M = {}

local REQUEST = check.rows {
  method = { type = "string", required = true }, path = { type = "string", required = true },
  query = { type = "table" }, json = { type = "table" }, form = { type = "table" }, role = { type = "string" },
  on_upload = { type = "function" },
}

local LIMITS = operations.create_generation.body.form -- as for an order, whatever the form is for

local PROFILES = { developer = "dev", end_user = "end", platform_operator = "op" }

-- As HTTP has it, where no operation says more; all of the API's own follow it.
local REPEATS = { GET = "safe", PUT = "same", DELETE = "delete", PATCH = "never", POST = "never" }

-- the operation that the request is, if there is a row for it; a path as it stands wins over a template
local function operation_of(method, path)
  local fitting = "request"
  for name, row in pairs(operations.all()) do
    if row.method == method and row.path == path then return name, row end
    local template = row.path and "^" .. row.path:gsub("[%-.]", "%%%0"):gsub("{[%w_]+}", "[^/]+") .. "$"
    if row.method == method and template and path:find(template) then fitting = name end
  end
  return fitting, operations[fitting] or {}
end

local function names_of(values)
  local names = {}
  for name in pairs(values) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- What a form is: the core's multipart where a list of files is in it, else a line of pairs.
local function fill_form(form, extra)
  local fields, part = {}, nil
  for _, name in ipairs(names_of(form)) do
    if type(form[name]) == "table" then
      if part then return nil, "a form may have one list of files" end
      part = name
    else
      fields[#fields + 1] = { name, tostring(form[name]) }
    end
  end
  if not part then
    extra.json = build.pairs_of(names_of(form), form)
    return build.PAIRS
  end
  extra.form = { part = part, files = form[part], fields = fields, max_bytes = LIMITS.max_bytes }
end

local function fill_body(given, extra)
  if given.form then return fill_form(given.form, extra) end
  if not given.json then return nil end
  local text, why = json.encode(given.json)
  extra.json = text
  return text and "application/json", not text and "json can't be written: " .. why or nil
end

local function refuse(message, name)
  return errors.refuse("invalid", "client:request: " .. message, name)
end

--- client:request; see there.
function M.run(client, options)
  local given = check.arguments("client:request", REQUEST, options)
  local method, role = given.method:upper(), given.role or client._role
  local wrong = not REPEATS[method] and "method must be DELETE, GET, PATCH, POST or PUT"
    or not PROFILES[role] and "role must be developer, end_user or platform_operator"
    or not given.path:find("^/[%w%-._~!$&'()*+,;=:@/%%]*$") and "path must begin with / and hold no blank and no query"
    or given.json and given.form and "give either json or form"
  if wrong then return refuse(wrong, "request") end
  local name, known = operation_of(method, given.path)
  local extra = check.extra(given)
  local content_type, why = fill_body(given, extra)
  if why then return refuse(why, name) end
  local query = build.pairs_of(names_of(given.query or {}), given.query or {})
  local row = {
    method = method, path = given.path, content_type = content_type, answer = "response", heed = true,
    profile = { [client._role] = known.profile and known.profile[role] or PROFILES[role] },
    repeats = known.repeats or REPEATS[method], creates = known.creates, unknown = known.unknown,
    says = "client:request",
  }
  if query ~= "" then extra.url = client.base_url .. given.path .. "?" .. query end
  local response, message, err = call.run_row(client, row, name, extra, given.on_upload)
  local made = response and response.status < 300 and known.creates and known.answer == "generation" and response.json
  if type(made) == "table" and type(made.id) == "string" then
    created.generation(runtime.job(), client:generation(made.id))
  end
  return response, message, err
end

return M
