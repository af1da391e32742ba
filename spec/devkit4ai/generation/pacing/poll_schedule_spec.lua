-- The poll schedule of the guide.
local poll_schedule = require "devkit4ai.generation.pacing.poll_schedule"

describe("poll_schedule.pause", function()
  it("grows from 5 s by a factor of 1.5, up to 30 s", function()
    local pauses = {}
    for n = 1, 8 do pauses[n] = poll_schedule.pause(n) end
    assert.same({ 5, 7.5, 11.25, 16.875, 25.3125, 30, 30, 30 }, pauses)
  end)

  it("stays at 30 s after any number of polls", function()
    assert.equal(30, poll_schedule.pause(100000))
  end)

  it("leaves time for the slowest documented generation, 10 minutes", function()
    assert.is_true(require("devkit4ai.api.limits").MAX_GENERATION_TIME > 600)
  end)
end)

describe("poll_schedule.pause with a given first pause", function()
  it("grows from that pause, up to 30 s", function()
    assert.same({ 1, 1.5, 2.25 }, { poll_schedule.pause(1, 1), poll_schedule.pause(2, 1), poll_schedule.pause(3, 1) })
    assert.equal(30, poll_schedule.pause(2, 25))
  end)
end)

describe("poll_schedule.after_failure", function()
  it("continues after a failed poll", function()
    for _, kind in ipairs { "network", "timeout", "server", "rate_limited" } do
      assert.equal(5, poll_schedule.after_failure({ kind = kind }, 5))
    end
  end)

  it("continues after an unreadable 2xx, but not after a redirect", function()
    assert.equal(5, poll_schedule.after_failure({ kind = "protocol", status = 200 }, 5))
    assert.is_nil(poll_schedule.after_failure({ kind = "protocol", status = 302 }, 5))
  end)

  it("waits as long as the server says, if that is longer", function()
    assert.equal(60, poll_schedule.after_failure({ kind = "rate_limited", retry_after = 60 }, 5))
    assert.equal(7.5, poll_schedule.after_failure({ kind = "rate_limited", retry_after = 1 }, 7.5))
  end)

  it("ends after a final failure", function()
    for _, kind in ipairs { "auth", "forbidden", "not_found", "invalid", "protocol", "tls", "config", "cancelled" } do
      assert.is_nil(poll_schedule.after_failure({ kind = kind }, 1))
    end
  end)
end)
