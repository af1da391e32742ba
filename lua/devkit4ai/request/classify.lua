--- The step after the exchange: what came is an answer in its normal form, or a failure; and a failure in words.
local core = require "devkit4ai.core"
local responses = require "devkit4ai.api.responses"
local config = require "devkit4ai.config"
local display = require "devkit4ai.util.display"
local errors = require "devkit4ai.util.errors"
local json = require "devkit4ai.util.json"
local limits = require "devkit4ai.api.limits"
local locale = require "devkit4ai.util.locale"
local retry = require "devkit4ai.request.retry"

local M = {}

local decode, NONE, type = json.decode, json.NO_SECRETS, type
local shows = core.secrets().shows -- each answer asks it
-- 4 % of a small call's instructions; LuaJIT compiles a loop with next.
local special_fields = not rawget(_G, "jit") and core.special_fields(json.SECRET_FIELDS) or nil

-- Loaded when there is something to mask.
local function mask() return require "devkit4ai.util.redact" end

local SHOWN = 200 -- bytes of an answer that is no JSON, kept for the error
local FIELDS = 100 -- of a 422, kept for the error
local DAY = 86400 -- seconds; a reset further away is no time to go by (wire.md 4.2)

---@class devkit4ai.Failure a call that did not succeed, before it is told
---@field kind string
---@field outcome string
---@field what string what failed, in words
---@field plain string? the same in our words alone
---@field advice string? what to do next
---@field hint string? the name of the advice
---@field transient boolean? a later try may fare better
---@field option string? of `new`, that is missing
---@field status integer?
---@field detail string?
---@field fields table[]?
---@field retry_after number? seconds
---@field request_id string?
---@field location string? where a redirect points, for a row that follows them
---@field response table? the whole answer, where the row wants every one
---@field raised { value: any, text: string }? the error of the program that ended the call
---@field generation_id string? of an answer that came all the same
---@field untried boolean? no request could be made of it, and none ever can
---@field attempts integer? set by call

-- ---- what a failure is ----

local function host_of(url)
  return url:match("^https?://([^/?#]+)") or "?"
end

-- Words from the server or from libcurl: masked while the secrets are there, without the queries of URLs, safe to display.
local function safe(secrets, text)
  return text and mask().urls(display.text(secrets:mask(text)))
end

--- The X-Request-ID of a response, safe to show.
---@param secrets userdata
---@param head string its header block
---@return string?
function M.request_id(secrets, head)
  return safe(secrets, core.header(head, "X-Request-ID"))
end

local function safe_fields(secrets, fields)
  local kept = {}
  for i = 1, math.min(#fields, FIELDS) do
    local field = fields[i]
    kept[i] = { loc = safe(secrets, field.loc), msg = safe(secrets, field.msg), type = safe(secrets, field.type) }
  end
  return kept
end

--- The core could not make a request of it.
---@param status string the core's name
---@param text string
---@return nil
---@return devkit4ai.Failure
function M.unsent(status, text)
  local kind, advice, transient, hint = errors.classify_core_status(status)
  local option = status == "empty_slot" and text or nil
  if option then text = config.missing_advice(option) end
  return nil, {
    kind = kind, outcome = "not_sent", what = text, option = option, advice = advice, hint = hint,
    transient = transient, untried = not transient,
  }
end

-- The proxy can't be reached, or can't reach the server.
local AT_PROXY = { "check the option proxy or https_proxy, and base_url", hint = "proxy" }

--- The exchange failed.
---@param request table
---@param secrets userdata
---@param status integer of HTTP, as far as it came
---@param trouble table
---@return nil
---@return devkit4ai.Failure
function M.troubled(request, secrets, status, trouble)
  local kind, advice, transient, hint = errors.classify_core_status(trouble.name)
  local at_proxy = trouble.step == "proxy" and trouble.name ~= "proxy" and kind == "network"
  if at_proxy then advice, hint = AT_PROXY[1], AT_PROXY.hint end
  local after = locale.format("%.2f", trouble.seconds)
  local where = trouble.step ~= "" and (" (%s, after %s s)"):format(trouble.step, after) or ""
  local text = safe(secrets, trouble.text)
  local plain = errors.plain_reason(trouble.name, text)
  return nil, {
    kind = kind, outcome = trouble.fate == "not_sent" and "not_sent" or "unknown",
    advice = advice, hint = hint, transient = transient,
    what = kind == "file" and trouble.text
      or ("%s%s: %s"):format(host_of(request.url), where, text),
    plain = plain and ("%s: %s (after %s s)"):format(host_of(request.url), plain, after),
    status = status > 0 and status or nil,
  }
end

--- An error of the program ended the call: on_upload raised, or Ctrl-C, or a debug hook. It may have been answered before.
---@param row table
---@param answer any
---@param failure devkit4ai.Failure?
---@param raised { value: any, text: string }
---@return nil
---@return devkit4ai.Failure
function M.ended(row, answer, failure, raised)
  failure = failure or {
    kind = "cancelled", outcome = "unknown", what = "an error ended the call",
    generation_id = row.response == "generation" and answer and answer.id or nil,
  }
  failure.raised, failure.response, failure.transient = raised, nil, nil
  return nil, failure
end

-- The longest of the times that the server names, in seconds; X-RateLimit-Reset stands on every answer, and tells a time
-- to wait on a 429 alone. wire.md 4.2. Dates are relative to the response's own Date: our clock may be wrong.
local function wait_time(head, told, status)
  local now, longest = require("devkit4ai.request.server_clock").of(head, os.time()), nil
  local function name(seconds)
    if seconds and seconds >= 0 and seconds > (longest or -1) then longest = seconds end
  end
  local after, reset = core.header(head, "Retry-After"), status == 429 and core.header(head, "X-RateLimit-Reset")
  name(told)
  name(after and core.delay(after, now))
  reset = reset and (locale.number(reset) or core.date(reset))
  if reset and reset > now and reset - now < DAY then name(reset - now) end
  return longest or status == 429 and limits.RATE_LIMIT_WAIT or nil
end

-- the first bytes of an answer that can't be read otherwise
local function excerpt(secrets, body)
  return display.text(mask().text(secrets, body, SHOWN))
end

-- the server's answer is no success
local function refused(row, secrets, status, body, head)
  local ok, raw = decode(body)
  local detail, fields, told = responses.error(ok and raw or nil)
  local meant = errors.corrected_status(status, detail, row.status_corrections)
  local kind, outcome, advice, transient, hint = errors.classify_status(meant)
  local reason = safe(secrets, head:match("^HTTP/[%d.]+ %d+ ([^\r\n]+)"))
  detail, fields = safe(secrets, detail), fields and safe_fields(secrets, fields)
  local retry_after = wait_time(head, told, status)
  if row.advice and row.advice[kind] then advice, hint = row.advice[kind], row.hint end
  if row.unknown_statuses and row.unknown_statuses[status] then outcome = "unknown" end
  if transient and retry_after and retry_after > 0 then
    advice = ("wait %s s before the next call"):format(locale.format("%g", retry_after))
  end
  return nil, {
    kind = kind, outcome = outcome, status = status, detail = detail or excerpt(secrets, body), fields = fields,
    retry_after = retry_after, request_id = M.request_id(secrets, head), transient = transient,
    what = ("the server answered %d: %s"):format(status, detail or reason or "no words"), advice = advice,
    hint = hint,
    location = row.max_redirects and status >= 300 and status <= 399 and core.header(head, "Location") or nil,
  }
end

local function unusable(secrets, status, body, head, why)
  return nil, {
    kind = "protocol", outcome = "unknown", status = status, detail = excerpt(secrets, body), transient = true,
    request_id = head and M.request_id(secrets, head),
    what = ("the answer (%d) can't be used: %s"):format(status, safe(secrets, why)),
    advice = "check that base_url is the address of the API",
  }
end

-- ---- what an answer is ----

local function read_picture(request, secrets, status, body, head)
  if request.save_as then return { path = request.save_as } end -- the core has looked at it as it came
  local kind, name, why = core.image_kind(body)
  if kind then return { bytes = body, kind = kind } end
  local _, failure = unusable(secrets, status, body, head, why)
  if name == "image_cut" then
    local _, advice = errors.classify_core_status(name)
    failure.advice, failure.detail = advice, nil -- the server said nothing in words
  end
  return nil, failure
end

local function read_response(_, _, status, body, head)
  return responses.response(status, body, head)
end

-- any success will do, whatever stands in it
local function read_nothing() return true end

local READERS = { image = read_picture, raw = read_response, none = read_nothing } -- what is no normal form

--- A whole answer came.
---@param row table of `operations`
---@param request table
---@param secrets userdata
---@param status integer
---@param body string
---@param head string?
---@return any? answer in its normal form
---@return devkit4ai.Failure? failure
function M.answered(row, request, secrets, status, body, head)
  if status < 200 or status > 299 then
    local _, failure = refused(row, secrets, status, body, head)
    if row.response == "raw" then failure.response = responses.response(status, body, head) end
    return nil, failure
  end
  local read = READERS[row.response]
  if read then return read(request, secrets, status, body, head) end
  local ok, raw, given = decode(body, special_fields)
  if not ok then return unusable(secrets, status, body, head, "it is not JSON: " .. raw) end
  if raw == nil and row.nullable then return nil end
  if type(raw) ~= "table" then return unusable(secrets, status, body, head, "it is no object and no list") end
  if given ~= NONE or shows(secrets, body) then mask().values(secrets, given, raw) end
  local answer, missing = responses[row.response](raw, given, row)
  if not answer then return unusable(secrets, status, body, head, "it has no " .. missing) end
  if row.id_argument and answer.id:lower() ~= request.expected_id:lower() then
    return unusable(secrets, status, body, head, "it is about another id: " .. secrets:mask(answer.id))
  end
  return answer
end

-- ---- in words ----

local CONSEQUENCES = { not_sent = "nothing was sent", refused = "nothing was done" }

local function consequence_of(row, failure)
  if row.retry_class == "safe" then return nil end
  return failure.outcome == "unknown" and row.unknown_advice or CONSEQUENCES[failure.outcome]
end

-- what failed; what became of the request; what to do next
local function sentence(call_name, failure, consequence)
  local parts = { call_name .. ": " .. failure.what }
  parts[#parts + 1] = consequence
  parts[#parts + 1] = failure.advice
  return table.concat(parts, "; ")
end

--- The three results of a call that failed. Its texts are masked already, unless a name or a path is a secret.
---@param row table
---@param name string
---@param call_name string how the user knows the call
---@param secrets userdata
---@param failure devkit4ai.Failure
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.tell(row, name, call_name, secrets, failure)
  local consequence = consequence_of(row, failure)
  return errors.fail({
    kind = failure.kind, outcome = failure.outcome, status = failure.status, fields = failure.fields,
    detail = failure.detail, retry_after = failure.retry_after, request_id = failure.request_id,
    message = secrets:mask(sentence(call_name, failure, consequence)), operation = name, attempts = failure.attempts,
    transient = failure.transient, harmless = retry.is_harmless(row.retry_class), generation_id = failure.generation_id,
    option = failure.option, -- the parts of the message, for the command, which has other words for what to do
    _parts = {
      what = secrets:mask(failure.plain or failure.what), consequence = consequence, advice = failure.advice,
      hint = failure.hint, raw = failure.plain and secrets:mask(failure.what),
    },
  })
end

return M
