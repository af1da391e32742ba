-- What the library leaves alone: no thread, no descriptor and no network by require and new; no thread of ours ever in
-- a plain script; with frames a thread from the first update() on.
local child = require "spec.support.process.child"
local programs = require "spec.support.process.programs"
local raw = require "spec.support.servers.raw"

-- Not by io.popen: its command may run before we have closed our second end of the pipe, which then counts.
local COUNT = [[
  local function count(what)
    local path = os.tmpname()
    os.execute("ls /proc/$PPID/" .. what .. " | wc -l >" .. path)
    local file = assert(io.open(path))
    local n = tonumber((file:read("*a")))
    file:close()
    os.remove(path)
    return n
  end
]]

describe("require and new", function()
  it("leave no descriptor open", function()
    local ended = child.run(COUNT .. [[
      local before = count "fd"
      local devkit4ai = require "devkit4ai"
      local client = devkit4ai.new { base_url = "https://host", access_token = "t" }
      client:project "550e8400-e29b-41d4-a716-446655440000":generation "550e8400-e29b-41d4-a716-446655440000"
      print(count "fd" - before)
    ]])
    assert.equal(0, tonumber(ended.out), ended.err)
  end)
end)

describe("by strace,", function()
  local it = programs.it_with(it, pending, "strace")
  local folder
  before_each(function() folder = child.folder() end)
  after_each(function() child.remove(folder) end)

  local function trace_calls(calls, script, ...)
    local ended = child.run(script, { args = { ... }, wrap = ("strace -f -qq %s -o %s/trace"):format(calls, folder) })
    assert.equal(0, ended.code, ended.err)
    local file = assert(io.open(folder .. "/trace"))
    local text = file:read("*a")
    file:close()
    return text
  end

  local function trace(script, ...)
    return trace_calls("-e trace=clone,clone3,fork,vfork,socket,connect", script, ...)
  end

  it("require and new start no thread and touch no network", function()
    assert.equal("", trace [[
      local client = require("devkit4ai").new { base_url = "https://host", access_token = "t" }
      client:close()
    ]])
  end)

  it("a plain script never has a second thread, and connects to the server alone", function()
    local server = raw.start { script = [[return function(conn)
      while conn:read_request() do conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" }) end
    end]] }
    finally(function() server:stop() end)
    local text = trace([[
      local devkit4ai = require "devkit4ai"
      local client = devkit4ai.new { base_url = arg[1], access_token = "t", developer_key = "d",
        project_id = "550e8400-e29b-41d4-a716-446655440000", project_key = "p" }
      assert(client:me())
      assert(client:generate { images = { { data = "\255\216\255", filename = "a" } }, prompt = "x" })
      assert(devkit4ai.spawn(function() return assert(client:me()) end):join())
      client:close()
    ]], server.url)
    assert.is_nil(text:find("clone", 1, true), text)
    assert.is_nil(text:find("fork", 1, true), text)
    local connections = 0
    for line in text:gmatch("[^\n]*connect%([^\n]*") do
      connections = connections + 1
      assert.is_truthy(line:find("htons(" .. server.port .. ")", 1, true), line)
    end
    assert.is_true(connections > 0)
  end)

  it("1000 frames of a game whose calls are answered make no system call, and no timer is left", function()
    local server = raw.start { script = [[return function(conn)
      while conn:read_request() do conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" }) end
    end]] }
    finally(function() server:stop() end)
    local text = trace_calls("", [[
      if rawget(_G, "jit") then jit.off() end -- it maps memory for its code
      local devkit4ai = require "devkit4ai"
      local client = devkit4ai.new { base_url = arg[1], access_token = "t", developer_key = "d",
        project_id = "550e8400-e29b-41d4-a716-446655440000", project_key = "p" }
      local over
      devkit4ai.spawn(function()
        assert(client:me())
        assert(client:generate { images = { { data = "\255\216\255", filename = "a" } }, prompt = "x" })
        assert(client:me())
        over = true
      end)
      repeat devkit4ai.update() until over
      -- until the thread sleeps: a traced thread is in state t wherever it is, but not in a system call that waits
      local own = io.open("/proc/self/stat"):read "*n"
      local others = {}
      local list = io.popen("ls /proc/" .. own .. "/task")
      for id in list:lines() do
        if tonumber(id) ~= own then others[#others + 1] = "/proc/self/task/" .. id .. "/stat" end
      end
      list:close() -- waits for the end of ls, which is traced, too
      assert(#others == 1, #others)
      repeat
        local file = assert(io.open(others[1]))
        local state = file:read "*l":match "%) (%a)"
        file:close()
      until state == "S"
      collectgarbage "stop"
      devkit4ai.update()
      io.stderr:write "begin\n"
      for _ = 1, 1000 do devkit4ai.update() end
      io.stderr:write "end\n"
    ]], server.url)
    local before, between = text:match '^(.*write%(2, "begin\\n"[^\n]*\n)(.-)[^\n]*write%(2, "end\\n"'
    assert.equal("", between)
    local last_sleep -- of the thread
    for line in before:gmatch "[^\n]*poll%([^\n]*" do last_sleep = line end
    assert.matches("poll%(.*[ =]360%d[%d,]", last_sleep) -- milliseconds, or seconds of ppoll
  end)
end)

describe("devkit4ai.update", function()
  it("has a thread from its first call on, one, and not before", function()
    local server = raw.start { script = [[return function(conn)
      while conn:read_request() do conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" }) end
    end]] }
    finally(function() server:stop() end)
    for _, when in ipairs { "after a call", "before any call" } do
      local ended = child.run(COUNT .. [[
        local devkit4ai = require "devkit4ai"
        local client = devkit4ai.new { base_url = arg[1], access_token = "t" }
        if arg[2] == "after a call" then assert(client:me()) end
        local before = count "task"
        devkit4ai.update()
        local after = count "task"
        for _ = 1, 10 do devkit4ai.update() end
        assert(client:me())
        print(before, after - before, count "task" - before)
      ]], { args = { server.url, when } })
      assert.equal("1\t1\t1\n", ended.out, ended.err)
    end
  end)
end)
