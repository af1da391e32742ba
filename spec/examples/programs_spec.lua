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

  -- The requests that the API gets while fn runs.
  local function requests_during(fn)
    local last = gateway:sandbox "requests".requests
    local before = last[#last] and last[#last].n or 0
    fn()
    local new = {}
    for _, request in ipairs(gateway:sandbox "requests".requests) do
      if request.n > before then new[#new + 1] = request end
    end
    return new
  end

  it("passes on the address that it has checked, and no other spelling of it", function()
    local requests = requests_during(function()
      for _, path in ipairs { "/api/v1/projects/../auth/me", "/api/v1/auth/./me", "/api/v1//auth/me",
        "/api/v1/auth/%6de", "/api/v1/projects%2f..%2fauth/me", "/api/v1/projects%3f/../auth/me", "/api/v1/auth/me/",
        "/api/v1/auth/me%00" } do
        local status = gateway:request("GET", path).status
        assert.is_true(status == 404 or status == 400, path .. " " .. status)
      end
    end)
    assert.same({}, requests)
  end)

  it("passes on no header of the program but those that the API needs", function()
    local token = new_user():tokens().access_token
    local requests = requests_during(function()
      local response = gateway:request("GET", "/api/v1/auth/me", { cookie = "session=x", headers = {
        Authorization = "Bearer " .. token, ["X-User-Role"] = "developer", ["X-Developer-Key"] = "ak_forged",
        ["X-API-Key"] = "pk_forged", ["X-Project-ID"] = NOBODY, ["X-Operator-Key"] = "op_forged",
        ["X-Forwarded-For"] = "192.0.2.1", ["X-HTTP-Method-Override"] = "DELETE", ["Accept-Encoding"] = "gzip",
      } })
      assert.equal("end_user", response.json.role)
    end)
    assert.equal(1, #requests)
    local names = {}
    for name, value in pairs(requests[1].headers) do
      names[#names + 1] = name
      assert.is_nil(value:find("forged", 1, true), name)
    end
    table.sort(names)
    assert.same({ "authorization", "connection", "host", "x-api-key", "x-developer-key", "x-project-id",
      "x-user-role" }, names)
    assert.equal("end_user", requests[1].headers["x-user-role"])
  end)

  it("refuses a long body where none is needed, before a byte of it reaches the API", function()
    local body = ("x"):rep(20000)
    local requests = requests_during(function()
      for _, route in ipairs { "GET /api/v1/auth/me", "POST /api/v1/auth/refresh", "POST /api/v1/auth/login",
        "GET /api/v1/generation/generations-v2", "DELETE /api/v1/generation/generations-v2/" .. NOBODY } do
        local method, path = route:match "(%S+) (%S+)"
        assert.equal(413, gateway:request(method, path, { body = body }).status, route)
      end
    end)
    assert.same({}, requests)
  end)

  it("shows no key that the API repeats, in a body or in a header", function()
    local token = new_user():tokens().access_token
    local keys = {}
    for _, name in ipairs { "DEVELOPER", "PROJECT" } do
      keys[#keys + 1] = gateway.settings:match(("DEVKIT4AI_%s_KEY=(%%S+)"):format(name))
    end
    gateway:sandbox("faults", { operation = "get_me", status = 403, detail = "bad key " .. table.concat(keys, " and "),
      headers = { ["X-Reason"] = keys[1], ["X-Other"] = { "a", keys[2] }, ["X-Request-ID"] = "kept" } })
    local response = gateway:request("GET", "/api/v1/auth/me", { headers = { Authorization = "Bearer " .. token } })
    assert.equal(403, response.status)
    assert.matches("bad key", response.json.detail)
    assert.matches("kept", response.head)
    for _, key in ipairs(keys) do assert.is_nil((response.head .. response.body):find(key, 1, true)) end
  end)

  it("loses nothing by a reload while the API works", function()
    local client, before = new_user(), gateway:generated()
    gateway:sandbox("faults", { operation = "create_generation", delay = 1 })
    local task = devkit4ai.spawn(function() return assert(generate(client, "during a reload")) end)
    local reloaded = false
    repeat
      devkit4ai.update()
      if not reloaded and gateway:generated() > before then
        os.execute("kill -HUP " .. child.read(gateway.folder .. "/gateway/run/nginx.pid"))
        reloaded = true
      end
    until task.done
    assert.is_truthy(assert(task:join()).id)
    assert.equal(before + 1, gateway:generated())
  end)

  it("shows no key", function()
    local log = gateway:error_log() .. gateway:access_log() .. table.concat(gateway.seen)
    for name, value in gateway.settings:gmatch "DEVKIT4AI_([%u_]+_KEY)=(%S+)" do
      assert.is_nil(log:find(value, 1, true), name)
    end
    assert.equal(0, #child.list(gateway.folder .. "/gateway/run/body"))
  end)
end)
