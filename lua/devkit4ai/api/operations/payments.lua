--- Payments through Stripe: wire.md 3.1, rows 35 to 52.
local roles = require "devkit4ai.api.operations.roles"

local PAGE = { size = "page_size", default = 50, most = 100 } -- "page A" of wire.md 3.1
local OF_PROJECT = "/api/v1/payments/stripe/projects/{project_id}"
local TEST = { test_mode = true } -- wire.md D53: sent always, since one document calls it required

return {
  get_stripe_config = { -- row 35
    method = "GET", path = OF_PROJECT .. "/config", profile = roles.developer,
    answer = "record", nullable = true, repeats = "safe", says = "project.stripe:config",
  },
  update_stripe_config = { -- row 36; what is left out stays
    method = "PUT", path = OF_PROJECT .. "/config", profile = roles.developer, body = { json = {} },
    slots = {
      "?test_secret_key", "?test_publishable_key", "?test_webhook_secret", "?live_secret_key",
      "?live_publishable_key", "?live_webhook_secret",
    },
    answer = "record", repeats = "same", says = "project.stripe:update_config",
    unknown = "the keys may be in place now: look with project.stripe:config()",
  },
  delete_stripe_config = { -- row 37; subscriptions and their history stay
    method = "DELETE", path = OF_PROJECT .. "/config", profile = roles.developer,
    answer = "nothing", repeats = "delete", gone = { [404] = true }, says = "project.stripe:delete_config",
    unknown = "the configuration may be gone now: look with project.stripe:config()",
  },
  get_stripe_webhook_urls = { -- row 38
    method = "GET", path = OF_PROJECT .. "/webhook-urls", profile = roles.developer,
    answer = "record", repeats = "safe", says = "project.stripe:webhook_urls",
  },
  validate_stripe_credentials = { -- row 39; it only reads
    method = "POST", path = OF_PROJECT .. "/validate-credentials", profile = roles.developer,
    body = { json = { "is_test_mode" } }, slots = { "secret_key" },
    answer = "validation", repeats = "safe", says = "project.stripe:validate",
  },
  create_checkout_session = { -- row 40; wire.md D52: an end user's
    method = "POST", path = "/api/v1/payments/stripe/checkout-session", profile = roles.end_user,
    query = { "test_mode" }, defaults = TEST,
    body = { json = {
      "price_id", "success_url", "cancel_url", "mode", "quantity", "metadata", "allow_existing_subscription",
    } },
    answer = "checkout", repeats = "never", says = "client.payments:checkout",
    unknown = "a checkout page may exist now; nothing is charged before somebody pays there, so you can ask anew",
  },
  post_stripe_webhook = { -- row 41: Stripe is the caller
    method = "POST", path = "/api/v1/payments/stripe/webhooks/{project_id}/{mode}", profile = roles.anyone,
    answer = "nothing", repeats = "never", says = "client:request",
  },
  list_project_subscriptions = { -- row 42
    method = "GET", path = OF_PROJECT .. "/subscriptions", profile = roles.developer,
    query = { "test_mode", "page", "page_size" }, defaults = TEST, paging = PAGE,
    answer = "page", list = "subscriptions", heed = true, repeats = "safe", says = "project.stripe:subscriptions",
  },
  list_project_payments = { -- row 43
    method = "GET", path = OF_PROJECT .. "/payments", profile = roles.developer,
    query = { "test_mode", "page", "page_size" }, defaults = TEST, paging = PAGE,
    answer = "page", list = "payments", heed = true, repeats = "safe", says = "project.stripe:payments",
  },
  get_my_subscription = { -- row 44
    method = "GET", path = "/api/v1/payments/stripe/my-subscription", profile = roles.end_user,
    query = { "test_mode" }, defaults = TEST,
    answer = "subscription", nullable = true, repeats = "safe", says = "client.payments:subscription",
  },
  list_my_payments = { -- row 45
    method = "GET", path = "/api/v1/payments/stripe/my-payments", profile = roles.end_user,
    query = { "test_mode", "page", "page_size" }, defaults = TEST, paging = PAGE,
    answer = "page", list = "payments", heed = true, repeats = "safe", says = "client.payments:history",
  },
  create_customer_portal = { -- row 46
    method = "POST", path = "/api/v1/payments/stripe/customer-portal", profile = roles.end_user,
    query = { "test_mode" }, defaults = TEST, body = { json = { "return_url" } },
    answer = "portal", repeats = "never", says = "client.payments:portal",
    unknown = "a portal page may exist now, which does no harm: you can ask anew",
  },
  cancel_subscription = { -- row 47
    method = "POST", path = "/api/v1/payments/stripe/cancel-subscription", profile = roles.end_user,
    query = { "test_mode" }, defaults = TEST, body = { json = { "cancel_immediately" } },
    answer = "record", repeats = "never", says = "client.payments:cancel",
    unknown = "the subscription may be cancelled now: look with client.payments:subscription() before you cancel "
      .. "anew",
  },
  update_subscription = { -- row 48; it may be charged at once
    method = "POST", path = "/api/v1/payments/stripe/update-subscription", profile = roles.end_user,
    query = { "test_mode" }, defaults = TEST, body = { json = { "new_price_id", "proration_behavior" } },
    answer = "record", repeats = "never", creates = true, says = "client.payments:change",
    unknown = "the plan may be changed and charged for: look with client.payments:subscription() before you change it "
      .. "anew",
  },
  list_all_subscriptions = { -- row 49; without test_mode both kinds
    method = "GET", path = "/api/v1/payments/subscriptions", profile = roles.developer,
    query = { "project_id", "test_mode", "status", "page", "page_size" }, uuids = { "project_id" }, paging = PAGE,
    answer = "page", list = "subscriptions", heed = true, repeats = "safe", says = "client.payments:subscriptions",
  },
  list_all_transactions = { -- row 50
    method = "GET", path = "/api/v1/payments/transactions", profile = roles.developer,
    query = { "project_id", "test_mode", "status", "page", "page_size" }, uuids = { "project_id" }, paging = PAGE,
    answer = "page", list = "payments", heed = true, repeats = "safe", says = "client.payments:transactions",
  },
  list_payment_projects = { -- row 51
    method = "GET", path = "/api/v1/payments/projects", profile = roles.developer,
    answer = "records", list = "projects", repeats = "safe", says = "client.payments:projects",
  },
  get_payment_stats = { -- row 52
    method = "GET", path = "/api/v1/payments/stats", profile = roles.developer,
    query = { "test_mode" }, defaults = TEST,
    answer = "record", repeats = "safe", says = "client.payments:stats",
  },
}
