-- The estimate of a batch.
local estimate = require "devkit4ai.batch.jobs.estimate"

describe("the estimate", function()
  it("counts the rounds of generations that run at the same time", function()
    assert.same({ to_send = 200, at_once = 3, seconds = 67 * 120 }, estimate.of(200, 3, 120))
    assert.same({ to_send = 1, at_once = 1, seconds = 120 }, estimate.of(1, 10, 120))
    assert.same({ to_send = 0, at_once = 1, seconds = 0 }, estimate.of(0, 10, 120))
  end)
end)
