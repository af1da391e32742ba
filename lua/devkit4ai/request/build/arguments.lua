--- The request of one call: path, query, body, headers and secrets from its arguments and options.
local core = require "devkit4ai.core"
local config = require "devkit4ai.config"
local errors = require "devkit4ai.util.errors"
local json = require "devkit4ai.util.json"
local locale = require "devkit4ai.util.locale"
local proxy = require "devkit4ai.request.proxy"
local validate = require "devkit4ai.util.validate"

local M = {}

-- Returns the name of a parameter that is not a UUID.
local function fill_path(request, args)
  local wrong
  request.url = request.url:gsub("{([%w_]+)}", function(name)
    if not config.is_uuid(args[name]) then wrong = name end
    return args[name]
  end)
  return wrong
end

local function percent_encode(byte)
  return ("%%%02X"):format(byte:byte())
end

local WHOLE = 2 ^ 53 -- up to here a number holds each integer exactly, and it is written without an exponent

--- The text of a value in a query or a form, the same in each locale.
---@param value string|number|boolean
---@return string
function M.text_of(value)
  if type(value) ~= "number" then return tostring(value) end
  if value % 1 == 0 and math.abs(value) <= WHOLE then return ("%.0f"):format(value) end
  return locale.format("%.14g", value)
end

local function encode_component(value)
  return (M.text_of(value):gsub("[^A-Za-z0-9%-._~]", percent_encode))
end

--- The text name=value&..., in the order of names, without the names that have no value.
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

-- A slot marked ? is left out if its argument is absent.
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

-- choice: which of the row's names the files' part has
local function fill_form(row, request, args, choice)
  local form = row.body.multipart
  request.form = {
    part = form.file_fields[choice or 1], files = args.files, max_bytes = form.max_bytes,
    fields = { { form.text_field, args[form.text_field] } },
  }
  return true
end

-- What fills in the body, by its type.
local BODIES = {
  json = fill_json,
  urlencoded = function(row, request, args)
    request.json = M.encode_pairs(row.body.urlencoded, args)
    return true
  end,
  multipart = fill_form,
}

--- Gives the files' part of a call's form another one of its names.
---@param call devkit4ai.Call
---@param choice integer index in the row's names
function M.rename_part(call, choice)
  fill_form(call.plan.row, call.request, call.args, choice)
end

-- Gives a call its own secrets: those among its arguments, the values of its own headers, the signature in an image's URL.
local function add_secrets(call)
  local row, args, options = call.plan.row, call.args, call.options
  if row.path and not row.secret_fields and not (options and (options.headers or options.hidden)) then return end
  local own = core.secrets(call.secrets)
  for _, slot in ipairs(row.secret_fields and slots_of(row, args) or {}) do
    if args[slot] then own:set(slot, args[slot], "body") end
  end
  for i, value in ipairs(options and options.hidden or {}) do own:set("hidden " .. i, value, "body") end
  call.own_secrets, call.secrets = own, own
end

local HIDDEN = 8 -- characters; a shorter value in an image's URL is no signature

-- The signature in an image's URL is masked during the call, also as the server may spell it.
local function hide_query(secrets, url)
  local n = 0
  for value in (url:match("%?([^#]*)") or ""):gmatch("[^&=]+") do
    for _, text in ipairs { value, proxy.percent_decoded(value) } do
      n = n + 1
      if #text >= HIDDEN then secrets:set(("query %d of %s"):format(n, url), text, "body") end
    end
  end
end

--- Sets the URL of an image's request, its proxy, and whether only public addresses are allowed. All addresses are allowed
--- if the API's own address is private, and on the API's own origin.
---@param call devkit4ai.Call
---@param request table
---@param url string
---@return boolean? done
---@return string? why the request can't be sent to this URL
function M.set_image_url(call, request, url)
  local client = call.client
  hide_query(call.own_secrets, url)
  local through, why = proxy.of(client._proxy, url)
  if why then return nil, why end
  request.url, request.proxy = url, through
  request.public = client._public and config.origin(url) ~= config.origin(client.base_url)
  return true
end

--- The call as the user knows it, for messages.
---@param call devkit4ai.Call
---@return string
function M.call_name(call)
  return call.options and call.options.call_name or call.plan.row.call_name
end

local function refuse(call, kind, message)
  return errors.refuse(kind, message, call.plan.name, M.call_name(call))
end

-- The name of the first argument that must be a UUID and is none.
local function not_uuid(row, args)
  for _, name in ipairs(row.uuids) do
    if args[name] ~= nil and not config.is_uuid(args[name]) then return name end
  end
end

-- The arguments, with the row's defaults for those that are absent.
local function with_defaults(row, args)
  return setmetatable({}, { __index = function(_, name)
    local value = args[name]
    if value == nil then return row.defaults[name] end
    return value
  end })
end

local function fill(call, request)
  local row, args = call.plan.row, call.args
  local wrong = row.uuids and not_uuid(row, args) or call.plan.has_parameters and fill_path(request, args)
  if wrong then
    return refuse(call, "invalid", ("%s is not a UUID, but %s"):format(wrong, validate.describe(args[wrong])))
  end
  if row.defaults then args = with_defaults(row, args) end
  if row.query then fill_query(row, request, args) end
  if call.plan.body then
    local ok, why = BODIES[call.plan.body](row, request, args, call.client._part_choice[call.plan.name])
    if not ok then return refuse(call, "invalid", "the arguments can't be written as JSON: " .. why) end
  end
  return true
end

-- The user's own headers are for the API only.
local function add_headers(call, request)
  local given = call.options and call.options.headers
  if not given or not call.plan.row.path then return true end
  local compile = require("devkit4ai.request.headers").compile
  local lines, why = compile(given, call.own_secrets, call.plan.header_lines)
  if not lines then return refuse(call, "config", why) end
  request.headers = core.headers(lines)
  return true
end

--- Gives a call its own request, because its request differs from the plan's.
---@param call devkit4ai.Call
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function M.add(call)
  local plan, options = call.plan, call.options
  local row, request = plan.row, setmetatable({ compiled = false }, plan.inherit)
  for field, value in pairs(options or {}) do request[field] = value end
  request.headers = nil
  if request.total ~= nil and not validate.is_valid_timeout(request.total) then
    return refuse(call, "config", validate.TIMEOUT_MESSAGE)
  end
  local ok, message, err = fill(call, request)
  if not ok then return nil, message, err end
  call.request = request
  add_secrets(call)
  if not row.path then
    ok, message = M.set_image_url(call, request, request.url)
    if not ok then return refuse(call, "config", message) end
  end
  return add_headers(call, request)
end

return M
