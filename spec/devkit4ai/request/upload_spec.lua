-- on_upload: called every 0.1 s with the sent part of the body.
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"

-- Reads the body in pieces with pauses, so that it takes half a second; the socket's buffers are smaller.
local SLOW = [[return function(conn)
  local length = tonumber(conn:read_head():match("Content%-Length: (%d+)"))
  local piece = length // 10 + 1
  for left = length, 1, -piece do
    conn:read(math.min(left, piece))
    conn:sleep(0.05)
  end
  conn:respond(200, { id = "]] .. ID .. [[" })
end]]

local ANSWERS_AT_ONCE = [[return function(conn)
  conn:read(tonumber(conn:read_head():match("Content%-Length: (%d+)")))
  conn:respond(200, { id = "]] .. ID .. [[" })
end]]

local REFUSES_EARLY = [[return function(conn)
  conn:read_head()
  conn:respond(413, { detail = "too large" })
end]]

for gear, start in pairs {
  ["where the caller steps"] = function() end, ["where a thread steps"] = function(devkit4ai) devkit4ai.update() end,
} do
  insulate("on_upload, " .. gear .. ",", function()
    local devkit4ai = require "devkit4ai"
    local server, client
    setup(function() start(devkit4ai) end)
    before_each(function()
      server = raw.start { script = SLOW }
      client = devkit4ai.new(wire.options(server.url))
    end)
    after_each(function()
      client:close()
      server:stop()
    end)

    local function generate(on_upload)
      local images = {}
      for i = 1, 4 do images[i] = { data = wire.image.jpeg .. ("x"):rep(4000000), filename = i .. ".jpg" } end
      return client:generate { images = images, prompt = "neon", on_upload = on_upload }
    end

    it("gets growing numbers below a total that is the body's length", function()
      local counts, totals = {}, {}
      assert(generate(function(sent, total)
        counts[#counts + 1] = sent
        totals[total] = true
      end))
      assert.is_true(#counts >= 2)
      for i = 2, #counts do assert.is_true(counts[i] >= counts[i - 1]) end
      local total = next(totals)
      assert.is_nil(next(totals, total))
      assert.is_true(counts[1] > 0 and counts[#counts] <= total)
      assert.matches("^%d+$", tostring(total)) -- an integer where Lua has them
      assert.equal(tonumber(wire.header(server:requests()[1], "Content-Length")), total)
    end)

    it("gets the whole body of an upload that is faster than its first call", function()
      server:stop()
      server = raw.start { script = ANSWERS_AT_ONCE }
      client = devkit4ai.new(wire.options(server.url))
      local calls = {}
      local image = { data = wire.image.jpeg, filename = "a.jpg" }
      local function on_upload(sent, total) calls[#calls + 1] = { sent, total } end
      assert(client:generate { images = { image }, prompt = "neon", on_upload = on_upload })
      local length = tonumber(wire.header(server:requests()[1], "Content-Length"))
      assert.same({ length, length }, calls[#calls])
      local function complain() error "told at the end" end
      local ok, why = pcall(client.generate, client, { images = { image }, prompt = "neon", on_upload = complain })
      assert.is_false(ok)
      assert.matches("told at the end.*was created and is paid for", why)
    end)

    it("gets no whole body of an upload that the server ended early", function()
      server:stop()
      server = raw.start { script = REFUSES_EARLY }
      client = devkit4ai.new(wire.options(server.url))
      local last, all
      local _, _, err = generate(function(sent, total) last, all = sent, total end)
      assert.equal("too_large", err.kind)
      assert.is_true(last == nil or last < all)
    end)

    it("ends the upload with an error, which is raised with its traceback", function()
      local function complain() error("no more") end
      local ok, why = pcall(generate, function() complain() end)
      assert.is_false(ok)
      assert.matches("no more", why)
      assert.matches("complain", why)
      assert.is_true(server:requests()[1].length < 16000000)
    end)

    it("does the same in a task", function()
      local told = false
      local task = devkit4ai.spawn(function() return assert(generate(function() told = true end)).id end)
      assert.equal(ID, task:join())
      assert.is_true(told)
    end)

    it("ends the upload by closing the client", function()
      local _, message, err = generate(function() client:close() end)
      assert.same({ "cancelled", "unknown" }, { err.kind, err.outcome })
      assert.is_truthy(message:find("may be running and paid for", 1, true))
    end)
  end)
end
