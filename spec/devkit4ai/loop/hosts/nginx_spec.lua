-- The event loop of nginx, in a real nginx.
if not rawget(_G, "jit") then return end -- nginx runs LuaJIT alone

local child = require "spec.support.process.child"
local clients = require "spec.support.servers.nginx_clients"
local nginx = require "spec.support.servers.nginx"

local api, server

local function start(options)
  server = clients.start(api, options)
  return server
end

before_each(function() api = clients.api() end)
after_each(function()
  api:stop()
  if server then server:stop { signal = "TERM" } end
  server = nil
end)

describe("in nginx", function()
  it("a call stops no other request: 30 calls are under way at once", function()
    start()
    local connections = {}
    for i = 1, 30 do connections[i] = server:send("/met") end
    for i = 1, 30 do assert.equal("a@example.com\n", nginx.body(connections[i])) end
    server:stop()
  end)

  it("quit and reload wait for pending calls, and new workers answer", function()
    start()
    local old = server:workers()[1]
    local connection = server:send("/held")
    clients.wait_for_requests(api, 1)
    server:reload()
    assert.equal("a@example.com\n", server:get("/me"))
    assert.is_true(nginx.runs(old))
    api:release()
    assert.equal("a@example.com\n", nginx.body(connection))
    nginx.wait("the old worker ends", function() return not nginx.runs(old) end)
    server:stop()
  end)

  it("quit waits for the first call of a worker that is to end", function()
    start { server = [[location = /late { content_by_lua_block {
      while not ngx.worker.exiting() do ngx.sleep(0.005) end
      say(client:me())
    } }]] }
    local connection = server:send("/late")
    server:get("/tell") -- the worker has taken the connection before
    server:signal("QUIT")
    assert.equal("a@example.com\n", nginx.body(connection))
    server:stop { expected = { "open socket #%-2 left", "aborting" } } -- nginx's Lua module does so at the first timer of a worker that ends
  end)

  it("a worker that a signal killed leaves the others alone, and a new one takes its place", function()
    start { workers = 2 }
    for _ = 1, 8 do assert.equal("a@example.com\n", server:get("/me")) end
    local first = server:workers()[1]
    server:signal("KILL", first)
    nginx.wait("a new worker", function() return #server:workers() == 2 and not nginx.runs(first) end)
    for _ = 1, 8 do assert.equal("a@example.com\n", server:get("/me")) end
    local old = server:workers()
    server:reload()
    nginx.wait("the old workers end", function() return not (nginx.runs(old[1]) or nginx.runs(old[2])) end)
    -- the first call of a new worker removes what the killed one left
    assert.equal("a@example.com\n", server:get("/me"))
    server:stop { expected = { "exited on signal 9" } }
  end)

  it("three reloads change nothing, with require in init_by_lua", function()
    start()
    for _ = 1, 3 do
      assert.equal("a@example.com\n", server:get("/me"))
      local old = server:workers()
      server:reload()
      nginx.wait("the old worker ends", function() return not nginx.runs(old[1]) end)
      assert.equal(0, #child.list(server.folder .. "/tmp"))
    end
    assert.equal("a@example.com\n", server:get("/me"))
    assert.equal(1, #child.list(server.folder .. "/tmp"))
    server:stop()
  end)

  it("a worker has one thread more, and not more descriptors after many calls than after a few", function()
    start()
    local function count(what)
      return #child.list(("/proc/%d/%s"):format(server:workers()[1], what))
    end
    local threads = count "task"
    server:get("/me")
    server:get("/me")
    local descriptors = count "fd"
    for _ = 1, 50 do server:get("/me") end
    assert.equal(threads + 1, count "task")
    nginx.wait("few descriptors", function() return count "fd" <= descriptors + 5 end) -- idle connections
    server:stop()
  end)

  it("lua_code_cache off works: each request has a Lua state of its own", function()
    start { http = "lua_code_cache off;", server = [[location = /own { content_by_lua_block {
      say(new(""):me())
    } }]] }
    for _ = 1, 3 do assert.equal("a@example.com\n", server:get("/own")) end
    for _ = 1, 3 do assert.equal("a@example.com\n", server:get("/me")) end
    server:stop { expected = { "lua_code_cache is off" } }
  end)

  it("tasks run beside each other, and an error has its traceback", function()
    start { server = [[location = /tasks { content_by_lua_block {
      local order = {}
      local task = devkit4ai.spawn(function() order[#order + 1] = "task" return 1, 2 end)
      order[#order + 1] = "caller"
      local a, b = task:join()
      ngx.say(order[1], " ", order[2], " ", a, b, " ", tostring(task.done))
      local emails = assert(devkit4ai.map({ 1, 2, 3 }, { concurrency = 2 }, function() return client:me().email end))
      ngx.say(table.concat(emails, ","))
      ngx.say((select(2, pcall(function() devkit4ai.spawn(function() devkit4ai.sleep(0) error("boo") end):join() end))))
    } }]] }
    local body = server:get("/tasks")
    assert.equal("caller task 12 true\na@example.com,a@example.com,a@example.com\n", body:match("^.-\n.-\n"))
    assert.truthy(body:find("boo\nstack traceback:", 1, true))
    server:stop()
  end)

  it("a program may remove io and os", function()
    start { init = "io, os = nil, nil" }
    assert.equal("a@example.com\n", server:get("/me"))
    server:stop()
  end)

  it("a task that only sleeps, for no time, stops no other request", function()
    start { server = [[location = /sleeps { content_by_lua_block {
      while not package.loaded.told do devkit4ai.sleep(0) end
      ngx.say("told")
    } }]] }
    local connection = server:send("/sleeps")
    server:get("/tell")
    assert.equal("told\n", nginx.body(connection))
    server:stop()
  end)

  it("a given-up task lets its request end", function()
    start { server = [[location = /given_up { content_by_lua_block {
      local task = devkit4ai.spawn(function() while true do devkit4ai.sleep(0) end end)
      devkit4ai.sleep(0)
      ngx.say((select(2, task:cancel():join())))
    } }]] }
    assert.equal("the task was cancelled: devkit4ai.sleep: the task was cancelled\n", server:get("/given_up"))
    server:stop()
  end)

  it("on_upload and on_event may make calls", function()
    start { server = [[location = /upload { content_by_lua_block {
      local seen = {}
      local other = new ""
      local gen = assert(held:generate { images = images, prompt = "neon", on_upload = function()
        seen.upload = other:me().email
      end })
      ngx.say(gen.id, " ", seen.upload)
    } }]] }
    local connection = server:send("/upload")
    clients.wait_for_requests(api, 2)
    api:release()
    assert.equal("00000000-0000-4000-8000-000000000001 a@example.com\n", nginx.body(connection))
    server:stop()
  end)
end)

describe("in nginx, without timers for the pump,", function()
  for directive, what in pairs {
    ["lua_max_running_timers 1;"] = "that nginx drops", ["lua_max_pending_timers 1;"] = "that nginx refuses",
  } do
    it("calls take longer, and end: " .. what, function()
      start { http = directive, server = [[location = /timers { content_by_lua_block {
        ngx.timer.at(0, function() while not package.loaded.told do ngx.sleep(0.005) end end)
        ngx.sleep(0.01)
        ngx.timer.at(1000, function() end)
        say(client:me())
      } }]] }
      assert.equal("a@example.com\n", server:get("/timers"))
      server:get("/tell")
      server:stop { signal = "TERM", expected = { "lua_max_running_timers are not enough" } }
    end)
  end
end)

describe("in nginx, without a connection left in the worker,", function()
  it("a generation takes longer, and its caller gets it", function()
    start { connections = 20, server = ([[location = /full { content_by_lua_block {
      local sockets = {}
      repeat
        local socket = ngx.socket.tcp()
        sockets[#sockets + 1] = socket
      until not socket:connect("127.0.0.1", %d)
      local gen, message = new "":generate { images = images, prompt = "neon" }
      for _, socket in ipairs(sockets) do socket:close() end
      ngx.say(gen and gen.id or message)
    } }]]):format(api.port) }
    assert.equal("00000000-0000-4000-8000-000000000001\n", server:get("/full"))
    assert.equal("a@example.com\n", server:get("/me"))
    server:stop { expected = { "worker_connections are not enough" } }
  end)
end)

describe("in nginx, the folder of the socket", function()
  local folder
  before_each(function() folder = child.folder() end)
  after_each(function() child.remove(folder) end)

  for what, case in pairs {
    ["does not exist"] = { name = "/none", why = "/none: No such file or directory" },
    ["is too long"] = {
      name = "/" .. ("x"):rep(90), make = 777, why = "the path is too long for a unix socket by %d+ bytes",
    },
    ["can't be written"] = { path = "/proc", why = "/proc: a folder can't be made in it: " }, -- not even by root
  } do
    it(what .. ": a call says so, and how to name another one", function()
      os.execute("chmod 755 " .. folder)
      if case.make then os.execute(("mkdir -m %d %s%s"):format(case.make, folder, case.name)) end
      start { main = ("env TMPDIR=%s;"):format(case.path or folder .. case.name) }
      local body = server:get("/me")
      assert.truthy(body:find("^client:me: in nginx, the calls need a folder for a unix socket: "), body)
      assert.truthy(body:find(case.why), body)
      assert.truthy(body:find("by a line `env TMPDIR=/a/folder;` at the top of nginx.conf", 1, true), body)
      assert.equal(0, #api:requests())
      server:stop()
    end)
  end
end)

describe("in nginx, a missing option", function()
  it("names the env line, which lets the workers see the variable", function()
    local text = [[location = /keys { content_by_lua_block {
      local _, message = devkit4ai.new({ base_url = "URL" }):me()
      ngx.say(message or "")
    } }]]
    text = text:gsub("URL", api.url)
    start { server = text, env = { DEVKIT4AI_JWT_TOKEN = "access" } }
    assert.truthy(server:get("/keys"):find("`env DEVKIT4AI_JWT_TOKEN;` in nginx.conf", 1, true))
    server:stop()
    start { server = text, env = { DEVKIT4AI_JWT_TOKEN = "access" }, main = "env DEVKIT4AI_JWT_TOKEN;" }
    assert.falsy(server:get("/keys"):find("is missing", 1, true))
    server:stop()
  end)
end)
