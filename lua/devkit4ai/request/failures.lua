--- Failures of calls: records that the steps of a call pass on, and the error that the caller gets.
local core = require "devkit4ai.core"
local arguments = require "devkit4ai.request.build.arguments"
local config = require "devkit4ai.config"
local display = require "devkit4ai.util.display"
local errors = require "devkit4ai.util.errors"
local json = require "devkit4ai.util.json"
local limits = require "devkit4ai.api.limits"
local locale = require "devkit4ai.util.locale"
local redact = require "devkit4ai.util.redact"
local responses = require "devkit4ai.api.responses"
local retry = require "devkit4ai.request.retry"
local server_clock = require "devkit4ai.request.time.server_clock"
local statuses = require "devkit4ai.util.errors.statuses"

local M = {}

---@class devkit4ai.Failure a call that did not succeed, before it is an error. Its texts are masked and safe to display.
---@field kind string
---@field outcome string
---@field what string what failed, in words
---@field plain string? the same without libcurl's words
---@field advice string? what to do next
---@field hint string? the name of the advice
---@field transient boolean? a retry may succeed
---@field option string? of `new`, that is missing
---@field status integer?
---@field detail string?
---@field fields table[]?
---@field retry_after number? seconds
---@field request_id string?
---@field location string? the target of a redirect, for a row that follows redirects
---@field response table? the whole response, for a row that wants every one
---@field raised { value: any, text: string }? the error of the program that ended the call
---@field generation_id string? of an answer that came before that error
---@field untried boolean? no request can be made from the arguments and the secrets
---@field attempts integer? [send]
---@field err devkit4ai.Error? the finished error of the call, in place of all other fields

local SHOWN = 200 -- bytes of a response that is not JSON, kept for the error
local FIELDS = 100 -- of a 422, kept for the error
local MOST_WAIT = 1e15 -- seconds, as core.delay; a number that a server makes up must fit into dates
local DAY = 86400 -- seconds; a rate limit's reset after more than a day is not used (wire.md 4.2)

local AT_PROXY = { advice = "check the option proxy or https_proxy, and base_url", hint = "proxy" }

--- A text from the server or from libcurl: masked, without the queries of URLs, safe to display.
---@param secrets userdata
---@param text string?
---@return string?
function M.safe_text(secrets, text)
  return text and redact.urls(display.text(secrets:mask(text)))
end

-- ---- a response without success ----

--- The X-Request-ID of a response, safe to display.
---@param secrets userdata
---@param head string its header block
---@return string?
function M.request_id(secrets, head)
  return M.safe_text(secrets, core.header(head, "X-Request-ID"))
end

local function safe_fields(secrets, fields)
  local safe = {}
  for i = 1, math.min(#fields, FIELDS) do
    local field = fields[i]
    safe[i] = {
      loc = M.safe_text(secrets, field.loc), msg = M.safe_text(secrets, field.msg),
      type = M.safe_text(secrets, field.type),
    }
  end
  return safe
end

-- The longest wait that the server names, in seconds. X-RateLimit-Reset is in every response, and counts only in a 429
-- (wire.md 4.2). Dates are relative to the response's own Date, because this machine's clock may be wrong.
local function retry_after(head, in_body, status)
  local now, longest = server_clock.of(head, os.time()), nil
  local function consider(seconds)
    if seconds and seconds >= 0 and seconds > (longest or -1) then longest = math.min(seconds, MOST_WAIT) end
  end
  local after, reset = core.header(head, "Retry-After"), status == 429 and core.header(head, "X-RateLimit-Reset")
  consider(in_body)
  consider(after and core.delay(after, now))
  reset = reset and (locale.number(reset) or core.date(reset))
  if reset and reset > now and reset - now < DAY then consider(reset - now) end
  return longest or status == 429 and limits.RATE_LIMIT_WAIT or nil
end

-- The first bytes of a response that can't be read otherwise.
local function excerpt(secrets, body)
  return display.text(redact.text(secrets, body, SHOWN))
end

--- The server answered without success.
---@param call devkit4ai.Call
---@param status integer of HTTP
---@param body string
---@param head string
---@return devkit4ai.Failure
function M.refused(call, status, body, head)
  local row, secrets = call.plan.row, call.secrets
  local ok, decoded = json.decode(body)
  local detail, fields, wait_in_body = responses.error(ok and decoded or nil)
  local meant = statuses.corrected_status(status, detail, row.status_corrections)
  local kind, outcome, advice, transient, hint = statuses.classify_status(meant)
  local reason = M.safe_text(secrets, head:match("^HTTP/[%d.]+ %d+ ([^\r\n]+)"))
  detail, fields = M.safe_text(secrets, detail), fields and safe_fields(secrets, fields)
  local seconds = retry_after(head, wait_in_body, status)
  if row.advice and row.advice[kind] then advice, hint = row.advice[kind], row.hint end
  if row.unknown_statuses and row.unknown_statuses[status] then outcome = "unknown" end
  if transient and seconds and seconds > 0 then
    advice = ("wait %s s before the next call"):format(locale.format("%g", seconds))
  end
  return {
    kind = kind, outcome = outcome, status = status, detail = detail or excerpt(secrets, body), fields = fields,
    retry_after = seconds, request_id = M.request_id(secrets, head), transient = transient,
    what = ("the server answered %d: %s"):format(status, detail or reason or "no message"), advice = advice,
    hint = hint,
    location = row.max_redirects and status >= 300 and status <= 399 and core.header(head, "Location") or nil,
    response = row.response == "raw" and responses.response(status, body, head) or nil,
  }
end

--- A success whose body can't be used.
---@param secrets userdata
---@param status integer of HTTP
---@param body string
---@param head string?
---@param why string
---@return devkit4ai.Failure
function M.unusable(secrets, status, body, head, why)
  return {
    kind = "protocol", outcome = "unknown", status = status, detail = excerpt(secrets, body), transient = true,
    request_id = head and M.request_id(secrets, head),
    what = ("the response (%d) can't be used: %s"):format(status, M.safe_text(secrets, why)),
    advice = "check that base_url is the address of the API",
  }
end

--- An image that can't be used.
---@param secrets userdata
---@param status integer of HTTP
---@param body string
---@param head string?
---@param name string the core's status
---@param why string
---@return devkit4ai.Failure
function M.no_image(secrets, status, body, head, name, why)
  local failure = M.unusable(secrets, status, body, head, why)
  if name == "image_cut" then
    local _, advice = statuses.classify_core_status(name)
    failure.advice, failure.detail = advice, nil -- the body is part of an image, and no text
  end
  return failure
end

-- ---- no response ----

--- The core could not send a request.
---@param status string the core's name
---@param text string
---@return devkit4ai.Failure
function M.not_sent(status, text)
  local kind, advice, transient, hint = statuses.classify_core_status(status)
  local option = status == "empty_slot" and config.is_option(text) and text or nil
  if option then text = config.missing_advice(option)
  elseif status == "empty_slot" then kind, text = "invalid", ("the %s is empty"):format(text) end -- as of a password
  return {
    kind = kind, outcome = "not_sent", what = text, option = option, advice = advice, hint = hint,
    transient = transient, untried = not transient,
  }
end

--- The caller can't wait for a response where it is: a phase of nginx.
---@param why string
---@return devkit4ai.Failure
function M.cannot_wait(why)
  return { kind = "config", outcome = "not_sent", what = why, attempts = 0, untried = true }
end

--- The exchange failed.
---@param url string
---@param secrets userdata
---@param status integer of HTTP, 0: none came
---@param trouble table
---@return devkit4ai.Failure
function M.of_exchange(url, secrets, status, trouble)
  local kind, advice, transient, hint = statuses.classify_core_status(trouble.name)
  local at_proxy = trouble.step == "proxy" and trouble.name ~= "proxy" and kind == "network"
  if at_proxy then advice, hint = AT_PROXY.advice, AT_PROXY.hint end
  local host, after = url:match("^https?://([^/?#]+)") or "?", locale.format("%.2f", trouble.seconds)
  local step = trouble.step ~= "" and (" (%s, after %s s)"):format(trouble.step, after) or ""
  local text = M.safe_text(secrets, trouble.text)
  local plain = statuses.plain_reason(trouble.name, text)
  return {
    kind = kind, outcome = trouble.fate == "not_sent" and "not_sent" or "unknown", advice = advice, hint = hint,
    transient = transient, status = status > 0 and status or nil,
    what = kind == "file" and trouble.text or ("%s%s: %s"):format(host, step, text),
    plain = plain and ("%s: %s (after %s s)"):format(host, plain, after),
  }
end

--- An error of the program ended the call: on_upload raised, or Ctrl-C, or a debug hook. A response may have come before.
---@param call devkit4ai.Call
---@param answer any
---@param failure devkit4ai.Failure?
---@param raised { value: any, text: string }
---@return devkit4ai.Failure
function M.raised(call, answer, failure, raised)
  failure = failure or {
    kind = "cancelled", outcome = "unknown", what = "an error ended the call",
    generation_id = call.plan.row.response == "generation" and answer and answer.id or nil,
  }
  failure.raised, failure.response, failure.transient = raised, nil, nil
  return failure
end

-- ---- the error ----

local CONSEQUENCES = { not_sent = "nothing was sent", refused = "nothing was done" }

local function consequence_of(row, failure)
  if row.retry_class == "safe" then return nil end
  return failure.outcome == "unknown" and row.unknown_advice or CONSEQUENCES[failure.outcome]
end

-- What failed; the consequence; what to do next.
local function message_of(call, failure, consequence)
  local parts = { arguments.call_name(call) .. ": " .. failure.what }
  parts[#parts + 1] = consequence
  parts[#parts + 1] = failure.advice
  return table.concat(parts, "; ")
end

--- The three results of a call that failed. They are masked once more, because a name or a path may be a secret.
---@param call devkit4ai.Call
---@param failure devkit4ai.Failure
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.give(call, failure)
  local row, secrets = call.plan.row, call.secrets
  local consequence = consequence_of(row, failure)
  return errors.fail({
    kind = failure.kind, outcome = failure.outcome, status = failure.status, fields = failure.fields,
    detail = failure.detail, retry_after = failure.retry_after, request_id = failure.request_id,
    message = secrets:mask(message_of(call, failure, consequence)), operation = call.plan.name,
    attempts = failure.attempts, transient = failure.transient, harmless = retry.is_harmless(row.retry_class),
    generation_id = failure.generation_id, option = failure.option,
    _parts = { -- of the message, for the command, which gives other advice
      what = secrets:mask(failure.plain or failure.what), consequence = consequence, advice = failure.advice,
      hint = failure.hint, raw = failure.plain and secrets:mask(failure.what),
    },
  })
end

return M
