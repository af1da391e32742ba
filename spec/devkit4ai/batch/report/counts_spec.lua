-- The counts of a batch, their rate and the time left, on a clock of the test.
local counts = require "devkit4ai.batch.report.counts"

local function new(total, now)
  return counts.new({ total = total, done = 0, failed = 0 }, now)
end

local function rate_at(c, now)
  c:update(now)
  return c.rate
end

describe("the counts of a batch", function()
  it("begin with what earlier runs did", function()
    local c = counts.new({ total = 9, done = 3, failed = 1 }, 0)
    c:add("done", 1)
    c:add("undecided", 1)
    assert.same({ 9, 4, 0, 1, 1, 3 }, { c.total, c.done, c.running, c.failed, c.undecided, c:left() })
  end)

  it("give the rate since the start, then of the last ten minutes", function()
    local c = new(1000, 1000)
    for i = 1, 60 do c:add("done", 1000 + i) end
    assert.equal(1, rate_at(c, 1060))
    assert.equal(940, c.seconds_left)
    assert.equal(0.5, rate_at(c, 1120))
    for i = 1, 60 do c:add("failed", 2000 + i) end
    local rate = rate_at(c, 2120)
    assert.is_true(rate >= 60 / 600 and rate <= 60 / 590, tostring(rate)) -- the first sixty are older
    assert.is_nil(rate_at(c, 9000))
    assert.is_nil(c.seconds_left)
  end)

  it("have a time left of 0 when no job is left, and none while no job ended", function()
    local c = new(1, 0)
    c:update(10)
    assert.is_nil(c.seconds_left)
    c:add("failed", 10)
    c:update(10)
    assert.equal(0, c.seconds_left)
    local none = new(0, 0)
    none:update(0)
    assert.equal(0, none.seconds_left)
  end)

  it("survive a clock that was set back", function()
    local c = new(10, 5000)
    c:add("done", 5010)
    c:add("done", 100)
    assert.is_nil(rate_at(c, 101)) -- before the start: there is no rate
    c:add("done", 5020)
    assert.equal(1 / 25, rate_at(c, 5025))
  end)

  it("forget what ended more than ten minutes ago", function()
    local c = new(100000, 0)
    for i = 1, 100000 do c:add("done", i) end
    c:update(100000)
    local slices = 0
    for _ in pairs(c._ended) do slices = slices + 1 end
    assert.is_true(slices <= 61)
  end)
end)
