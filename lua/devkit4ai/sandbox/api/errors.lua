--- The documented errors, and their responses. Ids and texts: wire.md 4.3; those without an id: wire.md 4.4.
local json = require "devkit4ai.sandbox.util.json"
local responses = require "devkit4ai.sandbox.http.response"

local M = {}

-- id -> status, detail, headers
local ERRORS = {
  E01 = { 401, "Could not validate credentials" },
  E03 = { 403, "X-User-Role header is required" },
  E04 = { 403, "Invalid or revoked developer key" },
  E05 = { 403, "You do not have permission to access this resource" },
  E06 = { 403, "Insufficient permissions" },
  E07 = { 403, "Insufficient permissions. Developer role required." },
  E08 = { 403, "Insufficient permissions for this operation" },
  E09 = { 404, "Project not found" },
  E12 = { 401, "Incorrect email or password", { "WWW-Authenticate: Bearer" } },
  E13 = { 400, "Account not activated" },
  E14 = { 400, "Invalid X-Project-ID format. Must be a valid UUID." },
  E19 = { 409, "Email already registered" },
  E20 = { 400, "End user registration requires a developer key and project context" },
  E21 = { 400, "X-Project-ID header is required for END_USER registration" },
  E22 = { 403, "Project not found or you don't have permission to add users to it" },
  E26 = { 400, "Invalid operator key" }, -- the documents give no text
  E27 = { 400, "Maximum number of developer keys (10) reached. Please revoke unused keys." }, -- wire.md D07
  E29 = { 400, "Developer key is already revoked or inactive" },
  E30 = { 403, "Key does not belong to the authenticated developer" }, -- wire.md D08
  E31 = { 403, "Cannot revoke the developer key currently being used for authentication" },
  E32 = { 404, "Developer key not found" },
  E36 = { 403, "Maximum number of projects reached for your subscription tier. Upgrade to create more projects." },
  E38 = { 422, "Maximum 5 example images allowed" },
  E39 = { 413, "File size exceeds maximum allowed size of 10MB" },
  E40 = { 422, "Invalid file format. Supported formats: JPEG, PNG, WebP" },
  E42 = { 422, "Instructions must be between 1 and 1000 characters" },
  project_id_missing = { 403, "X-Project-ID header is required" },
  api_key_missing = { 403, "X-API-Key header is required" },
  api_key_invalid = { 403, "Invalid or revoked API key" },
  api_key_not_found = { 404, "API key not found" },
  api_key_limit_reached = { -- the documents give no text for this one and the next; these follow wire.md E36
    403, "Maximum number of API keys reached for your subscription tier. Upgrade to create more API keys.",
  },
  end_user_limit_reached = {
    403, "Maximum number of end users reached for your subscription tier. Upgrade to add more end users.",
  },
  verification_token_invalid = { 400, "Invalid or expired verification token" },
  generation_not_found = { 404, "Generation not found" },
  not_found = { 404, "Not Found" },
  multipart_malformed = { 400, "There was an error parsing the body" },
}

-- id -> msg, type of one entry of a validation error; %d takes the limit
local VALIDATION_ERRORS = {
  E17 = { "value is not a valid email address", "value_error.email" },
  E18 = { "Password must be at least 8 characters with uppercase, lowercase, and digit", "value_error.password" },
  E33 = { "value is not a valid uuid", "type_error.uuid" },
  E34 = { "ensure this value has at least %d characters", "value_error.any_str.min_length" },
  E35 = { "ensure this value has at most %d characters", "value_error.any_str.max_length" },
  E37 = { "field required", "value_error.missing" },
  E41 = { "Invalid JSON format", "value_error.json" },
  not_integer = { "value is not a valid integer", "type_error.integer" },
  not_boolean = { "value could not be parsed to a boolean", "type_error.bool" },
  too_small = { "ensure this value is greater than or equal to %d", "value_error.number.not_ge" },
  too_large = { "ensure this value is less than or equal to %d", "value_error.number.not_le" },
  not_text = { "str type expected", "type_error.str" },
  not_object = { "value is not a valid dict", "type_error.dict" },
  not_json = { "JSON decode error", "json_invalid" },
}

local prepared = {} -- id -> response
for id, row in pairs(ERRORS) do prepared[id] = responses.detail(row[1], row[2], row[3]) end

--- The response of a documented error.
---@param id string
---@return devkit4ai.sandbox.Response
function M.response(id)
  return prepared[id]
end

---@class devkit4ai.sandbox.ValidationEntry
---@field loc (string|integer)[]  where the value is
---@field msg string
---@field type string

--- One entry of a validation error.
---@param id string
---@param loc (string|integer)[]
---@param limit integer?
---@return devkit4ai.sandbox.ValidationEntry
function M.validation_entry(id, loc, limit)
  local row = VALIDATION_ERRORS[id]
  return { loc = loc, msg = row[1]:format(limit), type = row[2] }
end

local ENTRY = { "loc", "msg", "type" }

--- The 422 response of a validation error.
---@param entries devkit4ai.sandbox.ValidationEntry[]
---@return devkit4ai.sandbox.Response
function M.validation_error(entries)
  return { status = 422, body = '{"detail":' .. json.encode_list(ENTRY, entries) .. "}" }
end

-- A 429. rate_limits.lua adds the time in the dialect's form.
local function too_many(detail, seconds, window)
  local response = responses.detail(429, detail)
  response.detail, response.retry_after, response.window = detail, seconds, window
  return response
end

--- wire.md E10: too many requests.
---@param seconds integer until the next request is allowed
---@param window devkit4ai.sandbox.RateWindow? that is used up
---@return devkit4ai.sandbox.Response
function M.rate_limited(seconds, window)
  return too_many(("Rate limit exceeded. Try again in %d seconds."):format(seconds), seconds, window)
end

--- wire.md E11: too many generations, at once or in total. The documents give 3600 seconds for both.
---@return devkit4ai.sandbox.Response
function M.generation_limited()
  return too_many("AI generation rate limit exceeded. Try again later.", 3600)
end

return M
