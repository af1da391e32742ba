-- What an event loop needs of core.engine: the descriptor, the listener and the alarm.
if _VERSION == "Lua 5.5" then return end -- no release of cqueues works there
local core = require "devkit4ai.core"
local cqueues = require "cqueues"
local socket = require "cqueues.socket"
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"

local PATIENCE = 20 -- seconds

local server, engine, folder

setup(function()
  server = raw.start { script = [[return function(conn)
    while conn:read_request() do conn:respond(200, "{}") end
  end]] }
  folder = child.folder()
end)
teardown(function()
  server:stop()
  child.remove(folder)
end)
before_each(function() engine = core.engine() end)
after_each(function() engine:close() end)

local function submit()
  local request = core.request { method = "GET", url = server.url, headers = core.headers {} }
  return assert(engine:submit(request, core.secrets()))
end

-- Runs fn in a coroutine of cqueues, and raises its error.
local function in_loop(fn)
  local loop = cqueues.new()
  loop:wrap(fn)
  assert(loop:loop())
end

-- Whether the descriptor becomes readable.
local function readable(fd, seconds)
  local event = { pollfd = fd, events = "r" }
  return cqueues.poll(event, seconds) == event
end

describe("engine:fd", function()
  it("is readable while a transfer is finished, also if it is registered before the first submit", function()
    assert(engine:start())
    local fd = engine:fd()
    in_loop(function()
      assert.is_false(readable(fd, 0))
      local id = submit()
      assert.is_true(readable(fd, PATIENCE))
      assert.equal(id, (engine:next()))
      assert.is_false(readable(fd, 0))
      assert.equal(fd, engine:fd())
    end)
  end)

  it("tells that start was not called", function()
    local fd, text = engine:fd()
    assert.is_nil(fd)
    assert.matches("^start%(%) was not called", text)
  end)
end)

describe("engine:alarm", function()
  it("makes the engine ready without a transfer", function()
    assert(engine:start())
    assert.is_true(engine:alarm(0.01))
    in_loop(function() assert.is_true(readable(engine:fd(), PATIENCE)) end)
    assert.is_true(engine:ready())
    assert.equal(0, select("#", engine:next()))
    assert.is_false(engine:ready())
  end)

  it("is removed by a negative or infinite number", function()
    for _, never in ipairs { -1, math.huge, -math.huge } do
      assert(engine:alarm(3600))
      assert.is_true(engine:alarm(never))
    end
    engine:next(0)
    assert.is_false(engine:ready())
  end)

  it("raises for anything else", function()
    for _, wrong in ipairs { "soon", {}, 0 / 0 } do assert.has_error(function() engine:alarm(wrong) end) end
    assert.has_error(function() engine:alarm() end)
  end)
end)

describe("engine:listen", function()
  it("sends a byte for a finished transfer, and removes its folder at close", function()
    local path = assert(engine:listen(folder))
    assert.equal(folder, path:match "^(.*)/devkit4ai%-%d+%-%w+/s$")
    assert.equal(path, engine:listen(folder))
    for _ = 1, 3 do
      in_loop(function()
        local connection = socket.connect { path = path }
        submit()
        assert.equal("w", connection:xread(1, nil, PATIENCE))
        assert.equal("number", type((engine:next())))
        connection:close()
      end)
    end
    engine:close()
    assert.same({}, child.list(folder))
  end)

  it("removes its folder when the process ends", function()
    local result = child.run(("io.write((require('devkit4ai.core').engine():listen(%q)))"):format(folder))
    assert.matches("/s$", result.out)
    assert.same({}, child.list(folder))
  end)

  it("gives the reason if the folder is not usable", function()
    local missing = folder .. "/none"
    local path, text = engine:listen(missing)
    assert.is_nil(path)
    assert.equal(missing .. ": No such file or directory", text)
    local long = folder .. "/" .. ("x"):rep(90)
    assert(os.execute("mkdir " .. long))
    path, text = engine:listen(long)
    assert.is_nil(path)
    assert.matches(": the path is too long for a unix socket by %d+ bytes: give a folder with a shorter path$", text)
    child.remove(long)
  end)

  it("raises for what is no text", function()
    for _, wrong in ipairs { {}, "a\0b" } do assert.has_error(function() engine:listen(wrong) end) end
    assert.has_error(function() engine:listen() end)
  end)
end)

it("fd, alarm and listen raise if the engine is closed", function()
  engine:close()
  for _, name in ipairs { "fd", "alarm", "listen" } do
    local ok, text = pcall(engine[name], engine, name == "alarm" and 1 or "/tmp")
    assert.is_false(ok)
    assert.matches("the engine is closed", text)
  end
end)

-- fork by LuaJIT's ffi, without a line of C.
local ffi = rawget(_G, "jit") and require "ffi"
if ffi then
  pcall(ffi.cdef, "int fork(void); int waitpid(int, int *, int); void _exit(int);")

  it("fd, alarm and listen give a forked child the reason", function()
    assert(engine:start())
    assert(engine:fd())
    local pid = ffi.C.fork()
    if pid == 0 then
      local right = true
      for _, name in ipairs { "fd", "alarm", "listen" } do
        local value, text = engine[name](engine, name == "alarm" and 1 or folder)
        right = right and value == nil and text:find("before the process forked", 1, true) ~= nil
      end
      ffi.C._exit(right and 0 or 1)
    end
    local status = ffi.new "int[1]"
    ffi.C.waitpid(pid, status, 0)
    assert.equal(0, status[0])
  end)
end
