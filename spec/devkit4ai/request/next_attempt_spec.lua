-- The time for a call: it counts from the start of the call, over all attempts.
local build = require "devkit4ai.request.build"
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local next_attempt = require "devkit4ai.request.retry.next_attempt"

describe("the time for a call", function()
  local client
  before_each(function()
    client = assert(devkit4ai.new { base_url = "http://127.0.0.1:1", access_token = "t", timeout = { total = 100 } })
  end)
  after_each(function() client:close() end)

  -- A call that began so many seconds ago.
  local function call_since(seconds, options)
    local call = assert(build.call(client, "get_me", nil, options))
    assert.is_true(call.started <= core.now())
    call.started = call.started - seconds
    return call
  end

  local function is_about(wanted, seconds)
    assert.is_true(seconds <= wanted and seconds > wanted - 5, seconds)
  end

  it("counts from its start, with the client's limit and with its own", function()
    is_about(60, next_attempt.time_left(call_since(40)))
    is_about(20, next_attempt.time_left(call_since(40, { total = 60 })))
  end)

  it("has no end for a call without a total limit", function()
    local call = call_since(1000)
    call.plan = { name = "get_me", row = call.plan.row, request = {} }
    assert.equal(math.huge, next_attempt.time_left(call))
  end)

  it("limits the next attempt to the rest", function()
    local call = call_since(40)
    assert.is_nil(next_attempt.limit_time(call, "not_sent"))
    is_about(60, call.request.total)
    assert.equal("GET", call.request.method)
  end)

  it("fails the call when it is over, and says what to do", function()
    local failure = next_attempt.limit_time(call_since(100), "unknown")
    assert.same({ "timeout", "unknown", "get_me" },
      { failure.err.kind, failure.err.outcome, failure.err.operation })
    assert.equal("client:me: timed out after 100 s; pass a larger `timeout`", failure.err.message)
  end)
end)
