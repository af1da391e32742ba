--- What a client tells of its work: events to `on_event`, and lines to standard error as DEVKIT4AI_LOG asks. No secret is in
--- them: every text is masked by value, paths are templates, and headers and bodies stand in no event.
local core = require "devkit4ai.core"
local display = require "devkit4ai.util.display"
local locale = require "devkit4ai.util.locale"
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

local Trace = {}
Trace.__index = Trace

-- What each type of event has in common with a log: from which level on it is written.
local LEVELS = { info = 1, debug = 2 }
local WRITTEN = {
  request = 2, answer = 1, retry = 1, wait = 2, refresh = 1, rate_limit = 1, orphan = 1, task_failed = 1,
}

local ORDER = {
  "operation", "method", "path", "status", "kind", "outcome", "attempt", "pause", "retry_after", "request_id",
  "generation_id", "message",
}

local SHOWN = 500 -- bytes of a body in a debug log

local function words(event)
  local parts = { event.type }
  for _, name in ipairs(ORDER) do
    local value = event[name]
    if type(value) == "number" then value = locale.format("%.14g", value) end
    if value ~= nil then parts[#parts + 1] = name .. "=" .. value end
  end
  local total = event.times and event.times.total
  if total then parts[#parts + 1] = "seconds=" .. locale.format("%.3f", total) end
  return table.concat(parts, " ")
end

local function write(text)
  io.stderr:write("devkit4ai: ", text, "\n")
end

--- What a client is to tell. A client to whom nobody listens has none, and pays nothing.
---@param on_event fun(event: devkit4ai.Event)?
---@param level string? of DEVKIT4AI_LOG: "info" or "debug"
---@param secrets userdata whose values are masked
---@return table
function M.new(on_event, level, secrets)
  return setmetatable({ on_event = on_event, level = LEVELS[level] or 0, secrets = secrets }, Trace)
end

local running = coroutine.running
local telling = setmetatable({}, { __mode = "k" }) -- the coroutines in which an on_event runs
local NOBODY = {} -- Lua 5.1's main thread is no coroutine

-- The user's function runs apart from the call: neither an error in it nor a wait may touch what is under way. It is not told
-- of calls that it makes itself, which would have no end.
local function hand_to_user(trace, event, secrets)
  if telling[running() or NOBODY] then return end
  callback.start(function()
    telling[running()] = true
    trace.on_event(event)
  end, function(text) write(secrets:mask("on_event failed: " .. text)) end)
end

--- Tells one event.
---@param event devkit4ai.Event
---@param secrets userdata? the call's own
function Trace:emit(event, secrets)
  secrets = secrets or self.secrets
  for name, value in pairs(event) do
    if type(value) == "string" then event[name] = display.lines(secrets:mask(value)) end
  end
  if self.level >= WRITTEN[event.type] then write(words(event)) end
  if self.on_event then hand_to_user(self, event, secrets) end
end

local function event_of(kind, call)
  return {
    type = kind, operation = call.name, method = call.row.method, path = call.row.path or call.path,
    generation_id = call.args and call.args.generation_id,
  }
end

function Trace:request(call)
  local event = event_of(call.name == "refresh_token" and "refresh" or "request", call)
  event.attempt = call.attempts + 1
  self:emit(event, call.secrets)
end

-- Headers whose values are logged; another one may be a cookie or a token. Location stands without its query.
local LOGGED = {}
for name in ([[age allow cache-control connection content-encoding content-language content-length content-type date
  etag expires keep-alive last-modified location retry-after server transfer-encoding vary via x-ratelimit-limit
  x-ratelimit-remaining x-ratelimit-reset x-request-id]]):gmatch("%S+") do LOGGED[name] = true end

local function show_line(line)
  local name = line:match("^([^:]*):")
  return name and not LOGGED[locale.lower(name)] and name .. ": ***" or nil
end

-- A debug log shows an answer's head and the beginning of its body.
local function show_answer(secrets, head, body)
  head = redact.urls(secrets:mask(head or "")):gsub("\r", ""):gsub("[^\n]+", show_line)
  write(display.lines(head) .. display.text(redact.text(secrets, body or "", SHOWN)))
end

--- An exchange is over: `answer`, and behind it `rate_limit` where the server asked for a pause.
---@param call table
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
    event.generation_id = event.generation_id or (call.row.response == "generation" and answer.id or nil)
  end
  event.request_id = event.status and head and core.header(head, "X-Request-ID") or nil
  if event.request_id then event.request_id = display.text(event.request_id) end
  self:emit(event, call.secrets)
  if self.level >= LEVELS.debug and event.status and call.row.response ~= "image" then
    show_answer(call.secrets, head, body)
  end
  if failure and failure.kind == "rate_limited" then
    event = event_of("rate_limit", call)
    event.status, event.retry_after = failure.status, failure.retry_after
    self:emit(event, call.secrets)
  end
end

function Trace:retry(call, failure, seconds)
  local event = event_of("retry", call)
  event.kind, event.outcome, event.attempt, event.pause = failure.kind, failure.outcome, call.attempts + 1, seconds
  self:emit(event, call.secrets)
end

--- Tells an event of a client that may have no trace.
---@param client devkit4ai.Client
---@param event devkit4ai.Event
---@return boolean told false: nobody listens
function M.emit(client, event)
  local trace = client._trace
  if not trace then return false end
  trace:emit(event, client._secrets)
  return true
end

return M
