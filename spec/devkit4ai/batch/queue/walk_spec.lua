-- A short random walk of a queue; `make queue-walk` has long ones.
local walk = require "spec.support.programs.queue_walk"

describe("a random walk of a queue", function()
  it("pays for no job twice, and loses none, while workers and Redis are killed", function()
    local result = walk.run(10, 2, 3)
    assert.same({}, result.twice)
    assert.same({}, result.lost)
    assert.equal(10, result.saved + result.dead)
  end)
end)
