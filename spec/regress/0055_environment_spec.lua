-- What a host may do to a program's environment: package.path emptied after loading, no os.getenv, no debug library, SIGCHLD
-- ignored, a LUA_INIT that prints.
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"

local ID = "550e8400-e29b-41d4-a716-446655440000"

describe("a program", function()
  local server

  before_each(function()
    server = raw.start { script = ([[
      return function(conn)
        local request = conn:read_request()
        while request do
          conn:respond(200, { id = %q, status = "completed", generations = {}, projects = {} })
          request = conn:read_request()
        end
      end]]):format(ID) }
  end)
  after_each(function() server:stop() end)

  local function run(script, environment, before)
    local ended = child.run(script, { args = { server.url }, env = environment, before = before })
    assert.equal("", ended.err)
    return ended.out
  end

  it("may empty package.path and package.cpath after it loaded the library", function()
    assert.equal("completed\ttrue\t200\n", run([[
      local devkit4ai = require "devkit4ai"
      package.path, package.cpath = "", ""
      local client = assert(devkit4ai.new { base_url = ..., access_token = "t", developer_key = "ak_1",
        headers = { a = "b" }, project_id = "550e8400-e29b-41d4-a716-446655440000", project_key = "pk_1",
        on_event = function() end })
      local gen = assert(client:generation("550e8400-e29b-41d4-a716-446655440000"):refresh())
      local list = devkit4ai.spawn(function() return client:generations():all() end):join()
      client.payments:subscription()
      print(gen.status, #list == 0, client:request { method = "GET", path = "/x" }.status)
      assert(package.path == "" and package.cpath == "")
      assert(not pcall(require, "devkit4ai.nonesuch") and not pcall(require, "another"))
    ]]))
  end)

  it("may have no os.getenv", function()
    assert.equal(ID .. "\n", run [[
      os.getenv = nil
      print(require("devkit4ai").new({ base_url = ..., access_token = "t" }):me().id)
    ]])
  end)

  it("gets the name of a missing library", function()
    for _, name in ipairs { "coroutine", "math", "os", "string", "table" } do
      assert.equal("devkit4ai needs the standard library " .. name .. "\n", run((([[
        local print, pcall, require, select = print, pcall, require, select
        NAME, package.loaded.NAME = nil, nil
        print((select(2, pcall(require, "devkit4ai"))))
      ]]):gsub("NAME", name))))
    end
  end)

  it("may have no debug and no io library", function()
    assert.equal(ID .. "\n", run [[
      local print = print
      debug, io, package.loaded.debug, package.loaded.io = nil, nil, nil, nil
      print(require("devkit4ai").new({ base_url = ..., access_token = "t" }):me().id)
    ]])
  end)

  it("gets the errors of its mistakes also without the debug library", function()
    assert.equal("devkit4ai: wrong\n", run [[
      debug = nil
      package.loaded.debug = nil
      print(select(2, pcall(require("devkit4ai.util.errors").raise, "wrong")))
    ]])
  end)

  it("may forbid undeclared globals", function()
    assert.equal("config\n", run [[
      setmetatable(_G, { __index = function(_, name) error("undeclared: " .. name, 2) end })
      local _, _, err = require("devkit4ai.util.errors").refuse("config", "x")
      for _, name in ipairs {
        "request.build", "request.classify", "config", "util.json", "request.events", "auth.jwt", "util.iso8601",
        "api.responses",
      } do
        require("devkit4ai." .. name)
      end
      assert(require("devkit4ai.config").missing_advice("access_token"))
      print(err.kind)
    ]])
  end)

  local plain_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

  if not plain_51 then
    it("may ignore SIGCHLD and start a sandbox", function()
      local ended = child.run([[
        local sandbox = assert(require("devkit4ai.sandbox").start())
        print(sandbox.url:match "^http")
        sandbox:stop()
      ]], { wrap = "env --ignore-signal=CHLD" })
      assert.same({ 0, "http\n", "" }, { ended.code, ended.out, ended.err })
    end)

    it("may have a LUA_INIT that prints, and start a sandbox", function()
      local folder = child.folder()
      finally(function() child.remove(folder) end)
      local file = assert(io.open(folder .. "/init.lua", "w"))
      file:write("print 'noise' print '{\"noise\":1}' print '7'\n")
      file:close()
      local init = "@" .. folder .. "/init.lua"
      local ended = child.run([[
        local sandbox = assert(require("devkit4ai.sandbox").start())
        print(sandbox.url:match "^http")
        assert(sandbox:developer { email = "dev@example.com", password = "SecurePass123" })
        sandbox:stop()
        print(select(2, require("devkit4ai.sandbox").start { command = "false" }))
      ]], { env = { LUA_INIT = init, LUA_INIT_5_4 = init } })
      assert.matches("\nhttp\nthe sandbox did not start: 'false sandbox' ended with exit code 1\n$", ended.out)
    end)

    it("may ignore SIGCHLD and write the command's settings", function()
      local folder = child.folder()
      finally(function() child.remove(folder) end)
      local ended = child.run([[
        local folder, message = require("devkit4ai.cli.settings.file").make_folder()
        print(folder or message)
      ]], { wrap = "env --ignore-signal=CHLD", env = { XDG_CONFIG_HOME = folder } })
      assert.equal(folder .. "/devkit4ai\n", ended.out)
    end)
  end
end)
