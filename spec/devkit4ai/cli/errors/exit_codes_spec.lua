-- The exit code of each kind of failure.
local exit_codes = require "devkit4ai.cli.errors.exit_codes"

describe("exit codes", function()
  it("are decided by the kind, the outcome and the operation", function()
    for _, row in ipairs {
      { 1, { kind = "server", outcome = "unknown", operation = "get_me" } },
      { 6, { kind = "server", outcome = "unknown", operation = "create_project" } },
      { 6, { kind = "timeout", outcome = "unknown", operation = "create_generation" } },
      { 7, { kind = "timeout", outcome = "unknown", operation = "get_generation_status" } },
      { 7, { kind = "timeout", outcome = "not_sent", operation = "login" } },
      { 9, { kind = "failed", outcome = "unknown", operation = "get_generation_status", generation_id = "x" } },
      { 8, { kind = "auth", outcome = "refused", operation = "get_picture", unfinished = true } },
      { 8, { kind = "cancelled", outcome = "unknown", unfinished = true } },
      { 6, { kind = "cancelled", outcome = "unknown", operation = "create_generation" } },
      { 6, { kind = "conflict", outcome = "unknown", operation = "create_generation" } },
      { 6, { kind = "protocol", outcome = "unknown", operation = "create_generation", status = 402 } },
      { 6, { kind = "auth", outcome = "unknown", operation = "create_generation" } },
      { 130, { kind = "cancelled", outcome = "not_sent", operation = "create_generation" } },
      { 130, { kind = "cancelled", outcome = "unknown", operation = "get_me" } },
      { 2, { kind = "too_large", outcome = "not_sent" } },
      { 4, { kind = "auth", outcome = "refused", operation = "get_me" } },
      { 4, { kind = "config", outcome = "not_sent", operation = "get_me", option = "access_token" } },
      { 2, { kind = "config", outcome = "not_sent", message = "base_url" } },
      { 4, { kind = "forbidden", outcome = "refused", operation = "get_me", detail = "Invalid or revoked API Key" } },
      { 1, { kind = "forbidden", outcome = "refused", operation = "get_me", detail = "Not a member: monkeys" } },
      { 7, { kind = "timeout", outcome = "unknown", operation = "login" } },
      { 2, { kind = "file", outcome = "not_sent", operation = "create_generation" } },
      { 5, { kind = "rate_limited", outcome = "refused", operation = "login" } },
      { 2, { kind = "invalid", outcome = "not_sent" } }, { 1, { kind = "invalid", outcome = "refused" } },
      { 1, { kind = "file", outcome = "not_sent" } }, { 1, nil },
    } do
      assert.equal(row[1], exit_codes.of(row[2]), row[2] and row[2].kind)
    end
  end)
end)
