-- The option `loop`: the first client of a Lua state chooses the event loop.
local child = require "spec.support.process.child"

local function run(script, options)
  local ended = child.run('local devkit4ai = require "devkit4ai"\n' .. script, options)
  assert.equal(0, ended.code, ended.err)
  return ended.out
end

describe("the option loop", function()
  it("is own by default, and may be named", function()
    assert.equal("own\n", run [[
      assert(devkit4ai.new())
      assert(devkit4ai.new { loop = "own" })
      print(require("devkit4ai.loop.host").name)
    ]])
  end)

  it("with an unknown value is refused, and the message lists the values", function()
    local out = run [[
      local client, message, err = devkit4ai.new { loop = "libuv" }
      print(client, message, err.kind)
    ]]
    assert.equal("nil\tdevkit4ai.new: the option loop can't be used: it must be one of copas, cqueues, luv, nginx, own"
      .. "\tconfig\n", out)
  end)

  it("of a loop that serves others has the modules loaded before the first call", function()
    local script = [[
      assert(devkit4ai.new { loop = "LOOP" })
      print(package.loaded["devkit4ai.generation.create"] ~= nil, package.loaded["devkit4ai.auth.refresh"] ~= nil)
    ]]
    if _VERSION ~= "Lua 5.5" then -- no release of cqueues works there
      assert.equal("true\ttrue\n", run((script:gsub("LOOP", "cqueues"))))
    end
    assert.equal("false\tfalse\n", run((script:gsub("LOOP", "own"))))
  end)

  it("can't change after the first client", function()
    local out = run [[
      assert(devkit4ai.new())
      print(pcall(devkit4ai.new, { loop = "cqueues" }))
    ]]
    local message = [[loop: this Lua state uses "own" since its first client or task; it can't use "cqueues" too]]
    assert.is_truthy(out:find(message, 1, true), out)
    assert.is_truthy(out:find("^false\t"), out)
  end)

  it("can't change while a task waits", function()
    local out = run [[
      devkit4ai.spawn(function() devkit4ai.sleep(1) end)
      print((pcall(devkit4ai.new, { loop = "cqueues" })))
    ]]
    assert.equal("false\n", out)
  end)

  it("names the packages of a loop that is not installed", function()
    local out = run [[
      package.preload.luv = nil
      package.path, package.cpath = "", ""
      local client, message, err = devkit4ai.new { loop = "luv" }
      print(client, message, err.kind)
    ]]
    assert.is_truthy(out:find("needs luv, which .- does not find; on Debian and Ubuntu: apt%-get install lua%-luv; "
      .. "with LuaRocks: luv\tconfig"), out)
  end)

  it("nginx outside of nginx is refused", function()
    local out = run [[
      local client, message, err = devkit4ai.new { loop = "nginx" }
      print(client, message, err.kind)
    ]]
    assert.equal("nil\tdevkit4ai.new: loop: this program does not run in nginx\tconfig\n", out)
  end)
end)
