-- fork, and two Lua states in one process: by LuaJIT, whose ffi can do both without a line of C.
if not rawget(_G, "jit") then return end

local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"

local ID = "550e8400-e29b-41d4-a716-446655440000"
local SERVER = [[return function(conn)
  while conn:read_request() do
    conn:sleep(0.05)
    conn:respond(200, { id = "]] .. ID .. [[" })
  end
end]]

-- in_child(fn): runs fn in a forked process, which then ends as a program does; gives its exit code.
local PRELUDE = [[
  local ffi = require "ffi"
  ffi.cdef "int fork(void); int waitpid(int, int *, int);"
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
  local function new() return devkit4ai.new { base_url = arg[1], access_token = "t" } end
]]

-- What the page takes as given.
local SANDBOX = [[
  local devkit4ai = require "devkit4ai"
  local sandbox = assert(require("devkit4ai.sandbox").start())
  local options = assert(sandbox:developer { email = "dev@example.com", password = "SecurePass123" })
  local function print(...)
    local parts = { n = select("#", ...), ... }
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    io.stdout:write(table.concat(parts, " "), "\n")
  end
]]

describe("fork", function()
  local server
  setup(function() server = raw.start { script = SERVER } end)
  teardown(function() server:stop() end)

  local function run(script, out)
    local ended = child.run(PRELUDE .. script, { args = { server.url } })
    assert.equal("", ended.err)
    assert.equal(out, ended.out)
    assert.equal(0, ended.code)
  end

  it("before a client's first call changes nothing, in child and parent", function()
    run([[
      local client = new()
      print(in_child(function() assert(client:me()) end))
      assert(client:me())
    ]], "0\n")
  end)

  for _, start in ipairs { "", "devkit4ai.update()" } do
    local how = start == "" and "" or ", with a thread"
    it("after it gives the child an error of kind config, and a new client works there" .. how, function()
      run("local client = new() " .. start .. [[
        assert(client:me())
        print(in_child(function()
          local user, message, err = client:me()
          assert(not user and err.kind == "config" and err.outcome == "not_sent", message)
          assert(message:find("create a new client", 1, true), message)
          assert(new():me())
        end))
        assert(client:me())
      ]], "0\n")
    end)

    it("with transfers under way leaves them to the parent, however the child ends" .. how, function()
      run("local client = new() " .. start .. [[
        local task = devkit4ai.spawn(function() return assert(client:me()).id end)
        require("devkit4ai.loop.waits").sleep(0.01)
        print(in_child(function() end))
        print(in_child(function() client:close() end))
        print(in_child(function() collectgarbage() end))
        print(task:join())
      ]], "0\n0\n0\n" .. ID .. "\n")
    end)
  end
end)

-- luaposix, as docs/processes.md uses it.
local POSIX = [[
  local ffi = require "ffi"
  ffi.cdef "int fork(void); int wait(int *);"
  io.stdout:setvbuf("no")
  package.preload["posix.unistd"] = function() return { fork = ffi.C.fork } end
  package.preload["posix.sys.wait"] = function() return { wait = function() return ffi.C.wait(nil) end } end
]]

describe("docs/processes.md", function()
  it("says what is so", function()
    local blocks = {}
    for block in child.read "docs/processes.md":gmatch "\n```lua\n(.-)```" do blocks[#blocks + 1] = block end
    local folder = child.folder()
    finally(function() child.remove(folder) end)
    local ended = child.run(POSIX .. SANDBOX .. table.concat(blocks, "\n"), { before = "cd '" .. folder .. "'" })
    assert.equal("", ended.err)
    assert.equal(0, ended.code)
    local lines = {}
    for line in ended.out:gmatch "[^\n]+" do lines[#lines + 1] = line end
    local said = 0
    for line in table.concat(blocks):gmatch "%-%-> ([^\n]+)" do
      said = said + 1
      assert.matches("^" .. line:gsub("%p", "%%%0"):gsub("%%%.%%%.%%%.", ".*") .. "$", lines[said] or "(nothing)")
    end
    assert.equal(said, #lines, ended.out)
  end)
end)

describe("two Lua states in one process", function()
  it("know nothing of each other", function()
    local server = raw.start { script = SERVER }
    finally(function() server:stop() end)
    local ended = child.run([[
      local ffi = require "ffi"
      ffi.cdef "typedef struct lua_State lua_State; lua_State *luaL_newstate(void); void luaL_openlibs(lua_State *);"
      ffi.cdef "int luaL_loadstring(lua_State *, const char *); int lua_pcall(lua_State *, int, int, int);"
      ffi.cdef "const char *lua_tolstring(lua_State *, int, size_t *); void lua_close(lua_State *);"
      local function state(script)
        local L = ffi.C.luaL_newstate()
        ffi.C.luaL_openlibs(L)
        if ffi.C.luaL_loadstring(L, script) ~= 0 or ffi.C.lua_pcall(L, 0, 0, 0) ~= 0 then
          error(ffi.string(ffi.C.lua_tolstring(L, -1, nil)))
        end
        return L
      end
      local devkit4ai = require "devkit4ai"
      local client = devkit4ai.new { base_url = arg[1], access_token = "t" }
      local task = devkit4ai.spawn(function() return assert(client:me()).id end)
      local script = ("url = %q "):format(arg[1]) .. "devkit4ai = require 'devkit4ai' "
        .. "client = devkit4ai.new { base_url = url, access_token = 't' } assert(client:me()) "
      local one = state(script .. "devkit4ai.update() assert(client:me())")
      local two = state(script .. "devkit4ai.spawn(function() client:me() end) "
        .. "require('devkit4ai.loop.waits').sleep(0.01)")
      ffi.C.lua_close(two)
      ffi.C.lua_close(one)
      print(task:join())
      assert(client:me())
    ]], { args = { server.url } })
    assert.equal("", ended.err)
    assert.equal(ID .. "\n", ended.out)
    assert.equal(0, ended.code)
  end)
end)
