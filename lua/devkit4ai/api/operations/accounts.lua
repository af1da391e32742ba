--- Operations on accounts, tokens, e-mail verification and developer keys (wire.md 3.1, rows 6 to 14).
local roles = require "devkit4ai.api.operations.roles"

return {
  register = { -- row 6
    method = "POST", path = "/api/v1/auth/register",
    profile = {
      developer = "register_developer", end_user = "register_end_user", platform_operator = "register_developer",
    },
    body = { json = { "email", "full_name" } }, secret_fields = { "password" },
    response = "registration",
    retry_class = "never", call_name = "client:register", creates_object = "account",
    status_corrections = { [400] = { words = "already", status = 409 } }, -- wire.md D21
    unknown_advice = "the account may exist now, and the server shows its keys only once: try to log in before you "
      .. "register again",
  },
  login = { -- row 7
    method = "POST", path = "/api/v1/auth/login",
    profile = { developer = "none", end_user = "login_end_user", platform_operator = "none" },
    body = { json = { "email" } }, secret_fields = { "password" },
    response = "tokens",
    retry_class = "if_not_sent", call_name = "client:login",
    advice = { auth = "check the e-mail address and the password" },
    unknown_advice = "you can log in again; many tries in a short time may lock the account",
  },
  get_me = { -- row 8
    method = "GET", path = "/api/v1/auth/me", profile = roles.bearer,
    response = "account",
    retry_class = "safe", call_name = "client:me",
  },
  refresh_token = { -- row 9
    method = "POST", path = "/api/v1/auth/refresh", profile = roles.anyone,
    body = { json = {} }, secret_fields = { "refresh_token" },
    response = "tokens",
    retry_class = "one_retry", call_name = "client:refresh_token",
    unknown_advice = "the old refresh token may be used up: if the next call is refused, log in again",
  },
  verify_email = { -- row 10; wire.md D20: the OpenAPI file's form
    method = "POST", path = "/api/v1/auth/verify-email", profile = roles.anyone,
    body = { json = { "user_id" } }, uuids = { "user_id" }, secret_fields = { "verification_token" },
    response = "none",
    retry_class = "never", call_name = "client:verify_email",
    unknown_advice = "the address may be verified now: check is_active in client:me()",
  },
  request_verification = { -- row 11; wire.md D20
    method = "POST", path = "/api/v1/auth/request-verification", profile = roles.anyone,
    query = { "user_id" }, uuids = { "user_id" }, empty_body = true,
    response = "none",
    retry_class = "never", call_name = "client:request_verification",
    unknown_advice = "an e-mail may be on its way: check for it before you request another",
  },
  list_developer_keys = { -- row 12
    method = "GET", path = "/api/v1/auth/developer-keys", profile = roles.developer,
    response = "developer_keys",
    retry_class = "safe", call_name = "client:developer_keys",
  },
  create_developer_key = { -- row 13
    method = "POST", path = "/api/v1/auth/developer-keys", profile = roles.developer,
    body = { json = { "name" } },
    response = "key",
    retry_class = "never", call_name = "client:new_developer_key", creates_object = "developer key",
    unknown_advice = "a key that you have not seen may exist now: find it in client:developer_keys(), and revoke it, "
      .. "before you create another",
  },
  revoke_developer_key = { -- row 14; 400: the key is already revoked (wire.md E29)
    method = "DELETE", path = "/api/v1/auth/developer-keys/{key_id}", profile = roles.developer,
    response = "none",
    retry_class = "delete", done_statuses = { [404] = true, [400] = true }, call_name = "key:revoke",
    unknown_advice = "the key may be revoked now: check client:developer_keys()",
  },
}
