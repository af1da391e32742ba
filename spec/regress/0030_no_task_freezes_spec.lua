-- A cancelled task that repeated a call in a loop blocked the frame, the script and its waiters forever.
local devkit4ai = require "devkit4ai"
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"
local waits = require "devkit4ai.loop.waits"
local wire = require "spec.support.calls.wire"

-- What a loop may repeat without an end; each gives a value where it succeeds.
local REPEATED = {
  ["a call"] = "client:me()",
  ["a call that creates"] = "client:new_project { name = 'x' }",
  ["generate"] = "client:generate { images = { image }, prompt = 'x' }",
  ["gen:wait"] = "client:generation(id):wait()",
  ["refresh_token"] = "client:refresh_token()",
  ["sleep"] = "devkit4ai.sleep(0.001)",
  ["join"] = "other:join()",
  ["a list"] = "client:generations():next()",
  ["all"] = "devkit4ai.all { function() return client:me() end }",
  ["map"] = "devkit4ai.map({ 1 }, nil, function() return client:me() end)",
  ["pcall of a call"] = "_VERSION == 'Lua 5.1' and not jit and client:me() or select(2, pcall(client.me, client))",
}

-- The server's first answer never comes, so that each loop is in a wait when its task is cancelled.
local PRELUDE = [[
  local devkit4ai = require "devkit4ai"
  local id = "990e8400-e29b-41d4-a716-446655440004"
  local client = devkit4ai.new { base_url = arg[1], access_token = "t", refresh_token = "r", developer_key = "d",
    project_id = id, project_key = "p" }
  local image = { data = "\137PNG\r\n\26\n\0\0\0\13IHDR", filename = "a.png" }
  local other = devkit4ai.spawn(function() devkit4ai.sleep(1000) end)
  local turns = 0
  local function loop()
    repeat
      local value = %s
      turns = turns + 1
    until false and value
  end
  if arg[2] == "frames" then devkit4ai.update() end
  local task = devkit4ai.spawn(loop)
  devkit4ai.sleep(0.02)
  task:cancel()
]]

local ENDS = {
  ["frames continue"] = { "frames", [[
    for _ = 1, 20 do
      local before = turns
      devkit4ai.update()
      assert(turns - before <= 1, turns) -- one turn a frame
      devkit4ai.sleep(0)
    end
  ]] },
  ["a script's waits and calls continue"] = { "script", [[
    assert(devkit4ai.sleep(0.01))
    assert(devkit4ai.spawn(function() return devkit4ai.sleep(0.01) end):join())
    local _, _, err = client:me { timeout = 0.05 }
    assert(err.kind == "timeout", err.message)
  ]] },
  ["its join returns"] = { "script", few = true, [[
    local value, message, err = task:join()
    assert(value == nil and err.kind == "cancelled" and task.done, message)
  ]] },
  ["its siblings' failure is returned"] = { "script", few = true, [[
    local value, message = devkit4ai.all { loop, function() devkit4ai.sleep(0.02) return nil, "enough" end }
    assert(value == nil and message:find("enough", 1, true), message)
  ]] },
}

-- Those take a second each, until the library ends the task.
local FEW = { ["a call"] = true, ["join"] = true, ["pcall of a call"] = true }

describe("a cancelled task that continues in a loop:", function()
  local server
  setup(function() server = raw.start { script = "return function(conn) conn:read_head() conn:sleep(1000) end" } end)
  teardown(function() server:stop() end)

  local function start(repeated, case)
    return child.start(PRELUDE:format(repeated) .. case[2] .. " print 'went on'", { args = { server.url, case[1] } })
  end

  -- Those that take seconds begin at once, and run beside the others.
  local started = {}
  setup(function()
    for promise, case in pairs(ENDS) do
      for what in pairs(case.few and FEW or {}) do started[what .. promise] = start(REPEATED[what], case) end
    end
  end)

  for what, repeated in pairs(REPEATED) do
    for promise, case in pairs(ENDS) do
      if not case.few or FEW[what] then it("with " .. what .. " " .. promise, function()
        local ended = (started[what .. promise] or start(repeated, case))()
        assert.same({ 0, "went on\n", "" }, { ended.code, ended.out, ended.err })
      end) end
    end
  end
end)

describe("devkit4ai.update", function()
  local function burn(seconds)
    local till = waits.now() + seconds
    while waits.now() < till do end
  end

  -- Tasks that are ready in one frame; gives how many of them each of the next frames runs.
  local function frames(count, work, options)
    local ran, list = 0, {}
    for _ = 1, count do
      devkit4ai.spawn(function()
        work()
        ran = ran + 1
      end)
    end
    while ran < count do
      local before = ran
      devkit4ai.update(options)
      list[#list + 1] = ran - before
    end
    return list
  end

  it("runs at least one task, and leaves the rest for the next frame when its budget is spent", function()
    assert.same({ 1, 1, 1 }, frames(3, function() burn(0.01) end, { budget = 0.001 }))
    assert.same({ 1, 1, 1 }, frames(3, function() end, { budget = 0 }))
    assert.same({ 1, 1, 1 }, frames(3, function() burn(0.01) end)) -- the budget that it has by itself
  end)

  it("runs each ready task once if the budget permits", function()
    assert.same({ 3 }, frames(3, function() end, { budget = 1000 }))
    local turns, stop = 0, false
    devkit4ai.spawn(function()
      while not stop do
        turns = turns + 1
        devkit4ai.sleep(0)
      end
    end)
    devkit4ai.update { budget = 1000 }
    assert.equal(1, turns)
    stop = true
    devkit4ai.update { budget = 1000 }
  end)

  it("a task that is always ready does not block its frame", function()
    local turns, stop = 0, false
    local slot = {}
    local task = devkit4ai.spawn(function()
      while not stop and turns < 1000 do
        turns = turns + 1
        devkit4ai.spawn(function() waits.wake(slot) end)
        waits.wait_for(slot)
      end
    end)
    for frame = 1, 10 do
      devkit4ai.update { budget = 1000 }
      assert.is_true(turns <= frame)
    end
    stop = true
    task:join()
  end)

  it("requires a number of seconds", function()
    for _, bad in ipairs { { budget = -1 }, { budget = 0 / 0 }, { budget = "1" }, { buget = 1 }, 5 } do
      local ok, why = pcall(devkit4ai.update, bad)
      assert.is_false(ok)
      assert.is_truthy(why:find("devkit4ai.update", 1, true), why)
    end
  end)
end)

describe("task:join", function()
  it("finds a cycle with one visit to each task, however they wait for each other", function()
    local layers, visits = {}, 0
    local client = devkit4ai.new(wire.options "http://127.0.0.1:9")
    for depth = 1, 25 do
      local below = layers[depth - 1]
      layers[depth] = {}
      for i = 1, 2 do
        layers[depth][i] = devkit4ai.spawn(function()
          visits = visits + 1
          if not below then return devkit4ai.sleep(0.05) end
          return devkit4ai.all { function() return below[1]:join() end, function() return below[2]:join() end }
        end)
      end
    end
    local over = false
    local hang = devkit4ai.spawn(function()
      layers[25][1]:join()
      over = true
    end)
    local count, most = 0, 3000000 -- instructions; each layer would double them
    debug.sethook(function()
      count = count + 1000
      if count > most then error("too many instructions", 0) end
    end, "", 1000)
    local ok, why = pcall(function()
      for _ = 1, 5 do devkit4ai.update { budget = 1000 } end
    end)
    debug.sethook()
    assert.is_true(ok, why)
    hang:join()
    assert.same({ true, 50 }, { over, visits })
    client:close()
  end)
end)
