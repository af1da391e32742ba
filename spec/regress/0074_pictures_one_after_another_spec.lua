-- Images that are requested at the same time are drawn one after another: the first request is complete first. Drawn in parallel,
-- all were complete at the end.
if _VERSION ~= "Lua 5.4" or not pcall(require, "cqueues") then return end

local cqueues = require "cqueues"
local image_renderer = require "devkit4ai.sandbox.images.image_renderer"
local image_cache = require "devkit4ai.sandbox.images.image_cache"

describe("the sandbox's images", function()
  local log, draw
  before_each(function()
    log, draw = {}, image_renderer.draw
    image_renderer.draw = function(seed, yield_to_others) -- luacheck: ignore
      log[#log + 1] = "begins " .. seed
      for _ = 1, 3 do yield_to_others() end
      log[#log + 1] = "ends " .. seed
      if seed == "bad" then error "on purpose" end
      return "png of " .. seed
    end
  end)
  after_each(function() image_renderer.draw = draw end) -- luacheck: ignore

  -- Asks for pictures, each in a coroutine of its own, in this order.
  local function ask(seeds)
    local queue, cache, got = cqueues.new(), image_cache.new(), {}
    local asked = 0
    for i, seed in ipairs(seeds) do
      queue:wrap(function()
        while asked ~= i - 1 do cqueues.sleep(0) end
        asked = i
        got[i] = select(2, pcall(cache.get, cache, seed))
      end)
    end
    assert(queue:loop())
    return got
  end

  it("are drawn in the order of the requests, each once", function()
    assert.same({ "png of a", "png of b", "png of a", "png of c" }, ask { "a", "b", "a", "c" })
    assert.same({ "begins a", "ends a", "begins b", "ends b", "begins c", "ends c" }, log)
  end)

  it("are drawn after one that can't be drawn", function()
    local got = ask { "bad", "b" }
    assert.truthy(got[1]:find("on purpose", 1, true))
    assert.equal("png of b", got[2])
  end)
end)
