-- The verification of email addresses (wire.md 3.1, rows 10 and 11), and the outbox with the tokens.
local cjson = require("cjson").new()
local helper = require "spec.devkit4ai.sandbox.helper"

local AUTH = "/api/v1/auth/"
local REQUEST = AUTH .. "request-verification?user_id="
local UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
local BAD = { 400, "Invalid or expired verification token" }

describe("an unverified address", function()
  local box, email, user
  before_each(function()
    box = helper.start { activation = "verified", dialect = { reg_tokens = "both" } }
    email = helper.email()
    user = helper.request("POST", box.url .. AUTH .. "register", { ["X-Operator-Key"] = box.operator_key },
      "-H", helper.JSON, "-d", cjson.encode { email = email, password = helper.PASSWORD }).json
  end)
  after_each(helper.stop_all)

  local function post(path, body)
    return helper.request("POST", box.url .. AUTH .. path, {}, "-H", helper.JSON, "-d", cjson.encode(body))
  end

  local function login()
    local answer = post("login", { email = email, password = helper.PASSWORD })
    return { answer.status, answer.detail }
  end

  local function verify(token, id)
    local answer = post("verify-email", { user_id = id or user.id, verification_token = token })
    return { answer.status, answer.detail }, answer.json
  end

  it("can log in only after its verification", function()
    assert.same({ false, cjson.null, cjson.null }, { user.is_active, user.access_token, user.refresh_token })
    assert.same({ 400, "Account not activated" }, login())
    assert.equal(401, post("login", { email = email, password = "WrongPass123" }).status)
    local token = assert(box:verification_token(user.id))
    assert.equal(token, box:verification_token(email:upper()))
    local said, body = verify(token, user.id:upper())
    assert.same({ 200 }, said)
    assert.same({ email = email, message = "Email verified successfully" }, body)
    assert.same({ 200 }, login())
    assert.same(BAD, (verify(token)))
  end)

  it("gets a new token on request, valid for a day, in place of the old one", function()
    local first = box:verification_token(email)
    local asked = helper.request("POST", box.url .. REQUEST .. user.id:upper(), {})
    assert.same({ 200, { message = "Verification email sent" } }, { asked.status, asked.json })
    local second = box:verification_token(email)
    assert.not_equal(first, second)
    assert.same(BAD, (verify(first)))
    box:clock { frozen = true }
    helper.request("POST", box.url .. REQUEST .. user.id, {})
    local third = box:verification_token(email)
    box:advance(24 * 3600)
    assert.same(BAD, (verify(third)))
    helper.request("POST", box.url .. REQUEST .. user.id, {})
    local fourth = box:verification_token(email)
    box:advance(24 * 3600 - 1)
    assert.same({ 200 }, (verify(fourth)))
  end)

  it("is not verified by another account's token, an empty one, or for an unknown account", function()
    local token = box:verification_token(email)
    for _, id in ipairs { UNKNOWN_ID, user.project_id } do assert.same(BAD, (verify(token, id))) end
    assert.same(BAD, (verify ""))
    for body, loc in pairs {
      [cjson.encode { user_id = "../x", verification_token = token }] = "user_id",
      [cjson.encode { verification_token = token }] = "user_id", [cjson.encode { user_id = user.id }] =
        "verification_token",
    } do
      local answer = helper.request("POST", box.url .. AUTH .. "verify-email", {}, "-H", helper.JSON, "-d", body)
      assert.same({ 422, { "body", loc } }, { answer.status, answer.detail[1].loc })
    end
    for _, query in ipairs { "x", "", "%2E%2E%2F" } do
      local answer = helper.request("POST", box.url .. REQUEST .. query, {})
      assert.same({ 422, { "query", "user_id" } }, { answer.status, answer.detail[1].loc })
    end
    -- the response does not tell which accounts exist
    assert.equal(200, helper.request("POST", box.url .. REQUEST .. UNKNOWN_ID, {}).status)
    assert.same({ nil, "no verification token was sent to " .. UNKNOWN_ID }, { box:verification_token(UNKNOWN_ID) })
    local ok, message = pcall(function()
      box:verification_token(nil)
    end)
    assert.is_false(ok)
    assert.truthy(message:find("verification_spec.lua:%d+: sandbox:verification_token: the account must be a string"))
  end)

  it("has its token in the outbox, and not in the journal", function()
    local mails = helper.curl(box.url .. "/_sandbox/mails").json.mails
    assert.same({ 1, user.id, email, box:verification_token(email) },
      { #mails, mails[1].user_id, mails[1].email, mails[1].verification_token })
    verify(mails[1].verification_token)
    assert.is_nil(helper.curl(box.url .. "/_sandbox/requests").body:find(mails[1].verification_token, 1, true))
  end)

  it("can be an end user's, and lists and counts can filter by it", function()
    local developer = helper.developer(box) -- active without a verification
    local joined = helper.request("POST", box.url .. AUTH .. "register", {
      ["X-Developer-Key"] = developer.developer_key, ["X-Project-ID"] = developer.project_id,
    }, "-H", helper.JSON, "-d", cjson.encode { email = email, password = helper.PASSWORD }).json
    assert.same({ false, cjson.null }, { joined.is_active, joined.access_token })
    local bearer = { Authorization = "Bearer " .. developer.access_token }
    assert.is_true(helper.request("GET", box.url .. AUTH .. "me", bearer).json.is_active)
    local dev, path = helper.developer_headers(developer), box.url .. "/api/v1/projects/" .. developer.project_id
    local function seen(active)
      local users = helper.request("GET", path .. "/users?is_active=" .. active, dev).json.total
      return { users, helper.request("GET", path .. "/stats?is_active=" .. active, dev).json.users }
    end
    assert.same({ 1, { total = 1, active = 0 } }, seen "false")
    assert.same({ 0, { total = 0, active = 0 } }, seen "true")
    assert.same({ 200 }, (verify(box:verification_token(joined.id), joined.id)))
    assert.same({ 1, { total = 1, active = 1 } }, seen "1")
    assert.same({ 0, { total = 0, active = 0 } }, seen "0")
  end)
end)
