-- Expected results of each operation under each failure, by wire.md 7 and not by the code of the client. failures_spec.lua
-- compares the client with it; tools/retries-table writes it into docs/retries.md.
local unpack = table.unpack or unpack -- luacheck: ignore 113

local M = {}

-- The classes of wire.md 7: how often a call is sent in total after a failure of each case. Default: once.
M.CLASSES = {
  { name = "reads", title = "reads", not_sent = 3, limited = 3, ambiguous = 3 },
  { name = "same", title = "changes that are safe to repeat", not_sent = 3, limited = 3, ambiguous = 3 },
  { name = "delete", title = "deletions and revocations", not_sent = 3, limited = 3, ambiguous = 3 },
  { name = "refresh", title = "the token refresh", not_sent = 2, limited = 2, ambiguous = 2 },
  { name = "login", title = "the login", not_sent = 3 },
  { name = "makes", title = "calls that create something or may cost money", not_sent = 3, limited = 3 },
}

-- Class -> operations.
local OPERATIONS_OF = {
  reads = {
    "get_health", "get_health_database", "get_health_storage", "get_health_redis", "get_health_detailed",
    "get_health_simple", "get_me", "list_developer_keys", "list_projects", "get_global_stats", "list_all_users",
    "get_project", "get_project_stats", "list_api_keys", "list_project_users", "get_generation_status",
    "list_generations", "list_public_generations", "get_anonymous_generation_status", "get_picture",
    "get_stripe_config", "get_stripe_webhook_urls", "validate_stripe_credentials", "list_project_subscriptions",
    "list_project_payments", "get_my_subscription", "list_my_payments", "list_all_subscriptions",
    "list_all_transactions", "list_payment_projects", "get_payment_stats",
  },
  same = { "update_project", "set_generation_public", "update_stripe_config" },
  delete = {
    "revoke_developer_key", "delete_project", "revoke_api_key", "delete_generation", "delete_stripe_config",
  },
  refresh = { "refresh_token" },
  login = { "login" },
  makes = {
    "register", "create_developer_key", "create_project", "create_api_key", "create_generation",
    "create_anonymous_generation", "create_checkout_session", "create_customer_portal", "cancel_subscription",
    "update_subscription", "request_verification", "verify_email",
  },
}

M.OPERATIONS = {} -- operation -> class
for class, names in pairs(OPERATIONS_OF) do
  for _, name in ipairs(names) do M.OPERATIONS[name] = class end
end

local NO_GET = { validate_stripe_credentials = true } -- among the reading operations

-- The client reads nothing from these responses, so any 2xx is a success (wire.md D31, D44, and 204).
local UNREAD = {
  verify_email = true, request_verification = true, revoke_developer_key = true, delete_project = true,
  revoke_api_key = true, set_generation_public = true, delete_generation = true, delete_stripe_config = true,
}
local SUCCESS = { requests = 1, kind = "success" }

-- Failures, in the order of the document. Fields:
--   title: the event; case: of wire.md 7, `final` ends every call; unseen: no request reaches the server
--   again: requests that libcurl may add to a GET; refresh: other values for a refresh, which all waiting calls share
--   kinds: text of the document in place of `kind`, if it depends on the status
--   unread: no failure for operations without a response body; script: of the raw server, per connection
--   give: its reaction to each request except /warm; https, tls, refused, unknown_name, warm, limits, cancelled: for failure_run
M.FAILURES = {
  { title = "connection refused", case = "not_sent", unseen = true, kind = "network", outcome = "not_sent",
    refused = true },
  { title = "the DNS lookup fails", case = "not_sent", unseen = true, kind = "network", outcome = "not_sent",
    unknown_name = true },
  { title = "the TLS handshake fails", case = "not_sent", unseen = true, kind = "tls", outcome = "not_sent",
    https = true, script = [[conn:write("no TLS here\r\n") conn:close()]] },
  { title = "the server's certificate is not trusted", case = "final", unseen = true, kind = "tls",
    outcome = "not_sent", tls = true, give = "" },
  { title = "a new connection is reset before a response", case = "ambiguous", kind = "network", outcome = "unknown",
    script = [[conn:read_head() conn:reset()]] },
  { title = "a reused connection is reset before a response", case = "ambiguous", kind = "network", outcome = "unknown",
    warm = true, again = 1, give = "conn:reset() return" },
  { title = "a reset after the server read the request", case = "ambiguous", kind = "network", outcome = "unknown",
    script = [[conn:read_request() conn:reset()]] },
  { title = "the response is cut off", case = "ambiguous", kind = "network", outcome = "unknown", status = 200,
    script = [[conn:read_request() conn:write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id"') conn:close()]] },
  { title = "200 without a usable body", case = "ambiguous", kind = "protocol", outcome = "unknown", status = 200,
    unread = true, give = [[conn:respond(200, "<html>")]] },
  { title = "408", case = "ambiguous", kind = "timeout", outcome = "unknown", status = 408,
    give = [[conn:respond(408, "{}")]] },
  { title = "429 with a wait up to `max_wait`", case = "limited", kind = "rate_limited", outcome = "refused",
    status = 429, retry_after = 0.02, give = [[conn:respond(429, "{}", { ["Retry-After"] = "0.02" })]] },
  { title = "429 with a longer wait", case = "final", kind = "rate_limited", outcome = "refused", status = 429,
    retry_after = 3600, give = [[conn:respond(429, { detail = "Rate limit exceeded", retry_after = 3600 })]] },
  { title = "500", case = "ambiguous", kind = "server", outcome = "unknown", status = 500,
    give = [[conn:respond(500, { detail = "Internal Server Error" })]] },
  { title = "502", case = "ambiguous", kind = "server", outcome = "unknown", status = 502,
    give = [[conn:respond(502, "<html>", { ["Content-Type"] = "text/html" })]] },
  { title = "503", case = "ambiguous", kind = "server", outcome = "unknown", status = 503,
    give = [[conn:respond(503, "")]] },
  { title = "503 with a wait up to `max_wait`", case = "ambiguous", kind = "server", outcome = "unknown", status = 503,
    retry_after = 0.02, give = [[conn:respond(503, "", { ["Retry-After"] = "0.02" })]] },
  { title = "503 with a longer wait", case = "final", kind = "server", outcome = "unknown", status = 503,
    retry_after = 3600, give = [[conn:respond(503, "", { ["Retry-After"] = "3600" })]] },
  { title = "504", case = "ambiguous", kind = "server", outcome = "unknown", status = 504,
    give = [[conn:respond(504, "")]] },
  { title = "no byte moves for `timeout.idle`", case = "ambiguous", kind = "timeout", outcome = "unknown",
    limits = { idle = 0.2 }, give = [[conn:sleep(1000)]] },
  { title = "the call's `timeout` is over", case = "final", kind = "timeout", outcome = "unknown",
    limits = { total = 0.2 }, refresh = { attempts = 0 }, give = [[conn:sleep(1000)]] },
  { title = "the call is cancelled", case = "final", kind = "cancelled", outcome = "unknown", cancelled = true,
    refresh = { attempts = 0 }, give = [[conn:sleep(1000)]] },
  { title = "402, and any 4xx that is not in this table", case = "final", kind = "protocol", outcome = "unknown",
    status = 402, give = [[conn:respond(402, { detail = "no credits left" })]] },
  { title = "400, 403, 404, 405, 409, 411, 413, 415, 422", case = "final", kind = "invalid", outcome = "refused",
    kinds = "[by status](errors.md#by-status)", status = 422, refresh = { kind = "auth" },
    give = [[conn:respond(422, { detail = "Bad Request" })]] },
}

local GIVE = [[
  while conn:read_head() do
    local request = conn:read_body()
    if not request then return end -- a cancellation ended it
    if request.target == "/warm" then conn:respond(200, "{}") else %s end
  end]]

--- The raw server's script for a failure.
---@param failure table a row of M.FAILURES
---@return string
function M.script(failure)
  return "return function(conn)\n" .. (failure.script or GIVE:format(failure.give or "")) .. "\nend"
end

local function class_of(name)
  for _, class in ipairs(M.CLASSES) do
    if class.name == name then return class end
  end
end

local function expect(class, failure, operation)
  if failure.unread and UNREAD[operation] then return SUCCESS, 0 end
  local attempts = class[failure.case] or 1
  local expected = { requests = failure.unseen and 0 or attempts, attempts = attempts, kind = failure.kind,
    outcome = failure.outcome, status = failure.status, retry_after = failure.retry_after, operation = operation }
  for name, value in pairs(class.name == "refresh" and failure.refresh or {}) do expected[name] = value end
  return expected, class.name == "reads" and not NO_GET[operation] and failure.again or 0
end

--- The expected result of an operation under a failure.
---@param operation string
---@param failure table
---@return table expected { requests: at the server, attempts, kind, outcome, status, retry_after, operation }
---@return integer again requests that libcurl may add
function M.expected(operation, failure)
  return expect(class_of(M.OPERATIONS[operation]), failure, operation)
end

local function operations_of(class)
  local names = { unpack(OPERATIONS_OF[class.name]) }
  table.sort(names)
  return "`" .. table.concat(names, "`, `") .. "`"
end

-- The table cell of a class under a failure. The client reads nothing from the responses of some operations.
local function cell_of(class, failure)
  local read, unread
  for _, name in ipairs(OPERATIONS_OF[class.name]) do
    if failure.unread and UNREAD[name] then unread = true else read = read or name end
  end
  if not read then return "a success" end
  local expected, again = expect(class, failure, read)
  local cell = failure.unseen and ("0 of %d"):format(expected.attempts)
    or again > 0 and ("%d, or %d by libcurl"):format(expected.requests, expected.requests + again)
    or tostring(expected.requests)
  return unread and cell .. ", or a success" or cell
end

--- The table as Markdown.
---@return string
function M.markdown()
  local lines = {}
  for _, class in ipairs(M.CLASSES) do
    lines[#lines + 1] = ("- **%s**: %s"):format(class.title, operations_of(class))
  end
  local head, rule = { "what happens", "`err.kind`", "`err.outcome`" }, { "---", "---", "---" }
  for _, class in ipairs(M.CLASSES) do head[#head + 1], rule[#rule + 1] = class.title, "--:" end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "| " .. table.concat(head, " | ") .. " |"
  lines[#lines + 1] = "| " .. table.concat(rule, " | ") .. " |"
  for _, failure in ipairs(M.FAILURES) do
    local cells = { failure.title, failure.kinds or "`" .. failure.kind .. "`", "`" .. failure.outcome .. "`" }
    for _, class in ipairs(M.CLASSES) do cells[#cells + 1] = cell_of(class, failure) end
    lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
  end
  return table.concat(lines, "\n") .. "\n"
end

return M
