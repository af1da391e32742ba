--- Accounts, tokens and verification: wire.md 3.1, rows 6 to 11.
local encoding = require "devkit4ai.sandbox.encoding"
local errors = require "devkit4ai.sandbox.errors"
local fields = require "devkit4ai.sandbox.fields"
local forms = require "devkit4ai.sandbox.forms"

local function new_tokens(state, user)
  return {
    access_token = state.tokens:issue("access", user), refresh_token = state.tokens:issue("refresh", user),
    token_type = "bearer",
  }
end

-- role -> the user, the form of the answer, and what it says beside the user; or nil and the refusal
local REGISTRARS = {
  developer = function(state, request)
    local user, provisioning = state:register_developer(request.values)
    if not user then return nil, errors.of("E19") end
    return user, forms.registration[state.dialect.provisioning], {
      provisioning = provisioning, project_id = provisioning.project_id,
      developer_key = provisioning.developer_key, api_key = provisioning.api_key,
    }
  end,
  end_user = function(state, request)
    local limit, project = state.settings.user_limit, request.project
    if limit and #state.accounts:of_project(project.id) >= limit then return nil, errors.of("users_limited") end
    local user = state.accounts:register("end_user", request.values, project.id)
    if not user then return nil, errors.of("E19") end
    return user, forms.end_user_registration, {}
  end,
}

local TOKENED = { -- axis reg_tokens (wire.md D18): roles that get tokens at registration
  end_users = { end_user = true }, both = { end_user = true, developer = true }, none = {},
}

local function register(state, request)
  local user, form, more = REGISTRARS[request.role](state, request)
  if not user then return form end
  if not user.is_active then state.mails:send(user) end
  if user.is_active and TOKENED[state.dialect.reg_tokens][request.role] then
    for name, value in pairs(new_tokens(state, user)) do more[name] = value end
  end
  return 201, form, setmetatable(more, { __index = user })
end

local function login(state, request)
  local user = state.accounts:login(request.values.email, request.values.password, request.project_id)
  if not user then return errors.of("E12") end
  if not user.is_active then return errors.of("E13") end
  return 200, forms.tokens, new_tokens(state, user)
end

local function no_token() return nil end

local function same_token(_, _, sent) return sent end

local function next_token(state, user) return state.tokens:issue("refresh", user) end

local function last_use(state, user, sent)
  state.tokens:spend(sent)
  return next_token(state, user)
end

local ROTATION = { -- axis refresh_rotation (wire.md D09, D10): the refresh token of the answer
  reuse = { form = forms.tokens, token = same_token }, null = { form = forms.tokens, token = no_token },
  absent = { form = forms.access_token, token = no_token }, rotate = { form = forms.tokens, token = next_token },
  single_use = { form = forms.tokens, token = last_use },
}

local function refresh(state, request)
  local sent = request.values.refresh_token
  local user_id = state.tokens:check("refresh", sent)
  local user = user_id and state.accounts:get(user_id)
  if not user then return errors.of("E01") end
  local rotation = ROTATION[state.dialect.refresh_rotation]
  return 200, rotation.form, {
    access_token = state.tokens:issue("access", user), refresh_token = rotation.token(state, user, sent),
    token_type = "bearer",
  }
end

-- The same answer where nobody has the id: it is for everybody to ask, and tells nobody who exists.
local function request_verification(state, request)
  local user = state.accounts:get(request.asked.user_id)
  if user then state.mails:send(user) end
  return 200, forms.message, { message = "Verification email sent" }
end

local function verify_email(state, request)
  local user = state.accounts:get(request.values.user_id:lower())
  if not user or not state.mails:open(user, request.values.verification_token) then
    return errors.of("verification_invalid")
  end
  user.is_active = true
  return 200, forms.verified, { message = "Email verified successfully", email = user.email }
end

local EMAIL = { "email", required = true, check = fields.email, finding = "E17" }

---@type table[]
return {
  { "POST", "/api/v1/auth/register", row = 6, name = "register", profile = "register", answer = register, fields = {
    EMAIL,
    { "password", required = true, check = fields.password, finding = "E18" },
    { "full_name" },
  } },
  { "POST", "/api/v1/auth/login", row = 7, name = "login", profile = "login", answer = login,
    fields = { EMAIL, { "password", required = true } } },
  { "GET", "/api/v1/auth/me", row = 8, name = "get_me", profile = "bearer",
    answer = function(_, request) return 200, forms.user, request.user end },
  { "POST", "/api/v1/auth/refresh", row = 9, name = "refresh_token", profile = "none", answer = refresh,
    fields = { { "refresh_token", required = true } } },
  { "POST", "/api/v1/auth/verify-email", row = 10, name = "verify_email", profile = "none", answer = verify_email,
    fields = {
      { "user_id", required = true, check = encoding.is_uuid, finding = "E33" },
      { "verification_token", required = true },
    } },
  { "POST", "/api/v1/auth/request-verification", row = 11, name = "request_verification", profile = "none",
    query = { { "user_id", kind = fields.kinds.uuid, required = true } }, answer = request_verification },
}
