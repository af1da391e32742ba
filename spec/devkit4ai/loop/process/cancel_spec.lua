-- client:close() in each phase of a call, in both gears: the call comes back as cancelled, and the outcome is what is
-- known of it then.
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

-- Each phase: what the server does, the address, and when the phase has begun.
local HANGS = "return function(conn) conn:read_head() conn:sleep(1000) end"
local PHASES = {
  { "connecting", script = [[ -- a listener whose queue is full: the next connection waits for its turn
      local socket = require "socket"
      local full, fillers = assert(socket.tcp()), {}
      assert(full:bind("127.0.0.1", 0))
      assert(full:listen(0))
      local _, port = full:getsockname()
      for i = 1, 4 do
        fillers[i] = socket.tcp()
        fillers[i]:settimeout(0)
        fillers[i]:connect("127.0.0.1", port)
      end
      return function(conn)
        conn.kept = { full, fillers } -- the garbage collector would close them
        conn:read_head()
        conn:respond(200, { id = tostring(port) })
      end]],
    outcome = "not_sent" },
  { "in TLS", script = "return function(conn) conn:read_head() conn:sleep(1000) end", scheme = "https",
    outcome = "not_sent" },
  { "uploading", script = HANGS, upload = true, outcome = "unknown" },
  { "waiting", script = HANGS, outcome = "unknown" },
  { "reading the answer", script = [[return function(conn) conn:read_request()
      conn:write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{") conn:sleep(1000) end]], outcome = "unknown" },
}

for gear, start in pairs {
  ["where the caller steps"] = function() end, ["where a thread steps"] = function(devkit4ai) devkit4ai.update() end,
} do
  insulate("client:close(), " .. gear .. ", while a call is", function()
    local devkit4ai = require "devkit4ai"
    local waits = require "devkit4ai.loop.waits"
    setup(function() start(devkit4ai) end)

    for _, phase in ipairs(PHASES) do
      it(phase[1] .. " cancels it, " .. phase.outcome, function()
        local server = raw.start { script = phase.script }
        finally(function() server:stop() end)
        local url = server.url
        if phase[1] == "connecting" then
          local asked = devkit4ai.new { base_url = url, access_token = "t" }
          url = "http://127.0.0.1:" .. assert(asked:me()).id
        end
        local before = server:connections()
        local client = devkit4ai.new(wire.options((url:gsub("^http", phase.scheme or "http"))))
        local image = { data = wire.image.jpeg .. ("x"):rep(8 * 1024 * 1024), filename = "a.jpg" }
        local err
        local task = devkit4ai.spawn(function()
          if phase.upload then err = select(3, client:generate { images = { image }, prompt = "neon" })
          else err = select(3, client:me()) end
        end)
        for _ = 1, 10 do waits.sleep(0.002) end
        while phase[1] ~= "connecting" and server:connections() == before do waits.sleep(0.005) end
        while phase.outcome == "unknown" and #server:requests() == 0 do waits.sleep(0.005) end
        assert.is_nil(err)
        client:close()
        task:join()
        assert.same({ "cancelled", phase.outcome, false }, { err.kind, err.outcome, err.retryable })
        assert.is_truthy(err.message:find("it was cancelled", 1, true), err.message)
        if phase.upload then assert.is_truthy(err.message:find("may be running and paid for", 1, true)) end
      end)
    end

    it("looking a name up cancels it, not_sent, and does not wait for the look-up", function()
      local folder = child.folder()
      finally(function() child.remove(folder) end)
      local ended = child.run([[
        local devkit4ai = require "devkit4ai"
        local client = devkit4ai.new { base_url = "https://slow.test", access_token = "t" }
        if arg[2] == "thread" then devkit4ai.update() end
        local task = devkit4ai.spawn(function() return select(3, client:me()) end)
        while not io.open(arg[1]) do require("devkit4ai.loop.waits").sleep(0.005) end
        client:close()
        local err = task:join()
        print(err.kind, err.outcome)
      ]], { args = { folder .. "/mark", gear:find("thread") and "thread" or "" }, preload = "slow_getaddrinfo",
        env = { SLOW_RESOLVE_NAME = "slow.test", SLOW_RESOLVE_SECONDS = "1000",
          SLOW_RESOLVE_MARK = folder .. "/mark" } })
      assert.equal("cancelled\tnot_sent\n", ended.out, ended.err)
      assert.equal(0, ended.code)
    end)

    it("one of several under way leaves the others alone", function()
      local server = raw.start { script = [[return function(conn) local r = conn:read_request()
        if r.head:find("Bearer slow", 1, true) then conn:sleep(1000) end
        conn:sleep(0.05) conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" }) end]] }
      finally(function() server:stop() end)
      local slow = devkit4ai.new { base_url = server.url, access_token = "slow" }
      local quick = devkit4ai.new { base_url = server.url, access_token = "quick" }
      local a = devkit4ai.spawn(function() return select(3, slow:me()).kind end)
      local b = devkit4ai.spawn(function() return assert(quick:me()).id end)
      while #server:requests() < 2 do waits.sleep(0.005) end
      slow:close()
      assert.equal("cancelled", a:join())
      assert.equal("550e8400-e29b-41d4-a716-446655440000", b:join())
    end)
  end)
end
