-- devkit4ai.update: what a frame costs, and where and when it is called.
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "550e8400-e29b-41d4-a716-446655440000"
local SERVER = [[return function(conn)
  while conn:read_request() do conn:respond(200, { id = "]] .. ID .. [[", status = "completed" }) end
end]]

-- Runs a program with a client of the server. before: Lua that runs before the library is loaded.
local function run(server, script, before)
  local ended = child.run((before or "") .. [[
    local devkit4ai = require "devkit4ai"
    local id = "]] .. ID .. [["
    local events, on_event = {}, nil
    local client = devkit4ai.new { base_url = arg[1], access_token = "t", developer_key = "d", project_id = id,
      project_key = "p", timeout = { total = 5 }, on_event = function(event) if on_event then on_event(event) end end }
    local function update_until(is_over) while not is_over() do devkit4ai.update() end end
  ]] .. script, { args = { server.url } })
  assert.same({ 0, "" }, { ended.code, ended.err })
  return ended.out
end

describe("devkit4ai.update", function()
  local server
  setup(function() server = raw.start { script = SERVER } end)
  teardown(function() server:stop() end)

  it("allocates nothing where nothing is ready: after calls, while a task sleeps, with a budget", function()
    assert.equal("0\t0\n", run(server, [[
      if rawget(_G, "jit") then jit.off() end -- it would allocate the code that it compiles
      local over
      devkit4ai.spawn(function()
        assert(client:me())
        assert(client:me())
        over = true
        devkit4ai.sleep(1000)
      end)
      update_until(function() return over end)
      collectgarbage "stop"
      local function allocated(options)
        devkit4ai.update(options) -- the stack grows to what an update needs
        local before = collectgarbage "count"
        for _ = 1, 1000 do devkit4ai.update(options) end
        return (collectgarbage "count" - before) * 1024
      end
      print(("%d\t%d"):format(allocated(), allocated { budget = 0.001 }))
    ]]))
  end)

  it("loads with its first call every module that a call may load", function()
    local ended = child.run [[
      require("devkit4ai").update()
      local files = io.popen "cd lua && find devkit4ai -name '*.lua'"
      for path in files:lines() do
        local name = path:gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
        local is_apart = name:find "^devkit4ai%.cli" or name:find "^devkit4ai%.sandbox"
          or name:find "^devkit4ai%.store%." or name:find "^devkit4ai%.loop%.hosts%."
          or name == "devkit4ai.love" -- the program chooses these three
          or name:find "^devkit4ai%.batch" -- refused where an event loop or a game waits for it
          or name == "devkit4ai.api.records" -- for the reference alone
        if not is_apart and not package.loaded[name] then print(name) end
      end
    ]]
    assert.same({ "", "" }, { ended.out, ended.err })
  end)

  it("works before the first client, and after the last one was closed", function()
    assert.equal("slept\nme\nslept\n", run(server, [[
      local over
      local function sleeps()
        devkit4ai.sleep(0.001)
        print "slept"
        over = true
      end
      client:close()
      devkit4ai.update()
      devkit4ai.spawn(sleeps)
      update_until(function() return over end)
      client = devkit4ai.new { base_url = arg[1], access_token = "t" }
      over = false
      devkit4ai.spawn(function()
        assert(client:me())
        print "me"
        client:close()
        over = true
      end)
      update_until(function() return over end)
      over = false
      devkit4ai.spawn(sleeps)
      update_until(function() return over end)
    ]]))
  end)

  it("twice in a frame runs each task that is ready twice, and is otherwise as once", function()
    assert.equal("2\t" .. ID .. "\n", run(server, [[
      local turns, found = 0, nil
      local other = devkit4ai.spawn(function()
        while true do
          turns = turns + 1
          devkit4ai.sleep(0)
        end
      end)
      devkit4ai.update { budget = 1000 }
      devkit4ai.update { budget = 1000 }
      local seen = turns
      other:cancel()
      devkit4ai.spawn(function() found = assert(client:me()).id end)
      while not found do
        devkit4ai.update()
        devkit4ai.update()
      end
      print(seen, found)
    ]]))
  end)

  it("runs in a coroutine of the program", function()
    assert.equal(ID .. "\n", run(server, [[
      local found
      devkit4ai.spawn(function() found = assert(client:me()).id end)
      local frames = coroutine.wrap(function()
        while true do
          devkit4ai.update()
          coroutine.yield()
        end
      end)
      while not found do frames() end
      print(found)
    ]]))
  end)

  it("is refused in a callback of a task's call, at its line", function()
    local out = run(server, [[
      local function refused(what, fn)
        local ok, why = pcall(fn)
        print(what, ok, (tostring(why):match "[^\n/]*:%d+: devkit4ai: devkit4ai.update: [^\n]*"))
      end
      local over
      devkit4ai.spawn(function()
        on_event = function() refused("on_event", devkit4ai.update) on_event = nil end
        assert(client:me())
        assert(client:generation(id):wait { on_progress = function() refused("on_progress", devkit4ai.update) end })
        over = true
      end)
      update_until(function() return over end)
    ]])
    for _, what in ipairs { "on_event", "on_progress" } do
      assert.matches(what .. "\tfalse\t[^\n]*call it in the main program, once a frame, not in a task", out)
    end
  end)

  it("in on_event of a call that blocks the program runs the tasks, and the call goes on", function()
    assert.equal("task\n" .. ID .. "\n", run(server, [[
      on_event = function()
        on_event = nil
        devkit4ai.spawn(function() print "task" end)
        devkit4ai.update()
      end
      print(assert(client:me()).id)
    ]]))
  end)
end)

insulate("devkit4ai.update in on_upload", function()
  local devkit4ai = require "devkit4ai"

  it("is refused, and the upload goes on", function()
    local server = raw.start { script = [[return function(conn)
      conn:read_head()
      conn:hold()
      conn:read_body()
      conn:respond(200, { id = "]] .. ID .. [[", status = "pending" })
    end]] }
    finally(function() server:stop() end)
    local client = devkit4ai.new(wire.options(server.url))
    local image = { data = wire.image.jpeg .. ("x"):rep(8 * 1024 * 1024), filename = "a.jpg" }
    local gen, message, why
    devkit4ai.spawn(function()
      gen, message = client:generate { images = { image }, prompt = "x", on_upload = function()
        why = why or select(2, pcall(devkit4ai.update))
        server:release()
      end }
    end)
    repeat devkit4ai.update() until gen or message
    assert.is_table(gen, message)
    assert.matches("update_spec.lua:%d+: devkit4ai: devkit4ai.update: call it in the main program", why)
    client:close()
  end)
end)

describe("the budget of an update", function()
  -- runs a script with 50 tasks, of which `over` are over, whose responses are there
  local function run_with_responses(server, script, before)
    return run(server, [[
      local core = require "devkit4ai.core"
      local engine, over = require("devkit4ai.loop.engine").current(), 0
      for _ = 1, 50 do
        devkit4ai.spawn(function()
          assert(client:me())
          over = over + 1
        end)
      end
      devkit4ai.update { budget = 1000 }
      while not engine:ready() do core.pause(0.001) end
      core.pause(0.2) -- more of them are there, if the machine is not busy
    ]] .. script, before)
  end

  it("bounds the responses that it hands out, too: at least one, and one task", function()
    local server = raw.start { script = SERVER }
    finally(function() server:stop() end)
    assert.equal("50\t1\t1\n", run_with_responses(server, [[
      local most, most_over = 0, 0
      while over < 50 do
        local before, before_over = engine:pending(), over
        devkit4ai.update { budget = 0 }
        most = math.max(most, before - engine:pending())
        most_over = math.max(most_over, over - before_over)
      end
      print(over, most, most_over)
    ]]))
  end)

  it("leaves half of it for the tasks", function()
    local server = raw.start { script = SERVER }
    finally(function() server:stop() end)
    -- a clock that goes on by its grain with each look at it: 8 responses take half of a budget of 16 grains
    assert.equal("50\ttrue\n", run_with_responses(server, [[
      local most = 0
      while over < 50 do
        local before = engine:pending()
        devkit4ai.update { budget = 16 / 1024 }
        most = math.max(most, before - engine:pending())
      end
      print(over, most <= 8)
    ]], [[
      local grains = 0
      require("devkit4ai.core").now = function()
        grains = grains + 1
        return grains / 1024
      end
    ]]))
  end)
end)

describe("a frame of ten seconds", function()
  it("ends no call whose response came meanwhile, and wakes the sleepers that are due", function()
    local server = raw.start { script = SERVER }
    finally(function() server:stop() end)
    assert.equal(ID .. "\t3 9\n", run(server, [[
      local core = require "devkit4ai.core"
      local engine, order = require("devkit4ai.loop.engine").current(), {}
      for _, seconds in ipairs { 1000, 9, 3 } do
        devkit4ai.spawn(function()
          devkit4ai.sleep(seconds)
          order[#order + 1] = tostring(seconds)
        end)
      end
      local user, message
      devkit4ai.spawn(function() user, message = client:me() end)
      devkit4ai.update { budget = 1000 }
      while not engine:ready() do core.pause(0.001) end
      later = 10 -- the host does something else
      devkit4ai.update { budget = 1000 }
      print(user and user.id or message, table.concat(order, " "))
    ]], [[
      local later, core = 0, require "devkit4ai.core"
      local now = core.now
      function core.now() return now() + later end
    ]]))
  end)
end)
