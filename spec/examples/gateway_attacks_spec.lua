-- Attacks on the gateway of examples/nginx, with the nginx of this machine and a sandbox.
local child = require "spec.support.process.child"
local support = require "spec.support.servers.gateway"

local PNG = child.read "examples/images/neon.png"
local NOBODY = ("0"):rep(32)
local LIMIT = 10 * 1024 * 1024 -- bytes of an image

describe("the gateway", function()
  local gateway

  lazy_setup(function() gateway = support.start "--step-time 0" end)
  lazy_teardown(function() gateway:stop() end)

  describe("sessions:", function()
    it("the cookie is for the server alone", function()
      local _, email = gateway:new_user()
      local head = gateway:log_in(email, "SecurePass123").head
      local cookie = head:match "[Ss]et%-[Cc]ookie: ([^\r]*)"
      assert.truthy(cookie:find "^session=%x+; Path=/; Max%-Age=604800; HttpOnly; SameSite=Strict$")
      assert.equal(32, #cookie:match "session=(%x+)")
      local behind_tls = gateway:log_in(email, "SecurePass123", { ["X-Forwarded-Proto"] = "https" })
      assert.truthy(behind_tls.head:find "SameSite=Strict; Secure\r")
    end)

    it("a forged cookie is nobody", function()
      for _, value in ipairs { NOBODY, "", "../" .. NOBODY, ("a"):rep(4000), "null", "tokens", NOBODY .. "%00" } do
        local response = gateway:get("session=" .. value, "/api/me")
        assert.equal(401, response.status, value)
      end
    end)

    it("a stolen cookie is worth nothing after a logout, and a given one after a login", function()
      local cookie, email = gateway:new_user()
      local again = gateway:request("POST", "/api/log-in",
        { cookie = cookie, json = { email = email, password = "SecurePass123" } })
      assert.not_equal(cookie, again.cookie)
      assert.equal(401, gateway:get(cookie, "/api/me").status)
      assert.equal(200, gateway:get(again.cookie, "/api/me").status)
      gateway:request("POST", "/api/log-out", { cookie = again.cookie })
      assert.equal(401, gateway:get(again.cookie, "/api/generations").status)
    end)

    it("two browsers of a user have two sessions, which outlive their access tokens", function()
      local first, email = gateway:new_user()
      local second = gateway:log_in(email, "SecurePass123").cookie
      gateway:sandbox("clock", { advance = 3600 })
      assert.equal(200, gateway:get(first, "/api/generations").status)
      assert.equal(200, gateway:get(second, "/api/generations").status)
      gateway:request("POST", "/api/log-out", { cookie = first })
      assert.equal(401, gateway:get(first, "/api/generations").status)
      gateway:sandbox("clock", { advance = 3600 })
      assert.equal(200, gateway:get(second, "/api/generations").status)
    end)

    it("another user's generation and uploads are out of reach", function()
      local owner, thief = gateway:new_user(), gateway:new_user()
      local path = "/api/generations/" .. gateway:generate(owner, "a boat")
      assert.equal(404, gateway:get(thief, path .. "/events").status)
      assert.equal(404, gateway:get(thief, path .. "/image").status)
      assert.equal(404, gateway:request("DELETE", path, { cookie = thief }).status)
      assert.is_nil(gateway:get(thief, "/api/generations").json.items)
      assert.equal(200, gateway:get(owner, path .. "/image").status)

      local json = { images = { gateway:upload(owner).json.id }, prompt = "a boat" }
      local before = gateway:generated()
      assert.equal(410, gateway:request("POST", "/api/generations", { cookie = thief, json = json }).status)
      assert.equal(before, gateway:generated())
      assert.equal(200, gateway:request("POST", "/api/generations", { cookie = owner, json = json }).status)
    end)
  end)

  describe("refuses", function()
    it("path tricks", function()
      local cookie = gateway:new_user()
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
        local response = gateway:get(cookie, path)
        assert.truthy(response.status == 404 or response.status == 400, path .. ": " .. response.status)
        assert.falsy(response.head:find "X%-Evil")
      end
      for _, name in ipairs { "../settings", "all", "../../settings", NOBODY, 1, "" } do
        local json = { images = { name }, prompt = "x" }
        assert.equal(410, gateway:request("POST", "/api/generations", { cookie = cookie, json = json }).status)
      end
    end)

    it("uploads over the limit, of a wrong kind, and without a login", function()
      local cookie = gateway:new_user()
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
      local cookie = gateway:new_user()
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
      local cookie = gateway:new_user()
      local before = gateway:generated()
      local ids = {}
      for i = 1, 6 do ids[i] = gateway:upload(cookie).json.id end
      for _, json in ipairs { { images = ids, prompt = "x" }, { images = {}, prompt = "x" }, { images = ids },
        { images = "x", prompt = "x" }, { prompt = "x" } } do
        assert.equal(422, gateway:request("POST", "/api/generations", { cookie = cookie, json = json }).status)
      end
      local long = { images = { ids[1] }, prompt = ("x"):rep(1000) }
      assert.equal(422, gateway:request("POST", "/api/generations", { cookie = cookie, json = long }).status)
      assert.equal(before, gateway:generated())
    end)

    it("the same uploads a second time: a double click pays once", function()
      local cookie = gateway:new_user()
      local before = gateway:generated()
      local options = { cookie = cookie, json = { images = { gateway:upload(cookie).json.id }, prompt = "x" } }
      local first, second = gateway:connect(), gateway:connect()
      first:send(gateway:text("POST", "/api/generations", options))
      second:send(gateway:text("POST", "/api/generations", options))
      local statuses = { gateway:read(first).status, gateway:read(second).status }
      table.sort(statuses)
      assert.same({ 200, 410 }, statuses)
      assert.equal(before + 1, gateway:generated())
    end)

    it("requests from another site's page", function()
      local cookie, email = gateway:new_user()
      local path = "/api/generations/" .. gateway:generate(cookie, "a boat")
      for _, headers in ipairs {
        { Origin = "https://evil.example" }, { Origin = false }, { Origin = "null" },
        { Origin = gateway.origin .. ".evil.example" }, { Origin = gateway.origin .. "@evil.example" },
        { ["Sec-Fetch-Site"] = "cross-site" }, { ["Sec-Fetch-Site"] = "same-site" },
      } do
        assert.equal(403, gateway:request("DELETE", path, { cookie = cookie, headers = headers }).status)
        assert.equal(403, gateway:request("POST", "/api/log-out", { cookie = cookie, headers = headers }).status)
        assert.equal(403, gateway:log_in(email, "SecurePass123", headers).status)
      end
      local foreign = { cookie = cookie, headers = { ["Sec-Fetch-Site"] = "cross-site", Origin = false } }
      assert.equal(403, gateway:request("GET", path .. "/image", foreign).status)
      local form = gateway:request("POST", "/api/generations", { cookie = cookie, body = '{"images":[],"prompt":"x"}',
        headers = { ["Content-Type"] = "text/plain" } })
      assert.equal(422, form.status)
      assert.equal(200, gateway:get(cookie, path .. "/image").status)
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

  it("shows no key and no token, in no response and no log", function()
    gateway:check_secrets()
  end)
end)
