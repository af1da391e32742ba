-- A forked child ran the tasks of its parent that had not begun, and those that slept. LuaJIT's ffi can fork.
if not rawget(_G, "jit") then return end

local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"

local SERVER = [[return function(conn)
  local request = conn:read_request()
  while request do
    conn:respond(200, { id = "u" })
    request = conn:read_request()
  end
end]]

local PRELUDE = [[
  local ffi = require "ffi"
  ffi.cdef "int fork(void); int waitpid(int, int *, int); int getpid(void);"
  io.stdout:setvbuf("no")
  local function in_child(fn)
    local pid = ffi.C.fork()
    if pid == 0 then
      local ok, why = pcall(fn)
      if not ok then io.stderr:write(tostring(why), "\n") end
      os.exit(ok and 0 or 1, true)
    end
    local status = ffi.new "int[1]"
    assert(ffi.C.waitpid(pid, status, 0) == pid)
    return status[0]
  end
  local devkit4ai = require "devkit4ai"
  local parent = ffi.C.getpid()
  local function new(token) return devkit4ai.new { base_url = arg[1], access_token = token } end
  local function call(token) return function() return assert(new(token):me()).id end end
]]

describe("a task of a process that forks", function()
  local server
  before_each(function() server = raw.start { script = SERVER } end)
  after_each(function() server:stop() end)

  local function count(token)
    local found = 0
    for _, request in ipairs(server:requests()) do
      if request.head:find("Bearer " .. token, 1, true) then found = found + 1 end
    end
    return found
  end

  local function run(script, out)
    local ended = child.run(PRELUDE .. script, { args = { server.url } })
    assert.same({ 0, out, "" }, { ended.code, ended.out, ended.err })
    assert.equal(1, count "parent")
  end

  for how, wait in pairs {
    ["an update"] = "for _ = 1, 20 do devkit4ai.update() end",
    ["a call"] = "assert(new('child'):me())",
    ["a task of its own"] = "assert(devkit4ai.spawn(call 'child'):join() == 'u')",
    ["a sleep"] = "assert(devkit4ai.sleep(0.05))",
    ["all"] = "assert(devkit4ai.all { call 'child' }[1] == 'u')",
  } do
    it("that has not started runs only in the parent, whatever the child does: " .. how, function()
      run([[
        local task = devkit4ai.spawn(call "parent")
        print(in_child(function() ]] .. wait .. [[ end))
        print(task:join())
      ]], "0\nu\n")
    end)

    it("that sleeps continues only in the parent, whatever the child does: " .. how, function()
      run([[
        local task = devkit4ai.spawn(function()
          devkit4ai.sleep(0.02)
          return call "parent" ()
        end)
        devkit4ai.sleep(0.001)
        print(in_child(function() devkit4ai.sleep(0.03) ]] .. wait .. [[ end))
        print(task:join())
      ]], "0\nu\n")
    end)
  end

  it("returns an error of kind config to a join in the child, also to a second join", function()
    run([[
      local task = devkit4ai.spawn(call "parent")
      print(in_child(function()
        for _ = 1, 2 do
          local value, message, err = task:join()
          assert(value == nil and err.kind == "config" and err.outcome == "not_sent", message)
          assert(message:find("the process that this one was forked from", 1, true), message)
        end
      end))
      print(task:join())
    ]], "0\nu\n")
  end)

  it("that forks continues in both processes, and the others only in the parent", function()
    run([[
      local other = devkit4ai.spawn(function()
        devkit4ai.sleep(0.02)
        return call "parent" ()
      end)
      local forks = devkit4ai.spawn(function()
        devkit4ai.sleep(0.001)
        local status = in_child(function()
          devkit4ai.sleep(0.05)
          assert(call "child" () == "u")
        end)
        return status
      end)
      print(forks:join(), other:join())
    ]], "0\tu\n")
    assert.equal(1, count "child")
  end)

  it("of a map starts no item in the child", function()
    run([[
      local results = devkit4ai.map({ 1, 2, 3 }, { concurrency = 1 }, function(i)
        if i < 3 then
          if i == 1 then in_child(function() devkit4ai.sleep(0.02) end) end
          return devkit4ai.sleep(0.001) and i
        end
        return call(ffi.C.getpid() == parent and "parent" or "child") ()
      end)
      print(#results, results[3])
    ]], "3\tu\n")
    assert.equal(0, count "child")
  end)
end)
