-- What becomes of each operation under each failure, as CONTRACT 7 has it: written from there, and not from the client's own
-- code. failures_spec.lua holds the client against it; tools/retries-table prints it into docs/retries.md.
local M = {}

-- The classes of CONTRACT 7: how often a call goes out in all, after a failure of this case. What is not named: once.
M.CLASSES = {
  { name = "reads", words = "reads", not_sent = 3, limited = 3, ambiguous = 3 },
  { name = "refresh", words = "the refresh", not_sent = 2, limited = 2, ambiguous = 2 },
  { name = "login", words = "the login", not_sent = 3 },
  { name = "makes", words = "what makes or costs something", not_sent = 3, limited = 3 },
}

M.OPERATIONS = {
  get_me = "reads", list_projects = "reads", list_api_keys = "reads", get_generation_status = "reads",
  list_generations = "reads", list_public_generations = "reads", get_picture = "reads",
  refresh_token = "refresh",
  login = "login",
  register = "makes", create_project = "makes", create_api_key = "makes", create_generation = "makes",
}

-- In this order they stand in the document. words: what happens · case: of CONTRACT 7; `final` ends every call · unseen: no
-- request reaches the server · again: requests that libcurl may add by itself to a GET's · refresh: what is otherwise where it
-- is the refresh, which all who wait for it share · script: of the raw server, for each connection; give: what it does with
-- each request but those to /warm · https, tls, refused, unknown_name, warm, limits, cancelled: what else failure_run needs to
-- know.
M.FAILURES = {
  { words = "nobody listens on the port", case = "not_sent", unseen = true, kind = "network", outcome = "not_sent",
    refused = true },
  { words = "the name can't be resolved", case = "not_sent", unseen = true, kind = "network", outcome = "not_sent",
    unknown_name = true },
  { words = "the TLS handshake breaks off", case = "not_sent", unseen = true, kind = "tls", outcome = "not_sent",
    https = true, script = [[conn:write("no TLS here\r\n") conn:close()]] },
  { words = "the server's certificate is not trusted", case = "final", unseen = true, kind = "tls",
    outcome = "not_sent", tls = true, give = "" },
  { words = "a new connection is reset before the answer", case = "ambiguous", kind = "network", outcome = "unknown",
    script = [[conn:read_head() conn:reset()]] },
  { words = "a kept connection is reset before the answer", case = "ambiguous", kind = "network", outcome = "unknown",
    warm = true, again = 1, give = "conn:reset() return" },
  { words = "a reset once the whole request was read", case = "ambiguous", kind = "network", outcome = "unknown",
    script = [[conn:read_request() conn:reset()]] },
  { words = "the answer breaks off", case = "ambiguous", kind = "network", outcome = "unknown", status = 200,
    script = [[conn:read_request() conn:write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id"') conn:close()]] },
  { words = "200 without a usable body", case = "ambiguous", kind = "protocol", outcome = "unknown", status = 200,
    give = [[conn:respond(200, "<html>")]] },
  { words = "408", case = "ambiguous", kind = "timeout", outcome = "unknown", status = 408,
    give = [[conn:respond(408, "{}")]] },
  { words = "429, a wait of up to `max_wait`", case = "limited", kind = "rate_limited", outcome = "refused",
    status = 429, retry_after = 0.02, give = [[conn:respond(429, "{}", { ["Retry-After"] = "0.02" })]] },
  { words = "429, a longer wait", case = "final", kind = "rate_limited", outcome = "refused", status = 429,
    retry_after = 3600, give = [[conn:respond(429, { detail = "Rate limit exceeded", retry_after = 3600 })]] },
  { words = "500", case = "ambiguous", kind = "server", outcome = "unknown", status = 500,
    give = [[conn:respond(500, { detail = "Internal Server Error" })]] },
  { words = "502", case = "ambiguous", kind = "server", outcome = "unknown", status = 502,
    give = [[conn:respond(502, "<html>", { ["Content-Type"] = "text/html" })]] },
  { words = "503", case = "ambiguous", kind = "server", outcome = "unknown", status = 503,
    give = [[conn:respond(503, "")]] },
  { words = "503, a wait of up to `max_wait`", case = "ambiguous", kind = "server", outcome = "unknown", status = 503,
    retry_after = 0.02, give = [[conn:respond(503, "", { ["Retry-After"] = "0.02" })]] },
  { words = "503, a longer wait", case = "final", kind = "server", outcome = "unknown", status = 503,
    retry_after = 3600, give = [[conn:respond(503, "", { ["Retry-After"] = "3600" })]] },
  { words = "504", case = "ambiguous", kind = "server", outcome = "unknown", status = 504,
    give = [[conn:respond(504, "")]] },
  { words = "nothing moves for `timeout.idle`", case = "ambiguous", kind = "timeout", outcome = "unknown",
    limits = { idle = 0.2 }, give = [[conn:sleep(1000)]] },
  { words = "the call's own time is over", case = "final", kind = "timeout", outcome = "unknown",
    limits = { total = 0.2 }, refresh = { attempts = 0 }, give = [[conn:sleep(1000)]] },
  { words = "it is cancelled", case = "final", kind = "cancelled", outcome = "unknown", cancelled = true,
    refresh = { attempts = 0 }, give = [[conn:sleep(1000)]] },
  { words = "400, 403, 404, 409, 413, 422 and the like", case = "final", kind = "invalid", outcome = "refused",
    status = 400, refresh = { kind = "auth" }, give = [[conn:respond(400, { detail = "Bad Request" })]] },
}

local GIVE = [[
  while conn:read_head() do
    local request = conn:read_body()
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

local function expect(class, failure)
  local attempts = class[failure.case] or 1
  local expected = { requests = failure.unseen and 0 or attempts, attempts = attempts, kind = failure.kind,
    outcome = failure.outcome, status = failure.status, retry_after = failure.retry_after }
  for name, value in pairs(class.name == "refresh" and failure.refresh or {}) do expected[name] = value end
  return expected, class.name == "reads" and failure.again or 0
end

--- What becomes of an operation under a failure.
---@param operation string
---@param failure table
---@return table expected { requests: at the server, attempts, kind, outcome, status, retry_after }
---@return integer again requests that libcurl may add
function M.expected(operation, failure)
  return expect(class_of(M.OPERATIONS[operation]), failure)
end

local function operations_of(class)
  local names = {}
  for name, its in pairs(M.OPERATIONS) do
    if its == class.name then names[#names + 1] = "`" .. name .. "`" end
  end
  table.sort(names)
  return table.concat(names, ", ")
end

--- The same as Markdown.
---@return string
function M.markdown()
  local lines = {}
  for _, class in ipairs(M.CLASSES) do
    lines[#lines + 1] = ("- **%s**: %s"):format(class.words, operations_of(class))
  end
  local head, rule = { "what happens", "`err.kind`", "`err.outcome`" }, { "---", "---", "---" }
  for _, class in ipairs(M.CLASSES) do head[#head + 1], rule[#rule + 1] = class.words, "--:" end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "| " .. table.concat(head, " | ") .. " |"
  lines[#lines + 1] = "| " .. table.concat(rule, " | ") .. " |"
  for _, failure in ipairs(M.FAILURES) do
    local cells = { failure.words, "`" .. failure.kind .. "`", "`" .. failure.outcome .. "`" }
    for _, class in ipairs(M.CLASSES) do
      local expected, again = expect(class, failure)
      cells[#cells + 1] = failure.unseen and ("0 of %d"):format(expected.attempts)
        or again > 0 and ("%d, or %d by libcurl"):format(expected.requests, expected.requests + again)
        or tostring(expected.requests)
    end
    lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
  end
  return table.concat(lines, "\n") .. "\n"
end

return M
