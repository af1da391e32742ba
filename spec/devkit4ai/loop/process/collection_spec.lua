-- Collection in any order, at any time, while transfers are under way.
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "550e8400-e29b-41d4-a716-446655440000"
local ANSWERS = [[return function(conn)
  local request = conn:read_request()
  while request do
    conn:respond(200, { id = "]] .. ID .. [[", status = "pending" })
    request = conn:read_request()
  end
end]]

insulate("collecting", function()
  local devkit4ai = require "devkit4ai"
  local server
  setup(function() server = raw.start { script = ANSWERS } end)
  teardown(function() server:stop() end)

  it("at every step of a workflow changes nothing", function()
    collectgarbage("stop")
    finally(function() collectgarbage("restart") end)
    debug.sethook(function() collectgarbage("step") end, "", 100)
    local client = devkit4ai.new(wire.options(server.url))
    local tasks = {}
    for i = 1, 4 do
      tasks[i] = devkit4ai.spawn(function()
        assert(client:me())
        local image = { data = wire.image.jpeg .. ("x"):rep(100000), filename = "a.jpg" }
        return assert(client:generate { images = { image }, prompt = "neon" }).id
      end)
    end
    for i = 1, 4 do assert.equal(ID, tasks[i]:join()) end
    debug.sethook()
    client:close()
  end)

  it("a client whose call is under way leaves the call alone", function()
    local task = devkit4ai.spawn(function() return assert(devkit4ai.new(wire.options(server.url)):me()).id end)
    for _ = 1, 5 do collectgarbage() end
    assert.equal(ID, task:join())
  end)

  it("what a project came from leaves the project alone", function()
    local project = devkit4ai.new(wire.options(server.url)):project(wire.sample.project_id)
    collectgarbage()
    collectgarbage()
    assert(project:generate { images = { { data = wire.image.png, filename = "a.png" } }, prompt = "neon" })
  end)

  it("hundreds of clients leaves no memory behind", function()
    if rawget(_G, "jit") then -- what LuaJIT compiles counts as memory, and when it compiles is chance
      _G.jit.off()
      finally(function() _G.jit.on() end)
    end
    local alive = setmetatable({}, { __mode = "k" })
    local function use()
      for _ = 1, 50 do
        local client = devkit4ai.new(wire.options(server.url))
        alive[client] = true
        assert(client:me())
      end
      collectgarbage()
      collectgarbage()
      return collectgarbage("count")
    end
    use()
    local before = use()
    for _ = 1, 4 do use() end
    assert.is_true(use() - before < 20) -- KiB; one client kept of each 50 would be more
    assert.is_nil(next(alive))
  end)
end)

describe("an engine that is dropped while transfers are under way", function()
  for _, gear in ipairs { "caller", "thread" } do
    it("is closed by the collector, whatever is collected first, stepped by the " .. gear, function()
      local server = raw.start { script = "return function(conn) conn:read_head() conn:sleep(1000) end" }
      finally(function() server:stop() end)
      local ended = child.run([[
        for round = 1, 20 do
          local devkit4ai = require "devkit4ai"
          local client = devkit4ai.new { base_url = arg[1], access_token = "t", developer_key = "d",
            project_id = "550e8400-e29b-41d4-a716-446655440000", project_key = "p" }
          if arg[2] == "thread" then devkit4ai.update() end
          for i = 1, 3 do devkit4ai.spawn(function() client:me() end) end
          devkit4ai.spawn(function()
            client:generate {
              images = { { data = "\255\216\255" .. ("x"):rep(1000000), filename = "a" } }, prompt = "x" }
          end)
          require("devkit4ai.loop.waits").sleep(0.003)
          for name in pairs(package.loaded) do
            if name:find("^devkit4ai") then package.loaded[name] = nil end
          end
          if round % 2 == 0 then client = nil end
          collectgarbage()
        end
        print "alive"
      ]], { args = { server.url, gear } })
      assert.equal("alive\n", ended.out, ended.err)
      assert.equal(0, ended.code)
    end)
  end
end)
