-- math.random is not seeded on Lua 5.1 to 5.3 and LuaJIT: all processes paused for the same times and retried together.
local child = require "spec.support.process.child"
local core = require "devkit4ai.core"

describe("random numbers of the core", function()
  it("are at least 0 and below 1, and evenly distributed", function()
    local tenths = {}
    for _ = 1, 2000 do
      local n = core.random()
      assert.is_true(n >= 0 and n < 1)
      tenths[math.floor(n * 10)] = true
    end
    for i = 0, 9 do assert.is_true(tenths[i], i) end
  end)

  it("make the pauses of two processes differ", function()
    local program = [[
      local devkit4ai = require "devkit4ai"
      local client = assert(devkit4ai.new { base_url = "http://127.0.0.1:9", retry = { attempts = 2 },
        on_event = function(e) if e.type == "retry" then print(("%.9f"):format(e.pause)) end end })
      client:health()]]
    local first, second = child.run(program).out, child.run(program).out
    assert.is_truthy(first:find("^%d"), first)
    assert.are_not.equal(first, second)
  end)

  it("are the client's only random numbers", function()
    local list = assert(io.popen("grep -rl 'math\\.random' lua bin | grep -v '/sandbox/'"))
    local names = list:read("*a")
    list:close()
    assert.equal("", names)
  end)
end)
