-- A short random walk of a batch; tools/batch-walk has the long ones.
local child = require "spec.support.process.child"

if not child.runs_sandbox or not pcall(require, "luasql.sqlite3") then return end

local walk = require "spec.support.programs.batch_walk"

describe("a batch whose process and server are killed again and again, while the network fails", function()
  it("pays for each job once, and has one file for it, or lists it as undecided", function()
    local result = walk.run { seed = 102, jobs = 25, life = 1, rounds = 10 }
    assert.same({}, result.wrong)
    assert.equal(25, result.saved + result.failed + result.undecided)
    assert.is_true(result.kills > 0 and result.restarts > 1)
  end)
end)
