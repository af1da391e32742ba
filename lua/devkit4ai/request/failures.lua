--- Failures of calls: records that the steps of a call pass on, and the error that the caller gets.
local build = require "devkit4ai.request.build"
local config = require "devkit4ai.config"
local display = require "devkit4ai.util.display"
local errors = require "devkit4ai.util.errors"
local redact = require "devkit4ai.util.redact"
local locale = require "devkit4ai.util.locale"
local retry = require "devkit4ai.request.retry"

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

local AT_PROXY = { advice = "check the option proxy or https_proxy, and base_url", hint = "proxy" }

--- A text from the server or from libcurl: masked, without the queries of URLs, safe to display.
---@param secrets userdata
---@param text string?
---@return string?
function M.safe_text(secrets, text)
  return text and redact.urls(display.text(secrets:mask(text)))
end

--- The core could not send a request.
---@param status string the core's name
---@param text string
---@return devkit4ai.Failure
function M.not_sent(status, text)
  local kind, advice, transient, hint = errors.classify_core_status(status)
  local option = status == "empty_slot" and text or nil
  if option then text = config.missing_advice(option) end
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
  local kind, advice, transient, hint = errors.classify_core_status(trouble.name)
  local at_proxy = trouble.step == "proxy" and trouble.name ~= "proxy" and kind == "network"
  if at_proxy then advice, hint = AT_PROXY.advice, AT_PROXY.hint end
  local host, after = url:match("^https?://([^/?#]+)") or "?", locale.format("%.2f", trouble.seconds)
  local step = trouble.step ~= "" and (" (%s, after %s s)"):format(trouble.step, after) or ""
  local text = M.safe_text(secrets, trouble.text)
  local plain = errors.plain_reason(trouble.name, text)
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

local CONSEQUENCES = { not_sent = "nothing was sent", refused = "nothing was done" }

local function consequence_of(row, failure)
  if row.retry_class == "safe" then return nil end
  return failure.outcome == "unknown" and row.unknown_advice or CONSEQUENCES[failure.outcome]
end

-- What failed; the consequence; what to do next.
local function message_of(call, failure, consequence)
  local parts = { build.call_name(call) .. ": " .. failure.what }
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
