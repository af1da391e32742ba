-- Tasks: functions that run beside each other.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local waits = require "devkit4ai.loop.waits"

local function sleep(seconds) waits.sleep(seconds) end

describe("task:join", function()
  it("gives what the function returned, nils among it", function()
    local task = devkit4ai.spawn(function(...) return select("#", ...), ..., nil end, 1, nil, 3, nil)
    assert.equal(4, (task:join()))
    assert.equal(6, select("#", devkit4ai.spawn(function() return nil, 1, nil, 2, nil, nil end):join()))
    assert.equal(0, select("#", devkit4ai.spawn(function() end):join()))
  end)

  it("gives it again when it is asked again", function()
    local task = devkit4ai.spawn(function() return "x" end)
    assert.equal("x", task:join())
    assert.equal("x", task:join())
  end)

  it("raises the function's error, with its traceback, each time", function()
    local function at_fault() error("my mistake") end
    local task = devkit4ai.spawn(function() at_fault() end)
    for _ = 1, 2 do
      local ok, why = pcall(task.join, task)
      assert.is_false(ok)
      assert.matches("my mistake", why)
      assert.matches("at_fault", why)
      assert.matches("task_spec.lua:%d+", why)
    end
  end)

  it("raises an error that is no text as it is", function()
    local thrown = setmetatable({}, { __tostring = function() error("no words") end })
    local task = devkit4ai.spawn(function() error(thrown) end)
    assert.same({ false, true }, (function(ok, why) return { ok, rawequal(why, thrown) } end)(pcall(task.join, task)))
    local other = devkit4ai.spawn(function() error() end)
    assert.is_false((pcall(other.join, other)))
  end)

  it("may be called by several, also by tasks", function()
    local first = devkit4ai.spawn(function() sleep(0.01) return 7 end)
    local second = devkit4ai.spawn(function() return first:join() + 1 end)
    local third = devkit4ai.spawn(function() return first:join() + second:join() end)
    assert.equal(15, third:join())
    assert.equal(7, first:join())
  end)

  it("of oneself, and in a circle, is told instead of waiting for ever", function()
    local own, a, b
    own = devkit4ai.spawn(function() own:join() end)
    assert.matches("task_spec.lua:%d+: devkit4ai: task:join: a task can't wait for its own end",
      select(2, pcall(own.join, own)))
    a = devkit4ai.spawn(function() return b:join() end)
    b = devkit4ai.spawn(function() return a:join() end)
    assert.matches("waits for this one, so both would wait for ever", select(2, pcall(a.join, a)))
    pcall(b.join, b)
  end)

  it("needs its task", function()
    assert.has_error(function() devkit4ai.spawn(function() end).join({}) end)
  end)
end)

describe("a task", function()
  it("begins when somebody waits, not in spawn", function()
    local begun = false
    local task = devkit4ai.spawn(function() begun = true end)
    assert.is_false(begun)
    task:join()
    assert.is_true(begun)
  end)

  it("that yields by itself fails, and says so", function()
    local task = devkit4ai.spawn(function() coroutine.yield(5) end)
    local ok, why = pcall(task.join, task)
    assert.is_false(ok)
    assert.is_truthy(why:find("a task yielded by itself", 1, true))
    assert.is_truthy(why:find("stack traceback", 1, true))
  end)

  it("that fails and is joined later is told to who joins, alone", function()
    local ended = child.run [[
      local devkit4ai = require "devkit4ai"
      local task = devkit4ai.spawn(function() error "I am heard" end)
      devkit4ai.spawn(function() end):join()
      collectgarbage() collectgarbage()
      print(select(2, pcall(task.join, task)):match "I am heard")
    ]]
    assert.same({ "I am heard\n", "" }, { ended.out, ended.err })
  end)

  it("that fails and that nobody joins is told on standard error, once, when it is gone", function()
    local ended = child.run [[
      local devkit4ai = require "devkit4ai"
      devkit4ai.spawn(function() error "nobody hears me" end)
      devkit4ai.spawn(function() end):join()
      devkit4ai.update()
      collectgarbage() collectgarbage()
      io.stderr:write "alive\n"
    ]]
    assert.equal(0, ended.code)
    local _, told = ended.err:gsub("a task failed: [^\n]*nobody hears me", "")
    assert.equal(1, told)
    assert.matches("stack traceback.*alive", ended.err)
  end)

  it("that fails and that nobody joins is told to the client that it called last, with its secrets masked", function()
    local server = raw.start { script = [[return function(conn)
      while conn:read_request() do conn:respond(200, { id = "u" }) end
    end]] }
    finally(function() server:stop() end)
    local ended = child.run([[
      local devkit4ai = require "devkit4ai"
      local function told(event) if event.type == "task_failed" then print(event.message) end end
      local client = devkit4ai.new { base_url = arg[1], access_token = "my-own-secret", on_event = told }
      local over
      devkit4ai.spawn(function()
        client:me()
        over = true
        error "nobody hears me, my-own-secret"
      end)
      repeat devkit4ai.spawn(function() client:me() end):join() until over
      client:close() -- masked while the secrets were there
      collectgarbage() collectgarbage()
    ]], { args = { server.url } })
    local _, count = ended.out:gsub("nobody hears me, ", "")
    assert.same({ 1, "" }, { count, ended.err })
    assert.matches("stack traceback", ended.out)
    assert.is_nil(ended.out:find("my-own-secret", 1, true))
  end)

  it("can't update, and is told so at its line", function()
    local task = devkit4ai.spawn(function() devkit4ai.update() end)
    assert.matches("task_spec.lua:%d+: devkit4ai: devkit4ai.update: .*not in a task", select(2, pcall(task.join, task)))
    devkit4ai.spawn(function() coroutine.wrap(function() pcall(devkit4ai.update) end)() end):join()
    devkit4ai.update()
  end)

  it("sends nothing where it could not wait for the answer, and is told why", function()
    local server = raw.start { script = [[return function(conn)
      while conn:read_request() do conn:respond(200, { id = "u" }) end
    end]] }
    local client = devkit4ai.new { base_url = server.url, access_token = "t" }
    finally(function() client:close() server:stop() end)
    local task = devkit4ai.spawn(function() table.sort({ 1, 2 }, function() return client:me() and false end) end)
    local ok, why = pcall(task.join, task)
    assert.is_false(ok)
    assert.is_truthy(why:find("can't wait", 1, true) or why:find("attempt to yield across", 1, true), why)
    assert.equal(0, #server:requests())
    local alive = devkit4ai.spawn(function() return assert(client:me()).id end)
    assert.equal("u", (alive:join()))
  end)

  local plain_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")
  it("waits inside pcall and iterators, but on Lua 5.1, which says what to do", function()
    local server = raw.start { script = [[return function(conn)
      while conn:read_request() do conn:respond(200, { id = "u" }) end
    end]] }
    local client = devkit4ai.new { base_url = server.url, access_token = "t" }
    finally(function() client:close() server:stop() end)
    local can, in_pcall = nil, nil
    devkit4ai.spawn(function()
      can = waits.can_yield_in_iterator()
      in_pcall = { pcall(client.me, client) }
    end):join()
    local count = 0
    local task = devkit4ai.spawn(function()
      for _ in function() count = count + 1 return count < 3 and client:me() or nil end do sleep(0) end
    end)
    local ok, why = pcall(task.join, task)
    assert.same({ not plain_51, not plain_51, not plain_51 }, { can, in_pcall[1], ok })
    if plain_51 then
      assert.matches("task_spec.lua:%d+: devkit4ai: Lua 5.1 can't wait inside pcall in a task", in_pcall[2])
      assert.matches("Lua 5.1 can't wait in a for loop's iterator inside a task", why)
      assert.equal(0, #server:requests())
    else
      assert.equal(3, #server:requests())
    end
    assert.is_true(waits.can_yield_in_iterator()) -- outside a task
  end)

  it("runs beside 63 others that call", function()
    local server = raw.start { script = [[
      local there, all = 0, require("cqueues.condition").new()
      return function(conn) -- nobody is answered before all are there
        local request = conn:read_request()
        there = there + 1
        if there == 64 then all:signal() end
        while there < 64 do all:wait() end
        conn:respond(200, { id = request.head:match("Bearer (%d+)") })
      end]] }
    finally(function() server:stop() end)
    local tasks = {}
    for i = 1, 64 do
      local client = devkit4ai.new { base_url = server.url, access_token = tostring(i) }
      tasks[i] = devkit4ai.spawn(function() return assert(client:me()).id end)
    end
    for i = 1, 64 do assert.equal(tostring(i), tasks[i]:join()) end
    assert.equal(64, server:connections())
  end)

  it("has calls of one client side by side, too", function()
    local server = raw.start { script = [[
      local there, all = 0, require("cqueues.condition").new()
      return function(conn)
        conn:read_request()
        there = there + 1
        if there == 8 then all:signal() end
        while there < 8 do all:wait() end
        conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" })
      end]] }
    finally(function() server:stop() end)
    local client, tasks = devkit4ai.new { base_url = server.url, access_token = "t" }, {}
    for i = 1, 8 do tasks[i] = devkit4ai.spawn(function() return assert(client:me()) end) end
    for i = 1, 8 do assert.is_table(tasks[i]:join()) end
  end)
end)

describe("a coroutine of the program's own", function()
  local server, client
  setup(function()
    server = raw.start { script = [[return function(conn)
      while conn:read_request() do conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" }) end
    end]] }
    client = devkit4ai.new { base_url = server.url, access_token = "t", refresh_token = "r" }
  end)
  teardown(function()
    client:close()
    server:stop()
  end)

  it("may call where no task is around it", function()
    local co = coroutine.wrap(function()
      coroutine.yield(client:me().id)
      coroutine.yield(client:me().id)
    end)
    assert.equal("550e8400-e29b-41d4-a716-446655440000", co())
    assert.equal("550e8400-e29b-41d4-a716-446655440000", co())
  end)

  for what, call in pairs {
    ["a call"] = function() return client:me() end,
    ["refresh_token"] = function() return client:refresh_token() end,
    ["join"] = function() return devkit4ai.spawn(function() end):join() end,
  } do
    it("can't wait inside a task (" .. what .. "), and is told how, at its line", function()
      local message = devkit4ai.spawn(function()
        local _, why = coroutine.resume(coroutine.create(function()
          local x = call()
          return x
        end))
        return why
      end):join()
      assert.matches("^%S*task_spec.lua:%d+: devkit4ai: ", message)
      assert.matches("inside a task", message)
      assert.matches("devkit4ai.spawn", message)
    end)
  end

  it("may spawn inside a task, and the task joins", function()
    assert.equal("550e8400-e29b-41d4-a716-446655440000", devkit4ai.spawn(function()
      local inner = coroutine.wrap(function() return devkit4ai.spawn(function() return client:me().id end) end)()
      return inner:join()
    end):join())
  end)

  it("may be the task's own generator, that does not call", function()
    assert.equal(6, devkit4ai.spawn(function()
      local sum = 0
      for n in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do
        client:me()
        sum = sum + n
      end
      return sum
    end):join())
  end)
end)
