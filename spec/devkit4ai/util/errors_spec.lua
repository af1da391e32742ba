-- Errors: kind, outcome, advice and the three results of a failed call.
local failures = require "devkit4ai.request.failures"
local errors = require "devkit4ai.util.errors"
local statuses = require "devkit4ai.util.errors.statuses"

describe("statuses.classify_status", function()
  -- wire.md 7: a complete 400, 401, 403, 404, 405, 409, 411, 413, 415, 422, 429 is refused; any other status is unknown.
  local ROWS = {
    { 400, "invalid", "refused" }, { 401, "auth", "refused" }, { 403, "forbidden", "refused" },
    { 404, "not_found", "refused" }, { 405, "protocol", "refused" }, { 408, "timeout", "unknown" },
    { 409, "conflict", "refused" }, { 411, "protocol", "refused" }, { 413, "too_large", "refused" },
    { 415, "invalid", "refused" }, { 422, "invalid", "refused" }, { 429, "rate_limited", "refused" },
    { 402, "protocol", "unknown" }, { 410, "protocol", "unknown" }, { 423, "protocol", "unknown" },
    { 431, "protocol", "unknown" }, { 451, "protocol", "unknown" },
    { 418, "protocol", "unknown" }, { 499, "protocol", "unknown" },
    { 300, "protocol", "unknown" }, { 302, "protocol", "unknown" }, { 307, "protocol", "unknown" },
    { 500, "server", "unknown" }, { 502, "server", "unknown" }, { 503, "server", "unknown" },
    { 504, "server", "unknown" }, { 599, "server", "unknown" }, { 600, "protocol", "unknown" },
  }

  for _, row in ipairs(ROWS) do
    it(("returns kind %s and outcome %s for status %d, and has advice"):format(row[2], row[3], row[1]), function()
      local kind, outcome, advice = statuses.classify_status(row[1])
      assert.same({ row[2], row[3] }, { kind, outcome })
      assert.is_string(advice)
      local is_ours = row[1] >= 400 and row[1] <= 499 and row[1] ~= 405 and row[1] ~= 411
      if is_ours then assert.is_falsy(advice:find("base_url", 1, true)) end -- a server other than the API may have answered
    end)
  end
end)

describe("docs/errors.md", function()
  it("lists the statuses as tools/retries-table writes them", function()
    local text = assert(io.open("docs/errors.md", "rb")):read("*a")
    local table_of = require("spec.support.docs.status_table").markdown()
    local wanted = "<!-- table -->\n\n" .. table_of .. "\n<!-- /table -->"
    assert.is_truthy(text:find(wanted, 1, true), "run tools/retries-table")
  end)
end)

describe("a call that creates a generation", function()
  -- As the documents describe 409.
  it("has an unknown outcome after a 409, unlike any other call", function()
    local doubtful = {}
    for name, row in pairs(require("devkit4ai.api.operations").all()) do
      if row.unknown_statuses then doubtful[name] = row.unknown_statuses end
    end
    local conflict = { [409] = true }
    assert.same({ create_generation = conflict, create_anonymous_generation = conflict }, doubtful)
  end)
end)

describe("statuses.classify_core_status", function()
  it("knows every failure status of the core", function()
    local header = assert(io.open("src/core/base/status.h")):read("*a")
    local count = 0
    for name in header:gmatch('X%(DK_%u[%u_]*, "([%l_]+)"%)') do
      count = count + 1
      if name ~= "ok" then assert.is_string((statuses.classify_core_status(name)), name) end
    end
    assert.is_true(count > 10)
  end)
end)

describe("errors.fail", function()
  it("returns nil, a message and an error with the same message", function()
    local value, message, err = errors.fail { kind = "network", outcome = "not_sent", message = "no route" }
    assert.is_nil(value)
    assert.equal("no route", message)
    assert.equal("no route", tostring(err))
    assert.equal("because: no route", "because: " .. err)
    assert.equal("no route, again", err .. ", again")
  end)

  -- outcome, transient, a repeat does no harm -> retryable
  for _, row in ipairs {
    { "not_sent", true, false, true }, { "not_sent", true, true, true }, { "not_sent", false, true, false },
    { "refused", true, false, true }, { "refused", true, true, true }, { "refused", false, true, false },
    { "unknown", true, true, true }, { "unknown", true, false, false }, { "unknown", false, true, false },
    { "unknown", nil, nil, false }, { "not_sent", nil, true, false },
  } do
    it(("returns an error (%s, %s, %s) that is %s"):format(row[1], row[2] and "transient" or "not transient",
      row[3] and "harmless" or "not harmless", row[4] and "retryable" or "not retryable"), function()
      local _, _, err = errors.fail {
        kind = "x", outcome = row[1], transient = row[2], harmless = row[3], message = "",
      }
      assert.equal(row[4], err.retryable)
      assert.is_nil(rawget(err, "transient"))
      assert.is_nil(rawget(err, "harmless"))
    end)
  end
end)

-- Transient failures: wire.md 7 repeats them if that does no harm.
describe("a transient failure", function()
  local function is_transient(transient) return transient == true end

  it("is known by its HTTP status", function()
    for _, status in ipairs { 408, 429, 500, 502, 503, 504, 599, 300, 302, 307 } do
      assert.is_true(is_transient(select(4, statuses.classify_status(status))), status)
    end
    for _, status in ipairs { 400, 401, 402, 403, 404, 405, 409, 411, 413, 415, 418, 422, 600 } do
      assert.is_false(is_transient(select(4, statuses.classify_status(status))), status)
    end
  end)

  it("is known by its core status", function()
    for _, name in ipairs { "lookup", "connect", "handshake", "cut", "timeout", "protocol", "resources" } do
      assert.is_true(is_transient(select(3, statuses.classify_core_status(name))), name)
    end
    for _, name in ipairs { "url", "value", "empty_slot", "forked", "file", "file_exists", "no_image", "too_large",
      "over_cap", "private_address", "tls", "cancelled" } do
      assert.is_false(is_transient(select(3, statuses.classify_core_status(name))), name)
    end
  end)
end)

describe("a request that can't be sent", function()
  it("counts as a try if a later one may succeed, so that retries end", function()
    local failure = failures.not_sent("resources", "no more files")
    assert.same({ "network", "not_sent", true, false },
      { failure.kind, failure.outcome, failure.transient, failure.untried })
    failure = failures.not_sent("value", "a line feed")
    assert.same({ "config", "not_sent", true }, { failure.kind, failure.outcome, failure.untried })
  end)
end)

describe("errors.from_refresh", function()
  it("returns a failed refresh as the failure of the call, and does not change the errors of other calls", function()
    local _, _, err = errors.fail { kind = "server", outcome = "unknown", message = "oops", operation = "refresh_token",
      attempts = 2 }
    local value, message, own = errors.from_refresh(err, "not_sent")
    assert.is_nil(value)
    assert.same({ "oops", "oops", "server", "not_sent", true, "refresh_token", 2 }, { message, tostring(own), own.kind,
      own.outcome, own.retryable, own.operation, own.attempts })
    assert.same({ "unknown", false }, { err.outcome, err.retryable })
    _, _, err = errors.fail { kind = "auth", outcome = "refused", message = "over" }
    assert.is_false(select(3, errors.from_refresh(err, "refused")).retryable)
  end)
end)

describe("errors.refuse", function()
  it("says that nothing was sent", function()
    local _, message, err = errors.refuse("invalid", "too long", "create_generation")
    assert.equal("too long", message)
    assert.same({ "invalid", "not_sent", "create_generation", false, 0 },
      { err.kind, err.outcome, err.operation, err.retryable, err.attempts })
  end)
end)
