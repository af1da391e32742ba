-- Values that are wrong or look wrong: a refused value sends nothing, and any other value is sent as it was given.
local cjson = require "cjson"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "550e8400-e29b-41d4-a716-446655440000"

local server, client

-- Gives each request the same answer; a list of keys whose ids are none to a GET.
local SCRIPT = [[
  return function(conn)
    local request = conn:read_request()
    while request do
      if request.method == "GET" then conn:respond(200, '[{"id":"../../auth/me"}]')
      else
        conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000", key = "k", checkout_url = "https://pay" })
      end
      request = conn:read_request()
    end
  end]]

setup(function()
  server = raw.start { script = SCRIPT }
  client = assert(devkit4ai.new(wire.options(server.url)))
end)

teardown(function()
  client:close()
  server:stop()
end)

describe("an id that is not a UUID is refused, with nothing sent:", function()
  local CALLS = {
    ["project"] = function(id) return client:project(id) end,
    ["generation:refresh"] = function(id) return client:generation(id):refresh() end,
    ["generation:publish"] = function(id) return client:generation(id):publish() end,
    ["generation:delete"] = function(id) return client:generation(id):delete() end,
    ["generation of nobody:refresh"] = function(id) return client:generation(id, { anonymous = true }):refresh() end,
    ["stats"] = function(id) return client:stats { project_id = id } end,
    ["users"] = function(id) return client:users { project_id = id }:next() end,
    ["payments:transactions"] = function(id) return client.payments:transactions { project_id = id }:all() end,
    ["request_verification"] = function(id) return client:request_verification(id) end,
    ["verify_email"] = function(id) return client:verify_email { user_id = id, verification_token = "t" } end,
  }

  for name, call in pairs(CALLS) do
    it(name, function()
      for _, id in ipairs { "", "../../auth/me", ID .. "/../x", ID:upper() .. "0", ID:gsub("%-", ""), "%2e%2e", "💥" } do
        local before = #server:requests()
        local done, message, err = call(id)
        assert.is_nil(done)
        assert.same({ "invalid", "not_sent" }, { err.kind, err.outcome })
        assert.matches("not a UUID", message)
        assert.equal(before, #server:requests())
      end
    end)
  end

  it("also if the server gave it", function()
    local key = assert(client:project(ID):keys())[1]
    local before = #server:requests()
    local done, message, err = key:revoke()
    assert.same({ nil, "invalid", before }, { done, err.kind, #server:requests() })
    assert.matches("key:revoke: api_key_id is not a UUID", message)
  end)
end)

describe("the request:", function()
  it("has {} for an object without fields", function()
    assert(client:project(ID):new_key())
    assert.equal("{}", server:last().body)
    assert(client:new_developer_key())
    assert.equal("{}", server:last().body)
    assert(client.payments:cancel())
    assert.equal("{}", server:last().body)
  end)

  it("has {} for metadata without fields as well", function()
    assert(client.payments:checkout { price_id = "p", success_url = "s", cancel_url = "c", metadata = {} })
    assert.matches('"metadata":{}', server:last().body, 1, true)
  end)

  it("keeps the place of the session in an address", function()
    local url = "https://shop.test/done?session={CHECKOUT_SESSION_ID}"
    assert(client.payments:checkout { price_id = "p", success_url = url, cancel_url = "c" })
    assert.equal(url, cjson.decode(server:last().body).success_url)
  end)

  it("has names of 256 characters, of emoji, with quotes and line ends, complete", function()
    for _, name in ipairs { ("n"):rep(256), ("🎨"):rep(256), 'a "b" \\ c\nd\0e', "é" } do
      assert(client:new_project { name = name })
      assert.equal(name, cjson.decode(server:last().body).name)
    end
  end)

  it("has digits for a page of 1e9, and a page of 0 or less is refused", function()
    client:users { page = 1e9 }:next()
    assert.matches("[?&]page=1000000000&", server:last().target)
    local before = #server:requests()
    for _, page in ipairs { 0, 1e9 + 1, 2 ^ 53 } do
      local item, _, err = client.payments:history { page = page }:next()
      assert.same({ nil, "invalid" }, { item, err.kind })
    end
    assert.equal(before, #server:requests())
  end)

  it("has digits for whole numbers up to 2^53 in a query", function()
    assert(client:request { method = "GET", path = "/x", query = { n = 2 ^ 53, small = 0.5, minus = -3 } })
    assert.equal("/x?minus=-3&n=9007199254740992&small=0.5", server:last().target)
  end)

  it("is not sent with a number that is not exact", function()
    local before = #server:requests()
    local done, message, err = client.payments:checkout { price_id = "p", success_url = "s", cancel_url = "c",
      quantity = 2 ^ 53 + 2 }
    assert.same({ nil, "invalid", before }, { done, err.kind, #server:requests() })
    assert.matches("9007199254740994 is beyond 2^53", message, 1, true)
  end)
end)

describe("a key that a project is to use", function()
  it("is refused if no header can hold it", function()
    local done, message, err = client:project(ID):use_key "pk_\r\nX-Evil: 1"
    assert.same({ nil, "config", "not_sent" }, { done, err.kind, err.outcome })
    assert.is_nil(message:find("Evil", 1, true))
  end)

  it("is refused if its text is not known", function()
    local done, message, err = client:project(ID):use_key { id = ID }
    assert.same({ nil, "invalid" }, { done, err.kind })
    assert.matches("shown once", message)
  end)
end)
