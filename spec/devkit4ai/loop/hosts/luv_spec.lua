-- What only luv has: callbacks that resume coroutines, handles that the program closes, an error that ends the process. The rest
-- is in ../suite. Runs the program of docs/hosts/luv.md, also in Neovim.
local child = require "spec.support.process.child"
local programs = require "spec.support.process.programs"
local raw = require "spec.support.servers.raw"

if not pcall(require, "luv") then return end

local plain_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

-- GET /held waits for GET /go.
local SERVER = [[
  local gone = false
  return function(conn)
    local request = conn:read_request()
    while request do
      if request.target == "/go" then gone = true end
      while request.target == "/held" and not gone do conn:sleep(0.002) end
      conn:respond(200, "{}")
      request = conn:read_request()
    end
  end
]]

local PRELUDE = [[
  local uv = require "luv"
  local devkit4ai = require "devkit4ai"
  local client = assert(devkit4ai.new {
    base_url = ..., loop = "luv", access_token = "t", developer_key = "ak_of_the_spec", retry = { attempts = 1 },
  })
  local function get(path) return client:request { method = "GET", path = path } end
  local function start(fn) coroutine.wrap(fn)() end
  local function close_all()
    uv.walk(function(handle) if not handle:is_closing() then handle:close() end end)
    uv.run()
  end
]]

describe("in luv,", function()
  local server
  before_each(function() server = raw.start { script = SERVER } end)
  after_each(function() server:stop() end)

  local function run(script)
    return child.run(PRELUDE .. script, { args = { server.url } })
  end

  local function prints(expected, script)
    local ended = run(script)
    assert.same({ 0, "", expected }, { ended.code, ended.err, ended.out })
  end

  it("an error in the program's own coroutine is shown with its traceback, after the others ran", function()
    local ended = run [[
      local task = devkit4ai.spawn(devkit4ai.sleep, 0.001) -- its end wakes both in the same turn
      start(function()
        task:join()
        error "the program's own"
      end)
      start(function()
        task:join()
        print "the other one"
      end)
      uv.run()
      print "not reached"
    ]]
    assert.is_true(ended.code ~= 0)
    assert.equal("the other one\n", ended.out)
    local shown = "Uncaught Error: .-script%.lua:%d+: the program's own\n.-script%.lua:%d+: in "
    assert.is_truthy(ended.err:find(shown), ended.err)
  end)

  it("a task may yield to a callback of the program, which resumes it", function()
    prints("file done\n", [[
      local task = devkit4ai.spawn(function()
        local co = coroutine.running()
        uv.fs_stat("/", function(_, stat) assert(coroutine.resume(co, stat ~= nil)) end)
        if coroutine.yield() then io.write "file " end
        assert(get "/")
        return "done"
      end)
      start(function() print(task:join()) end)
      uv.run()
    ]])
  end)

  if not plain_51 then
    it("an error in a task that a callback of the program resumed is raised in join", function()
      prints("false\ttrue\n", [[
        local task = devkit4ai.spawn(function()
          local co = coroutine.running()
          uv.fs_stat("/", function() assert(coroutine.resume(co)) end)
          coroutine.yield()
          error "later"
        end)
        start(function()
          local ok, message = pcall(task.join, task)
          print(ok, message:find("later", 1, true) ~= nil)
        end)
        uv.run()
      ]])
    end)
  end

  it("a resume by somebody else does not end a wait", function()
    prints("resumed\nslept\ttrue\n", [[
      local co = coroutine.create(function() print("slept", devkit4ai.sleep(0.01)) end)
      assert(coroutine.resume(co))
      assert(coroutine.resume(co))
      print "resumed"
      uv.run()
    ]])
  end)

  it("the loop stays while a call waits, and ends when none does", function()
    prints("true\tfalse\n", [[
      local alive
      start(function() get "/held" end)
      start(function()
        assert(get "/")
        alive = uv.loop_alive()
        assert(get "/go")
      end)
      uv.run()
      print(alive, uv.loop_alive())
    ]])
  end)

  it("a sleep that was cancelled does not keep the loop", function()
    prints("cancelled\n", [[
      local task = devkit4ai.spawn(function() return devkit4ai.sleep(100000) end)
      start(function()
        devkit4ai.sleep(0)
        print(select(3, task:cancel():join()).kind)
      end)
      uv.run()
    ]])
  end)

  it("a call waits in a coroutine only, and says how to start one in a callback of luv", function()
    local ended = run [[
      local ok, message
      local timer = uv.new_timer()
      timer:start(0, 0, function()
        timer:close()
        ok, message = pcall(get, "/")
      end)
      uv.run()
      print(ok, message)
    ]]
    assert.is_truthy(ended.out:find("^false.-coroutine only.-devkit4ai%.spawn"), ended.out .. ended.err)
    assert.equal(0, #server:requests())
  end)

  it("calls go on after uv.stop, when the loop runs again", function()
    prints("stopped\nok\n", [[
      start(function() assert(get "/held") print "ok" end)
      start(function() devkit4ai.sleep(0.001) uv.stop() end)
      uv.run()
      print "stopped"
      start(function() assert(get "/go") end)
      uv.run()
    ]])
  end)

  it("a call after all handles of the loop were closed works, and those before it end", function()
    prints("closed\nok\nslept\n", [[
      start(function() assert(get "/held") print "ok" end)
      start(function() assert(devkit4ai.sleep(0.2)) print "slept" end)
      close_all()
      print "closed"
      start(function() assert(get "/go") end)
      uv.run()
    ]])
  end)

  it("a sleep after all handles of the loop were closed lets a call before it go on", function()
    prints("closed\nok\n", [[
      start(function() assert(get "/") print "ok" end)
      close_all()
      print "closed"
      start(function() devkit4ai.sleep(0) end)
      uv.run()
    ]])
  end)

  it("a call after uv.loop_close fails with a clear message, and the end of the program is quiet", function()
    prints("0\nconfig\ttrue\nfalse\ttrue\n", [[
      start(function() get "/held" end)
      start(function() devkit4ai.sleep(1000) end)
      close_all()
      print(uv.loop_close())
      start(function()
        local _, message, err = get "/"
        print(err.kind, message:find("uv.loop_close", 1, true) ~= nil)
      end)
      local ok, message = pcall(devkit4ai.spawn, print)
      print(ok, message:find("uv.loop_close", 1, true) ~= nil)
      client:close()
    ]])
  end)

  if rawget(_G, "jit") then
    it("a forked child can't wait in its parent's loop, and the parent goes on", function()
      prints("child\tconfig\ttrue\nparent\ttrue\n", [[
        local ffi = require "ffi"
        ffi.cdef "int fork(void); int waitpid(int, int *, int); void _exit(int);"
        io.stdout:setvbuf "no"
        start(function()
          assert(get "/")
          local pid = ffi.C.fork()
          if pid == 0 then
            local _, message, err = get "/"
            print("child", err.kind, message:find("forked", 1, true) ~= nil)
            ffi.C._exit(0)
          end
          ffi.C.waitpid(pid, nil, 0)
          print("parent", get "/" ~= nil)
        end)
        uv.run()
      ]])
    end)
  end
end)

-- The Lua blocks of the page: for Neovim, or for luv.
local function program(for_neovim)
  local blocks = {}
  for block in child.read("docs/hosts/luv.md"):gmatch("\n```lua\n(.-)```") do
    if (block:find("vim.", 1, true) ~= nil) == for_neovim then blocks[#blocks + 1] = block end
  end
  return table.concat(blocks)
end

-- A folder with the image that the page has.
local function folder_of_image()
  local folder = child.folder()
  finally(function() child.remove(folder) end)
  os.execute("cp examples/images/neon.png '" .. folder .. "/a.png'")
  return folder
end

describe("docs/hosts/luv.md:", function()
  it("the program prints what the page says", function()
    local folder, lines = folder_of_image(), {}
    for line in program(false):gmatch("%-%-> ([^\n]+)") do lines[#lines + 1] = line .. "\n" end
    local ended = child.run(program(false), { before = "cd '" .. folder .. "'" })
    assert.same({ 0, "", table.concat(lines) }, { ended.code, ended.err, ended.out })
  end)

  if not rawget(_G, "jit") then return end

  programs.it_with(it, pending, "nvim")("the program for Neovim writes into the buffer", function()
    local folder = folder_of_image()
    local file = assert(io.open(folder .. "/program.lua", "w"))
    file:write(program(true), [[
      vim.wait(60000, function() return vim.fn.getline(1) == "completed" end)
      vim.fn.writefile({ vim.fn.getline(1) }, "result")
      vim.cmd "qa!"
    ]])
    file:close()
    local ended = child.run([[
      local folder = ...
      local ok = os.execute("cd '" .. folder .. "' && LUA_PATH='" .. package.path .. "' LUA_CPATH='" .. package.cpath
        .. "' nvim --headless -u NONE -i NONE -n -c 'luafile program.lua' 2>&1")
      os.exit(ok == true or ok == 0)
    ]], { args = { folder } })
    assert.same({ 0, "" }, { ended.code, ended.out })
    assert.equal("completed\n", child.read(folder .. "/result"))
  end)
end)
