-- Which failures are retried, and after which pause: wire.md 7, 4.2 and the budget, without a clock and a network.
local limits = require "devkit4ai.api.limits"
local retry = require "devkit4ai.request.retry"

local function never() return 0 end
local function always() return 1 end

local function failure_of(fields)
  local failure = { kind = "network", outcome = "not_sent", attempts = 1, transient = true }
  for name, value in pairs(fields or {}) do failure[name] = value end
  return failure
end

local function clock_of(fields)
  local clock = { left = math.huge, tries = 3, max_wait = 60, budget = limits.RETRY_BUDGET }
  for name, value in pairs(fields or {}) do clock[name] = value end
  return clock
end

local function decide(class, failure, clock, chance)
  return retry.decide({ retry_class = class }, failure_of(failure), clock_of(clock), chance or never)
end

-- The cases, and their failures' fields.
local HAPPENED = {
  ["was not sent"] = {},
  ["got a 429"] = { kind = "rate_limited", outcome = "refused", retry_after = 5 },
  ["has an unknown outcome"] = { kind = "server", outcome = "unknown" },
  ["was too slow"] = { kind = "timeout", outcome = "unknown" },
  ["was refused"] = { kind = "invalid", outcome = "refused", transient = false },
  ["can't be sent at all"] = { kind = "config", transient = false },
}

-- wire.md 7, by class: whether a call is retried in a case.
local REPEATED = {
  safe = { ["was not sent"] = true, ["got a 429"] = true, ["has an unknown outcome"] = true,
    ["was too slow"] = true },
  if_not_sent = { ["was not sent"] = true },
  one_retry = { ["was not sent"] = true, ["got a 429"] = true, ["has an unknown outcome"] = true,
    ["was too slow"] = true },
  never = { ["was not sent"] = true, ["got a 429"] = true },
}
REPEATED.idempotent, REPEATED.delete = REPEATED.safe, REPEATED.safe

describe("retry.decide", function()
  for class, after in pairs(REPEATED) do
    for what, fields in pairs(HAPPENED) do
      it(("%s a call of the class %s that %s"):format(after[what] and "retries" or "ends", class, what), function()
        local pause, reason = decide(class, fields)
        assert.equal(after[what] == true, pause ~= nil)
        assert.is_string(reason)
      end)
    end
  end

  it("knows the class of every operation", function()
    for name, row in pairs(require("devkit4ai.api.operations").all()) do
      assert.is_truthy(REPEATED[row.retry_class], name .. " has the class " .. tostring(row.retry_class))
      assert.is_nil((retry.decide(row, failure_of { transient = false }, clock_of(), never)))
    end
  end)

  it("stops after the allowed attempts, and a refresh after two", function()
    for class, most in pairs { safe = 5, idempotent = 5, delete = 5, if_not_sent = 5, never = 5, one_retry = 2 } do
      local attempts = 1
      while decide(class, { attempts = attempts }, { tries = 5 }) do attempts = attempts + 1 end
      assert.equal(most, attempts, class)
      assert.is_nil((decide(class, {}, { tries = 1 })), class)
    end
  end)

  it("has a random pause up to a limit that doubles from 0.5 s to 8 s", function()
    for attempts, most in ipairs { 0.5, 1, 2, 4, 8, 8, 8 } do
      assert.equal(most, (decide("safe", { attempts = attempts }, { tries = 9 }, always)))
      assert.equal(0, (decide("safe", { attempts = attempts }, { tries = 9 }, never)))
      assert.equal(most / 4, (decide("safe", { attempts = attempts }, { tries = 9 }, function() return 0.25 end)))
    end
  end)

  it("waits as long as the server said and a random time more, so that clients do not retry together", function()
    for _, kind in ipairs { "rate_limited", "server" } do
      assert.equal(7, (decide("safe", { kind = kind, retry_after = 7 }, nil, never)))
      assert.equal(7.5, (decide("safe", { kind = kind, retry_after = 7 }, nil, always)))
    end
  end)

  it("leaves a wait beyond max_wait to the caller", function()
    assert.is_number((decide("safe", { retry_after = 60 }, { max_wait = 60 })))
    assert.is_nil((decide("safe", { retry_after = 60.1 }, { max_wait = 60 })))
    assert.is_nil((decide("safe", { retry_after = 0.1 }, { max_wait = 0 })))
    assert.is_number((decide("safe", {}, { max_wait = 0 }))) -- no time was named: the pause is our own
  end)

  it("never waits past the caller's deadline", function()
    assert.is_number((decide("safe", {}, { left = 0.52 }, always)))
    assert.is_nil((decide("safe", {}, { left = 0.505 }, always)))
    assert.is_nil((decide("safe", { kind = "timeout", outcome = "unknown" }, { left = 0.002 }, never))) -- a clock's haste
    assert.is_nil((decide("safe", {}, { left = 0.5 }, always)))
    assert.is_nil((decide("safe", { retry_after = 5 }, { left = 5 }, never)))
    assert.is_nil((decide("safe", {}, { left = 0 }, never)))
  end)

  it("takes each retry from the budget, a timeout twice, and stops when too little is left", function()
    local plain, slow = failure_of(), failure_of { kind = "timeout" }
    assert.equal(2 * retry.cost(plain), retry.cost(slow))
    assert.is_number((decide("safe", plain, { budget = retry.cost(plain) })))
    assert.is_nil((decide("safe", plain, { budget = retry.cost(plain) - 1 })))
    assert.is_nil((decide("safe", slow, { budget = retry.cost(slow) - 1 })))
    assert.equal(100, limits.RETRY_BUDGET / retry.cost(plain))
  end)

  it("does not change its arguments", function()
    local row, failure, clock = { retry_class = "safe" }, failure_of { retry_after = 1 }, clock_of()
    retry.decide(row, failure, clock, always)
    assert.same({ { retry_class = "safe" }, failure_of { retry_after = 1 }, clock_of() }, { row, failure, clock })
  end)
end)

describe("retry.is_harmless", function()
  it("is true for idempotent classes", function()
    for class, harmless in pairs { safe = true, idempotent = true, delete = true, if_not_sent = false,
      one_retry = false,
      never = false } do
      assert.equal(harmless, retry.is_harmless(class), class)
    end
  end)
end)
