-- The public names are those of a list, which is changed by hand: a name that leaves it breaks what docs/upgrading.md promises.
if _VERSION ~= "Lua 5.4" then return end -- the names are the same on each Lua

local child = require "spec.support.process.child"
local public_names = require "spec.support.docs.public_names"

local LIST = "spec/fixtures/public_names.txt"

-- The names of one list that are not in the other.
local function missing(names, others)
  local set, list = {}, {}
  for _, name in ipairs(others) do set[name] = true end
  for _, name in ipairs(names) do
    if not set[name] then list[#list + 1] = name end
  end
  return table.concat(list, "\n")
end

describe("the public names", function()
  local now, listed = public_names.list(), {}
  for line in child.read(LIST):gmatch "[^\n]+" do listed[#listed + 1] = line end

  it("still have every name of the list: a MAJOR version alone may remove one", function()
    assert.equal("", missing(listed, now))
  end)

  it("are all in the list: add these lines", function()
    assert.equal("", missing(now, listed))
  end)

  it("are of every kind", function()
    for _, name in ipairs {
      "devkit4ai.new([options])", "Generation.status", "gen:wait { interval }", "Options.base_url",
      "DEVKIT4AI_BASE_URL", "err.kind cancelled", "err.outcome unknown", "devkit4ai generate --out",
      "devkit4ai sandbox --step-time", "exit code 8", "sandbox:stop()",
      "Fault.operation", "devkit4ai_open (lua_State *L)",
    } do
      assert.equal("", missing({ name }, now))
    end
  end)
end)
