-- An image that can't be drawn fails for every request that waits for it, and is drawn again for the next one. The second
-- request waited forever.
if _VERSION ~= "Lua 5.4" or not pcall(require, "cqueues") then return end

local cqueues = require "cqueues"
local picture = require "devkit4ai.sandbox.picture"
local pictures = require "devkit4ai.sandbox.pictures"

describe("an image that can't be drawn", function()
  local draw, fails
  before_each(function()
    draw, fails = picture.draw, true
    picture.draw = function(_, breathe) -- luacheck: ignore
      breathe()
      return fails and error "on purpose" or "png"
    end
  end)
  after_each(function() picture.draw = draw end) -- luacheck: ignore

  it("fails for all waiting requests, and is drawn for the next one", function()
    local queue, kept, got = cqueues.new(), pictures.new(), {}
    for i = 1, 3 do
      queue:wrap(function()
        got[i] = select(2, pcall(kept.get, kept, "a"))
      end)
    end
    for _ = 1, 100 do assert(queue:step(0)) end
    for i = 1, 3 do assert.truthy(got[i] and got[i]:find("on purpose", 1, true)) end
    fails = false
    queue:wrap(function() got[4] = kept:get "a" end)
    for _ = 1, 100 do assert(queue:step(0)) end
    assert.equal("png", got[4])
  end)
end)
