-- Calls of every operation as a user writes them, by operation name: object, method, arguments.
-- The first call of an operation has the fewest arguments, another one has all; together they have each enum value.
local wire = require "spec.support.calls.wire"

local M = {}

local ID, PRICE = "550e8400-e29b-41d4-a716-446655440000", "price_1"
local EMAIL, PASSWORD = "dev@example.com", "SecurePass123"
local IMAGE = { data = wire.image.png, filename = "a.png" }
local PAGE = { page = 2, page_size = 7 }
local PAID, BACK = "https://example.com/paid?id={CHECKOUT_SESSION_ID}", "https://example.com/back"

-- Merges tables.
local function with(...)
  local all = {}
  for _, part in ipairs { ... } do
    for name, value in pairs(part) do all[name] = value end
  end
  return all
end

local TEST, LIVE = { test_mode = true }, { test_mode = false }
local NARROW = { search = "ada", is_active = true }
local WIDE = { is_active = false, search = "ada & bob/+", project_id = ID }
local SOME = with(PAGE, { project_id = ID, status = "active" })
local CHECKOUT = { price_id = PRICE, success_url = PAID, cancel_url = BACK }

---@type table<string, table[]>
M.calls = {
  get_health = { { "client", "health" } },
  get_health_database = { { "client", "health", "database" } },
  get_health_storage = { { "client", "health", "storage" } },
  get_health_redis = { { "client", "health", "redis" } },
  get_health_detailed = { { "client", "health", "detailed" } },
  get_health_simple = { { "client", "health", "simple" } },

  register = {
    { "client", "register", { email = EMAIL, password = PASSWORD } },
    { "user", "register", { email = EMAIL, password = PASSWORD, full_name = "Ada Lovelace" } },
  },
  login = { { "client", "login", EMAIL, PASSWORD }, { "user", "login", EMAIL, PASSWORD } },
  get_me = { { "client", "me" }, { "user", "me" } },
  refresh_token = { { "client", "refresh_token" } },
  verify_email = { { "client", "verify_email", { user_id = ID, verification_token = "a-token" } } },
  request_verification = { { "client", "request_verification", ID } },
  list_developer_keys = { { "client", "developer_keys" } },
  create_developer_key = { { "client", "new_developer_key" }, { "client", "new_developer_key", "Laptop" } },
  revoke_developer_key = { { "developer_key", "revoke" } },

  list_projects = { { "client", "projects" } },
  create_project = {
    { "client", "new_project", { name = "Neon" } },
    { "client", "new_project", { name = "Neon", description = "All of it" } },
  },
  get_global_stats = { { "client", "stats" }, { "client", "stats", WIDE }, { "client", "stats", NARROW } },
  list_all_users = {
    { "client", "users" }, { "client", "users", with(PAGE, WIDE) }, { "client", "users", NARROW },
  },
  get_project = { { "project", "refresh" } },
  update_project = {
    { "project", "update", { name = "Neon" } }, { "project", "update", { description = "All of it" } },
    { "project", "update", { name = "Neon", description = "All of it" } },
  },
  delete_project = { { "project", "delete" } },
  get_project_stats = {
    { "project", "stats" }, { "project", "stats", NARROW }, { "project", "stats", { is_active = false } },
  },
  create_api_key = { { "project", "new_key" }, { "project", "new_key", "Production" } },
  list_api_keys = { { "project", "keys" } },
  revoke_api_key = { { "key", "revoke" } },
  list_project_users = {
    { "project", "users" }, { "project", "users", with(PAGE, NARROW) }, { "project", "users", { is_active = false } },
  },

  create_generation = {
    { "project", "generate", { images = { IMAGE }, prompt = "neon" } },
    { "project", "generate", { images = { IMAGE, IMAGE }, instructions = { prompt = "neon", style = "wet" } } },
    { "client", "generate", { images = { IMAGE }, prompt = "neon" } },
  },
  get_generation_status = { { "gen", "refresh" } },
  list_generations = {
    { "user", "generations" }, { "project", "generations", { page = 2, per_page = 7 } }, { "client", "generations" },
  },
  set_generation_public = { { "gen", "publish" }, { "gen", "unpublish" } },
  delete_generation = { { "gen", "delete" } },
  list_public_generations = {
    { "client", "public_generations" }, { "client", "public_generations", { page = 2, per_page = 7 } },
  },
  create_anonymous_generation = {
    { "client", "generate_anonymous", { images = { IMAGE }, prompt = "neon" } },
    { "client", "generate_anonymous", { images = { IMAGE, IMAGE }, instructions = { prompt = "neon" } } },
  },
  get_anonymous_generation_status = { { "anonymous", "refresh" } },

  get_stripe_config = { { "stripe", "config" } },
  update_stripe_config = {
    { "stripe", "update_config", { live_secret_key = "sk_live_abcdefgh" } },
    { "stripe", "update_config", { test_secret_key = "sk_test_abcdefgh" } },
    { "stripe", "update_config", {
      test_secret_key = "sk_test_abcdefgh", test_publishable_key = "pk_test_abcdefgh",
      test_webhook_secret = "whsec_abcdefgh", live_secret_key = "sk_live_abcdefgh",
      live_publishable_key = "pk_live_abcdefgh", live_webhook_secret = "whsec_ijklmnop",
    } },
  },
  delete_stripe_config = { { "stripe", "delete_config" } },
  get_stripe_webhook_urls = { { "stripe", "webhook_urls" } },
  validate_stripe_credentials = {
    { "stripe", "validate", { secret_key = "sk_test_abcdefgh" } },
    { "stripe", "validate", { secret_key = "sk_test_abcdefgh", is_test_mode = true } },
    { "stripe", "validate", { secret_key = "sk_live_abcdefgh", is_test_mode = false } },
  },
  create_checkout_session = {
    { "payments", "checkout", CHECKOUT },
    { "payments", "checkout", with(CHECKOUT, TEST, {
      mode = "subscription", quantity = 3, metadata = { order = "7" }, allow_existing_subscription = true,
    }) },
    { "payments", "checkout", with(CHECKOUT, LIVE, {
      mode = "payment", metadata = {}, allow_existing_subscription = false,
    }) },
  },
  list_project_subscriptions = {
    { "stripe", "subscriptions" }, { "stripe", "subscriptions", with(PAGE, TEST) }, { "stripe", "subscriptions", LIVE },
  },
  list_project_payments = {
    { "stripe", "payments" }, { "stripe", "payments", with(PAGE, TEST) }, { "stripe", "payments", LIVE },
  },
  get_my_subscription = {
    { "payments", "subscription" }, { "payments", "subscription", TEST }, { "payments", "subscription", LIVE },
  },
  list_my_payments = {
    { "payments", "history" }, { "payments", "history", with(PAGE, TEST) }, { "payments", "history", LIVE },
  },
  create_customer_portal = {
    { "payments", "portal", { return_url = "https://example.com" } },
    { "payments", "portal", with(TEST, { return_url = "https://example.com" }) },
    { "payments", "portal", with(LIVE, { return_url = "https://example.com" }) },
  },
  cancel_subscription = {
    { "payments", "cancel" }, { "payments", "cancel", with(TEST, { cancel_immediately = true }) },
    { "payments", "cancel", with(LIVE, { cancel_immediately = false }) },
  },
  update_subscription = {
    { "payments", "change", { new_price_id = PRICE } },
    { "payments", "change", with(TEST, { new_price_id = PRICE, proration_behavior = "create_prorations" }) },
    { "payments", "change", with(LIVE, { new_price_id = PRICE, proration_behavior = "none" }) },
    { "payments", "change", { new_price_id = PRICE, proration_behavior = "always_invoice" } },
  },
  list_all_subscriptions = {
    { "developer_payments", "subscriptions" }, { "developer_payments", "subscriptions", with(SOME, TEST) },
    { "developer_payments", "subscriptions", LIVE },
  },
  list_all_transactions = {
    { "developer_payments", "transactions" }, { "developer_payments", "transactions", with(SOME, TEST) },
    { "developer_payments", "transactions", LIVE },
  },
  list_payment_projects = { { "developer_payments", "projects" } },
  get_payment_stats = {
    { "developer_payments", "stats" }, { "developer_payments", "stats", TEST }, { "developer_payments", "stats", LIVE },
  },
}

-- Rows without a method, with the reason.
M.without_method = {
  post_stripe_webhook = "wire.md 3.1, row 41: Stripe is the caller",
  get_root = "wire.md 3.1, row 53: for client:request alone",
}

--- The objects of the calls, for a client with every credential. Requests the keys.
---@param client devkit4ai.Client
---@return table<string, table>
function M.objects(client)
  local project = client:project(wire.sample.project_id)
  local user = project:end_user {
    access_token = wire.sample.access_token, refresh_token = wire.sample.refresh_token,
  }
  return {
    client = client, user = user, project = project, stripe = project.stripe, payments = user.payments,
    developer_payments = client.payments, gen = project:generation(ID),
    anonymous = client:generation(ID, { anonymous = true }),
    developer_key = assert(client:developer_keys())[1], key = assert(project:keys())[1],
  }
end

-- The names of these objects in a program.
local CALLED = {
  user = "client", stripe = "project.stripe", payments = "client.payments", developer_payments = "client.payments",
  anonymous = "gen", developer_key = "key",
}

--- The name of the object of a call in a program.
---@param object string
---@return string
function M.called(object)
  return CALLED[object] or object
end

--- Makes a call; for a paginated list, gets the first item.
---@param objects table<string, table>
---@param call table one of M.calls'
---@return any? value
---@return string? message
function M.make(objects, call)
  local object = objects[call[1]]
  local method = object[call[2]]
  if not method then return nil, ("%s has no method %s"):format(M.called(call[1]), call[2]) end
  local value, message = method(object, call[3], call[4])
  if type(value) == "table" and value.next then return value:next() end
  return value, message
end

return M
