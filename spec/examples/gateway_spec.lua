-- The gateway of examples/nginx, with the nginx of this machine and a sandbox: what its page does, limits, and failures.
local child = require "spec.support.process.child"
local support = require "spec.support.servers.gateway"

local PNG = child.read "examples/images/neon.png"
local NOBODY = ("0"):rep(32)
local LIMIT = 10 * 1024 * 1024 -- bytes of an image
local OTHER_ADDRESS = "127.0.0.2"

describe("the gateway", function()
  local gateway

  lazy_setup(function() gateway = support.start "--step-time 0" end)
  lazy_teardown(function() gateway:stop() end)

  describe("serves", function()
    it("a page without a script of another place", function()
      local page = gateway:request("GET", "/")
      assert.equal(200, page.status)
      local nonce = page.head:match "script%-src 'nonce%-(%x+)'"
      assert.truthy(page.body:find(('<script nonce="%s">'):format(nonce), 1, true))
      assert.truthy(page.body:find(('<style nonce="%s">'):format(nonce), 1, true))
      assert.falsy(page.body:find "REQUEST_ID")
      assert.not_equal(nonce, gateway:request("GET", "/").head:match "script%-src 'nonce%-(%x+)'")
      for _, header in ipairs { "Content%-Type%-Options: nosniff", "default%-src 'none'", "frame%-ancestors 'none'" } do
        assert.truthy(page.head:find(header), header)
      end
    end)

    it("the whole way of an image", function()
      local slow = support.start "--step-time 2"
      finally(function() slow:stop() end)
      local cookie = slow:sign_up "guest@example.com"
      assert.equal("guest@example.com", slow:request("GET", "/api/me", { cookie = cookie }).json.email)
      local first, second = slow:upload(cookie), slow:upload(cookie, "examples/images/mountains.png")
      local ids = { first.json.id, second.json.id }
      local json = { images = ids, prompt = "a city <at> night" }
      local gen = slow:request("POST", "/api/generations", { cookie = cookie, json = json }).json
      assert.equal("pending", gen.status)
      assert.same({}, slow:files())

      local path = "/api/generations/" .. gen.id
      local events = slow:request("GET", path .. "/events", { cookie = cookie })
      assert.truthy(events.head:find "text/event%-stream")
      local words = {}
      for status in events.body:gmatch 'data: {[^\n]-"status":"(%a+)"' do words[#words + 1] = status end
      assert.equal("pending", words[1])
      assert.equal("completed", words[#words])

      local image = slow:request("GET", path .. "/image", { cookie = cookie })
      assert.truthy(image.head:find "image/png" and image.head:find "private")
      assert.equal("\137PNG", image.body:sub(1, 4))
      local list = slow:request("GET", "/api/generations", { cookie = cookie }).json
      assert.equal("a city <at> night", list.items[1].prompt)
      assert.equal(204, slow:request("DELETE", path, { cookie = cookie }).status)
      assert.is_nil(slow:request("GET", "/api/generations", { cookie = cookie }).json.items)
      assert.equal(204, slow:request("POST", "/api/log-out", { cookie = cookie }).status)
      assert.equal(401, slow:request("GET", "/api/me", { cookie = cookie }).status)
      assert.same({}, slow:files())
    end)

    it("large uploads in little memory", function()
      local own = support.start "--step-time 0"
      finally(function() own:stop() end)
      local cookie = own:sign_up "guest@example.com"
      own:request("GET", "/api/generations/" .. own:generate(cookie, "a boat") .. "/image", { cookie = cookie })
      local before, ids = own:peak_memory(), {}
      local large = { cookie = cookie, body = PNG .. ("x"):rep(LIMIT - #PNG) }
      large.headers = { ["Content-Type"] = "image/png" }
      for i = 1, 5 do ids[i] = own:request("POST", "/api/images", large).json.id end
      local json = { images = ids, prompt = "a city" }
      assert.equal(200, own:request("POST", "/api/generations", { cookie = cookie, json = json }).status)
      local growth = own:peak_memory() - before
      assert.is_true(growth < 5, growth .. " MB more, for 50 MB of images")
    end)

    it("the words of a failure", function()
      local cookie = gateway:new_user()
      local id = gateway:generate(cookie, "a city [fail: too dark]")
      local events = gateway:get(cookie, "/api/generations/" .. id .. "/events").body
      assert.truthy(events:find '"status":"failed"')
      assert.truthy(events:find "too dark")
    end)

    it("logins, and says why not", function()
      local _, email = gateway:new_user()
      local session = gateway:log_in(email, "SecurePass123")
      assert.equal(email, session.json.email)
      assert.equal(401, gateway:log_in(email, "WrongPass123").status)
      local nobody = gateway:log_in("nobody@example.com", "SecurePass123")
      assert.equal("The address or the password is wrong.", nobody.json.error)
      local function sign_up(json) return gateway:request("POST", "/api/sign-up", { json = json }).status end
      assert.equal(409, sign_up { email = email, password = "SecurePass123" })
      assert.equal(422, sign_up { email = "weak@example.com", password = "short" })
      assert.equal(422, gateway:request("POST", "/api/log-in", { json = { email = { 1 } } }).status)
      assert.equal(422, gateway:request("POST", "/api/log-in").status)
    end)
  end)

  describe("limits", function()
    it("each user, and not the others", function()
      local greedy, other = gateway:new_user(), gateway:new_user()
      local options = { cookie = greedy, json = { images = { NOBODY }, prompt = "x" } }
      for _ = 1, 20 do assert.equal(410, gateway:request("POST", "/api/generations", options).status) end
      local refused = gateway:request("POST", "/api/generations", options)
      assert.equal(429, refused.status)
      assert.truthy(refused.head:lower():find "retry%-after: %d+")
      assert.truthy(gateway:generate(other, "x"))

      for _ = 1, 60 do gateway:request("POST", "/api/images", { cookie = greedy, from = OTHER_ADDRESS }) end
      assert.equal(429, gateway:upload(greedy).status)
      assert.equal(200, gateway:upload(other).status)
    end)

    it("logins of one address", function()
      local statuses = {}
      for _ = 1, 60 do
        local json = { email = "nobody@example.com", password = "WrongPass123" }
        local status = gateway:request("POST", "/api/log-in", { json = json, from = "127.0.0.3" }).status
        statuses[status] = (statuses[status] or 0) + 1
      end
      assert.truthy(statuses[429])
      assert.truthy(gateway:new_user())
    end)

    it("event streams of a user, and forgets those that the browser closed", function()
      local slow = support.start "--step-time 600"
      finally(function() slow:stop() end)
      local cookie = slow:sign_up "guest@example.com"
      local path = "/api/generations/" .. slow:generate(cookie, "a boat") .. "/events"
      local text = slow:text("GET", path, { cookie = cookie })
      local streams = {}
      local function open()
        local stream = slow:connect()
        streams[#streams + 1] = stream
        stream:send(text)
        return stream:receive("*l"):match " (%d+)"
      end
      for _ = 1, 8 do assert.equal("200", open()) end
      assert.equal("429", open())
      for _, stream in ipairs(streams) do stream:close() end
      local tries = 0
      repeat -- nginx sees the ends one after the other
        tries = tries + 1
      until open() == "200" or tries == 100
      assert.is_true(tries < 100)
    end)

    it("slow clients: 200 of them hold a connection, and the others are served", function()
      local cookie, held = gateway:new_user(), {}
      local text = gateway:text("POST", "/api/images", { cookie = cookie, headers = {
        ["Content-Type"] = "image/png", ["Content-Length"] = "100000" } }) .. PNG:sub(1, 1000)
      for i = 1, 200 do
        held[i] = gateway:connect(OTHER_ADDRESS)
        held[i]:send(i % 2 == 0 and "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " or text)
      end
      local other = gateway:new_user()
      local path = "/api/generations/" .. gateway:generate(other, "a boat")
      assert.truthy(gateway:get(other, path .. "/events").body:find "completed")
      assert.equal(200, gateway:get(other, path .. "/image").status)
      for _, connection in ipairs(held) do connection:close() end
    end)
  end)

  describe("when the API fails", function()
    it("says so, without its words, and logs them", function()
      local cookie = gateway:new_user()
      gateway:sandbox("faults", { operation = "list_generations", status = 404, body = "internal words" })
      local response = gateway:get(cookie, "/api/generations")
      assert.equal(404, response.status)
      assert.falsy(response.body:find "internal words")
      gateway:sandbox("faults", { operation = "delete_generation", status = 405 })
      local lost = gateway:request("DELETE", "/api/generations/" .. gateway:generate(cookie, "x"), { cookie = cookie })
      assert.equal(502, lost.status)
      assert.truthy(gateway:error_log():find "gen:delete")
    end)

    it("does not send a generation again, and sends the user to the gallery", function()
      local cookie = gateway:new_user()
      local before = gateway:generated()
      gateway:sandbox("faults", { operation = "create_generation", cut = "after" })
      local json = { images = { gateway:upload(cookie).json.id }, prompt = "a boat" }
      local response = gateway:request("POST", "/api/generations", { cookie = cookie, json = json })
      assert.equal(502, response.status)
      assert.truthy(response.json.error:find "gallery")
      assert.equal(before + 1, gateway:generated())
      assert.equal(1, #gateway:get(cookie, "/api/generations").json.items)
    end)
  end)

  it("shows no key and no token, in no response and no log", function()
    gateway:check_secrets()
  end)

  -- With a table in place of nginx's list: the real one keeps an upload for 15 minutes.
  it("removes the uploads that no generation took", function()
    local folder, list = child.folder(), { "100.5 aa", "200 bb", "1000 cc" }
    finally(function() child.remove(folder) end)
    local uploads = {
      lpop = function() return table.remove(list, 1) end,
      lpush = function(_, _, entry) table.insert(list, 1, entry) end,
    }
    local ngx = { shared = { uploads = uploads }, config = { prefix = function() return folder .. "/" end } }
    function ngx.now() return 1099.9 end
    os.execute(("mkdir %s/run && touch %s/run/aa %s/run/bb %s/run/cc"):format(folder, folder, folder, folder))
    local environment = setmetatable({ ngx = ngx, require = function() return {} end }, { __index = _G })
    local images = assert(loadfile("examples/nginx/lua/gateway/images.lua", "t", environment))()
    images.clean_up()
    assert.same({ "bb", "cc" }, child.list(folder .. "/run"))
    ngx.now = function() return 1100.6 end
    images.clean_up()
    assert.same({ "cc" }, child.list(folder .. "/run"))
    assert.same({ "1000 cc" }, list)
  end)

  it("ends its event streams when nginx reloads or quits, so that the page connects to a new worker", function()
    local slow = support.start "--step-time 600"
    finally(function() slow:stop() end)
    local cookie = slow:sign_up "guest@example.com"
    local path = "/api/generations/" .. slow:generate(cookie, "a boat") .. "/events"
    local streams = {}
    for i = 1, 8 do
      streams[i] = slow:connect()
      streams[i]:send(slow:text("GET", path, { cookie = cookie }))
      assert.equal("HTTP/1.1 200 OK", streams[i]:receive("*l"))
    end
    os.execute("kill -HUP " .. child.read(slow.folder .. "/gateway/run/nginx.pid"))
    for _, stream in ipairs(streams) do -- each ends with an event, at the next look at the generation
      stream:settimeout(60)
      assert.truthy(assert(stream:receive("*a")):find('"status":"pending".*\r\n0\r\n\r\n$'))
    end
    assert.equal(200, slow:get(cookie, "/api/me").status)
  end)

  it("has at most 300 lines of Lua, and the README's numbers", function()
    local pipe = assert(io.popen "cat examples/nginx/lua/gateway/*.lua")
    local lua = pipe:read "*a"
    pipe:close()
    assert.is_true(select(2, lua:gsub("\n", "")) <= 300)
    assert.is_true(select(2, child.read("examples/nginx/lua/programs.lua"):gsub("\n", "")) <= 50)
    local readme, conf = child.read "examples/nginx/README.md":gsub("%s+", " "), child.read "examples/nginx/nginx.conf"
    local images, minutes = readme:match "(%d+) uploads in (%d+) minutes"
    local generations = readme:match "(%d+) generations an hour"
    assert.truthy(lua:find(("generations = { most = %s, seconds = 3600 }"):format(generations)))
    assert.truthy(lua:find(("images = { most = %s, seconds = %d }"):format(images, minutes * 60)))
    assert.truthy(conf:find(("rate=%sr/m"):format(readme:match "(%d+) logins a minute")))
    assert.truthy(conf:find(("connections %s;"):format(readme:match "(%d+) connections from one address")))
    assert.truthy(lua:find(("PAGE_SIZE = %s"):format(readme:match "the gallery, (%d+) on a page")))
    assert.truthy(lua:find(("KEEP = %d"):format(readme:match "or after (%d+) minutes" * 60)))
  end)

  it("leaves nothing behind when it stops", function()
    local other = support.start "--step-time 0"
    other:upload(other:sign_up "guest@example.com")
    assert.equal(1, #other:files())
    other:stop()
    assert.is_nil(io.open(other.folder))
    assert.falsy(pcall(other.connect, other))
  end)
end)
