--- Operations on payments through Stripe (wire.md 3.1, rows 35 to 52).
local limits = require "devkit4ai.api.limits"
local roles = require "devkit4ai.api.operations.roles"

local PAGING = { size_argument = "page_size", default = limits.PAGE_SIZE, max = limits.MAX_PAGE_SIZE }
local OF_PROJECT = "/api/v1/payments/stripe/projects/{project_id}"
local TEST_MODE = { test_mode = true } -- wire.md D53: always sent, because one document calls it required

return {
  get_stripe_config = { -- row 35
    method = "GET", path = OF_PROJECT .. "/config", profile = roles.developer,
    response = "record", nullable = true,
    retry_class = "safe", call_name = "project.stripe:config",
  },
  update_stripe_config = { -- row 36; an absent key is not changed
    method = "PUT", path = OF_PROJECT .. "/config", profile = roles.developer, body = { json = {} },
    secret_fields = {
      "?test_secret_key", "?test_publishable_key", "?test_webhook_secret", "?live_secret_key",
      "?live_publishable_key", "?live_webhook_secret",
    },
    response = "record",
    retry_class = "idempotent", call_name = "project.stripe:update_config",
    unknown_advice = "the keys may be stored now: check with project.stripe:config()",
  },
  delete_stripe_config = { -- row 37; the server keeps subscriptions and their history
    method = "DELETE", path = OF_PROJECT .. "/config", profile = roles.developer,
    response = "none",
    retry_class = "delete", done_statuses = { [404] = true }, call_name = "project.stripe:delete_config",
    unknown_advice = "the configuration may be deleted now: check with project.stripe:config()",
  },
  get_stripe_webhook_urls = { -- row 38
    method = "GET", path = OF_PROJECT .. "/webhook-urls", profile = roles.developer,
    response = "record",
    retry_class = "safe", call_name = "project.stripe:webhook_urls",
  },
  validate_stripe_credentials = { -- row 39; it changes nothing
    method = "POST", path = OF_PROJECT .. "/validate-credentials", profile = roles.developer,
    body = { json = { "is_test_mode" } }, secret_fields = { "secret_key" },
    response = "validation",
    retry_class = "safe", call_name = "project.stripe:validate",
  },
  create_checkout_session = { -- row 40; wire.md D52: for an end user
    method = "POST", path = "/api/v1/payments/stripe/checkout-session", profile = roles.end_user,
    query = { "test_mode" }, defaults = TEST_MODE,
    body = { json = {
      "price_id", "success_url", "cancel_url", "mode", "quantity", "metadata", "allow_existing_subscription",
    } },
    response = "checkout",
    retry_class = "never", call_name = "client.payments:checkout",
    unknown_advice = "a checkout page may exist now; nothing is charged until somebody pays there, so you can call "
      .. "it again",
  },
  post_stripe_webhook = { -- row 41; Stripe calls it
    method = "POST", path = "/api/v1/payments/stripe/webhooks/{project_id}/{mode}", profile = roles.anyone,
    response = "none",
    retry_class = "never", call_name = "client:request",
  },
  list_project_subscriptions = { -- row 42
    method = "GET", path = OF_PROJECT .. "/subscriptions", profile = roles.developer,
    query = { "test_mode", "page", "page_size" }, defaults = TEST_MODE, paging = PAGING,
    response = "page", list_field = "subscriptions", returns_headers = true,
    retry_class = "safe", call_name = "project.stripe:subscriptions",
  },
  list_project_payments = { -- row 43
    method = "GET", path = OF_PROJECT .. "/payments", profile = roles.developer,
    query = { "test_mode", "page", "page_size" }, defaults = TEST_MODE, paging = PAGING,
    response = "page", list_field = "payments", returns_headers = true,
    retry_class = "safe", call_name = "project.stripe:payments",
  },
  get_my_subscription = { -- row 44
    method = "GET", path = "/api/v1/payments/stripe/my-subscription", profile = roles.end_user,
    query = { "test_mode" }, defaults = TEST_MODE,
    response = "subscription", nullable = true,
    retry_class = "safe", call_name = "client.payments:subscription",
  },
  list_my_payments = { -- row 45
    method = "GET", path = "/api/v1/payments/stripe/my-payments", profile = roles.end_user,
    query = { "test_mode", "page", "page_size" }, defaults = TEST_MODE, paging = PAGING,
    response = "page", list_field = "payments", returns_headers = true,
    retry_class = "safe", call_name = "client.payments:history",
  },
  create_customer_portal = { -- row 46
    method = "POST", path = "/api/v1/payments/stripe/customer-portal", profile = roles.end_user,
    query = { "test_mode" }, defaults = TEST_MODE, body = { json = { "return_url" } },
    response = "portal",
    retry_class = "never", call_name = "client.payments:portal",
    unknown_advice = "a portal page may exist now, which does no harm: you can call it again",
  },
  cancel_subscription = { -- row 47
    method = "POST", path = "/api/v1/payments/stripe/cancel-subscription", profile = roles.end_user,
    query = { "test_mode" }, defaults = TEST_MODE, body = { json = { "cancel_immediately" } },
    response = "record",
    retry_class = "never", call_name = "client.payments:cancel",
    unknown_advice = "the subscription may be cancelled now: check with client.payments:subscription() before you "
      .. "cancel again",
  },
  update_subscription = { -- row 48; the server may charge at once
    method = "POST", path = "/api/v1/payments/stripe/update-subscription", profile = roles.end_user,
    query = { "test_mode" }, defaults = TEST_MODE, body = { json = { "new_price_id", "proration_behavior" } },
    response = "record",
    retry_class = "never", billable = true, call_name = "client.payments:change",
    unknown_advice = "the plan may be changed and charged for: check with client.payments:subscription() before you "
      .. "change it again",
  },
  list_all_subscriptions = { -- row 49; without test_mode: test and live
    method = "GET", path = "/api/v1/payments/subscriptions", profile = roles.developer,
    query = { "project_id", "test_mode", "status", "page", "page_size" }, uuids = { "project_id" }, paging = PAGING,
    response = "page", list_field = "subscriptions", returns_headers = true,
    retry_class = "safe", call_name = "client.payments:subscriptions",
  },
  list_all_transactions = { -- row 50
    method = "GET", path = "/api/v1/payments/transactions", profile = roles.developer,
    query = { "project_id", "test_mode", "status", "page", "page_size" }, uuids = { "project_id" }, paging = PAGING,
    response = "page", list_field = "payments", returns_headers = true,
    retry_class = "safe", call_name = "client.payments:transactions",
  },
  list_payment_projects = { -- row 51
    method = "GET", path = "/api/v1/payments/projects", profile = roles.developer,
    response = "records", list_field = "projects",
    retry_class = "safe", call_name = "client.payments:projects",
  },
  get_payment_stats = { -- row 52
    method = "GET", path = "/api/v1/payments/stats", profile = roles.developer,
    query = { "test_mode" }, defaults = TEST_MODE,
    response = "record",
    retry_class = "safe", call_name = "client.payments:stats",
  },
}
