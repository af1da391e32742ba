-- What only copas has: handlers of its servers, its error handlers, select's limit, protected calls on Lua 5.1. The rest is in
-- ../suite. Debian has copas 1.2; where copas 4 is on LUA_PATH, the same cases run with it.
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"

-- GET /slow is answered after GET /go; other paths at once.
local SERVER = [[
  local gone = false
  return function(conn)
    local request = conn:read_request()
    while request do
      if request.target == "/go" then gone = true end
      if request.target == "/slow" then
        while not gone do conn:sleep(0.002) end
      end
      conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000", email = "a@example.com" })
      request = conn:read_request()
    end
  end
]]

local PRELUDE = [[
  local copas = require "copas"
  local socket = require "socket"
  local devkit4ai = require "devkit4ai"
  local client = assert(devkit4ai.new {
    base_url = ..., loop = "copas", access_token = "old", developer_key = "ak_of_the_spec", retry = { attempts = 1 },
  })
  local function get(path) return assert(client:request { method = "GET", path = path }).status == 200 end
  local waits_for = 1 -- threads that say over()
  local function over() waits_for = waits_for - 1 end
  local function loop() while waits_for > 0 do copas.step() end end
]]

local has_copas = pcall(require, "copas")

insulate("in copas,", function()
  local server
  before_each(function() server = raw.start { script = SERVER } end)
  after_each(function() server:stop() end)

  local function run(script)
    local ended = child.run(PRELUDE .. script, { args = { server.url } })
    assert.same({ 0, "" }, { ended.code, ended.err })
    return (ended.out:gsub("\t", " "))
  end

  local function it_with_copas(name, fn)
    if has_copas then it(name, fn) end
  end

  it_with_copas("the handler of a server makes calls; the server and another connection go on meanwhile", function()
    assert.equal("fast: true\nslow: true\n", run [[
      waits_for = 2
      local listener = assert(socket.bind("127.0.0.1", 0))
      local port = select(2, listener:getsockname())
      copas.addserver(listener, function(connection)
        local path = copas.receive(connection)
        copas.send(connection, tostring(get(path)) .. "\n")
        connection:close()
      end)
      local function ask(name, path, after)
        copas.addthread(function()
          local connection = socket.tcp()
          assert(copas.connect(connection, "127.0.0.1", port))
          copas.send(connection, path .. "\n")
          print(name .. ": " .. copas.receive(connection))
          connection:close()
          if after then get(after) end
          over()
        end)
      end
      ask("slow", "/slow")
      ask("fast", "/fast", "/go")
      loop()
    ]])
  end)

  it_with_copas("a call after a call and a copas.receive goes on in the same handler", function()
    assert.equal("true true true\n", run [[
      local listener = assert(socket.bind("127.0.0.1", 0))
      local port = select(2, listener:getsockname())
      copas.addserver(listener, function(connection)
        local first = get "/first"
        local word = copas.receive(connection)
        copas.send(connection, tostring(first) .. " " .. tostring(get(word)) .. " " .. tostring(get "/last") .. "\n")
        connection:close()
      end)
      copas.addthread(function()
        local connection = socket.tcp()
        assert(copas.connect(connection, "127.0.0.1", port))
        copas.send(connection, "/second\n")
        print((copas.receive(connection)))
        over()
      end)
      loop()
    ]])
  end)

  it_with_copas("an error after a call reaches copas' error handler, and the others go on", function()
    assert.equal("handler: the reason\nother: true\n", run [[
      waits_for = 2
      copas.addthread(function()
        copas.setErrorHandler(function(message, co)
          print("handler: " .. message:match "the reason")
          assert(type(co) == "thread")
          over()
        end)
        get "/fast"
        error "the reason"
      end)
      copas.addthread(function()
        local is_fine = get "/slow"
        print("other: " .. tostring(is_fine))
        over()
      end)
      copas.addthread(function()
        while waits_for > 1 do devkit4ai.sleep(0.001) end
        get "/go"
      end)
      loop()
    ]])
  end)

  it_with_copas("a task may use copas' own functions, and its error is the task's", function()
    assert.equal("hello false the reason\n", run [[
      local listener = assert(socket.bind("127.0.0.1", 0))
      local port = select(2, listener:getsockname())
      copas.addserver(listener, function(connection)
        copas.send(connection, "hello\n")
        connection:close()
      end)
      local line
      local task = devkit4ai.spawn(function()
        local connection = socket.tcp()
        assert(copas.connect(connection, "127.0.0.1", port))
        line = copas.receive(connection)
        error "the reason"
      end)
      copas.addthread(function()
        while not task.done do devkit4ai.sleep(0.001) end
        local ok, message = pcall(task.join, task)
        print(line, ok, message:match "the reason")
        over()
      end)
      loop()
    ]])
  end)

  it_with_copas("a task that yields by itself ends with an error, and the loop goes on", function()
    assert.equal("false true\n", run [[
      local task = devkit4ai.spawn(function()
        get "/fast"
        coroutine.yield()
      end)
      copas.addthread(function()
        while not task.done do devkit4ai.sleep(0.001) end
        local ok, message = pcall(task.join, task)
        print(ok, message:find("yielded by itself", 1, true) ~= nil)
        over()
      end)
      loop()
    ]])
  end)

  it_with_copas("a call waits inside the protected call of coxpcall", function()
    assert.equal("true true\nfalse the reason\n", run [[
      local protected = require("coxpcall").pcall
      copas.addthread(function()
        print(protected(get, "/fast"))
        local ok, message = protected(function()
          devkit4ai.sleep(0.001)
          error("the reason", 0)
        end)
        print(ok, message:match "the reason")
        over()
      end)
      loop()
    ]])
  end)

  it_with_copas("a descriptor that select can't take is an error of the call, and the loop goes on", function()
    local ended = child.run(PRELUDE .. [[
      local files = {}
      for i = 1, 1100 do files[i] = io.open "/dev/null" end
      assert(#files == 1100, "the limit of open files is too low for this case")
      copas.addthread(function()
        local value, message, err = client:me()
        print(value, err.kind, err.outcome, message:match "copas uses select")
        over()
      end)
      loop()
    ]], { args = { server.url }, before = "ulimit -n 2000" })
    local out = ended.out:gsub("\t", " ")
    assert.same({ 0, "", "nil config not_sent copas uses select\n" }, { ended.code, ended.err, out })
    assert.equal(0, #server:requests())
  end)

  it_with_copas("a call that found no descriptor fails, says what to do, and is not sent", function()
    local ended = child.run(PRELUDE .. [[
      pcall(get, "/") -- not in a thread: it sends nothing, and loads the modules of a call
      copas.addthread(function()
        local files = {}
        repeat
          local file = io.open "/dev/null"
          files[#files + 1] = file
        until not file
        table.remove(files):close()
        local _, message, err = client:request { method = "GET", path = "/" }
        for _, file in ipairs(files) do file:close() end
        print(err.kind, err.outcome, message:match "raise the limit of open files")
        print(get "/")
        over()
      end)
      loop()
    ]], { args = { server.url }, before = "ulimit -n 60" })
    local out = ended.out:gsub("\t", " ")
    assert.same({ 0, "", "config not_sent raise the limit of open files\ntrue\n" }, { ended.code, ended.err, out })
    assert.equal(1, #server:requests())
  end)

  if _VERSION ~= "Lua 5.1" or rawget(_G, "jit") then -- Lua 5.1 has no protected call around a call
    it_with_copas("a call after an error of a debug hook, that ended the start of the pump, works", function()
      assert.equal("false true\ntrue\n", run [[
        local add = copas.addthread
        add(function()
          debug.sethook(function()
            if debug.getinfo(2, "f").func ~= add then return end
            debug.sethook()
            error("the hook's", 0)
          end, "c")
          local ok, message = pcall(get, "/")
          print(ok, message:find("the hook's", 1, true) ~= nil)
          print(get "/")
          over()
        end)
        loop()
      ]])
    end)
  end

  if rawget(_G, "jit") then
    -- The parent's task begins to sleep before the fork; in the child it must not go on. how: who forks.
    for how, forks in pairs { ["a thread"] = "copas.addthread", ["a task"] = "devkit4ai.spawn" } do
      it_with_copas("a child forked by " .. how .. " waits and calls, without its parent's tasks", function()
        local out = run(("local start_fork = %s\n"):format(forks) .. [[
          local ffi = require "ffi"
          ffi.cdef "int fork(void); int waitpid(int, int *, int); void _exit(int);"
          io.stdout:setvbuf "no"
          local url, who = ..., "parent"
          local function in_child(task)
            who = "child"
            print("a new wait:", devkit4ai.sleep(0.2)) -- longer than the task's
            print("the old client:", select(3, client:request { method = "GET", path = "/" }).kind)
            local own = assert(devkit4ai.new { base_url = url, access_token = "t", developer_key = "ak_of_the_spec" })
            print("a new client:", assert(own:request { method = "GET", path = "/fast" }).status == 200)
            print("the parent's task:", select(3, task:join()).kind)
            ffi.C._exit(0)
          end
          start_fork(function()
            get "/"
            local task = devkit4ai.spawn(function()
              devkit4ai.sleep(0.1)
              print("the task goes on in the " .. who)
            end)
            devkit4ai.sleep(0.001) -- the task begins
            local pid = ffi.C.fork()
            if pid == 0 then in_child(task) end
            ffi.C.waitpid(pid, nil, 0)
            task:join()
            print("the parent:", get "/")
            over()
          end)
          loop()
        ]])
        assert.equal("a new wait: true\nthe old client: config\na new client: true\nthe parent's task: config\n"
          .. "the task goes on in the parent\nthe parent: true\n", out)
      end)
    end
  end

  it_with_copas("the program of docs/hosts/copas.md runs", function()
    local sandbox = assert(require("devkit4ai.sandbox").start { step_time = 0.05 })
    local folder = child.folder()
    finally(function()
      sandbox:stop()
      child.remove(folder)
    end)
    local options = sandbox:developer { email = "a@example.com", password = "SecurePass123" }
    local environment = "export"
    for variable, option in pairs {
      BASE_URL = "base_url", DEVELOPER_KEY = "developer_key", PROJECT_ID = "project_id", PROJECT_KEY = "project_key",
      JWT_TOKEN = "access_token",
    } do
      environment = ("%s DEVKIT4AI_%s=%s"):format(environment, variable, options[option])
    end
    local program = child.read("docs/hosts/copas.md"):match("\n```lua\n(.-)```"):gsub("[%w_]+%.png", folder .. "/%0")
    os.execute("cp examples/images/neon.png " .. folder .. "/a.png")
    local ended = child.run([[
      require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 0.03 end
      local function print(path)
        io.stdout:write(path)
        os.exit(0) -- the loop of copas 1.2 does not end
      end
    ]] .. program, { before = environment })
    assert.same({ 0, "", folder .. "/neon.png" }, { ended.code, ended.err, ended.out })
    assert.equal("\137PNG", child.read(folder .. "/neon.png"):sub(1, 4))
  end)
end)
