-- What a failure is: kinds, outcomes and the three results.
local errors = require "devkit4ai.errors"

describe("errors.of_status", function()
  -- CONTRACT 7: a complete 400, 401, 403, 404, 405, 409, 411, 413, 415, 422, 429 was refused; all else is unknown.
  local ROWS = {
    { 400, "invalid", "refused" }, { 401, "auth", "refused" }, { 403, "forbidden", "refused" },
    { 404, "not_found", "refused" }, { 405, "protocol", "refused" }, { 408, "timeout", "unknown" },
    { 409, "conflict", "refused" }, { 411, "protocol", "refused" }, { 413, "too_large", "refused" },
    { 415, "invalid", "refused" }, { 422, "invalid", "refused" }, { 429, "rate_limited", "refused" },
    { 402, "protocol", "unknown" }, { 418, "protocol", "unknown" }, { 499, "protocol", "unknown" },
    { 300, "protocol", "unknown" }, { 302, "protocol", "unknown" }, { 307, "protocol", "unknown" },
    { 500, "server", "unknown" }, { 502, "server", "unknown" }, { 503, "server", "unknown" },
    { 504, "server", "unknown" }, { 599, "server", "unknown" }, { 600, "protocol", "unknown" },
  }

  for _, row in ipairs(ROWS) do
    it(("makes %s, %s of %d, and has advice"):format(row[2], row[3], row[1]), function()
      local kind, outcome, advice = errors.of_status(row[1])
      assert.same({ row[2], row[3] }, { kind, outcome })
      assert.is_string(advice)
    end)
  end
end)

describe("errors.of_core", function()
  it("knows every status of the core but success and lack of memory, which is raised", function()
    local header = assert(io.open("src/core/status.h")):read("*a")
    local count = 0
    for name in header:gmatch('X%(DK_%u[%u_]*, "([%l_]+)"%)') do
      count = count + 1
      if name ~= "ok" and name ~= "memory" then assert.is_string((errors.of_core(name)), name) end
    end
    assert.is_true(count > 10)
  end)
end)

describe("errors.give", function()
  it("gives nil, a string and a table whose words are that string", function()
    local value, message, err = errors.give { kind = "network", outcome = "not_sent", message = "no road" }
    assert.is_nil(value)
    assert.equal("no road", message)
    assert.equal("no road", tostring(err))
    assert.equal("because: no road", "because: " .. err)
    assert.equal("no road, alas", err .. ", alas")
  end)

  local ROWS = { -- kind, outcome, a repeat can do no harm -> retryable
    { "network", "not_sent", false, true }, { "network", "unknown", false, false },
    { "network", "unknown", true, true },
    { "timeout", "unknown", false, false }, { "timeout", "unknown", true, true }, { "timeout", "refused", false, true },
    { "rate_limited", "refused", false, true }, { "server", "unknown", false, false },
    { "server", "unknown", true, true },
    { "auth", "refused", true, false }, { "invalid", "refused", true, false }, { "tls", "not_sent", true, false },
    { "file", "not_sent", true, false }, { "cancelled", "not_sent", true, false },
    { "failed", "unknown", false, false },
  }
  for _, row in ipairs(ROWS) do
    it(("calls %s, %s, %s %s"):format(row[1], row[2], row[3] and "safe" or "not safe",
      row[4] and "retryable" or "not retryable"), function()
      local _, _, err = errors.give { kind = row[1], outcome = row[2], safe = row[3], message = "" }
      assert.equal(row[4], err.retryable)
    end)
  end
end)

describe("errors.refuse", function()
  it("says that nothing was sent", function()
    local _, message, err = errors.refuse("invalid", "too long", "create_generation")
    assert.equal("too long", message)
    assert.same({ "invalid", "not_sent", "create_generation", false, 0 },
      { err.kind, err.outcome, err.operation, err.retryable, err.attempts })
  end)
end)
