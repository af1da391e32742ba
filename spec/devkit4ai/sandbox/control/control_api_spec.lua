-- The test-control API: the same commands by HTTP under /_sandbox/ and from Lua.
if _VERSION == "Lua 5.5" then return end -- no release of cqueues works there
local cjson = require("cjson").new()
local helper = require "spec.devkit4ai.sandbox.helper"
local digest = require "openssl.digest"

local function sha256(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("*a")
  file:close()
  return (digest.new("sha256"):final(bytes):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

describe("/_sandbox/", function()
  local box
  setup(function() box = helper.start() end)
  teardown(helper.stop_all)

  local function control(method, path, ...)
    return helper.request(method, box.url .. "/_sandbox/" .. path, {}, ...)
  end

  it("lists its paths", function()
    local answer = control("GET", "")
    assert.equal(200, answer.status)
    local seen = {}
    for i, endpoint in ipairs(answer.json.paths) do
      seen[i] = endpoint.method .. " " .. endpoint.path
      if endpoint.method == "GET" then
        assert.equal(200, helper.curl(box.url .. endpoint.path).status, endpoint.path)
      end
    end
    assert.same({
      "GET /_sandbox/", "GET /_sandbox/faults", "POST /_sandbox/faults", "DELETE /_sandbox/faults",
      "GET /_sandbox/requests", "DELETE /_sandbox/requests", "GET /_sandbox/clock", "POST /_sandbox/clock",
      "GET /_sandbox/generations", "GET /_sandbox/mails",
    }, seen)
  end)

  it("sets, shows and clears the faults that Lua sees", function()
    local answer = control("POST", "faults", "-d", '{"operation": "login", "status": 503, "times": 2, "seed": null}')
    assert.equal(200, answer.status)
    local number = answer.json.number
    assert.same({ { number = number, operation = "login", status = 503, times = 2, left = 2 } }, box:faults())
    box:fault { detail = "x" }
    assert.same(box:faults(), control("GET", "faults").json.faults)
    assert.equal('{"faults":[]}\n', control("DELETE", "faults").body)
    assert.same({}, box:faults())
  end)

  it("moves and stops the clock that Lua sees", function()
    local before = control("GET", "clock").json
    assert.is_false(before.frozen)
    local after = control("POST", "clock", "-d", '{"advance": 3600, "frozen": true}').json
    assert.is_true(after.frozen)
    assert.is_true(after.now >= before.now + 3600)
    assert.same(after, box:clock())
    assert.is_false(control("POST", "clock", "-d", '{"frozen": false}').json.frozen)
  end)

  it("answers invalid requests with an error, and changes nothing", function()
    for path, bodies in pairs {
      faults = { "", "x", "[1]", '"x"', "{}", '{"status": "503"}', '{"operation": 5, "status": 500}' },
      clock = { '{"advance": -1}', '{"advance": "1"}', '{"frozen": 1}', '{"speed": 2}' },
    } do
      for _, body in ipairs(bodies) do
        local answer = control("POST", path, "-d", body)
        assert.equal(400, answer.status, body)
        assert.is_string(answer.json.error)
      end
    end
    assert.same({}, box:faults())
    assert.equal(404, control("GET", "nothing").status)
    local answer = control("PUT", "faults")
    assert.equal(405, answer.status)
    assert.equal("GET, POST, DELETE", answer.headers.allow)
  end)

  it("serves programs of this machine, and no page of another site", function()
    local port = box.url:match(":(%d+)$")
    for _, host in ipairs { "127.0.0.1", "127.0.0.1:" .. port, "localhost", "LocalHost:1", "[::1]:" .. port } do
      assert.equal(200, control("GET", "clock", "-H", "Host: " .. host).status, host)
    end
    for _, host in ipairs {
      "evil.example", "evil.example:" .. port, "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::2]",
      "evil.example@127.0.0.1", "127.0.0.1@evil.example",
    } do
      assert.equal(403, control("GET", "clock", "-H", "Host: " .. host).status, host)
    end
    for origin, status in pairs {
      ["http://localhost:3000"] = 200, ["http://evil.example"] = 403, ["null"] = 403, ["https://127.0.0.1"] = 403,
    } do
      assert.equal(status, control("POST", "clock", "-H", "Origin: " .. origin, "-d", "{}").status, origin)
    end
  end)

  it("refuses other machines", function()
    local control_api = require "devkit4ai.sandbox.control.control_api"
    for peer, status in pairs {
      ["127.0.0.1"] = 405, ["127.9.9.9"] = 405, ["::1"] = 405, ["192.168.0.2"] = 403, ["127"] = 403,
    } do
      local request = { path = "/_sandbox/", method = "PUT", headers = { host = "localhost" }, peer = peer }
      assert.equal(status, control_api.new({}):handle(request).status, peer)
    end
  end)

  it("is not in the journal, and no fault or limit applies to it", function()
    local limited = helper.start { request_limit = 1 }
    helper.curl(limited.url .. "/api/v1/auth/me")
    limited:fault { status = 500 }
    for _ = 1, 3 do assert.equal(200, helper.curl(limited.url .. "/_sandbox/requests").status) end
    assert.equal(1, #limited:requests())
    assert.equal(1, #limited:faults())
  end)
end)

describe("sandbox:requests", function()
  local box, developer
  setup(function()
    box = helper.start()
    developer = helper.developer(box)
  end)
  before_each(function() box:clear_requests() end)
  teardown(helper.stop_all)

  local function me()
    return helper.request("GET", box.url .. "/api/v1/auth/me", { Authorization = "Bearer " .. developer.access_token })
  end

  it("lists requests with their responses, oldest first", function()
    helper.curl(box.url .. "/nowhere?a=1")
    local answer = me()
    local list = box:requests()
    assert.equal(2, #list)
    assert.equal(list[1].n + 1, list[2].n)
    assert.is_nil(list[1].operation)
    assert.same({ "GET", "/nowhere", "a=1", 404 }, { list[1].method, list[1].path, list[1].query, list[1].status })
    assert.same({ "get_me", 200, #answer.text }, { list[2].operation, list[2].status, list[2].bytes })
    assert.is_true(list[2].time >= list[1].time and list[2].seconds >= 0)
    assert.is_nil(list[2].fault)
    box:clear_requests()
    assert.same({}, box:requests())
    assert.equal('{"requests":[]}\n', helper.curl(box.url .. "/_sandbox/requests").body)
  end)

  it("keeps the last 1,000", function()
    helper.shell(("curl -s -o /dev/null '%s/nowhere?[1-1005]'"):format(box.url))
    local list = box:requests()
    assert.equal(1000, #list)
    assert.equal("6", list[1].query)
    assert.equal("1005", list[1000].query)
  end)

  it("shows the fault of a request", function()
    box:fault { operation = "get_me", status = 503 }
    me()
    local fault = box:requests()[1].fault
    assert.same({ "get_me", 503 }, { fault.operation, fault.status })
  end)

  it("shows names, sizes and hashes of uploads, and no content", function()
    local started = helper.generate(developer, "-F", "example_images=@" .. helper.PNG .. ";filename=a b.png",
      "--form-string", 'instructions={"prompt": "MARKER"}')
    local entry = box:requests()[1]
    assert.equal(started.json.id, entry.generation_id)
    assert.same({ "example_images", "a b.png", sha256(helper.PNG) },
      { entry.parts[1].name, entry.parts[1].filename, entry.parts[1].sha256 })
    assert.same({ "instructions", 20 }, { entry.parts[2].name, entry.parts[2].bytes })
    assert.is_true(entry.body_bytes > entry.parts[1].bytes)
    local text = helper.curl(box.url .. "/_sandbox/requests").body
    assert.falsy(text:find("MARKER", 1, true))
    assert.falsy(text:find("IHDR", 1, true))
  end)

  it("shows no secret", function()
    local secrets = { developer.access_token, developer.refresh_token, developer.developer_key, developer.project_key,
      box.operator_key, helper.PASSWORD, "Mistaken123" }
    local email = helper.email()
    helper.request("POST", box.url .. "/api/v1/auth/register", { ["X-Operator-Key"] = box.operator_key },
      "-H", helper.JSON, "-d", cjson.encode { email = email, password = helper.PASSWORD })
    helper.request("POST", box.url .. "/api/v1/auth/login", { ["Proxy-Authorization"] = "Basic " .. helper.PASSWORD,
      Cookie = "session=" .. helper.PASSWORD }, "-H", helper.JSON,
      "-d", cjson.encode { email = email, password = "Mistaken123" })
    for _, body in ipairs {
      cjson.encode { refresh_token = developer.refresh_token, list = { { api_key = developer.project_key } } },
      "a=1&refresh_token=" .. developer.refresh_token, '{"refresh_token": "' .. developer.refresh_token,
      "a={" .. cjson.encode { refresh_token = developer.refresh_token },
    } do
      helper.request("POST", box.url .. "/api/v1/auth/refresh", {}, "-H", helper.JSON, "-d", body)
    end
    helper.request("GET", box.url .. "/api/v1/projects/?access_token=" .. developer.access_token,
      helper.end_user_headers(developer))
    local list, text = box:requests(), helper.curl(box.url .. "/_sandbox/requests").body
    assert.equal(7, #list)
    assert.same({ email = email, password = "Sec..." }, list[1].body)
    assert.equal("a=1&refresh_token=eyJhbGci...", list[4].body)
    assert.equal("Bearer eyJhbGci...", list[7].headers.authorization)
    assert.equal(developer.developer_key:sub(1, 8) .. "...", list[7].headers["x-developer-key"])
    for _, secret in ipairs(secrets) do assert.falsy(text:find(secret:sub(1, 9), 1, true), secret) end
    for _, secret in ipairs(secrets) do assert.falsy(text:find(secret:sub(-9), 1, true), secret) end
  end)
end)

describe("the sandbox's clock", function()
  teardown(helper.stop_all)

  it("moves tokens, generations and limits with it", function()
    local box = helper.start { step_time = 450, access_life = 1800, request_limit = 4 }
    box:clock { frozen = true }
    local developer = helper.developer(box)
    local id = helper.generate(developer, "-F", "example_images=@" .. helper.PNG,
      "--form-string", 'instructions={"prompt": "a city"}').json.id
    local url = box.url .. "/api/v1/generation/generations-v2/" .. id .. "/status"
    local headers = helper.end_user_headers(developer)
    local function status() return helper.request("GET", url, headers) end
    assert.equal("pending", status().json.status)
    box:advance(449.5)
    assert.equal("pending", status().json.status)
    box:advance(0.5)
    assert.equal("processing", status().json.status)
    assert.equal(429, status().status)
    assert.equal("processing", box:generations()[1].status)
    box:advance(450)
    assert.equal("completed", box:generations()[1].status)
    box:advance(900)
    assert.equal(429, status().status)
    box:advance(1800)
    assert.equal(401, status().status)
  end)

  it("is the time of every response, and can stop and continue", function()
    local box = helper.start {}
    local stopped = box:clock { frozen = true, advance = 86400 * 366 }
    local function date() return helper.curl(box.url .. "/").headers.date end
    local said = os.date("!%a, %d %b %Y %H:%M:%S GMT", math.floor(stopped.now))
    assert.equal(said, date())
    assert.equal(stopped.now, box:clock().now)
    assert.equal(stopped.now + 1.5, box:advance(1.5):clock().now)
    local free = box:clock { frozen = false }
    assert.is_true(free.now >= stopped.now + 1.5 and free.now < stopped.now + 3600)
    repeat until box:clock().now > free.now
  end)

  it("continues from where it stopped, after any time", function()
    local found, cqueues = pcall(require, "cqueues")
    if not found then return end
    local monotime, now = cqueues.monotime, 100
    finally(function() cqueues.monotime = monotime end)
    cqueues.monotime = function() return now end
    local clock = require("devkit4ai.sandbox.state.clock").new(require("devkit4ai.sandbox.state.records").none())
    local start = clock.now()
    now = 107
    assert.equal(start + 7, clock.now())
    clock:set_frozen(true)
    now = 1000
    clock:advance(5)
    assert.equal(start + 12, clock.now())
    clock:set_frozen(false)
    assert.equal(start + 12, clock.now())
    now = 1001
    assert.equal(start + 13, clock.now())
  end)
end)

describe("sandbox:generations", function()
  teardown(helper.stop_all)

  it("lists every generation that was created, also deleted and unanswered ones", function()
    local box = helper.start()
    local developer = helper.developer(box)
    local function generate(prompt)
      return helper.generate(developer, "-F", "example_images=@" .. helper.PNG,
        "--form-string", 'instructions={"prompt": "' .. prompt .. '"}')
    end
    local first = generate("one").json.id
    generate ""
    box:fault { operation = "create_generation", cut = "after" }
    generate "two"
    helper.request("DELETE", box.url .. "/api/v1/generation/generations-v2/" .. first,
      helper.end_user_headers(developer))
    local list = box:generations()
    assert.equal(2, #list)
    assert.same({ first, '{"prompt": "one"}' }, { list[1].id, list[1].instructions })
    assert.equal('{"prompt": "two"}', list[2].instructions)
    assert.equal(2, helper.curl(box.url .. "/_sandbox/generations").json.count)
  end)
end)
