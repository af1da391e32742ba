-- The gateway of examples/nginx, with the nginx of this machine and a sandbox: what its page does, and attacks.
local child = require "spec.support.child"
local support = require "spec.support.gateway"

local PNG = child.read "examples/images/neon.png"
local NOBODY = ("0"):rep(32)
local LIMIT = 10 * 1024 * 1024 -- bytes of an image
local OTHER_ADDRESS = "127.0.0.2"

describe("the gateway", function()
  local gateway
  local count = 0

  lazy_setup(function() gateway = support.start "--step-time 0" end)
  lazy_teardown(function() gateway:stop() end)

  -- A new user, at an address of its own, because nginx limits the logins of an address; returns the cookie and the e-mail.
  local function new_user()
    count = count + 1
    local email = ("user%d@example.com"):format(count)
    return gateway:sign_up(email, "127.0.1." .. count), email
  end

  local function log_in(email, password, headers)
    return gateway:request("POST", "/api/log-in", { json = { email = email, password = password }, headers = headers })
  end

  local function get(cookie, path)
    return gateway:request("GET", path, { cookie = cookie })
  end

  local function generated() return gateway:sandbox("generations").count end

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
      local cookie = new_user()
      local id = gateway:generate(cookie, "a city [fail: too dark]")
      local events = get(cookie, "/api/generations/" .. id .. "/events").body
      assert.truthy(events:find '"status":"failed"')
      assert.truthy(events:find "too dark")
    end)

    it("logins, and says why not", function()
      local _, email = new_user()
      local session = log_in(email, "SecurePass123")
      assert.equal(email, session.json.email)
      assert.equal(401, log_in(email, "WrongPass123").status)
      assert.equal("The address or the password is wrong.", log_in("nobody@example.com", "SecurePass123").json.error)
      local function sign_up(json) return gateway:request("POST", "/api/sign-up", { json = json }).status end
      assert.equal(409, sign_up { email = email, password = "SecurePass123" })
      assert.equal(422, sign_up { email = "weak@example.com", password = "short" })
      assert.equal(422, gateway:request("POST", "/api/log-in", { json = { email = { 1 } } }).status)
      assert.equal(422, gateway:request("POST", "/api/log-in").status)
    end)
  end)

  describe("sessions:", function()
    it("the cookie is for the server alone", function()
      local _, email = new_user()
      local head = log_in(email, "SecurePass123").head
      local cookie = head:match "[Ss]et%-[Cc]ookie: ([^\r]*)"
      assert.truthy(cookie:find "^session=%x+; Path=/; Max%-Age=604800; HttpOnly; SameSite=Strict$")
      assert.equal(32, #cookie:match "session=(%x+)")
      local behind_tls = log_in(email, "SecurePass123", { ["X-Forwarded-Proto"] = "https" })
      assert.truthy(behind_tls.head:find "SameSite=Strict; Secure\r")
    end)

    it("a forged cookie is nobody", function()
      for _, value in ipairs { NOBODY, "", "../" .. NOBODY, ("a"):rep(4000), "null", "tokens", NOBODY .. "%00" } do
        local response = get("session=" .. value, "/api/me")
        assert.equal(401, response.status, value)
      end
    end)

    it("a stolen cookie is worth nothing after a logout, and a given one after a login", function()
      local cookie, email = new_user()
      local again = gateway:request("POST", "/api/log-in",
        { cookie = cookie, json = { email = email, password = "SecurePass123" } })
      assert.not_equal(cookie, again.cookie)
      assert.equal(401, get(cookie, "/api/me").status)
      assert.equal(200, get(again.cookie, "/api/me").status)
      gateway:request("POST", "/api/log-out", { cookie = again.cookie })
      assert.equal(401, get(again.cookie, "/api/generations").status)
    end)

    it("two browsers of a user have two sessions, which outlive their access tokens", function()
      local first, email = new_user()
      local second = log_in(email, "SecurePass123").cookie
      gateway:sandbox("clock", { advance = 3600 })
      assert.equal(200, get(first, "/api/generations").status)
      assert.equal(200, get(second, "/api/generations").status)
      gateway:request("POST", "/api/log-out", { cookie = first })
      assert.equal(401, get(first, "/api/generations").status)
      gateway:sandbox("clock", { advance = 3600 })
      assert.equal(200, get(second, "/api/generations").status)
    end)

    it("another user's generation and uploads are out of reach", function()
      local owner, thief = new_user(), new_user()
      local path = "/api/generations/" .. gateway:generate(owner, "a boat")
      assert.equal(404, get(thief, path .. "/events").status)
      assert.equal(404, get(thief, path .. "/image").status)
      assert.equal(404, gateway:request("DELETE", path, { cookie = thief }).status)
      assert.is_nil(get(thief, "/api/generations").json.items)
      assert.equal(200, get(owner, path .. "/image").status)

      local json = { images = { gateway:upload(owner).json.id }, prompt = "a boat" }
      local before = generated()
      assert.equal(410, gateway:request("POST", "/api/generations", { cookie = thief, json = json }).status)
      assert.equal(before, generated())
      assert.equal(200, gateway:request("POST", "/api/generations", { cookie = owner, json = json }).status)
    end)
  end)

  describe("refuses", function()
    it("path tricks", function()
      local cookie = new_user()
      local uuid = "00000000-0000-0000-0000-000000000000"
      for _, path in ipairs {
        "/api/generations/..%2f..%2fprojects", "/api/generations/" .. uuid .. "%00", "/api/generations/../../settings",
        "/api/generations/" .. uuid .. "/../../../nginx.conf",
        "/api/generations/" .. uuid .. "%0d%0aX-Evil:%201/image",
        "/api/generations/" .. uuid .. "/image/x", "/results/" .. NOBODY, "/run/access.log", "/nginx.conf",
        "/index.html", "/lua/gateway/router.lua", "/api/generations/" .. uuid .. "%2fimage%3fx=",
        "/api/generations/" .. uuid:rep(200),
        "//api//me/", "/api/images", "/_sandbox/generations", "/api/generations/" .. uuid .. "/events/../image",
      } do
        local response = get(cookie, path)
        assert.truthy(response.status == 404 or response.status == 400, path .. ": " .. response.status)
        assert.falsy(response.head:find "X%-Evil")
      end
      for _, name in ipairs { "../settings", "all", "../../settings", NOBODY, 1, "" } do
        local json = { images = { name }, prompt = "x" }
        assert.equal(410, gateway:request("POST", "/api/generations", { cookie = cookie, json = json }).status)
      end
    end)

    it("uploads over the limit, of a wrong kind, and without a login", function()
      local cookie = new_user()
      local function upload(body, kind, user)
        local headers = { ["Content-Type"] = kind }
        local options = { cookie = user or cookie, body = body, headers = headers }
        return gateway:request("POST", "/api/images", options).status
      end
      assert.equal(413, upload(PNG .. ("x"):rep(LIMIT - #PNG + 1), "image/png"))
      assert.equal(200, upload(PNG .. ("x"):rep(LIMIT - #PNG), "image/png"))
      assert.equal(415, upload("GIF89a...........", "image/gif"))
      assert.equal(415, upload("<html><script>alert(1)</script>", "image/png"))
      assert.equal(415, upload(PNG, "image/jpeg"))
      assert.equal(415, upload(PNG, "text/html"))
      assert.equal(415, upload("", "image/png"))
      assert.equal(401, upload(PNG, "image/png", "session=" .. NOBODY))
      local chunked = gateway:connect()
      chunked:send(gateway:text("POST", "/api/images", { cookie = cookie,
        headers = { ["Content-Type"] = "image/png", ["Transfer-Encoding"] = "chunked" } }))
      chunked:send(("%x\r\n"):format(LIMIT + 1) .. PNG .. ("x"):rep(LIMIT + 1 - #PNG) .. "\r\n0\r\n\r\n")
      assert.equal(413, gateway:read(chunked).status)
      assert.equal(413, gateway:request("POST", "/api/log-in", { json = { email = ("x"):rep(20000) } }).status)
    end)

    it("an upload that ends half-way, and keeps no file of it", function()
      local cookie = new_user()
      local before = #gateway:files()
      local text = gateway:text("POST", "/api/images",
        { cookie = cookie, body = PNG, headers = { ["Content-Type"] = "image/png" } })
      local cut = gateway:connect()
      cut:send(text:sub(1, -1000))
      cut:shutdown "send"
      pcall(gateway.read, gateway, cut)
      assert.equal(200, gateway:upload(cookie).status) -- nginx has seen the end of the first one
      assert.equal(before + 1, #gateway:files())
      assert.same({}, child.list(gateway.folder .. "/gateway/run/body"))
    end)

    it("too many images, none, and no prompt", function()
      local cookie = new_user()
      local before = generated()
      local ids = {}
      for i = 1, 6 do ids[i] = gateway:upload(cookie).json.id end
      for _, json in ipairs { { images = ids, prompt = "x" }, { images = {}, prompt = "x" }, { images = ids },
        { images = "x", prompt = "x" }, { prompt = "x" } } do
        assert.equal(422, gateway:request("POST", "/api/generations", { cookie = cookie, json = json }).status)
      end
      local long = { images = { ids[1] }, prompt = ("x"):rep(1000) }
      assert.equal(422, gateway:request("POST", "/api/generations", { cookie = cookie, json = long }).status)
      assert.equal(before, generated())
    end)

    it("the same uploads a second time: a double click pays once", function()
      local cookie = new_user()
      local before = generated()
      local options = { cookie = cookie, json = { images = { gateway:upload(cookie).json.id }, prompt = "x" } }
      local first, second = gateway:connect(), gateway:connect()
      first:send(gateway:text("POST", "/api/generations", options))
      second:send(gateway:text("POST", "/api/generations", options))
      local statuses = { gateway:read(first).status, gateway:read(second).status }
      table.sort(statuses)
      assert.same({ 200, 410 }, statuses)
      assert.equal(before + 1, generated())
    end)

    it("requests from another site's page", function()
      local cookie, email = new_user()
      local path = "/api/generations/" .. gateway:generate(cookie, "a boat")
      for _, headers in ipairs {
        { Origin = "https://evil.example" }, { Origin = false }, { Origin = "null" },
        { Origin = gateway.origin .. ".evil.example" }, { Origin = gateway.origin .. "@evil.example" },
        { ["Sec-Fetch-Site"] = "cross-site" }, { ["Sec-Fetch-Site"] = "same-site" },
      } do
        assert.equal(403, gateway:request("DELETE", path, { cookie = cookie, headers = headers }).status)
        assert.equal(403, gateway:request("POST", "/api/log-out", { cookie = cookie, headers = headers }).status)
        assert.equal(403, log_in(email, "SecurePass123", headers).status)
      end
      local foreign = { cookie = cookie, headers = { ["Sec-Fetch-Site"] = "cross-site", Origin = false } }
      assert.equal(403, gateway:request("GET", path .. "/image", foreign).status)
      local form = gateway:request("POST", "/api/generations", { cookie = cookie, body = '{"images":[],"prompt":"x"}',
        headers = { ["Content-Type"] = "text/plain" } })
      assert.equal(422, form.status)
      assert.equal(200, get(cookie, path .. "/image").status)
      assert.falsy(table.concat(gateway.seen):lower():find "access%-control%-allow")
    end)

    it("line feeds in what a header or the log would get", function()
      local evil = "a\r\nX-Evil: 1\r\nSet-Cookie: session=1@example.com"
      local response = gateway:request("POST", "/api/sign-up", { json = { email = evil, password = "SecurePass123" } })
      assert.falsy(response.head:find "X%-Evil")
      for _, start in ipairs { "GET /api/me\rX-Evil: 1 HTTP/1.1\r\nHost: x", "GET / HTTP/1.1\r\nHost: a b" } do
        local raw = gateway:connect()
        raw:send(start .. "\r\n\r\n")
        assert.equal(400, gateway:read(raw).status)
      end
      assert.falsy(gateway:access_log():find "\nX%-Evil")
    end)
  end)

  describe("limits", function()
    it("each user, and not the others", function()
      local greedy, other = new_user(), new_user()
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
      assert.truthy(new_user())
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
      local cookie, held = new_user(), {}
      local text = gateway:text("POST", "/api/images", { cookie = cookie, headers = {
        ["Content-Type"] = "image/png", ["Content-Length"] = "100000" } }) .. PNG:sub(1, 1000)
      for i = 1, 200 do
        held[i] = gateway:connect(OTHER_ADDRESS)
        held[i]:send(i % 2 == 0 and "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " or text)
      end
      local other = new_user()
      local path = "/api/generations/" .. gateway:generate(other, "a boat")
      assert.truthy(get(other, path .. "/events").body:find "completed")
      assert.equal(200, get(other, path .. "/image").status)
      for _, connection in ipairs(held) do connection:close() end
    end)
  end)

  describe("when the API fails", function()
    it("says so, without its words, and logs them", function()
      local cookie = new_user()
      gateway:sandbox("faults", { operation = "list_generations", status = 404, body = "internal words" })
      local response = get(cookie, "/api/generations")
      assert.equal(404, response.status)
      assert.falsy(response.body:find "internal words")
      gateway:sandbox("faults", { operation = "delete_generation", status = 405 })
      local lost = gateway:request("DELETE", "/api/generations/" .. gateway:generate(cookie, "x"), { cookie = cookie })
      assert.equal(502, lost.status)
      assert.truthy(gateway:error_log():find "gen:delete")
    end)

    it("does not send a generation again, and sends the user to the gallery", function()
      local cookie = new_user()
      local before = generated()
      gateway:sandbox("faults", { operation = "create_generation", cut = "after" })
      local json = { images = { gateway:upload(cookie).json.id }, prompt = "a boat" }
      local response = gateway:request("POST", "/api/generations", { cookie = cookie, json = json })
      assert.equal(502, response.status)
      assert.truthy(response.json.error:find "gallery")
      assert.equal(before + 1, generated())
      assert.equal(1, #get(cookie, "/api/generations").json.items)
    end)
  end)

  it("shows no key and no token, in no response and no log", function()
    local words = table.concat(gateway.seen, "\n") .. gateway:error_log() .. gateway:access_log()
    local keys = 0
    for name, value in gateway.settings:gmatch "export DEVKIT4AI_(%u+_?%u*_?%u*)=(%S+)" do
      if name ~= "EMAIL" and name ~= "PASSWORD" then
        keys = keys + 1
        assert.falsy(words:find(value, 1, true), name)
      end
    end
    assert.equal(6, keys)
    assert.falsy(words:find "eyJ")          -- a token
    assert.falsy(words:find "SecurePass123")
    assert.falsy(gateway:error_log():find "attempt to", 1, true) -- a fault of the gateway's Lua
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

  it("has at most 300 lines of Lua, and the README's numbers", function()
    local pipe = assert(io.popen "cat examples/nginx/lua/gateway/*.lua")
    local lua = pipe:read "*a"
    pipe:close()
    assert.is_true(select(2, lua:gsub("\n", "")) <= 300)
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
