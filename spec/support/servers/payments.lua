-- A server with fixed responses to payment calls, which the sandbox does not have.
local cjson = require "cjson"
local raw = require "spec.support.servers.raw"

local ID = "550e8400-e29b-41d4-a716-446655440000"

local SUBSCRIPTION = {
  id = ID, project_id = ID, is_test_mode = true, subscription_id = "sub_1", status = "active", plan_name = "Pro",
  quantity = 1, created_at = "2026-01-01T00:00:00Z",
}
local PAYMENT = {
  id = ID, project_id = ID, is_test_mode = true, payment_intent_id = "pi_1", status = "succeeded", amount_cents = 1900,
  currency = "usd", created_at = "2026-01-01T00:00:00Z",
}
local CONFIG = {
  id = ID, project_id = ID, is_active = true, has_test_credentials = true, has_live_credentials = false,
  test_secret_key_masked = "sk_test_...WXYZ", created_at = "2026-01-01T00:00:00Z",
}

local function page(name, record)
  return { [name] = { record }, total = 1, page = 1, page_size = 50 }
end

-- Method and end of the path -> response, by the vendor's OpenAPI file.
local PAYMENTS = {
  ["POST checkout-session"] = { session_id = "cs_test_1", checkout_url = "https://checkout.stripe.com/c/cs_test_1" },
  ["GET my-subscription"] = SUBSCRIPTION, ["GET my-payments"] = page("payments", PAYMENT),
  ["POST customer-portal"] = { portal_url = "https://billing.stripe.com/p/session/test_1" },
  ["POST cancel-subscription"] = {
    subscription_id = "sub_1", status = "active", cancel_at = "2026-02-01T00:00:00Z", message = "It ends in February",
  },
  ["POST update-subscription"] = {
    subscription_id = "sub_1", status = "active", price_id = "price_2", message = "done",
  },
  ["GET subscriptions"] = page("subscriptions", SUBSCRIPTION), ["GET payments"] = page("payments", PAYMENT),
  ["GET transactions"] = page("payments", PAYMENT),
  ["GET projects"] = { total = 1, projects = { {
    id = ID, name = "Neon", has_payment_config = true, has_test_credentials = true, has_live_credentials = false,
    is_active = true, created_at = "2026-01-01T00:00:00Z",
  } } },
  ["GET stats"] = { total_projects = 1, active_subscriptions = 1, total_revenue_cents = 1900, currency = "usd" },
  ["GET config"] = CONFIG, ["PUT config"] = CONFIG, ["DELETE config"] = "",
  ["GET webhook-urls"] = { test_webhook_url = "https://api/test", live_webhook_url = "https://api/live" },
  ["POST validate-credentials"] = { valid = true, message = "Stripe takes it" },
}

local M = {}

--- Starts the server.
---@return table server of spec.support.servers.raw
function M.start()
  return raw.start { script = ("local answers = require('cjson').decode(%q)\n"):format(cjson.encode(PAYMENTS)) .. [[
    return function(conn)
      local request = conn:read_request()
      while request do
        local answer = answers[request.method .. " " .. request.target:match("([^/?]+)[^/]*$")]
        conn:respond(answer and 200 or 404, answer or { detail = "Not Found" })
        request = conn:read_request()
      end
    end]] }
end

return M
