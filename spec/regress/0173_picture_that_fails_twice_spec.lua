-- An image that can't be drawn fails for each waiting request, and is drawn again for the next one. The second request
-- waited forever.
if _VERSION ~= "Lua 5.4" or not pcall(require, "cqueues") then return end

local cqueues = require "cqueues"
local image_renderer = require "devkit4ai.sandbox.images.image_renderer"
local image_cache = require "devkit4ai.sandbox.images.image_cache"

describe("an image that can't be drawn", function()
  local draw, fails
  before_each(function()
    draw, fails = image_renderer.draw, true
    image_renderer.draw = function(_, yield_to_others) -- luacheck: ignore
      yield_to_others()
      return fails and error "on purpose" or "png"
    end
  end)
  after_each(function() image_renderer.draw = draw end) -- luacheck: ignore

  it("fails for all waiting requests, and is drawn again for the next one", function()
    local queue, cache, got = cqueues.new(), image_cache.new(), {}
    for i = 1, 3 do
      queue:wrap(function()
        got[i] = select(2, pcall(cache.get, cache, "a"))
      end)
    end
    for _ = 1, 100 do assert(queue:step(0)) end
    for i = 1, 3 do assert.truthy(got[i] and got[i]:find("on purpose", 1, true)) end
    fails = false
    queue:wrap(function() got[4] = cache:get "a" end)
    for _ = 1, 100 do assert(queue:step(0)) end
    assert.equal("png", got[4])
  end)
end)
