--- One call as a line of steps: build, authorize, exchange, classify, decide.
local core = require "devkit4ai.core"
local answers = require "devkit4ai.answers"
local config = require "devkit4ai.config"
local errors = require "devkit4ai.errors"
local json = require "devkit4ai.json"
local operations = require "devkit4ai.operations"
local profiles = require "devkit4ai.profiles"
local runtime = require "devkit4ai.runtime"
local session = require "devkit4ai.session"

local M = {}

local huge = math.huge
local decode, exchange, now = json.decode, runtime.exchange, runtime.now

local MAX_ANSWER = 16 * 1024 * 1024 -- bytes; design, invariant 8
local SHOWN = 200 -- bytes of an answer that is no JSON, kept for the error
local MASKED = 65536 -- bytes of it that are looked through for secrets; far more than SHOWN and any secret

-- ---- build ----

local function header_lines(row, profile, client)
  local lines = { "User-Agent: " .. client._user_agent }
  for _, line in ipairs(profiles[profile]) do lines[#lines + 1] = line end
  if row.body and row.body.json then lines[#lines + 1] = "Content-Type: application/json" end
  return core.headers(lines)
end

-- What is the same in each request of an operation: a table for the core, and the metatable by which others inherit from it.
local function prepare(scope, name, row)
  local client = scope._client
  local profile = row.profile[client._role]
  if not profile then
    local message = ("%s: a client with the role %s has no such call"):format(row.says, client._role)
    return errors.refuse("config", message, name)
  end
  local limits = row.creates and client._creating or client._limits
  local request = {
    method = row.method, url = row.path and client.base_url .. row.path, headers = header_lines(row, profile, client),
    secrets = scope._secrets, ca_file = client._ca_file, once = row.method ~= "GET", max_answer = MAX_ANSWER,
    connect = limits.connect, idle = limits.idle, total = limits.total,
  }
  local fixed = not row.body and row.path and not row.path:find("{", 1, true) -- the same bytes each time
  if fixed then request.compiled = core.request(request) end
  local known = {
    request = request, fixed = fixed, inherit = { __index = request },
    bearer = table.concat(profiles[profile]):find("{access_token}", 1, true) ~= nil,
  }
  scope._prepared[name] = known
  return known
end

local function fill_path(request, args)
  local wrong
  request.url = request.url:gsub("{([%w_]+)}", function(name)
    if not config.is_uuid(args[name]) then wrong = name end
    return args[name]
  end)
  return not wrong, wrong
end

local function fill_json(row, request, args)
  local fields = {}
  for _, name in ipairs(row.body.json) do fields[name] = args[name] end
  local text, why = json.encode(fields)
  if not text then return nil, why end
  request.json, request.slots = text, row.slots
  return true
end

-- The files' part has the name that the server is known to want, else the row's first.
local function fill_form(form, request, args, part)
  request.form = {
    part = form.parts[part or 1], files = args.files, max_bytes = form.max_bytes,
    fields = { { form.text, args[form.text] } },
  }
end

-- Secrets among the arguments live in a set of their own, for this call alone.
local function fill_slots(row, request, args)
  for _, slot in ipairs(row.slots or {}) do
    if args[slot] then
      if not request.wiped then request.secrets, request.wiped = core.secrets(request.secrets), true end
      request.secrets:set(slot, args[slot], "body")
    end
  end
end

local function build(row, known, name, args, extra, part)
  local request = setmetatable({ compiled = false }, known.inherit)
  for field, value in pairs(extra or {}) do request[field] = value end
  if not (request.total == nil or (request.total > 0 and request.total < huge)) then
    return errors.refuse("config", row.says .. ": timeout must be a number of seconds above 0", name)
  end
  if row.path then
    local ok, wrong = fill_path(request, args)
    if not ok then
      return errors.refuse("invalid", ("%s: %s is no UUID: %s"):format(row.says, wrong, tostring(args[wrong])), name)
    end
  end
  if row.body and row.body.json then
    local ok, why = fill_json(row, request, args)
    if not ok then
      return errors.refuse("invalid", row.says .. ": the arguments can't be written as JSON: " .. why, name)
    end
    fill_slots(row, request, args)
  elseif row.body then
    fill_form(row.body.form, request, args, part)
  end
  return request
end

-- ---- what a failure is, in words ----

local function host_of(url)
  return url:match("^https?://([^/?#]+)") or "?"
end

local CONSEQUENCES = { not_sent = "nothing was sent", refused = "nothing was done" }

-- what failed; what became of the request; what to do next
local function sentence(says, row, what, outcome, advice)
  local parts = { says .. ": " .. what }
  local consequence = outcome == "unknown" and row.unknown or CONSEQUENCES[outcome]
  if row.repeats ~= "safe" then parts[#parts + 1] = consequence end
  parts[#parts + 1] = advice
  return table.concat(parts, "; ")
end

local function fail(row, name, request, fields, what, advice)
  local mask = request.secrets
  fields.message = mask:mask(sentence(request.says or row.says, row, what, fields.outcome, advice))
  fields.detail = fields.detail and mask:mask(fields.detail)
  for _, field in ipairs(fields.fields or {}) do field.loc, field.msg = mask:mask(field.loc), mask:mask(field.msg) end
  fields.operation, fields.safe, fields.attempts = name, row.repeats == "safe", fields.attempts or request.attempts or 1
  return errors.give(fields)
end

-- the core could not make a request of it
local function unsent(row, name, request, status, text)
  local kind, advice = errors.of_core(status)
  if status == "empty_slot" then text = config.advice(text) end
  return fail(row, name, request, { kind = kind, outcome = "not_sent", attempts = 0 }, text, advice)
end

local function troubled(row, name, request, status, trouble)
  if trouble.name == "memory" then error("not enough memory", 0) end -- as Lua does
  local kind, advice = errors.of_core(trouble.name)
  local outcome = trouble.fate == "not_sent" and "not_sent" or "unknown"
  local where = trouble.step ~= "" and (" (%s, after %.2f s)"):format(trouble.step, trouble.seconds) or ""
  local what = kind == "file" and trouble.text or ("%s%s: %s"):format(host_of(request.url), where, trouble.text)
  local fields = { kind = kind, outcome = outcome, status = status > 0 and status or nil }
  return fail(row, name, request, fields, what, advice)
end

-- the longest of the times that the server names, in seconds; X-RateLimit-Reset stands on every answer, and tells a time to
-- wait on a 429 alone. CONTRACT 4.2
local function wait_time(head, told, status)
  local reset = status == 429 and tonumber((core.header(head, "X-RateLimit-Reset")))
  local named = math.max(told or 0, tonumber((core.header(head, "Retry-After"))) or 0)
  if reset and reset - os.time() < 86400 then named = math.max(named, reset - os.time()) end
  if named > 0 then return named end
  return status == 429 and 60 or nil
end

-- the first bytes of an answer that can't be read otherwise; masked first, lest the cut leave a part of a secret
local function excerpt(request, body)
  return request.secrets:mask(json.hide(body:sub(1, MASKED))):sub(1, SHOWN)
end

-- the server's answer is no success
local function refused(row, name, request, status, body, head)
  local ok, raw = decode(body)
  local detail, fields, retry_after = answers.refusal(ok and raw or nil)
  local kind, outcome, advice = errors.of_status(status)
  local reason = head:match("^HTTP/[%d.]+ %d+ ([^\r\n]+)")
  retry_after = wait_time(head, retry_after, status)
  if row.advice then advice = row.advice[kind] or advice end
  if retry_after then advice = ("wait %g s before the next call"):format(retry_after) end
  return fail(row, name, request, {
    kind = kind, outcome = outcome, status = status, detail = detail or excerpt(request, body), fields = fields,
    retry_after = retry_after, request_id = core.header(head, "X-Request-ID"),
  }, ("the server answered %d: %s"):format(status, detail or reason or "no words"), advice)
end

local function unusable(row, name, request, status, body, head, why)
  return fail(row, name, request, {
    kind = "protocol", outcome = "unknown", status = status, detail = excerpt(request, body),
    request_id = core.header(head, "X-Request-ID"),
  }, ("the answer (%d) can't be used: %s"):format(status, why), "is base_url the API's address?")
end

-- ---- classify ----

local function read_answer(row, name, request, status, body, head)
  local ok, raw, secrets = decode(body)
  if not ok then return unusable(row, name, request, status, body, head, "it is no JSON: " .. raw) end
  if type(raw) ~= "table" then
    return unusable(row, name, request, status, body, head, "it is no object and no list")
  end
  local answer, missing = answers[row.answer](raw, secrets)
  if not answer then return unusable(row, name, request, status, body, head, "it has no " .. missing) end
  return answer
end

local function read_picture(row, name, request, status, body, head)
  if request.save_as then return { path = request.save_as } end -- the core has looked at its first bytes
  local kind = core.image_kind(body)
  if not kind then return unusable(row, name, request, status, body, head, "it is no JPEG, PNG or WebP picture") end
  return { bytes = body, kind = kind }
end

-- ---- the line ----

local function send(client, row, name, request, progress)
  local status, body, head, trouble = exchange(request.compiled or core.request(request), request.secrets, client, progress)
  if not status then return unsent(row, name, request, body, head) end
  if trouble then return troubled(row, name, request, status, trouble) end
  if status < 200 or status > 299 then return refused(row, name, request, status, body, head) end
  return (row.picture and read_picture or read_answer)(row, name, request, status, body, head)
end

local function out_of_time(row, name, outcome, attempts)
  return errors.give({ kind = "timeout", outcome = outcome, operation = name, attempts = attempts,
    message = row.says .. ": the time for the whole call is over; give more with timeout" })
end

-- The request again, with what is left of the call's time; nil: nothing is.
local function rest_of(request, started, attempts)
  local left = request.total and request.total - (started and now() - started or 0)
  if left and left <= 0 then return nil end
  return setmetatable({ total = left, compiled = false, attempts = attempts }, { __index = request }), left
end

-- A 401 is answered with one refresh and one repeat: the server did nothing, and a second 401 is final. Where the tokens were
-- renewed while the call was under way, they are not renewed again.
local function send_again(client, row, name, request, progress, started, used)
  local again, left = rest_of(request, started, 2)
  if again and client._session == used then
    local renewed, message, err = session.renew(client, M.run, left)
    if not renewed then return nil, message, err end
    again = rest_of(request, started, 2)
  end
  if not again then return out_of_time(row, name, "refused", 1) end
  return send(client, row, name, again, progress)
end

-- Which other name of the files' part a 422 says is missing: the server refused, so nothing was done (D36).
local function missing_part(row, used, err)
  local form = row.body and row.body.form
  for i, part in ipairs(form and form.parts or {}) do
    for _, field in ipairs(err.fields or {}) do
      if i ~= used and field.loc == "body." .. part then return i end
    end
  end
end

--- Makes one call.
---@param scope devkit4ai.Scope
---@param name string of a row of `operations`
---@param args table? path parameters, fields of the body, secrets among them
---@param extra table? fields for the core's request (form, url, save_as, total, ...); says: in place of the row's
---@param progress fun(sent: integer, total: integer)? called while the body goes out
---@return table? answer in its normal form
---@return string? message
---@return devkit4ai.Error? err
function M.run(scope, name, args, extra, progress)
  local client, row = scope._client, operations[name]
  if client._closed then errors.raise(row.says .. ": the client is closed") end
  local answer, message, err
  local known = scope._prepared[name]
  if not known then
    known, message, err = prepare(scope, name, row)
    if not known then return nil, message, err end
  end
  local request = known.request
  if extra or not known.fixed then
    request, message, err = build(row, known, name, args, extra, client._parts[name])
    if not request then return nil, message, err end
  end
  local due = known.bearer and client._session.due or huge
  local started = (due < huge or row.creates) and now() -- else nothing can come that would be sent again
  if started and started >= due then
    answer, message, err = session.make_ready(client, M.run, request.total)
    if not answer then return nil, message, err end
    request = rest_of(request, started)
    if not request then return out_of_time(row, name, "not_sent") end
  end
  local used = client._session
  answer, message, err = send(client, row, name, request, progress)
  if err and err.status == 401 and known.bearer and session.can_renew(client) then
    answer, message, err = send_again(client, row, name, request, progress, started, used)
  end
  local part = err and err.status == 422 and missing_part(row, client._parts[name] or 1, err)
  if part then
    client._parts[name] = part
    request = rest_of(request, started, 2)
    if not request then return nil, message, err end
    fill_form(row.body.form, request, args, part)
    answer, message, err = send(client, row, name, request, progress)
  end
  if request.wiped then request.secrets:close() end
  return answer, message, err
end

return M
