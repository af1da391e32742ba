-- A machine whose clock is before 1980 or after 2038: the whole workflow works, since waits use the monotonic clock, and tokens
-- are judged by the server's clock. os.time of LuaJIT is another one, so it runs there, too.
if _VERSION ~= "Lua 5.4" and not rawget(_G, "jit") then return end

local child = require "spec.support.process.child"
local sandbox = require "devkit4ai.sandbox"

local WORKFLOW = [[
  local base_url, developer_key, folder, wanted = ...
  assert(math.abs(os.time() - tonumber(wanted)) < 1000, "the clock is not changed")
  local devkit4ai = require "devkit4ai"
  local function client()
    return assert(devkit4ai.new { base_url = base_url, developer_key = developer_key,
      store = require("devkit4ai.store.file").new(folder .. "/store") })
  end
  local one = client()
  assert(one:login("dev@example.com", "SecurePass123"))
  local project = assert(one:new_project { name = "clock" })
  assert(project:new_key "clock")
  local gen = assert(project:generate { images = { "examples/images/neon.png" }, prompt = "a city" })
  assert(gen:wait())
  assert(gen:save(folder .. "/a.png"))
  print(assert(client():me()).email)
]]

describe("a clock", function()
  local box, options, folder
  setup(function()
    box = assert(sandbox.start { step_time = 0.01 })
    options = assert(box:developer { email = "dev@example.com", password = "SecurePass123" })
  end)
  teardown(function() box:stop() end)
  before_each(function() folder = child.folder() end)
  after_each(function() child.remove(folder) end)

  for name, at in pairs { ["at 1970"] = "1", ["before 1980"] = "315532000", ["after 2038"] = "2147483700" } do
    it(name .. " stops nothing: login, generation, image, stored session", function()
      local ended = child.run(WORKFLOW, { preload = "other_clock", env = { OTHER_CLOCK = at },
        args = { box.url, options.developer_key, folder, at } })
      assert.same({ 0, "dev@example.com\n" }, { ended.code, ended.out }, ended.err)
    end)
  end
end)
