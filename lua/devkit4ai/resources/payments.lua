--- client.payments: the subscription and payments of an end user, and a developer's view of all projects.
local call = require "devkit4ai.request.call"
local validate = require "devkit4ai.util.validate"
local object = require "devkit4ai.util.object"
local pages = require "devkit4ai.resources.pages"

---@class devkit4ai.Payments
---@field private _client devkit4ai.Scope the client's private record
local Payments = {}
Payments.__name = "devkit4ai.Payments"

function Payments:__tostring()
  return ("devkit4ai.Payments of %s (%s)"):format(self._client.base_url, self._client.role)
end

local M = {}

--- The payments of a client. Sends no request.
---@param client devkit4ai.Scope the client's private record
---@return devkit4ai.Payments
function M.new(client)
  return object.new(Payments, {}, { _client = client })
end

-- Sends a call whose options are its arguments.
local function send(payments, operation, call_name, rows, options, call_options)
  local args = validate.arguments(call_name, rows, options, call_options)
  return call.run(payments._client, operation, args, validate.extra_fields(args))
end

-- ---- of an end user ----

local CHECKOUT = validate.schema {
  price_id = { type = "string", required = true }, success_url = { type = "string", required = true },
  cancel_url = { type = "string", required = true }, mode = { type = "string" }, quantity = { type = "number" },
  metadata = { type = "table" }, allow_existing_subscription = { type = "boolean" }, test_mode = { type = "boolean" },
}

--- Opens a checkout page at Stripe, for the user to pay on. Nothing is charged before that. A second call opens another page.
--- ```lua
--- local page = assert(client.payments:checkout {
---   price_id = "price_1", success_url = "https://example.com/paid", cancel_url = "https://example.com/back",
--- })
--- print(page.checkout_url) --> https://checkout.stripe.com/...
--- ```
---@param options { price_id: string, success_url: string, cancel_url: string, mode: string?, quantity: integer?, metadata: table?, allow_existing_subscription: boolean?, test_mode: boolean?, timeout: number?, headers: table<string, string>? } success_url: may hold {CHECKOUT_SESSION_ID}; mode: "subscription" (default) or "payment"; quantity: from 1; allow_existing_subscription: also for one who has a subscription; test_mode: default true
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Checkout?
---@return string? message
---@return devkit4ai.Error? err kind `invalid`: the user has a subscription already; kind `not_found`: the project takes no payments
function Payments:checkout(options, call_options)
  return send(self, "create_checkout_session", "client.payments:checkout", CHECKOUT, options, call_options)
end

local MODE = validate.schema { test_mode = { type = "boolean" } }

--- The user's active subscription. Safe to repeat.
--- ```lua
--- local subscription, message = client.payments:subscription()
--- print(subscription and subscription.status, message) --> active nil
--- ```
---@param options { test_mode: boolean?, timeout: number?, headers: table<string, string>? }? test_mode: default true
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Subscription? subscription nil without a message: there is none
---@return string? message
---@return devkit4ai.Error? err
function Payments:subscription(options, call_options)
  return send(self, "get_my_subscription", "client.payments:subscription", MODE, options, call_options)
end

local HISTORY = validate.schema {
  test_mode = { type = "boolean" }, page = { type = "number" }, page_size = { type = "number" },
}

--- The user's payments, in pages. Sends no request yet.
--- ```lua
--- for payment in client.payments:history() do print(payment.amount_cents, payment.currency) end --> 1900 usd
--- ```
---@param options { test_mode: boolean?, page: integer?, page_size: integer?, timeout: number?, headers: table<string, string>? }? test_mode: default true; page: the first one; page_size: 1 to 100, default 50; timeout: seconds for each page, or for all()
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.Payment
function Payments:history(options, call_options)
  return pages.of_records(self._client, "list_my_payments", "client.payments:history", HISTORY, options, call_options)
end

local PORTAL = validate.schema { return_url = { type = "string", required = true }, test_mode = { type = "boolean" } }

--- Opens a page at Stripe on which the user can change cards and see invoices. A second call opens another page.
--- ```lua
--- print(client.payments:portal { return_url = "https://example.com" }.portal_url) --> https://billing.stripe.com/...
--- ```
---@param options { return_url: string, test_mode: boolean?, timeout: number?, headers: table<string, string>? } test_mode: default true
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Portal?
---@return string? message
---@return devkit4ai.Error? err kind `not_found`: the user has never paid
function Payments:portal(options, call_options)
  return send(self, "create_customer_portal", "client.payments:portal", PORTAL, options, call_options)
end

local CANCEL = validate.schema { cancel_immediately = { type = "boolean" }, test_mode = { type = "boolean" } }

--- Cancels the user's subscription, at the end of the paid period or at once. Sent at most once. If the outcome is unknown,
--- call subscription() first; after cancel_immediately, no subscription means that the cancellation worked.
--- ```lua
--- print(client.payments:cancel().cancel_at) --> 2026-02-01T00:00:00Z
--- ```
---@param options { cancel_immediately: boolean?, test_mode: boolean?, timeout: number?, headers: table<string, string>? }? cancel_immediately: default false; test_mode: default true
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Cancellation?
---@return string? message
---@return devkit4ai.Error? err kind `not_found`: there is no active subscription
function Payments:cancel(options, call_options)
  return send(self, "cancel_subscription", "client.payments:cancel", CANCEL, options, call_options)
end

local CHANGE = validate.schema {
  new_price_id = { type = "string", required = true }, proration_behavior = { type = "string" },
  test_mode = { type = "boolean" },
}

--- Changes the plan of the user's subscription, which may be charged at once. Sent at most once. If the outcome is unknown,
--- call subscription() first.
--- ```lua
--- print(client.payments:change { new_price_id = "price_2", proration_behavior = "none" }.price_id) --> price_2
--- ```
---@param options { new_price_id: string, proration_behavior: string?, test_mode: boolean?, timeout: number?, headers: table<string, string>? } proration_behavior: "create_prorations" (default), "none" or "always_invoice"; test_mode: default true
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Change?
---@return string? message
---@return devkit4ai.Error? err kind `not_found`: there is no active subscription; kind `invalid`: the price does not fit
function Payments:change(options, call_options)
  return send(self, "update_subscription", "client.payments:change", CHANGE, options, call_options)
end

-- ---- of a developer ----

local LIST = validate.schema {
  project_id = { type = "string" }, test_mode = { type = "boolean" }, status = { type = "string" },
  page = { type = "number" }, page_size = { type = "number" },
}

--- The subscriptions of all projects, in pages. Sends no request yet.
--- ```lua
--- for one in client.payments:subscriptions { status = "active" } do print(one.plan_name, one.quantity) end --> Pro 1
--- ```
---@param options { project_id: string?, test_mode: boolean?, status: string?, page: integer?, page_size: integer?, timeout: number?, headers: table<string, string>? }? project_id: a UUID; test_mode: default both kinds; status: "active", "trialing", "past_due", "canceled", ...; page: the first one; page_size: 1 to 100, default 50; timeout: seconds for each page, or for all()
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.Subscription with project_name and provider
function Payments:subscriptions(options, call_options)
  local call_name = "client.payments:subscriptions"
  return pages.of_records(self._client, "list_all_subscriptions", call_name, LIST, options, call_options)
end

--- The payments of all projects, in pages. Sends no request yet.
--- ```lua
--- for payment in client.payments:transactions { test_mode = false } do print(payment.status) end --> succeeded
--- ```
---@param options { project_id: string?, test_mode: boolean?, status: string?, page: integer?, page_size: integer?, timeout: number?, headers: table<string, string>? }? project_id: a UUID; test_mode: default both kinds; page: the first one; page_size: 1 to 100, default 50; timeout: seconds for each page, or for all(); status: "succeeded", "pending", "failed", "refunded", ...
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.Payment with project_name and provider
function Payments:transactions(options, call_options)
  local call_name = "client.payments:transactions"
  return pages.of_records(self._client, "list_all_transactions", call_name, LIST, options, call_options)
end

--- Which projects take payments. Safe to repeat.
--- ```lua
--- for _, one in ipairs(assert(client.payments:projects())) do print(one.name, one.has_payment_config) end --> Neon true
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.PaymentProject[]?
---@return string? message
---@return devkit4ai.Error? err
function Payments:projects(options)
  local extra = validate.call_options("client.payments:projects", options)
  return call.run(self._client, "list_payment_projects", nil, extra)
end

--- Sums over all projects. Safe to repeat.
--- ```lua
--- print(client.payments:stats { test_mode = false }.total_revenue_cents) --> 1900
--- ```
---@param options { test_mode: boolean?, timeout: number?, headers: table<string, string>? }? test_mode: true (default) counts test and live, false live alone
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.PaymentStats?
---@return string? message
---@return devkit4ai.Error? err
function Payments:stats(options, call_options)
  return send(self, "get_payment_stats", "client.payments:stats", MODE, options, call_options)
end

return M
