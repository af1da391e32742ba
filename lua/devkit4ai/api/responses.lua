--- Response normalization: converts each documented form of a response to one form. A function returns nil and the name of a
--- missing field, if the response lacks a required one.
local json = require "devkit4ai.util.json"
local locale = require "devkit4ai.util.locale"

local M = {}

local type = type -- used for each response

-- ---- values of the wrong type ----

-- An optional text. A number is converted; any other value is only in `raw`.
local function text_or_nil(value)
  if type(value) == "string" then return value end
  return type(value) == "number" and locale.format("%.14g", value) or nil
end

local function flag_or_nil(value)
  if type(value) == "boolean" then return value end
end

-- Fields with the message of an error, in order of preference.
local MESSAGE_FIELDS = {
  "detail", "message", "error_description", "description", "errors", "error", "msg", "reason", "title",
}

-- The message of an error at any depth: in a text, a list or an object. nil: there is none.
local function message_of(value)
  if type(value) ~= "table" then return value ~= "" and text_or_nil(value) or nil end
  for _, name in ipairs(MESSAGE_FIELDS) do
    local message = value[name] ~= nil and message_of(value[name])
    if message then return message end
  end
  local parts = {}
  for _, item in ipairs(value) do parts[#parts + 1] = message_of(item) end
  if parts[1] then return table.concat(parts, "; ") end
end

-- The message of an error, else the JSON of its object.
local function message_or_json(value)
  if value == nil or value == false then return nil end
  local message = message_of(value)
  if message or type(value) ~= "table" then return message or value ~= "" and tostring(value) or nil end
  local text = next(value) ~= nil and json.encode(value)
  return text and require("devkit4ai.util.redact").named_values(text) or nil
end

-- ---- responses ----

---@class devkit4ai.Account an account
---@field id string a UUID
---@field email string?
---@field full_name string?
---@field role string? "developer", "end_user", "platform_operator"
---@field is_active boolean? false: the e-mail address is not verified, or the account is disabled
---@field created_at string? ISO 8601
---@field project_id string? of a new developer: the first project; of an end user: the project
---@field developer_key string? only at registration, shown once
---@field project_key string? only at registration, shown once
---@field raw table the decoded response without nulls and secrets

function M.account(raw, secrets)
  local id, active = raw.id, raw.is_active
  if type(id) ~= "string" then return nil, "id" end
  if active == nil then active = raw.is_verified end -- wire.md D15
  if active ~= true and active ~= false then active = nil end
  local account = {
    id = id, email = raw.email, role = raw.role, is_active = active, created_at = raw.created_at, raw = raw,
  }
  if raw.full_name then account.full_name = raw.full_name end
  if raw.project_id then account.project_id = raw.project_id end
  local provisioning = raw.provisioning -- wire.md D04: nested, or flat
  if provisioning and type(provisioning) == "table" and provisioning.project_id then -- first alone: type costs 200 instructions
    account.project_id = provisioning.project_id
  end
  if secrets.developer_key then account.developer_key = secrets.developer_key end
  if secrets.api_key then account.project_key = secrets.api_key end
  return account
end

function M.registration(raw, secrets)
  local account, missing = M.account(raw, secrets)
  if not account then return nil, missing end
  -- Not for get_me: each one costs 200 instructions.
  for _, name in ipairs { "email", "role", "created_at", "full_name", "project_id" } do
    account[name] = text_or_nil(account[name])
  end
  account._tokens = M.tokens(raw, secrets) -- for the session, which removes the field (wire.md D18: optional)
  return account
end

function M.tokens(_, secrets)
  if type(secrets.access_token) ~= "string" or secrets.access_token == "" then return nil, "access_token" end
  local refresh = secrets.refresh_token
  return { access_token = secrets.access_token, refresh_token = refresh ~= "" and refresh or nil } -- wire.md D09
end

function M.project(raw)
  if type(raw.id) ~= "string" then return nil, "id" end
  return {
    id = raw.id, name = text_or_nil(raw.name), description = text_or_nil(raw.description),
    owner_id = text_or_nil(raw.owner_id), is_active = flag_or_nil(raw.is_active),
    created_at = text_or_nil(raw.created_at), updated_at = text_or_nil(raw.updated_at), raw = raw,
  }
end

local function key_of(raw, key)
  return {
    id = raw.id, name = raw.name ~= "" and text_or_nil(raw.name) or nil, -- wire.md D05
    key = key, key_prefix = text_or_nil(raw.key_prefix), project_id = text_or_nil(raw.project_id),
    is_active = flag_or_nil(raw.is_active), last_used_at = text_or_nil(raw.last_used_at),
    created_at = text_or_nil(raw.created_at), raw = raw,
  }
end

function M.key(raw, secrets)
  if type(raw.id) ~= "string" then return nil, "id" end
  if type(secrets.key) ~= "string" or secrets.key == "" then return nil, "key" end
  return key_of(raw, secrets.key)
end

-- wire.md D30: a list is an array, or is in a field with its name or `items`; an empty one may be null (Go writes it so). Items
-- without an id are left out; if no item has one, this is not the list. The second result is the number of received items.
local function list_of(raw, name, normalize)
  local list, out, received = raw[name] or raw.items or raw, {}, 0
  local is_other = list == raw and next(raw) ~= nil and raw[1] == nil and raw.total ~= 0
  if type(list) ~= "table" or is_other then return nil, name end
  for _, item in ipairs(list) do
    received = received + 1
    if type(item) == "table" and type(item.id) == "string" then out[#out + 1] = normalize(item) end
  end
  if received > 0 and not out[1] then return nil, name .. "[1].id" end
  return out, json.item_count(list)
end

function M.projects(raw)
  return list_of(raw, "projects", M.project)
end

function M.keys(raw)
  return list_of(raw, "api_keys", key_of)
end

function M.developer_keys(raw)
  return list_of(raw, "developer_keys", key_of)
end

--- A record: the fields of the server, and `raw`.
function M.record(raw)
  local record = {}
  for name, value in next, raw do record[name] = value end
  record.raw = raw
  return record
end

function M.health(raw)
  local health = M.record(raw)
  health.file_storage = raw.file_storage or raw.storage -- wire.md D58
  return health
end

-- The first argument that is a string.
local function first_text(...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if type(value) == "string" then return value end
  end
end

local function image_url_of(raw)
  local result = raw.result
  local nested = type(result) == "table" and result or {}
  return first_text(raw.result_image_url, raw.generated_image_url, result, nested.image_url, nested.url)
end

local function status_of(raw)
  if type(raw.status) ~= "string" then return "pending" end
  return locale.lower(raw.status):match("^[%z\1-\32]*(.-)[%z\1-\32]*$")
end

function M.generation(raw)
  if type(raw.id) ~= "string" then return nil, "id" end
  return {
    id = raw.id, status = status_of(raw), image_url = image_url_of(raw), -- wire.md D39, D40
    error = message_or_json(raw.error), instructions = raw.instructions, is_public = flag_or_nil(raw.is_public),
    created_at = text_or_nil(raw.created_at), updated_at = text_or_nil(raw.updated_at),
    example_images = raw.example_images, message = message_or_json(raw.message), raw = raw,
  }
end

local function count_or_nil(value)
  return type(value) == "number" and value >= 0 and value % 1 == 0 and value or nil
end

-- One page of a list (D50). Its total may be wrong. received: the number of items in the response, if some are left out.
local function page_of(raw, name, size, normalize)
  local list, received = list_of(raw, name, normalize)
  if not list then return nil, received end
  return {
    list = list, received = received ~= #list and received or nil, total = count_or_nil(raw.total),
    size = count_or_nil(raw[size]), has_more = flag_or_nil(raw.has_more),
  }
end

function M.generations(raw)
  return page_of(raw, "generations", "per_page", M.generation)
end

--- A list of records.
function M.records(raw, _, row)
  return list_of(raw, row.list_field, M.record)
end

--- One page of a list of records.
function M.page(raw, _, row)
  return page_of(raw, row.list_field, row.paging.size_argument, M.record)
end

function M.subscription(raw)
  local inner = raw.subscription -- wire.md D54: may be the only field of a wrapper
  local wrapped = type(inner) == "table" and next(raw, next(raw)) == nil
  return M.record(wrapped and inner or raw)
end

-- A record with a required field.
local function record_with(field, kind)
  return function(raw)
    if type(raw[field]) ~= kind then return nil, field end
    return M.record(raw)
  end
end

M.validation = record_with("valid", "boolean")
M.checkout = record_with("checkout_url", "string")
M.portal = record_with("portal_url", "string")

---@class devkit4ai.Response a complete response of any status, as client:request returns it, with its secrets
---@field status integer the HTTP status
---@field headers table<string, string> by lower-case name; repeated headers are joined with ", "
---@field body string unchanged
---@field json any the decoded body, with nil for null; nil if the body is not JSON

function M.response(status, body, head)
  local headers = {}
  for sent_name, text in head:gmatch("\n([^:\r\n]+):[ \t]*([^\r\n]*)") do
    local name, value = locale.lower(sent_name), text:match("^(.-)[ \t]*$")
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
  return { status = status, headers = headers, body = body, json = json.decode_plain(body) }
end

--- The content of an error response: the message, and the fields of a 422 (wire.md 4.1).
---@param raw any the decoded response
---@return string? detail
---@return table[]? fields list of { loc, msg, type }
---@return number? retry_after seconds
function M.error(raw)
  if type(raw) ~= "table" then return message_of(raw) end
  local detail, retry_after = raw.detail, locale.number(raw.retry_after)
  if type(detail) ~= "table" or detail[1] == nil then
    return message_of(raw) or message_or_json(detail), nil, retry_after
  end
  local fields, messages = {}, {}
  for i, item in ipairs(detail) do
    local path = {}
    if type(item) ~= "table" then item = { msg = item } end
    for j, part in ipairs(type(item.loc) == "table" and item.loc or { item.loc }) do
      path[j] = message_or_json(part) or "?"
    end
    local message = item.msg
    if message == nil then message = item end
    fields[i] = { loc = table.concat(path, "."), msg = message_or_json(message) or "", type = text_or_nil(item.type) }
    messages[i] = (fields[i].loc ~= "" and fields[i].loc .. ": " or "") .. fields[i].msg
  end
  return table.concat(messages, "; "), fields, retry_after
end

return M
