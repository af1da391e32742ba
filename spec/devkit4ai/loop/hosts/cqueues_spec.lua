-- What only cqueues has: several controllers, one in another, coroutines inside coroutines. The rest is in ../suite.
if _VERSION == "Lua 5.5" then return end -- no release of cqueues works there
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"

-- GET /api/v1/auth/me of a client waits until GET /go came; a refresh too.
local SERVER = [[
  local gone = false
  local ME = { id = "550e8400-e29b-41d4-a716-446655440000", email = "a@example.com" }
  return function(conn)
    local request = conn:read_request()
    while request do
      local path = request.target
      if path == "/go" then gone = true end
      if path:find "refresh$" then
        while not gone do conn:sleep(0.002) end
        conn:respond(200, { access_token = "new", refresh_token = "next" })
      elseif path == "/slow" then
        while not gone do conn:sleep(0.002) end
        conn:respond(200, ME)
      elseif path:find "me$" and request.head:find("Bearer old", 1, true) then
        conn:respond(401, { detail = "Could not validate credentials" })
      else
        conn:respond(200, ME)
      end
      request = conn:read_request()
    end
  end
]]

local PRELUDE = [[
  local cqueues = require "cqueues"
  local devkit4ai = require "devkit4ai"
  local client = assert(devkit4ai.new {
    base_url = ..., loop = "cqueues", access_token = "old", refresh_token = "first", developer_key = "ak_of_the_spec",
    retry = { attempts = 1 },
  })
  local function get(path) return assert(client:request { method = "GET", path = path }).status == 200 end
]]

insulate("in cqueues,", function()
  local server
  before_each(function() server = raw.start { script = SERVER } end)
  after_each(function() server:stop() end)

  local function run(script)
    local ended = child.run(PRELUDE .. script, { args = { server.url } })
    assert.same({ 0, "" }, { ended.code, ended.err })
    return ended.out
  end

  it("a controller inside another one ends its loop while the outer one has a call", function()
    assert.equal("inner ended\nouter ended\n", run [[
      local outer = cqueues.new()
      outer:wrap(function()
        assert(get "/slow")
        print "outer ended"
      end)
      outer:wrap(function()
        local inner = cqueues.new()
        inner:wrap(function() assert(get "/fast") end)
        assert(inner:loop())
        print "inner ended"
        assert(get "/go")
      end)
      assert(outer:loop())
    ]])
  end)

  it("two controllers wait at the same time, and each loop ends", function()
    assert.equal("second\nfirst\n", run [[
      local first, second = cqueues.new(), cqueues.new()
      first:wrap(function()
        assert(get "/slow")
        print "first"
      end)
      second:wrap(function()
        assert(get "/go")
        print "second"
      end)
      assert(first:step(0))
      assert(second:loop())
      assert(first:loop())
      assert(first:empty() and second:empty())
    ]])
  end)

  it("a refresh goes on when the controller of its first caller runs no more", function()
    assert.equal("a@example.com\n", run [[
      local first, second = cqueues.new(), cqueues.new()
      first:wrap(function() client:me() end)
      for _ = 1, 20 do assert(first:step(0.005)) end -- the server holds the refresh
      first = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      second:wrap(function()
        local other = devkit4ai.spawn(function() return assert(client:me()).email end)
        assert(get "/go")
        print(other:join())
      end)
      assert(second:loop())
    ]])
    local refreshes = 0
    for _, request in ipairs(server:requests()) do
      if request.target:find "refresh$" then refreshes = refreshes + 1 end
    end
    assert.equal(1, refreshes)
  end)

  it("a coroutine inside a coroutine can't wait, unless coroutine.resume was replaced as cqueues describes", function()
    assert.equal("false\ttrue\ntrue\ttrue\n", run [[
      local auxlib = require "cqueues.auxlib"
      local cq = cqueues.new()
      cq:wrap(function()
        local function inside() return coroutine.resume(coroutine.create(function() return get "/fast" end)) end
        local ok, message = inside()
        print(ok, message:find("start it with cq:wrap or devkit4ai.spawn", 1, true) ~= nil)
        coroutine.resume = auxlib.resume
        print(inside())
      end)
      assert(cq:loop())
    ]])
  end)

  it("a callback may use cqueues itself; one that yields by itself ends, and the loop goes on", function()
    assert.equal("true\ttrue\n", run [[
      local cq, calls, paused = cqueues.new(), 0, false
      local other = assert(devkit4ai.new { base_url = client.base_url, access_token = "x", on_event = function()
        calls = calls + 1
        if calls == 1 then
          cqueues.sleep(0.001)
          paused = true
        end
        if calls < 3 then coroutine.yield "mine" end
      end })
      cq:wrap(function()
        while calls < 3 do assert(other:me()) end
      end)
      assert(cq:loop())
      print(calls >= 3, paused)
    ]])
  end)

  it("a task may use cqueues itself", function()
    assert.equal("true\t3\n", run [[
      local cq = cqueues.new()
      local condition = require("cqueues.condition").new()
      cq:wrap(function()
        local task = devkit4ai.spawn(function()
          condition:wait()
          cqueues.sleep(0.001)
          return get "/fast", 3
        end)
        devkit4ai.sleep(0.001)
        condition:signal()
        print(task:join())
      end)
      assert(cq:loop())
    ]])
  end)

  it("a call that found no descriptor for its thread fails, and is not sent later", function()
    local ended = child.run(PRELUDE .. [[
      pcall(get, "/fast") -- not in a coroutine: it sends nothing, and loads the modules of a call
      local answered, failed = 0, 0
      local function call()
        local answer, _, err = client:request { method = "GET", path = "/fast" }
        if answer then answered = answered + 1 else failed = failed + (err.outcome == "not_sent" and 1 or 100) end
      end
      local controller = cqueues.new()
      for spare = 0, 8 do
        controller:wrap(function()
          local files = {}
          repeat
            local file = io.open "/dev/null"
            files[#files + 1] = file
          until not file
          for _ = 1, spare do table.remove(files):close() end
          call()
          for _, file in ipairs(files) do file:close() end
        end)
        assert(controller:loop())
      end
      controller:wrap(call)
      assert(controller:loop())
      print(answered > 0, failed > 1 and failed < 10, answered + failed)
      print(answered)
    ]], { args = { server.url }, before = "ulimit -n 60" })
    local all, answered = ended.out:match "^(.-)\n(%d+)\n$"
    assert.same({ 0, "", "true true 10" }, { ended.code, ended.err, all and all:gsub("\t", " ") })
    assert.equal(tonumber(answered), #server:requests())
  end)

  it("the program of docs/hosts/cqueues.md runs, and prints what the page says", function()
    local program = child.read("docs/hosts/cqueues.md"):match("\n```lua\n(.-)```")
    local folder, image = child.folder(), child.read "examples/images/neon.png"
    finally(function() child.remove(folder) end)
    local file = assert(io.open(folder .. "/a.png", "wb"))
    file:write(image)
    file:close()
    local ended, wanted = child.run(program, { before = "cd '" .. folder .. "'" }), {}
    for line in program:gmatch("%-%-> ([^\n]+)") do wanted[#wanted + 1] = line .. "\n" end
    assert.equal(0, ended.code, ended.err)
    assert.equal(table.concat(wanted), ended.out)
  end)
end)
