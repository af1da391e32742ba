-- The plugins of examples/kong and examples/apisix, and those on the page docs/hosts/kong-apisix.md. Debian has no Kong and no
-- APISIX: spec/support/plugins/kong.lua and apisix.lua stand in for their modules. The rest is real: nginx with its phases, coroutines and
-- body files, the library, and the sandbox.
if not rawget(_G, "jit") then return end -- nginx runs LuaJIT alone

local child = require "spec.support.process.child"
local cjson = require "cjson"
local nginx = require "spec.support.servers.nginx"
local raw = require "spec.support.servers.raw"
local studio_images = require "spec.support.plugins.studio_images"

-- An API that answers the generations when all ten are there.
local API = [[
local met = 0
return function(conn)
  local request = conn:read_request()
  while request do
    if request.target:find("/auth/login") then
      conn:respond(200, { access_token = "access", refresh_token = "refresh", token_type = "bearer" })
    else
      met = met + 1
      while met < 10 do conn:sleep(0.005) end
      conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000", status = "pending" })
    end
    request = conn:read_request()
  end
end]]

local function temporary_file(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  finally(function() os.remove(path) end)
  return path
end

for host, title in pairs { kong = "Kong", apisix = "APISIX" } do describe("the plugin for " .. title, function()
  local studio
  before_each(function() studio = studio_images.start(host) end)
  after_each(function() studio:stop() end)

  it("creates a generation, and shows it to the consumer that created it", function()
    local status, created = studio:generate("ann", "a%20boat")
    assert.equal(202, status)
    assert.equal("pending", created.status)
    local shown
    status, shown = studio:request("ann", "/images/generations/" .. created.id)
    assert.equal(200, status)
    assert.same({ created.id, "completed" }, { shown.id, shown.status })
    assert.truthy(shown.image_url:find "^http")
    assert.equal('{"prompt":"a boat"}', studio.sandbox:generations()[1].instructions)
  end)

  it("shows it to nobody else", function()
    local _, created = studio:generate("ann", "x")
    local id, signature = created.id:match "^(.-)%.(.+)$"
    for _, try in ipairs {
      { "bob", created.id }, { "ann", id }, { "ann", id .. "." }, { "ann", id .. "." .. ("0"):rep(#signature) },
      { "ann", "x" .. created.id }, { "ann", "." .. signature }, { "ann", "..%2f..%2fprojects" },
    } do
      assert.equal(404, (studio:request(try[1], "/images/generations/" .. try[2])), try[2])
    end
    assert.equal(401, (studio:request(nil, "/images/generations/" .. created.id)))
    assert.equal(0, studio:count "get_generation_status")
  end)

  it("refuses what the API would refuse, and sends nothing", function()
    assert.equal(401, (studio:generate(nil, "x")))
    assert.equal(422, (studio:request("ann", "/images/generate", "--data-binary @" .. studio_images.PNG)))
    assert.equal(422, (studio:request("ann", "/images/generate?prompt=x", "-X POST")))
    assert.equal(404, (studio:request("ann", "/images/generate?prompt=x")))
    assert.equal(404, (studio:request("ann", "/images/other", "-X POST")))
    local status, answer = studio:generate("ann", "x", temporary_file("GIF89a" .. ("x"):rep(100000)))
    assert.equal(422, status)
    assert.equal("The image or the prompt was not accepted.", answer.message)
    assert.equal(422, (studio:generate("ann", "x", temporary_file "GIF89a")))
    assert.equal(422, (studio:generate("ann", ("x"):rep(2000))))
    assert.equal(0, studio:count "create_generation")
  end)

  it("takes an image from the memory of nginx and from its file, and leaves no file", function()
    local small = temporary_file(child.read(studio_images.PNG):sub(1, 4000))
    assert.equal(202, (studio:generate("ann", "small", small)))
    assert.equal(202, (studio:generate("ann", "large")))
    assert.same({}, child.list(studio.nginx.folder .. "/body"))
    assert.equal(2, studio:count "create_generation")
  end)

  -- Sends ten requests before it reads the first answer.
  local function generate_at_once()
    local connections, answers = {}, {}
    local image = child.read(studio_images.PNG)
    for i = 1, 10 do
      local head = ("X-Consumer: c%d\r\nContent-Length: %d\r\n"):format(i, #image)
      connections[i] = studio.nginx:send("/images/generate?prompt=x", head, image)
    end
    for i = 1, 10 do answers[i] = cjson.decode(nginx.body(connections[i])) end
    return answers
  end

  it("runs the requests of a worker at the same time, with one login", function()
    local api = raw.start { script = API }
    finally(function() api:stop() end)
    studio:change { base_url = api.url }
    for _, answer in ipairs(generate_at_once()) do assert.equal("pending", answer.status) end
    assert.equal(11, #api:requests())
  end)

  it("logs in again when the session is over, once for all requests", function()
    assert.equal(202, (studio:generate("ann", "x")))
    studio.sandbox:advance(8 * 86400)
    for _, answer in ipairs(generate_at_once()) do assert.truthy(answer.id) end
    assert.equal(2, studio:count "login")
    assert.equal(11, #studio.sandbox:generations()) -- the API refused the first tries
  end)

  it("uses a changed configuration with the next request", function()
    assert.equal(202, (studio:generate("ann", "x")))
    local other, conf = studio_images.account "other@example.com"
    finally(function() other:stop() end)
    studio:change(conf)
    assert.equal(202, (studio:generate("ann", "x")))
    assert.same({ 1, 1 }, { studio:count "create_generation", #other:generations() })
  end)

  it("passes on a rate limit, and hides other failures in the log, without secrets", function()
    local wait = { ["Retry-After"] = "100" } -- longer than a call waits
    studio.sandbox:fault { operation = "create_generation", status = 429, headers = wait, times = 1 }
    local arguments = "-i -H 'X-Consumer: ann' --data-binary @" .. studio_images.PNG
    local body, status = studio.nginx:get("/images/generate?prompt=x", arguments)
    assert.equal(429, status)
    assert.truthy(body:find "Retry%-After: 100\r")
    studio.sandbox:fault { operation = "create_generation", status = 404, body = "internal words", times = 1 }
    studio.sandbox:fault { operation = "create_generation", cut = "after", times = 1 }
    local _, missing = studio:generate("ann", "x")
    local _, lost = studio:generate("ann", "x")
    assert.equal("There is no such generation.", missing.message)
    assert.truthy(lost.message:find "may be running")
    assert.equal(1, #studio.sandbox:generations()) -- the lost one, which was not repeated
    studio:change { password = "WrongPass123" }
    assert.equal(502, (studio:generate("ann", "x")))
    assert.truthy(studio.nginx:log():find "client:login: the server answered 401")
    for name, value in pairs(studio.conf) do
      if name:find "key" or name == "password" then assert.falsy(studio.nginx:log():find(value, 1, true), name) end
    end
  end)
end) end

-- The Lua blocks of the page, and where they belong.
local FILES = { kong = "kong/plugins/ai-health/handler.lua", apisix = "apisix/plugins/ai-health.lua" }

describe("the plugins of docs/hosts/kong-apisix.md", function()
  local page = child.read "docs/hosts/kong-apisix.md"
  local blocks, wanted = {}, page:match("\n```json\n(.-)\n```")
  for path, text in page:gmatch("`([%l/-]+%.lua)`:\n\n```lua\n(.-)```") do blocks[path] = text end

  for host, path in pairs(FILES) do
    it("run, and give the expected answer: " .. host, function()
      local folder = child.folder()
      os.execute(("chmod 755 %s && mkdir -p %s/%s"):format(folder, folder, path:match("^.*/")))
      local file = assert(io.open(folder .. "/" .. path, "w"))
      file:write(blocks[path])
      file:close()
      local studio = studio_images.start(host, "ai-health", folder)
      finally(function() studio:stop() child.remove(folder) end)
      local body, status = studio.nginx:get "/"
      assert.same({ wanted, 200 }, { body:match "^[^\n]*", status })
      studio.sandbox:fault { operation = "get_health", status = 404, times = 1 }
      body, status = studio.nginx:get "/"
      assert.same({ '{"message":"not_found"}', 502 }, { body:match "^[^\n]*", status })
      assert.truthy(studio.nginx:log():find "client:health: the server answered 404")
    end)
  end
end)
