--- Accounts, tokens, verification and developer keys: wire.md 3.1, rows 6 to 14.
local roles = require "devkit4ai.api.operations.roles"

return {
  register = { -- row 6
    method = "POST", path = "/api/v1/auth/register",
    profile = { developer = "reg_dev", end_user = "reg_end", platform_operator = "reg_dev" },
    body = { json = { "email", "full_name" } }, slots = { "password" },
    answer = "registration", repeats = "never", says = "client:register", meant = { [400] = { "already", 409 } }, -- wire.md D21
    makes = "account",
    unknown = "the account may exist now, and its keys can't be asked for again: try to log in before you register "
      .. "anew",
  },
  login = { -- row 7
    method = "POST", path = "/api/v1/auth/login",
    profile = { developer = "none", end_user = "login_end", platform_operator = "none" },
    body = { json = { "email" } }, slots = { "password" },
    answer = "tokens", repeats = "unsent", says = "client:login",
    advice = { auth = "look at the e-mail address and the password" },
    unknown = "you can log in again; many tries in a short time may lock the account",
  },
  get_me = { -- row 8
    method = "GET", path = "/api/v1/auth/me", profile = roles.bearer,
    answer = "account", repeats = "safe", says = "client:me",
  },
  refresh_token = { -- row 9
    method = "POST", path = "/api/v1/auth/refresh", profile = roles.anyone,
    body = { json = {} }, slots = { "refresh_token" },
    answer = "tokens", repeats = "once_more", says = "client:refresh_token",
    unknown = "the old refresh token may be used up: if the next call is refused, log in again",
  },
  verify_email = { -- row 10; wire.md D20: the OpenAPI file's form
    method = "POST", path = "/api/v1/auth/verify-email", profile = roles.anyone,
    body = { json = { "user_id" } }, uuids = { "user_id" }, slots = { "verification_token" },
    answer = "nothing", repeats = "never", says = "client:verify_email",
    unknown = "the address may be verified now: look at is_active in client:me()",
  },
  request_verification = { -- row 11; wire.md D20
    method = "POST", path = "/api/v1/auth/request-verification", profile = roles.anyone,
    query = { "user_id" }, uuids = { "user_id" }, bodiless = true,
    answer = "nothing", repeats = "never", says = "client:request_verification",
    unknown = "a mail may be on its way: look for it before you ask for another",
  },
  list_developer_keys = { -- row 12
    method = "GET", path = "/api/v1/auth/developer-keys", profile = roles.developer,
    answer = "developer_keys", repeats = "safe", says = "client:developer_keys",
  },
  create_developer_key = { -- row 13
    method = "POST", path = "/api/v1/auth/developer-keys", profile = roles.developer,
    body = { json = { "name" } },
    answer = "key", repeats = "never", says = "client:new_developer_key",
    makes = "developer key",
    unknown = "a key that nobody knows may exist now: look for it in client:developer_keys(), and revoke it, before "
      .. "you make another",
  },
  revoke_developer_key = { -- row 14; 400: it is revoked already (wire.md E29)
    method = "DELETE", path = "/api/v1/auth/developer-keys/{key_id}", profile = roles.developer,
    answer = "nothing", repeats = "delete", gone = { [404] = true, [400] = true }, says = "key:revoke",
    unknown = "the key may be revoked now: look for it in client:developer_keys()",
  },
}
