--- The first step of a call: the request, out of the operation's row, the client and the arguments.
local core = require "devkit4ai.core"
local validate = require "devkit4ai.util.validate"
local config = require "devkit4ai.config"
local errors = require "devkit4ai.util.errors"
local json = require "devkit4ai.util.json"
local limits = require "devkit4ai.api.limits"
local locale = require "devkit4ai.util.locale"
local header_profiles = require "devkit4ai.api.header_profiles"
local proxy = require "devkit4ai.request.proxy"

local M = {}

M.URLENCODED = "application/x-www-form-urlencoded"

-- Not for a multipart form: its type has the boundary, which libcurl makes.
local CONTENT_TYPES = { json = "application/json", urlencoded = M.URLENCODED }

local function header_lines(row, profile, client)
  local lines = { "User-Agent: " .. client._user_agent }
  for _, line in ipairs(header_profiles[profile]) do lines[#lines + 1] = line end
  local content_type = row.content_type or row.body and CONTENT_TYPES[next(row.body)]
  if content_type then lines[#lines + 1] = "Content-Type: " .. content_type end
  if row.empty_body then lines[#lines + 1] = "Content-Length: 0" end
  for _, line in ipairs(row.path and client._lines or {}) do lines[#lines + 1] = line end -- the API alone gets them
  return lines
end

--- What is the same in each request of an operation: a table for the core, and the metatable by which others inherit from
--- it. It holds no secret: those go with each sending.
---@param scope devkit4ai.Scope
---@param name string
---@param row table
---@return table? known
---@return string? message
---@return devkit4ai.Error? err
function M.prepare(scope, name, row)
  local client = scope._client
  local profile = row.profile[client._role]
  if not profile then
    local what = ("a client with the role %s has no such call"):format(client._role)
    return errors.refuse("config", what, name, row.call_name)
  end
  local timeouts = row.billable and client._creating or client._limits
  local lines, traced = header_lines(row, profile, client), client._trace ~= false
  local request = {
    method = row.method, url = row.path and client.base_url .. row.path, headers = core.headers(lines),
    ca_file = client._ca_file, proxy = row.path and proxy.of(client._proxy, client.base_url),
    once = row.method ~= "GET", head = row.returns_headers or traced, times = traced,
    max_answer = limits.MAX_RESPONSE_BYTES,
    connect = timeouts.connect, idle = timeouts.idle, total = timeouts.total,
  }
  -- the same bytes each time
  local fixed = row.retry_class == "safe" and not row.query and row.path and not row.path:find("{", 1, true)
  if fixed then request.compiled = core.request(request) end
  return {
    request = request, lines = lines, fixed = fixed, inherit = { __index = request },
    bearer = table.concat(header_profiles[profile]):find("{access_token}", 1, true) ~= nil,
  }
end

-- gives the parameter that is not a UUID
local function fill_path(request, args)
  local wrong
  request.url = request.url:gsub("{([%w_]+)}", function(name)
    if not config.is_uuid(args[name]) then wrong = name end
    return args[name]
  end)
  return wrong
end

local function percent(byte)
  return ("%%%02X"):format(byte:byte())
end

local WHOLE = 2 ^ 53 -- up to here each whole number is itself, and no exponent is wanted

--- A value as it stands in a query or a form, in each locale.
---@param value string|number|boolean
---@return string
function M.text_of(value)
  if type(value) ~= "number" then return tostring(value) end
  if value % 1 == 0 and math.abs(value) <= WHOLE then return ("%.0f"):format(value) end
  return locale.format("%.14g", value)
end

local function encode_component(value)
  return (M.text_of(value):gsub("[^A-Za-z0-9%-._~]", percent))
end

--- name=value&..., in the order of names; what is not there is left out.
---@param names string[]
---@param values table<string, string|number|boolean>
---@return string
function M.encode_pairs(names, values)
  local parts = {}
  for _, name in ipairs(names) do
    if values[name] ~= nil then parts[#parts + 1] = encode_component(name) .. "=" .. encode_component(values[name]) end
  end
  return table.concat(parts, "&")
end

local function fill_query(row, request, args)
  local text = M.encode_pairs(row.query, args)
  if text ~= "" then request.url = request.url .. "?" .. text end
end

-- A slot marked ? is left out where nothing is given for it.
local function slots_of(row, args)
  local slots = {}
  for _, slot in ipairs(row.secret_fields or {}) do
    local name = slot:match("^%??(.*)$")
    if name == slot or args[name] ~= nil then slots[#slots + 1] = name end
  end
  return slots
end

local function fill_json(row, request, args)
  local fields = {}
  for _, name in ipairs(row.body.json) do fields[name] = args[name] end
  local text, why = json.encode(fields)
  if not text then return nil, why end
  request.json, request.slots = text, slots_of(row, args)
  return true
end

--- The files' part has the name that the server is known to want, else the row's first.
---@param form table the row's
---@param request table
---@param args table
---@param part integer? which of the row's names
function M.fill_form(form, request, args, part)
  request.form = {
    part = form.file_fields[part or 1], files = args.files, max_bytes = form.max_bytes,
    fields = { { form.text_field, args[form.text_field] } },
  }
end

-- Secrets among the arguments live in a set of their own, for this call alone.
local function own_secrets(row, args, extra, secrets)
  local own
  for _, slot in ipairs(slots_of(row, args)) do
    if args[slot] then
      own = own or core.secrets(secrets)
      own:set(slot, args[slot], "body")
    end
  end
  if not row.path or extra and (extra.headers or extra.hidden) then own = own or core.secrets(secrets) end
  for i, value in ipairs(extra and extra.hidden or {}) do own:set("hidden " .. i, value, "body") end
  return own
end

local HIDDEN = 8 -- characters; a shorter value in a picture's address is no signature

-- What a picture's address is signed with is masked while the call lives, also as the server may spell it.
local function hide_query(secrets, url)
  local n = 0
  for value in (url:match("%?([^#]*)") or ""):gmatch("[^&=]+") do
    for _, text in ipairs { value, proxy.percent_decoded(value) } do
      n = n + 1
      if #text >= HIDDEN then secrets:set(("query %d of %s"):format(n, url), text, "body") end
    end
  end
end

--- Where a picture's request goes: through which proxy, and whether only to public addresses. Not so where the API's own
--- address is private, nor on the API's own origin, which gets our requests anyway.
---@param client devkit4ai.Client
---@param request table
---@param url string
---@return boolean? done
---@return string? why it can't be sent there
function M.aim(client, request, url)
  hide_query(request.own, url)
  local through, why = proxy.of(client._proxy, url)
  if why then return nil, why end
  request.url, request.proxy = url, through
  request.public = client._public and config.origin(url) ~= config.origin(client.base_url)
  return true
end

local function refuse(call_name, name, kind, message)
  return errors.refuse(kind, message, name, call_name)
end

local BODIES = {
  json = fill_json,
  urlencoded = function(row, request, args)
    request.json = M.encode_pairs(row.body.urlencoded, args)
    return true
  end,
  multipart = function(row, request, args, part)
    M.fill_form(row.body.multipart, request, args, part)
    return true
  end,
}

-- the first argument that must be a UUID and is none
local function no_uuid(row, args)
  for _, name in ipairs(row.uuids or {}) do
    if args[name] ~= nil and not config.is_uuid(args[name]) then return name end
  end
end

-- what is always sent, where the arguments do not say otherwise
local function with_defaults(row, args)
  return setmetatable({}, { __index = function(_, name)
    local value = args[name]
    if value == nil then return row.defaults[name] end
    return value
  end })
end

local function fill(row, name, request, args, part, call_name)
  local wrong = no_uuid(row, args) or row.path and fill_path(request, args)
  if wrong then
    local message = ("%s is not a UUID, but %s"):format(wrong, validate.describe(args[wrong]))
    return refuse(call_name, name, "invalid", message)
  end
  if row.defaults then args = with_defaults(row, args) end
  if row.query then fill_query(row, request, args) end
  if row.body then
    local ok, why = BODIES[next(row.body)](row, request, args, part)
    if not ok then return refuse(call_name, name, "invalid", "the arguments can't be written as JSON: " .. why) end
  end
  return true
end

--- One call's request.
---@param client devkit4ai.Client
---@param row table
---@param known table M.prepare's
---@param name string
---@param args table
---@param extra table? fields of the core's request; headers
---@param secrets userdata the scope's
---@return table? request
---@return userdata|string secrets the call's own, to be closed after it, or the scope's; the message, where request is nil
---@return devkit4ai.Error? err
function M.request(client, row, known, name, args, extra, secrets)
  local request = setmetatable({ compiled = false }, known.inherit)
  for field, value in pairs(extra or {}) do request[field] = value end
  request.headers = nil
  local call_name = request.call_name or row.call_name
  if request.total ~= nil and not validate.is_valid_timeout(request.total) then
    return refuse(call_name, name, "config", validate.TIMEOUT_MESSAGE)
  end
  local ok, message, err = fill(row, name, request, args, client._parts[name], call_name)
  if not ok then return nil, message, err end
  if row.id_argument then request.expected_id = args[row.id_argument] end
  local own = own_secrets(row, args, extra, secrets)
  request.own = own
  if not row.path then
    ok, message = M.aim(client, request, request.url)
    if not ok then return refuse(call_name, name, "config", message) end
  end
  if row.path and extra and extra.headers then -- the API alone gets them
    local lines, why = require("devkit4ai.request.headers").compile(extra.headers, own, known.lines)
    if not lines then return refuse(call_name, name, "config", why) end
    request.headers = core.headers(lines)
  end
  return request, own or secrets
end

return M
