--- Events of a client: calls of `on_event`, and lines of the log (DEVKIT4AI_LOG). They have no secret: each text is
--- masked by value, paths are templates, and no event has headers or a body.
local core = require "devkit4ai.core"
local display = require "devkit4ai.util.display"
local locale = require "devkit4ai.util.locale"
local log = require "devkit4ai.util.log"
local redact = require "devkit4ai.util.redact"
local callback = require "devkit4ai.loop.callback"

local M = {}

---@class devkit4ai.Event what on_event gets; a field is there where it applies
---@field type string "request", "answer", "retry", "wait", "refresh", "rate_limit", "orphan", "task_failed"
---@field operation string? of the call
---@field method string?
---@field path string? the template, as the operation has it
---@field status integer? of HTTP
---@field attempt integer? from 1; of a retry, the number of the next try
---@field times { lookup: number?, connect: number?, tls: number?, first_byte: number?, total: number? }? seconds since the start
---@field kind string? of a failure, as err.kind
---@field outcome string? of a failure, as err.outcome
---@field pause number? seconds until the next try or look
---@field retry_after number? seconds, as err.retry_after
---@field request_id string?
---@field generation_id string?
---@field message string? of a task that failed, its traceback; of a refresh, why the store did not keep the session

---@class devkit4ai.Trace
---@field on_event fun(event: devkit4ai.Event)?
---@field level integer of LEVELS; 0: no log
---@field secrets userdata whose values are masked
local Trace = {}
Trace.__index = Trace

local LEVELS = { info = 1, debug = 2 }
-- By type of event: the lowest level that logs it.
local LOG_LEVEL = {
  request = 2, answer = 1, retry = 1, wait = 2, refresh = 1, rate_limit = 1, orphan = 1, task_failed = 1,
}

local LOG_FIELDS = { -- in their order
  "operation", "method", "path", "status", "kind", "outcome", "attempt", "pause", "retry_after", "request_id",
  "generation_id", "message",
}

local SHOWN = 500 -- bytes of a body in the debug log

local function line_of(event)
  local parts = { event.type }
  for _, name in ipairs(LOG_FIELDS) do
    local value = event[name]
    if type(value) == "number" then value = locale.format("%.14g", value) end
    if value ~= nil then parts[#parts + 1] = name .. "=" .. value end
  end
  local total = event.times and event.times.total
  if total then parts[#parts + 1] = "seconds=" .. locale.format("%.3f", total) end
  return table.concat(parts, " ")
end

--- Makes the trace of a client. A client without a listener and without a log has none, which costs its calls nothing.
---@param on_event fun(event: devkit4ai.Event)?
---@param level string? of DEVKIT4AI_LOG: "info" or "debug"
---@param secrets userdata whose values are masked
---@return devkit4ai.Trace
function M.new(on_event, level, secrets)
  return setmetatable({ on_event = on_event, level = LEVELS[level] or 0, secrets = secrets }, Trace)
end

local running = coroutine.running
local in_listener = setmetatable({}, { __mode = "k" }) -- the coroutines that run an on_event
local MAIN_THREAD = {} -- stands for it on Lua 5.1, where it is no coroutine

-- The user's function runs apart from the call: an error or a wait in it must not change the call. Calls that it makes have
-- no events, because each event would make the next call.
local function call_listener(trace, event, secrets)
  if in_listener[running() or MAIN_THREAD] then return end
  callback.start(function()
    in_listener[running()] = true
    trace.on_event(event)
  end, function(text) log.write(secrets:mask("on_event failed: " .. text), true) end)
end

--- Reports one event.
---@param event devkit4ai.Event
---@param secrets userdata? of the call; default: the client's
function Trace:emit(event, secrets)
  secrets = secrets or self.secrets
  for name, value in pairs(event) do
    if type(value) == "string" then event[name] = display.lines(secrets:mask(value)) end
  end
  if self.level >= LOG_LEVEL[event.type] then log.write(line_of(event)) end
  if self.on_event then call_listener(self, event, secrets) end
end

local function event_of(event_type, call)
  return {
    type = event_type, operation = call.plan.name, method = call.plan.row.method, path = call.plan.row.path,
    generation_id = call.args and call.args.generation_id,
  }
end

--- An attempt begins: `request`, or `refresh` for a token refresh.
---@param call devkit4ai.Call
function Trace:request(call)
  local event = event_of(call.plan.name == "refresh_token" and "refresh" or "request", call)
  event.attempt = call.attempts + 1
  self:emit(event, call.secrets)
end

-- Headers whose values are logged: any other may hold a cookie or a token. The query of Location is not logged.
local LOGGED_HEADERS = {}
for name in ([[age allow cache-control connection content-encoding content-language content-length content-type date
  etag expires keep-alive last-modified location retry-after server transfer-encoding vary via x-ratelimit-limit
  x-ratelimit-remaining x-ratelimit-reset x-request-id]]):gmatch("%S+") do LOGGED_HEADERS[name] = true end

local function mask_header(line)
  local name = line:match("^([^:]*):")
  return name and not LOGGED_HEADERS[locale.lower(name)] and name .. ": ***" or nil
end

-- The debug log has a response's head and the beginning of its body.
local function log_response(secrets, head, body)
  head = redact.urls(secrets:mask(head or "")):gsub("\r", ""):gsub("[^\n]+", mask_header)
  log.write(display.lines(head) .. display.text(redact.text(secrets, body or "", SHOWN)))
end

--- An exchange has ended: `answer`, then `rate_limit` if the server asked for a pause.
---@param call devkit4ai.Call
---@param status integer?
---@param head string?
---@param body string?
---@param times table?
---@param failure devkit4ai.Failure?
---@param answer any
function Trace:answer(call, status, head, body, times, failure, answer)
  local event = event_of("answer", call)
  event.status, event.attempt, event.times = status and status > 0 and status or nil, call.attempts, times
  if failure then
    event.kind, event.outcome, event.retry_after = failure.kind, failure.outcome, failure.retry_after
  elseif type(answer) == "table" then
    event.generation_id = event.generation_id or (call.plan.row.response == "generation" and answer.id or nil)
  end
  event.request_id = event.status and head and core.header(head, "X-Request-ID") or nil
  if event.request_id then event.request_id = display.text(event.request_id) end
  self:emit(event, call.secrets)
  if self.level >= LEVELS.debug and event.status and call.plan.row.response ~= "image" then
    log_response(call.secrets, head, body)
  end
  if failure and failure.kind == "rate_limited" then
    event = event_of("rate_limit", call)
    event.status, event.retry_after = failure.status, failure.retry_after
    self:emit(event, call.secrets)
  end
end

--- A failed call waits for its next attempt: `retry`.
---@param call devkit4ai.Call
---@param failure devkit4ai.Failure
---@param seconds number
function Trace:retry(call, failure, seconds)
  local event = event_of("retry", call)
  event.kind, event.outcome, event.attempt, event.pause = failure.kind, failure.outcome, call.attempts + 1, seconds
  self:emit(event, call.secrets)
end

--- A call may have cost something, and its host ended the caller: `orphan`. Without a trace, the log has it.
---@param call devkit4ai.Call
---@param answer any? of the server
---@param failure devkit4ai.Failure? with the outcome `unknown`
function M.orphan(call, answer, failure)
  local event, trace = event_of("orphan", call), call.client._trace
  if failure then event.outcome, event.message = failure.outcome, failure.what
  elseif call.plan.row.response == "generation" then event.generation_id = answer.id end
  if trace then return trace:emit(event, call.secrets) end
  log.write(display.lines(call.secrets:mask(line_of(event))), true)
end

--- Reports an event of a client that may have no trace.
---@param client devkit4ai.Client
---@param event devkit4ai.Event
---@return boolean reported false: the client has no trace
function M.emit(client, event)
  local trace = client._trace
  if not trace then return false end
  trace:emit(event, client._secrets)
  return true
end

return M
