-- The counts of a batch, their rate and the time left, on a clock of the test.
local counts = require "devkit4ai.batch.report.counts"

-- The counts as a text.
local function text(c)
  return ("%d of %d, %d running, %d failed, %d undecided, %d paid"):format(c.done, c.total, c.running, c.failed,
    c.undecided, c.paid)
end

describe("the counts of a batch", function()
  it("follow a job from step to step, and count it once", function()
    local c = counts.new(3, 0)
    for _, step in ipairs {
      { "planned", "0 of 3, 0 running, 0 failed, 0 undecided, 0 paid" },
      { "sending", "0 of 3, 1 running, 0 failed, 0 undecided, 0 paid" },
      { "accepted", "0 of 3, 1 running, 0 failed, 0 undecided, 1 paid" },
      { "completed", "0 of 3, 1 running, 0 failed, 0 undecided, 1 paid" },
      { "saved", "1 of 3, 0 running, 0 failed, 0 undecided, 1 paid" },
      { "saved", "1 of 3, 0 running, 0 failed, 0 undecided, 1 paid" },
    } do
      c:note({ type = step[1], job = "a.png" }, 1)
      assert.equal(step[2], text(c))
    end
  end)

  it("count a refused job as waiting, and one that was found later as done", function()
    local c = counts.new(2, 0)
    c:note({ type = "sending", job = "a" }, 1)
    c:note({ type = "refused", job = "a" }, 2)
    assert.equal("0 of 2, 0 running, 0 failed, 0 undecided, 0 paid", text(c))
    c:note({ type = "undecided", job = "b" }, 3)
    assert.equal("0 of 2, 0 running, 0 failed, 1 undecided, 0 paid", text(c))
    c:note({ type = "accepted", job = "b" }, 4)
    c:note({ type = "saved", job = "b" }, 5)
    assert.equal("1 of 2, 0 running, 0 failed, 0 undecided, 1 paid", text(c))
    c:note({ type = "paused" }, 6)
    c:note({ type = "stopped" }, 7)
    assert.equal("1 of 2, 0 running, 0 failed, 0 undecided, 1 paid", text(c))
  end)

  it("begin with what earlier runs did", function()
    local c = counts.new(5, 0)
    c:restore("a", "saved", 1)
    c:restore("b", "failed", 2)
    c:restore("c", "undecided", 0)
    c:restore("d", "accepted", 1)
    c:restore("e", nil)
    assert.equal("1 of 5, 0 running, 1 failed, 1 undecided, 4 paid", text(c))
    assert.is_nil(c:rate(100))
    assert.is_nil(c:time_left(100))
  end)

  it("give the rate since the start, then of the last ten minutes", function()
    local c = counts.new(1000, 1000)
    for i = 1, 60 do c:note({ type = "saved", job = "job" .. i }, 1000 + i) end
    assert.equal(1, c:rate(1060))
    assert.equal(940, c:time_left(1060))
    assert.equal(0.5, c:rate(1120))
    for i = 61, 120 do c:note({ type = "failed", job = "job" .. i }, 2000 + i) end
    local rate = c:rate(2120)
    assert.is_true(rate > 59 / 600 and rate <= 60 / 590, tostring(rate)) -- the first sixty are older than ten minutes
    assert.is_nil(c:rate(9000))
  end)

  it("have a time left of 0 when no job is left, and none while no job ended", function()
    local c = counts.new(1, 0)
    assert.is_nil(c:time_left(10))
    c:note({ type = "failed", job = "a" }, 10)
    assert.equal(0, c:time_left(10))
    assert.equal(0, counts.new(0, 0):time_left(0))
  end)

  it("survive a clock that was set back", function()
    local c = counts.new(10, 5000)
    c:note({ type = "saved", job = "a" }, 5010)
    c:note({ type = "saved", job = "b" }, 100)
    assert.is_nil(c:rate(101)) -- before the start: there is no rate to give
    c:note({ type = "saved", job = "c" }, 5020)
    assert.equal(1 / 25, c:rate(5025))
  end)

  it("forget what ended more than ten minutes ago", function()
    local c = counts.new(100000, 0)
    for i = 1, 100000 do c:note({ type = "saved", job = "same" }, i) end
    assert.is_number(c:rate(100000))
    local slices = 0
    for _ in pairs(c._ended) do slices = slices + 1 end
    assert.is_true(slices <= 61)
  end)
end)
