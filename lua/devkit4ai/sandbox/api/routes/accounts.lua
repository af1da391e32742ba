--- Routes of accounts, tokens and verification: wire.md 3.1, rows 6 to 11.
local encoding = require "devkit4ai.sandbox.util.encoding"
local errors = require "devkit4ai.sandbox.api.errors"
local merge = require "devkit4ai.sandbox.util.merge"
local reply = require "devkit4ai.sandbox.api.reply"
local schemas = require "devkit4ai.sandbox.api.schemas"
local validation = require "devkit4ai.sandbox.api.validation"

local function issue_tokens(state, user)
  return {
    access_token = state.tokens:issue("access", user), refresh_token = state.tokens:issue("refresh", user),
    token_type = "bearer",
  }
end

-- role -> function(state, context): the user, the schema, and fields beside the user's; or nil and the error response
local REGISTER = {}

function REGISTER.developer(state, context)
  local user, provisioning = state:register_developer(context.body)
  if not user then return nil, errors.response("E19") end
  return user, schemas.developer_registration[state.dialect.provisioning],
    merge(provisioning, { provisioning = provisioning })
end

function REGISTER.end_user(state, context)
  local limit, project = state.settings.user_limit, context.project
  if limit and #state.accounts:list_by_project(project.id) >= limit then
    return nil, errors.response("end_user_limit_reached")
  end
  local user = state.accounts:register("end_user", context.body, project.id)
  if not user then return nil, errors.response("E19") end
  return user, schemas.end_user_registration, {}
end

local ROLES_WITH_TOKENS = { -- axis reg_tokens (wire.md D18): the roles that get tokens at registration
  end_users = { end_user = true }, both = { end_user = true, developer = true }, none = {},
}

local function register(state, context)
  local user, schema_or_error, more = REGISTER[context.role](state, context)
  if not user then return schema_or_error end
  local record = merge(user, more)
  if not user.is_active then state.outbox:send_token(user)
  elseif ROLES_WITH_TOKENS[state.dialect.reg_tokens][context.role] then
    record = merge(record, issue_tokens(state, user))
  end
  return reply.record(201, schema_or_error, record)
end

local function login(state, context)
  local user = state.accounts:authenticate(context.body.email, context.body.password, context.login_project_id)
  if not user then return errors.response("E12") end
  if not user.is_active then return errors.response("E13") end
  return reply.record(200, schemas.tokens, issue_tokens(state, user))
end

local function no_token() return nil end

local function same_token(_, _, sent) return sent end

local function new_token(state, user) return state.tokens:issue("refresh", user) end

local function new_token_revoke_old(state, user, sent)
  state.tokens:revoke(sent)
  return new_token(state, user)
end

local ROTATIONS = { -- axis refresh_rotation (wire.md D09, D10): the refresh token of the response
  reuse = { schema = schemas.tokens, token = same_token }, null = { schema = schemas.tokens, token = no_token },
  absent = { schema = schemas.access_token, token = no_token }, rotate = { schema = schemas.tokens, token = new_token },
  single_use = { schema = schemas.tokens, token = new_token_revoke_old },
}

local function refresh(state, context)
  local sent = context.body.refresh_token
  local user_id = state.tokens:verify("refresh", sent)
  local user = user_id and state.accounts:get(user_id)
  if not user then return errors.response("E01") end
  local rotation = ROTATIONS[state.dialect.refresh_rotation]
  return reply.record(200, rotation.schema, {
    access_token = state.tokens:issue("access", user), refresh_token = rotation.token(state, user, sent),
    token_type = "bearer",
  })
end

local function get_me(_, context)
  return reply.record(200, schemas.user, context.user)
end

-- An unknown id gets the same response: this request needs no credentials and must not tell which accounts exist.
local function request_verification(state, context)
  local user = state.accounts:get(context.query_params.user_id)
  if user then state.outbox:send_token(user) end
  return reply.record(200, schemas.message, { message = "Verification email sent" })
end

local function verify_email(state, context)
  local user = state.accounts:get(context.body.user_id:lower())
  if not user or not state.outbox:redeem_token(user, context.body.verification_token) then
    return errors.response("verification_token_invalid")
  end
  state.accounts:activate(user)
  return reply.record(200, schemas.verified_email, { message = "Email verified successfully", email = user.email })
end

local EMAIL = { "email", required = true, check = validation.is_email, error = "E17" }

---@type devkit4ai.sandbox.Route[]
return {
  { "POST", "/api/v1/auth/register", row = 6, name = "register", profile = "register", handler = register, json = {
    EMAIL,
    { "password", required = true, check = validation.is_strong_password, error = "E18" },
    { "full_name" },
  } },
  { "POST", "/api/v1/auth/login", row = 7, name = "login", profile = "login", handler = login,
    json = { EMAIL, { "password", required = true } } },
  { "GET", "/api/v1/auth/me", row = 8, name = "get_me", profile = "bearer", handler = get_me },
  { "POST", "/api/v1/auth/refresh", row = 9, name = "refresh_token", profile = "none", handler = refresh,
    json = { { "refresh_token", required = true } } },
  { "POST", "/api/v1/auth/verify-email", row = 10, name = "verify_email", profile = "none", handler = verify_email,
    json = {
      { "user_id", required = true, check = encoding.is_uuid, error = "E33" },
      { "verification_token", required = true },
    } },
  { "POST", "/api/v1/auth/request-verification", row = 11, name = "request_verification", profile = "none",
    query = { { "user_id", type = validation.types.uuid, required = true } }, handler = request_verification },
}
