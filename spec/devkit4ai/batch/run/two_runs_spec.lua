-- Two processes, each with a batch of one account: together they keep to its limit. One Lua shows it.
if _VERSION ~= "Lua 5.4" then return end

local child = require "spec.support.process.child"
local cjson = require "cjson"
local sandbox_module = require "devkit4ai.sandbox"

local PROGRAM = child.read "spec/support/programs/batch_run.lua"
local IMAGE = "examples/images/neon.png"
local JOBS = 15 -- of each

describe("two batches of an account on one machine", function()
  it("learn one limit together, and pay for each job once", function()
    local folder = child.folder()
    local sandbox = assert(sandbox_module.start { generation_limit = 4, step_time = 0.1 })
    finally(function()
      sandbox:stop()
      child.remove(folder)
    end)
    local developer = assert(sandbox:developer { email = "a@example.com", password = "SecurePass123" })
    local ended = {}
    for i = 1, 2 do
      local out = folder .. "/" .. i
      assert(os.execute("mkdir " .. out))
      ended[i] = child.start(PROGRAM, {
        args = { cjson.encode { client = developer, jobs = JOBS, image = IMAGE, out = out, clock = 0 } },
        env = { XDG_CACHE_HOME = folder .. "/cache" },
      })
    end
    for i = 1, 2 do
      local result = ended[i]()
      assert.equal(0, result.code, result.err)
      assert.equal(JOBS, cjson.decode(result.out).done)
    end
    assert.equal(2 * JOBS, #assert(sandbox:generations()))
    local refused = 0
    for _, request in ipairs(sandbox:requests()) do
      if request.operation == "create_generation" and request.status == 429 then refused = refused + 1 end
    end
    assert.is_true(refused <= 8, refused)
    assert.same({}, child.list(folder .. "/cache/devkit4ai"))
  end)
end)
