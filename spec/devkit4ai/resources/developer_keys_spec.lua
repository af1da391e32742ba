-- Developer keys, and the verification of an account's address: requests and results.
local cjson = require "cjson"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local KEYS = "/api/v1/auth/developer-keys"
local KEY = "ak_of_the_laptop_0123456789abcdefgh"

local server, client

local function serve(answers)
  server = wire.server(answers)
  client = assert(devkit4ai.new(wire.options(server.url)))
  return client
end

after_each(function()
  client:close()
  server:stop()
end)

describe("client:new_developer_key", function()
  local MADE = { 201, { id = ID, name = "laptop", key = KEY, key_prefix = "ak_of_th", is_active = true } }

  it("returns the key once, and the client continues with its own key", function()
    local key = assert(serve({ ["POST " .. KEYS] = MADE, ["GET " .. KEYS] = { 200, "[]" } })
      :new_developer_key "laptop")
    assert.same({ ID, "laptop", KEY, "ak_of_th", true }, { key.id, key.name, key.key, key.key_prefix, key.is_active })
    assert.is_nil(key.raw.key)
    assert.is_nil(tostring(key):find(KEY, 1, true))
    assert.same({ name = "laptop" }, cjson.decode(server:last().body))
    assert(client:developer_keys())
    assert.equal(wire.sample.developer_key, wire.header(server:last(), "X-Developer-Key"))
  end)

  it("sends a JSON object if no name is given", function()
    assert(serve({ ["POST " .. KEYS] = MADE }):new_developer_key(nil, { timeout = 20 }))
    assert.equal("{}", server:last().body)
  end)

  it("says where to look if an unknown key may exist", function()
    local key, message, err = serve({ ["POST " .. KEYS] = { 201, { id = ID } } }):new_developer_key()
    assert.is_nil(key)
    assert.same({ "protocol", "unknown", false }, { err.kind, err.outcome, err.retryable })
    assert.is_truthy(message:find("client:developer_keys()", 1, true))
    assert.equal(1, #server:requests())
  end)

  it("is refused at ten keys", function()
    local detail = "Maximum number of developer keys (10) reached. Please revoke unused keys."
    local _, message, err = serve({ ["POST " .. KEYS] = { 400, { detail = detail } } }):new_developer_key()
    assert.same({ "invalid", "refused", detail }, { err.kind, err.outcome, err.detail })
    assert.is_truthy(message:find(detail, 1, true))
  end)
end)

describe("client:developer_keys", function()
  local LISTED = { id = ID, name = "", key_prefix = "ak_of_th", is_active = true, last_used_at = cjson.null }

  for title, body in pairs { ["an array"] = { LISTED }, ["a wrapper"] = { developer_keys = { LISTED } } } do
    it("lists keys that can be revoked, from " .. title, function()
      local list = assert(serve({ ["GET " .. KEYS] = { 200, body }, ["DELETE " .. KEYS .. "/" .. ID] = { 204, "" } })
        :developer_keys())
      local key = list[1]
      assert.same({ 1, ID, nil, nil, nil }, { #list, key.id, key.name, key.key, key.last_used_at }) -- wire.md D05
      assert.is_true(key:revoke())
    end)
  end

  it("reports that a key can't revoke itself", function()
    local detail = "Cannot revoke the developer key currently being used for authentication"
    local list = assert(serve { ["GET " .. KEYS] = { 200, { LISTED } },
      ["DELETE " .. KEYS .. "/" .. ID] = { 403, { detail = detail } } }:developer_keys())
    local done, message, err = list[1]:revoke()
    assert.is_nil(done)
    assert.same({ "forbidden", "refused", "revoke_developer_key" }, { err.kind, err.outcome, err.operation })
    assert.is_truthy(message:find("key:revoke: ", 1, true))
  end)
end)

describe("verification", function()
  local ASK, VERIFY = "POST /api/v1/auth/request-verification?user_id=" .. ID, "POST /api/v1/auth/verify-email"
  local TOKEN = 'a-token "of the mail"'

  it("is requested without a body and without credentials", function()
    assert.equal(serve { [ASK] = { 200, { message = "sent" } } }, client:request_verification(ID))
    assert.same({ "", "0", nil, nil }, { server:last().body, wire.header(server:last(), "Content-Length"),
      wire.header(server:last(), "Authorization"), wire.header(server:last(), "X-User-Role") })
  end)

  it("sends the token of the email", function()
    serve { [VERIFY] = { 200, "" } }
    assert.equal(client, client:verify_email { user_id = ID, verification_token = TOKEN })
    assert.same({ user_id = ID, verification_token = TOKEN }, cjson.decode(server:last().body))
    assert.is_nil(wire.header(server:last(), "Authorization"))
  end)

  it("masks the token if the server repeats it", function()
    serve { [VERIFY] = { 400, { detail = "Invalid or expired: " .. TOKEN } } }
    local done, message, err = client:verify_email { user_id = ID, verification_token = TOKEN }
    assert.is_nil(done)
    assert.same({ "invalid", "refused" }, { err.kind, err.outcome })
    assert.is_nil((message .. err.detail):find("of the mail", 1, true))
  end)
end)
