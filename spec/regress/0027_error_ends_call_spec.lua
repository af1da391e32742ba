-- After Ctrl-C or an error of a debug hook in a call, the upload stayed in the engine, and a later call completed it.
local devkit4ai = require "devkit4ai"
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"

-- After the head of a POST, or of a GET of a status, the server creates the file `mark` and sends SIGINT to the process of
-- the request. It reads on when the program has created `mark.raised`. It creates `mark.ended` when each of these requests
-- is complete or its connection is closed.
local SERVER = ([[local unfinished = 0

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local function create(path) assert(io.open(path, "w")):close() end

local function interrupt(conn, pid, mark)
  local is_first = not exists(mark)
  create(mark)
  if is_first and pid ~= "0" then os.execute("kill -INT " .. pid) end
  for _ = 1, 1000 do -- a client that does not cancel waits for the response before it raises
    if exists(mark .. ".raised") then return end
    conn:sleep(0.01)
  end
end

return function(conn)
  while true do
    local head = conn:read_head()
    if not head then return end
    local pid, mark = head:match("User%%-Agent: pid (%%d+) (%%S+)")
    local interrupts = head:find("^POST") or head:find("/status", 1, true)
    if interrupts then
      unfinished = unfinished + 1
      interrupt(conn, pid, mark)
    end
    local request = conn:read_body()
    if interrupts then
      unfinished = unfinished - 1
      if unfinished == 0 then create(mark .. ".ended") end
    end
    if not request then return end
    conn:respond(200, { id = "%s", status = "pending", key = "pk_a", key_prefix = "pk_a" })
  end
end]]):format(ID)

local PRELUDE = [[
  local devkit4ai = require "devkit4ai"
  local how, mark, id = arg[2], arg[3], arg[4]
  local stat = io.open("/proc/self/stat")
  local pid = stat:read("*n")
  stat:close()
  local client = devkit4ai.new { base_url = arg[1], access_token = "t", developer_key = "d", project_id = id,
    project_key = "p", user_agent = ("pid %d %s"):format(how == "hook" and 0 or pid, mark) }
  local image = { data = "\137PNG\r\n\26\n\0\0\0\13IHDR" .. ("x"):rep(8 * 1024 * 1024), filename = "a.png" }
  local function order(prompt, on_upload)
    return client:generate { images = { image }, prompt = prompt or "neon", on_upload = on_upload }
  end
  local function watch(co) -- raises once, when the mark is there
    debug.sethook(function()
      if co and coroutine.running() ~= co then return end
      local file = io.open(mark)
      if not file then return end
      file:close()
      debug.sethook()
      error("interrupted!", 0)
    end, "", 10)
  end
  local function try(fn, ...)
    if how == "hook" then watch() end
    local ok, why = pcall(fn, ...)
    print(ok, (tostring(why):gsub("\n", " ")))
  end
  local function try_with_error_after_submit(fn) -- when the server has the head of the request
    local submit = require("devkit4ai.core").engine().submit
    debug.sethook(function()
      if debug.getinfo(2, "f").func ~= submit then return end
      debug.sethook()
      repeat local file = io.open(mark) until file and file:close()
      error("interrupted!", 0)
    end, "r")
    local ok, why = pcall(fn)
    print(ok, (tostring(why):gsub("\n", " ")))
  end
  local function go_on() -- later calls step the engine until the server sees the end of the upload
    assert(io.open(mark .. ".raised", "w")):close()
    local ended
    repeat
      assert(client:health())
      devkit4ai.sleep(0.01)
      ended = io.open(mark .. ".ended")
    until ended
    ended:close()
    print "went on"
  end
]]

local LINE = 'client:find_generation { instructions = "%s", since = '

for _, how in ipairs { "signal", "hook" } do
  describe("an error (" .. how .. ") that ends", function()
    local server, folder
    before_each(function() server, folder = raw.start { script = SERVER }, child.folder() end)
    after_each(function()
      server:stop()
      child.remove(folder)
    end)

    local function run(script)
      local ended = child.run(PRELUDE .. script, { args = { server.url, how, folder .. "/mark", ID } })
      assert.same({ 0, "" }, { ended.code, ended.err }, ended.out .. ended.err)
      assert.is_truthy(ended.out:find("went on\n", 1, true), ended.out)
      return ended.out
    end

    local function posts()
      local count, complete = 0, 0
      for _, request in ipairs(server:requests()) do
        if request.method == "POST" and request.target:find("generate", 1, true) then
          count, complete = count + 1, complete + (request.complete and 1 or 0)
        end
      end
      return { count, complete }
    end

    for what, script in pairs {
      ["generate"] = "try(order) go_on()",
      ["generate with on_upload"] = "try(order, nil, function() end) go_on()",
      ["generate beside a task"] = [[
        devkit4ai.spawn(function() devkit4ai.sleep(1000) end)
        devkit4ai.sleep(0.01)
        try(order) go_on()]],
      ["generate while a thread steps"] = "devkit4ai.update() try(order) go_on()",
      ["generate right after its submit, while a thread steps"] = how == "hook" and not rawget(_G, "jit") and [[
        devkit4ai.update() try_with_error_after_submit(order) go_on()]] or nil, -- LuaJIT has no such hook for a C function
      ["generate in the program's own coroutine"] = how == "hook" and [[
        local ok, why = coroutine.resume(coroutine.create(function()
          watch()
          return order()
        end))
        print(ok, (tostring(why):gsub("\n", " ")))
        go_on()]] or nil, -- Ctrl-C is the main thread's alone on most Luas
      ["client:request"] = [[
        try(client.request, client, { method = "POST", path = "/api/v1/generation/generate-v2",
          form = { example_images = { image }, instructions = "neon" } })
        go_on()]],
    } do
      it(what .. " cancels it, and has the outcome and the line", function()
        local out = run(script)
        assert.matches("^false\t.*interrupted!", out)
        assert.is_truthy(out:find("may be running and paid for", 1, true), out)
        assert.is_truthy(out:find(LINE:format("neon"), 1, true), out)
        assert.same({ 1, 0 }, posts())
      end)
    end

    it("project:new_key says that the key may exist", function()
      local out = run "try(function() return client:project(id):new_key 'n' end) go_on()"
      assert.matches("^false\t.*interrupted!.*a key that you have not seen may exist now", out)
    end)

    it("gen:wait names the generation that continues", function()
      local out = run "try(function() return client:generation(id):wait() end) go_on()"
      assert.matches("^false\t.*interrupted!", out)
      assert.is_truthy(out:find(('client:generation("%s"):wait()'):format(ID), 1, true), out)
    end)

    it("a call that only reads raises the error unchanged", function()
      local out = run [[
        try(client.request, client, { method = "GET", path = "/api/v1/generation/generations-v2/x/status" })
        go_on()]]
      assert.matches("^false\t[^;]*interrupted!\n", out)
    end)

    for what, script in pairs {
      ["devkit4ai.all"] = [[try(devkit4ai.all, {
        function() return order "one" end, function() return order "two" end,
      })]],
      ["devkit4ai.map"] = [[try(devkit4ai.map, { "one", "two", "three" }, { concurrency = 2 }, function(prompt)
        return order(prompt)
      end)]],
    } do
      it(what .. " cancels its tasks and names each", function()
        local out = run(script .. " go_on()")
        assert.matches("^false\t.*interrupted!", out)
        for _, prompt in ipairs { "one", "two" } do
          assert.is_truthy(out:find(LINE:format(prompt), 1, true), out)
        end
        assert.is_true(posts()[1] <= 2)
        assert.equal(0, posts()[2])
      end)
    end
  end)
end

describe("a debug hook that raises in a task", function()
  local server, folder
  before_each(function() server, folder = raw.start { script = SERVER }, child.folder() end)
  after_each(function()
    server:stop()
    child.remove(folder)
  end)

  local function run(script)
    local ended = child.run(PRELUDE .. script, { args = { server.url, "hook", folder .. "/mark", ID } })
    assert.same({ 0, "" }, { ended.code, ended.err }, ended.out .. ended.err)
    for _, request in ipairs(server:requests()) do
      if request.method == "POST" then assert.is_false(request.complete) end
    end
    return ended.out
  end

  it("ends the task, cancels its upload, and the task's error has the outcome and the line", function()
    local out = run [[
      local task = devkit4ai.spawn(function()
        watch(coroutine.running())
        return order(nil, function() end)
      end)
      local ok, why = pcall(task.join, task)
      print(ok, (tostring(why):gsub("\n", " ")))
      go_on()
    ]]
    assert.matches("^false\t.*interrupted!.*may be running and paid for", out)
    assert.is_truthy(out:find(LINE:format("neon"), 1, true), out)
  end)

  it("ends the tasks of its devkit4ai.all, and names their generations", function()
    local out = run [[
      local task = devkit4ai.spawn(function()
        local co = coroutine.running()
        return devkit4ai.all {
          function() return order "one" end,
          function()
            while not io.open(mark) do devkit4ai.sleep(0.01) end
            debug.sethook(co, function() debug.sethook(co) error("interrupted!", 0) end, "", 1)
            devkit4ai.sleep(0.01)
            return nil, "wake the one that waits"
          end,
        }
      end)
      local ok, why, err = pcall(task.join, task)
      print(ok, (tostring(why):gsub("\n", " ")), err)
      go_on()
    ]]
    assert.is_truthy(out:find(LINE:format("one"), 1, true), out)
  end)

  if not (_VERSION == "Lua 5.1" and not rawget(_G, "jit")) then
    it("and is caught cancels the upload, and a later error of the task names the generation", function()
      local out = run [[
        local task = devkit4ai.spawn(function()
          watch(coroutine.running())
          print(pcall(order, nil, function() end))
          assert(client:health())
          error "later"
        end)
        local ok, why = pcall(task.join, task)
        print(ok, (tostring(why):gsub("\n", " ")))
        go_on()
      ]]
      assert.matches("false\t.*later.*may be running and paid for", out)
      assert.is_truthy(out:find(LINE:format("neon"), 1, true), out)
    end)
  end
end)

-- On LuaJIT, compiled code asks no hooks.
if not rawget(_G, "jit") then
  describe("a debug hook", function()
    local server, client
    setup(function()
      server = raw.start { script = ([[return function(conn)
        while conn:read_request() do conn:respond(200, { id = "%s", status = "pending" }) end
      end]]):format(ID) }
      client = devkit4ai.new(wire.options(server.url))
    end)
    teardown(function()
      client:close()
      server:stop()
    end)

    local function generate()
      return assert(client:generate { images = { { data = wire.image.png, filename = "a.png" } }, prompt = "neon" })
    end

    -- Runs fn with a hook that raises after so many instructions; gives pcall's results. Where pcalls is given, it raises
    -- under so many of them: the last instructions of a call are behind its own.
    local function run(fn, count, pcalls)
      local over = false
      local results = { pcall(fn, function()
        debug.sethook(function()
          count = count - 1
          if count > 0 or over then return end
          if select(2, debug.traceback():gsub("'pcall'", "")) < pcalls then return end
          debug.sethook()
          error("interrupted!", 0)
        end, "", 1)
      end, function()
        over = true
        debug.sethook()
      end) }
      debug.sethook()
      return results[1], results[2]
    end

    it("right after the submit of generate leaves nothing that a later call would send", function()
      generate() -- its modules are loaded
      local before = #server:requests()
      local submit = require("devkit4ai.core").engine().submit
      debug.sethook(function()
        if debug.getinfo(2, "f").func ~= submit then return end
        debug.sethook()
        error("interrupted!", 0)
      end, "r")
      assert.is_false(pcall(generate))
      assert(client:health())
      local requests = server:requests()
      assert.equal(before + 1, #requests)
      assert.equal("GET", requests[#requests].method)
    end)

    for where, case in pairs {
      ["in a script"] = { pcalls = 2, order = function(begin, stop)
        begin()
        generate()
        stop()
      end },
      ["in a task"] = { pcalls = 0, order = function(begin, stop)
        devkit4ai.spawn(function()
          begin()
          generate()
          stop()
        end):join()
      end },
    } do
      local name = "at any instruction of generate, " .. where .. ", names the generation, if one was created (%d of 3)"
      for third = 1, 3 do it(name:format(third), function() -- apart, since tools/test waits 120 s for one test
        generate() -- its modules are loaded: an error in a require is Lua's own affair
        local ended = false
        for count = 20 + third * 23, 20000, 69 do
          local before = #server:requests()
          local ok, why = run(case.order, count, case.pcalls)
          if ok then
            ended = true
            break
          end
          local leads = why:find("find_generation { instructions = \"neon\"", 1, true)
            or why:find(('client:generation("%s"):wait()'):format(ID), 1, true)
          if #server:requests() > before then assert.is_truthy(leads, count .. ": " .. why) end
        end
        assert.is_true(ended)
      end) end
    end
  end)
end
