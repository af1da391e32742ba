-- client.payments and project.stripe: requests and results. A call that may be charged is never sent twice.
local cjson = require "cjson"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local raw = require "spec.support.servers.raw"
local waits = require "devkit4ai.loop.waits"
local wire = require "spec.support.calls.wire"

local ID, PROJECT = "990e8400-e29b-41d4-a716-446655440004", wire.sample.project_id
local STRIPE = "/api/v1/payments/stripe/"
local OF_PROJECT = STRIPE .. "projects/" .. PROJECT

local SUBSCRIPTION = {
  id = ID, project_id = PROJECT, is_test_mode = true, subscription_id = "sub_1", customer_id = cjson.null,
  status = "past_due", plan_name = "Pro", quantity = 2, created_at = "2026-01-01T00:00:00Z",
}
local PAYMENT = {
  id = ID, project_id = PROJECT, is_test_mode = false, payment_intent_id = "pi_1", status = "succeeded",
  amount_cents = 1900, currency = "usd", refunded_amount_cents = 0, created_at = "2026-01-01T00:00:00Z",
}
local CONFIG = {
  id = ID, project_id = PROJECT, is_active = true, has_test_credentials = true, has_live_credentials = false,
  test_secret_key_masked = "sk_test_...WXYZ", live_secret_key_masked = cjson.null, created_at = "2026-01-01T00:00:00Z",
}
local STATS = { total_projects = 2, active_subscriptions = 1, total_revenue_cents = 190000, currency = "usd" }

local function page_of(name, item)
  return { [name] = { item }, total = 1, page = 1, page_size = 50 }
end

-- method and target -> the answer; everything else is a 404, also a wrong query.
local server = wire.server {
  ["GET " .. STRIPE .. "my-subscription?test_mode=true"] = { 200, SUBSCRIPTION },
  ["GET " .. STRIPE .. "my-subscription?test_mode=false"] = { 200, "null" },
  ["GET " .. STRIPE .. "my-payments?test_mode=true&page=1&page_size=50"] = { 200, page_of("payments", PAYMENT) },
  ["GET " .. STRIPE .. "my-payments?test_mode=false&page=3&page_size=100"] = { 200, page_of("payments", PAYMENT) },
  ["POST " .. STRIPE .. "checkout-session?test_mode=true"] = {
    200, { session_id = "cs_1", checkout_url = "https://checkout.stripe.com/c/1" } },
  ["POST " .. STRIPE .. "checkout-session?test_mode=false"] = { 400, { detail = "User already has a subscription" } },
  ["POST " .. STRIPE .. "customer-portal?test_mode=true"] = { 200, { portal_url = "https://billing.stripe.com/p/1" } },
  ["POST " .. STRIPE .. "customer-portal?test_mode=false"] = { 404, { detail = "No Stripe customer found" } },
  ["POST " .. STRIPE .. "cancel-subscription?test_mode=true"] = { 200, {
    subscription_id = "sub_1", status = "active", cancel_at = "2026-02-01T00:00:00Z", message = "at period end" } },
  ["POST " .. STRIPE .. "cancel-subscription?test_mode=false"] = { 404, { detail = "No active subscription found" } },
  ["POST " .. STRIPE .. "update-subscription?test_mode=true"] = { 200, {
    subscription_id = "sub_1", status = "active", price_id = "price_2", message = "changed" } },
  ["POST " .. STRIPE .. "update-subscription?test_mode=false"] = { 400, { detail = "Invalid price ID" } },
  ["GET /api/v1/payments/subscriptions?page=1&page_size=50"] = { 200, page_of("subscriptions", SUBSCRIPTION) },
  ["GET /api/v1/payments/subscriptions?project_id=" .. PROJECT
    .. "&test_mode=false&status=past_due&page=2&page_size=10"] = { 200, page_of("subscriptions", SUBSCRIPTION) },
  ["GET /api/v1/payments/transactions?page=1&page_size=50"] = { 200, page_of("payments", PAYMENT) },
  ["GET /api/v1/payments/projects"] = { 200, { total = 1, projects = {
    { id = PROJECT, name = "Neon", description = cjson.null, has_payment_config = true, is_active = true } } } },
  ["GET /api/v1/payments/stats?test_mode=true"] = { 200, STATS },
  ["GET " .. OF_PROJECT .. "/config"] = { 200, CONFIG },
  ["PUT " .. OF_PROJECT .. "/config"] = { 200, CONFIG },
  ["DELETE " .. OF_PROJECT .. "/config"] = { 204, "" },
  ["GET " .. OF_PROJECT .. "/webhook-urls"] = { 200, {
    test_webhook_url = "https://api/test", live_webhook_url = "https://api/live" } },
  ["POST " .. OF_PROJECT .. "/validate-credentials"] = { 200, { valid = false, message = "No such key" } },
  ["GET " .. OF_PROJECT .. "/subscriptions?test_mode=true&page=1&page_size=50"] = {
    200, page_of("subscriptions", SUBSCRIPTION) },
  ["GET " .. OF_PROJECT .. "/payments?test_mode=false&page=1&page_size=50"] = { 200, page_of("payments", PAYMENT) },
}
local client

setup(function() client = assert(devkit4ai.new(wire.options(server.url))) end)

teardown(function()
  client:close()
  server:stop()
end)

local function body() return cjson.decode(server:last().body) end

local CHECKOUT = {
  price_id = "price_1", success_url = "https://example.com/paid?id={CHECKOUT_SESSION_ID}&a=b",
  cancel_url = "https://example.com/back",
}

describe("an end user's payments", function()
  it("return the subscription; nil alone if there is none", function()
    local one = assert(client.payments:subscription())
    assert.same({ "sub_1", "past_due", 2, nil }, { one.subscription_id, one.status, one.quantity, one.customer_id })
    assert.equal("2", tostring(one.quantity))
    assert.equal("end_user", wire.header(server:last(), "X-User-Role"))
    assert.equal(wire.sample.project_key, wire.header(server:last(), "X-API-Key"))
    assert.same({}, { client.payments:subscription { test_mode = false } })
  end)

  it("are listed in pages", function()
    local list = assert(client.payments:history():all())
    assert.same({ 1, 1900, "1900", "usd" }, { #list, list[1].amount_cents, tostring(list[1].amount_cents),
      list[1].currency })
    local pages = client.payments:history { test_mode = false, page = 3, page_size = 100 }
    assert.equal("pi_1", assert(pages:next()).payment_intent_id)
  end)

  it("open a checkout page, and send the URL as it was given", function()
    local page = assert(client.payments:checkout(CHECKOUT))
    assert.same({ "cs_1", "https://checkout.stripe.com/c/1" }, { page.session_id, page.checkout_url })
    assert.same(CHECKOUT, body()) -- what was not given is not sent
    assert.is_truthy(server:last().body:find("{CHECKOUT_SESSION_ID}", 1, true))
  end)

  it("send every option of a checkout", function()
    local given = {
      mode = "payment", quantity = 3, metadata = {}, allow_existing_subscription = false, test_mode = false,
    }
    for name, value in pairs(CHECKOUT) do given[name] = value end
    local page, message, err = client.payments:checkout(given)
    assert.is_nil(page)
    assert.same({ "invalid", "refused", "create_checkout_session" }, { err.kind, err.outcome, err.operation })
    assert.is_truthy(message:find("User already has a subscription", 1, true))
    assert.is_truthy(server:last().body:find('"quantity":3[,}]'))
    assert.is_truthy(server:last().body:find('"metadata":{}', 1, true))
    assert.is_truthy(server:last().body:find('"allow_existing_subscription":false', 1, true))
    assert.is_nil(server:last().body:find("test_mode", 1, true))
  end)

  it("open a portal", function()
    assert.equal("https://billing.stripe.com/p/1",
      assert(client.payments:portal { return_url = "https://example.com" }).portal_url)
    local _, _, err = client.payments:portal { return_url = "https://example.com", test_mode = false }
    assert.same({ "not_found", "refused" }, { err.kind, err.outcome })
  end)

  it("cancel with a JSON object, also without options", function()
    local done = assert(client.payments:cancel())
    assert.same({ "sub_1", "active", "2026-02-01T00:00:00Z", nil },
      { done.subscription_id, done.status, done.cancel_at, done.cancelled_at })
    assert.equal("{}", server:last().body)
    local _, _, err = client.payments:cancel { cancel_immediately = true, test_mode = false }
    assert.same({ "not_found", "refused" }, { err.kind, err.outcome })
    assert.same({ cancel_immediately = true }, body())
  end)

  it("change the plan", function()
    assert.equal("price_2", assert(client.payments:change { new_price_id = "price_2" }).price_id)
    assert.same({ new_price_id = "price_2" }, body())
    local _, _, err = client.payments:change {
      new_price_id = "price_3", proration_behavior = "always_invoice", test_mode = false }
    assert.same({ "invalid", "refused", 1 }, { err.kind, err.outcome, err.attempts })
    assert.same({ new_price_id = "price_3", proration_behavior = "always_invoice" }, body())
  end)
end)

describe("a developer's payments", function()
  it("cover all projects, and both modes if none is given", function()
    assert.equal("past_due", assert(client.payments:subscriptions():next()).status)
    assert.equal("developer", wire.header(server:last(), "X-User-Role"))
    assert.is_nil(wire.header(server:last(), "X-API-Key"))
    assert(client.payments:subscriptions {
      project_id = PROJECT, test_mode = false, status = "past_due", page = 2, page_size = 10 }:next())
    assert.equal("pi_1", assert(client.payments:transactions():next()).payment_intent_id)
  end)

  it("list projects and sums", function()
    local projects = assert(client.payments:projects())
    assert.same({ 1, "Neon", nil, true },
      { #projects, projects[1].name, projects[1].description, projects[1].has_payment_config })
    assert.equal(190000, assert(client.payments:stats()).total_revenue_cents)
  end)
end)

describe("project.stripe", function()
  local stripe
  setup(function() stripe = assert(client:project()).stripe end)

  it("is the same object each time", function()
    local project = client:project()
    assert.equal(project.stripe, project.stripe)
    assert.equal(client.payments, client.payments)
  end)

  it("returns the server's fields", function()
    local config = assert(stripe:config())
    assert.same({ true, "sk_test_...WXYZ", nil },
      { config.has_test_credentials, config.test_secret_key_masked, config.live_secret_key_masked })
    assert.equal("https://api/live", assert(stripe:webhook_urls()).live_webhook_url)
  end)

  it("sends the given keys, and no others", function()
    assert(stripe:update_config { test_secret_key = 'sk_"test', live_webhook_secret = "whsec_1" })
    assert.same({ test_secret_key = 'sk_"test', live_webhook_secret = "whsec_1" }, body())
    assert(stripe:update_config {})
    assert.equal("{}", server:last().body)
    assert.is_true(stripe:delete_config())
  end)

  it("returns a result for a bad key", function()
    local validation, message = stripe:validate { secret_key = "sk_1", is_test_mode = false }
    assert.is_nil(message)
    assert.same({ false, "No such key" }, { validation.valid, validation.message })
    assert.same({ secret_key = "sk_1", is_test_mode = false }, body())
  end)

  it("lists subscriptions and payments", function()
    assert.equal("Pro", assert(stripe:subscriptions():next()).plan_name)
    assert.equal(1900, assert(stripe:payments { test_mode = false }:next()).amount_cents)
  end)
end)

-- A call that may be charged, or creates a page, is sent once after every outcome. The message says how to check the result.
describe("a call that may be charged", function()
  local broken, own

  local function serve(answer)
    broken = raw.start { script = ("return function(conn) while conn:read_request() do %s end end"):format(answer) }
    own = assert(devkit4ai.new(wire.options(broken.url)))
    return own.payments
  end

  after_each(function()
    own:close()
    broken:stop()
  end)

  local CALLS = {
    change = { { new_price_id = "price_2", proration_behavior = "always_invoice" }, "client.payments:subscription()" },
    cancel = { { cancel_immediately = true }, "client.payments:subscription()" },
    checkout = { CHECKOUT, "nothing is charged until somebody pays there" },
    portal = { { return_url = "https://example.com" }, "which does no harm" },
  }

  for name, call in pairs(CALLS) do
    it(("is sent once: %s, without a response"):format(name), function()
      local payments = serve "conn:reset() return"
      local done, message, err = payments[name](payments, call[1])
      assert.is_nil(done)
      assert.same({ "network", "unknown", false }, { err.kind, err.outcome, err.retryable })
      assert.is_truthy(message:find(call[2], 1, true), message)
      assert.equal(1, #broken:requests())
    end)

    it(("is sent once: %s, with an unusable response"):format(name), function()
      local payments = serve [[conn:respond(200, "[")]]
      local _, _, err = payments[name](payments, call[1])
      assert.same({ "protocol", "unknown", false }, { err.kind, err.outcome, err.retryable })
      assert.equal(1, #broken:requests())
    end)
  end

  it("may have been done if it is cancelled", function()
    local payments = serve "conn:sleep(1000)"
    local task = devkit4ai.spawn(function() return payments:change { new_price_id = "price_2" } end)
    while #broken:requests() == 0 do waits.sleep(0.005) end
    local _, message, err = task:cancel():join()
    assert.same({ "cancelled", "unknown", "update_subscription" }, { err.kind, err.outcome, err.operation })
    assert.is_truthy(message:find("may be changed and charged for", 1, true), message)
    assert.equal(1, #broken:requests())
  end)
end)
