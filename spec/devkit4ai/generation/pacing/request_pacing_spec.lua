-- The request pace that the waits of one account share, with a simulated clock: four requests start together and no more, the
-- server's signals slow all of them, and they recover.
local request_pacing = require "devkit4ai.generation.pacing.request_pacing"

-- Runs `count` waits until each is done, as gen:wait does: a reserved time, a response, a pause. answer(now, i, n) returns the
-- signal of the nth request of all. Returns the times of the requests, and the time at which the last wait ended.
local function simulate(count, answer, done_after)
  local shared, events, polls, ended = request_pacing.new(), {}, {}, 0
  for i = 1, count do events[i] = { at = 0, wait = i, asked = false, polls = 0 } end
  while events[1] do
    local soonest = 1
    for i = 2, #events do
      if events[i].at < events[soonest].at then soonest = i end
    end
    local event = events[soonest]
    local now = event.at
    if not event.reserved or now < shared.blocked_until then
      event.at, event.reserved = request_pacing.reserve(shared, now), true
    else
      polls[#polls + 1], event.polls, event.reserved = now, event.polls + 1, false
      local signal = answer(now, event.wait, #polls)
      request_pacing.adjust(shared, now, signal)
      if event.polls >= done_after and not signal.retry_after then
        events[soonest] = events[#events]
        events[#events] = nil
        ended = math.max(ended, now)
      else
        event.at = now + 5
      end
    end
  end
  return polls, ended
end

-- The largest number of requests in any window of this length.
local function most_in(polls, seconds)
  local most, from = 0, 1
  for i, at in ipairs(polls) do
    while polls[from] <= at - seconds do from = from + 1 end
    most = math.max(most, i - from + 1)
  end
  return most
end

local function nothing() return {} end

describe("the request pace", function()
  it("does not delay a single wait", function()
    local shared = request_pacing.new()
    assert.equal(100, request_pacing.reserve(shared, 100))
    assert.equal(105, request_pacing.reserve(shared, 105))
  end)

  it("lets four requests that come at the same time start at once, and four at each later moment", function()
    for _, now in ipairs { 10, 10.03, 10.079 } do
      local shared, starts = request_pacing.new(), {}
      for i = 1, 40 do starts[i] = request_pacing.reserve(shared, now) end
      assert.equal(now, starts[4])
      assert.is_true(most_in(starts, 1 / 1000) <= 4)
      for i = 5, 40 do
        local early = now + (i - 4) / 50 - starts[i] -- than 50 a second, after the first four
        assert.is_true(starts[i] >= starts[i - 1] and early < 1e-9 and early > -0.081, ("%d: %g"):format(i, early))
      end
    end
  end)

  it("lets long pauses end together, at most 0.08 s later, and short ones when they are over", function()
    local ends, different = {}, 0
    for i = 1, 100 do
      local now = 10 + i / 100
      local at = request_pacing.end_of_pause(now, 5)
      assert.is_true(at > now + 5 - 1e-9 and at < now + 5.08 + 1e-9)
      if not ends[at] then ends[at], different = true, different + 1 end
    end
    assert.is_true(different <= 14, different .. " different ends of 100 pauses")
    assert.equal(10.51, request_pacing.end_of_pause(10.01, 0.5))
  end)

  it("spreads the requests of 1,000 waits, which still end soon", function()
    local polls, ended = simulate(1000, nothing, 3)
    assert.equal(3000, #polls)
    assert.is_true(most_in(polls, 1) <= 52, "a burst of " .. most_in(polls, 1))
    assert.is_true(most_in(polls, 1 / 1000) <= 4, "a burst of " .. most_in(polls, 1 / 1000))
    assert.is_true(ended < 90, "took " .. ended)
  end)

  it("lets 1,000 waits end at a server that accepts 10 requests a second", function()
    local window, taken, refused = 0, 0, 0
    local polls, ended = simulate(1000, function(now)
      if math.floor(now) > window then window, taken = math.floor(now), 0 end
      taken = taken + 1
      if taken <= 10 then return {} end
      refused = refused + 1
      return { retry_after = 1 }
    end, 1)
    assert.is_true(#polls < 1500, #polls .. " polls")
    assert.is_true(refused < 250, refused .. " refused")
    assert.is_true(ended < 600, "took " .. ended)
  end)

  it("stops all requests for the time that a 429 names", function()
    local shared = request_pacing.new()
    request_pacing.reserve(shared, 0)
    request_pacing.adjust(shared, 1, { retry_after = 30 })
    assert.equal(31, request_pacing.reserve(shared, 1))
    assert.is_true(request_pacing.reserve(shared, 2) > 31)
    request_pacing.adjust(shared, 2, { retry_after = 3 }) -- a shorter time takes nothing back
    assert.is_true(request_pacing.reserve(shared, 3) > 31)
  end)

  it("slows with each 429, up to 10 s between two requests", function()
    local shared, gap = request_pacing.new(), 0
    for i = 1, 4 do
      request_pacing.adjust(shared, i, { retry_after = 1 })
      assert.is_true(shared.gap > gap)
      gap = shared.gap
    end
    for i = 5, 50 do request_pacing.adjust(shared, i, { retry_after = 1 }) end
    assert.equal(10, shared.gap)
  end)

  it("slows early if less than a tenth of the limit is left, so that the rest lasts", function()
    local shared = request_pacing.new()
    request_pacing.adjust(shared, 0, { limit = 1000, remaining = 100, reset = 60 })
    local quick = shared.gap
    request_pacing.adjust(shared, 0, { limit = 1000, remaining = 99, reset = 60 })
    assert.is_true(shared.gap > quick)
    request_pacing.adjust(shared, 0, { limit = 1000, remaining = 12, reset = 60 })
    assert.equal(5, shared.gap)
    request_pacing.adjust(shared, 0, { limit = 1000, remaining = 0, reset = 3600 })
    assert.equal(10, shared.gap)
  end)

  it("stays within a limit of 100 requests a minute, if no other program uses it", function()
    local refused, counts = 0, {}
    simulate(200, function(now)
      local window = math.floor(now / 60)
      counts[window] = (counts[window] or 0) + 1
      if counts[window] > 100 then
        refused = refused + 1
        return { retry_after = (window + 1) * 60 - now }
      end
      return { limit = 100, remaining = 100 - counts[window], reset = (window + 1) * 60 - now }
    end, 2)
    assert.is_true(refused <= 4, refused .. " refused")
  end)

  it("recovers after successful responses", function()
    local shared = request_pacing.new()
    local begin = shared.gap
    for i = 1, 20 do request_pacing.adjust(shared, i, { retry_after = 1 }) end
    for i = 1, 40 do request_pacing.adjust(shared, 100 + i, {}) end
    assert.equal(begin, shared.gap)
    assert.equal(1000, request_pacing.reserve(shared, 1000))
  end)

  it("ignores incomplete limits", function()
    local shared = request_pacing.new()
    local begin = shared.gap
    for _, signal in ipairs { { limit = 0, remaining = 0, reset = 10 }, { limit = 10 }, { remaining = 0, reset = 5 },
      { limit = 10, remaining = 0 }, { limit = 10, remaining = 0, reset = 0 },
      { limit = 10, remaining = 0, reset = -5 },
      { limit = 10, remaining = 10, reset = 60 } } do
      request_pacing.adjust(shared, 0, signal)
      assert.equal(begin, shared.gap)
    end
  end)
end)
