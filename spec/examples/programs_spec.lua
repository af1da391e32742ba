-- The gateway of examples/nginx for programs: this library is its client, as an end user without a key.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local gateways = require "spec.support.servers.gateway"

local NO_KEY, NOBODY = "added-by-the-gateway", "00000000-0000-0000-0000-000000000000"
local PASSWORD = "SecurePass123"

describe("the gateway, for programs,", function()
  local gateway
  local users = 0

  lazy_setup(function() gateway = gateways.start "--step-time 0" end)
  lazy_teardown(function() gateway:stop() end)

  local function new_user()
    local client = assert(devkit4ai.new { base_url = gateway.origin, role = "end_user", project_id = NOBODY,
      developer_key = NO_KEY, project_key = NO_KEY })
    users = users + 1
    local email = ("player%d@example.com"):format(users)
    assert(client:register { email = email, password = PASSWORD })
    assert(client:login(email, PASSWORD))
    return client
  end

  local function generate(client, prompt)
    return client:generate { images = { "examples/images/neon.png" }, prompt = prompt }
  end

  it("serves the whole way of an image", function()
    local client = new_user()
    local gen = assert(generate(client, "a boat"))
    assert.equal(gen.id, assert(client:find_generation { instructions = "a boat" }).id)
    assert.equal("\137PNG", assert(assert(gen:wait()):bytes()):sub(1, 4))
    assert(client:refresh_token())
    assert.equal("end_user", client:me().role)
    assert(gen:delete())
    assert.is_nil(client:generations():next())
  end)

  it("does not send a generation again after a lost answer", function()
    local client, before = new_user(), gateway:generated()
    gateway:sandbox("faults", { operation = "create_generation", cut = "after" })
    local _, _, err = generate(client, "a lost boat")
    assert.equal("unknown", err.outcome)
    assert.equal(before + 1, gateway:generated())
    assert(client:find_generation { instructions = "a lost boat" })
  end)

  it("limits the generations of an account that the API has confirmed", function()
    local client, other = new_user(), new_user()
    for i = 1, 20 do assert(generate(client, "boat " .. i)) end
    local _, message, err = client:generate({ images = { "examples/images/neon.png" }, prompt = "x" }, { timeout = 5 })
    assert.equal("rate_limited", err.kind)
    assert.matches("20 generations in 60 minutes", message)
    assert.is_true(err.retry_after > 60)
    assert(generate(other, "x"))
  end)

  it("refuses what an end user does not need, and forged tokens", function()
    local before = gateway:generated()
    for _, route in ipairs { "GET /api/v1/projects/", "POST /api/v1/auth/developer-keys", "GET /api/v1/health",
      "GET /api/v1/generation/generations-v2/../../projects/", "POST /api/v1/generation/generate-anonymous-v2",
      "GET /api/v1/generation/generations-v2/%2e%2e/%2e%2e/projects", "GET /api/v1/payments/usage" } do
      local method, path = route:match "(%S+) (%S+)"
      assert.equal(404, gateway:request(method, path).status, route)
    end
    for _, token in ipairs { "Bearer forged", "Basic x", "" } do
      local headers = { Authorization = token, ["X-User-Role"] = "developer", ["Content-Type"] = "multipart/form-data" }
      local response = gateway:request("POST", "/api/v1/generation/generate-v2", { body = "x", headers = headers })
      assert.equal(401, response.status, token)
    end
    assert.equal(before, gateway:generated())
  end)

  it("shows no key", function()
    local log = gateway:error_log() .. gateway:access_log() .. table.concat(gateway.seen)
    for name, value in gateway.settings:gmatch "DEVKIT4AI_([%u_]+_KEY)=(%S+)" do
      assert.is_nil(log:find(value, 1, true), name)
    end
    assert.equal(0, #child.list(gateway.folder .. "/gateway/run/body"))
  end)
end)
