--- Classifies the result of an exchange: an answer in its normal form, or a failure.
local core = require "devkit4ai.core"
local responses = require "devkit4ai.api.responses"
local display = require "devkit4ai.util.display"
local errors = require "devkit4ai.util.errors"
local failures = require "devkit4ai.request.failures"
local json = require "devkit4ai.util.json"
local limits = require "devkit4ai.api.limits"
local locale = require "devkit4ai.util.locale"
local redact = require "devkit4ai.util.redact"
local server_clock = require "devkit4ai.request.time.server_clock"

local M = {}

local decode, NO_SECRETS, type = json.decode, json.NO_SECRETS, type
-- A decoder of fields in C saves 4 % of a small call's instructions; LuaJIT compiles the loop in Lua.
local special_fields = not rawget(_G, "jit") and core.special_fields(json.SECRET_FIELDS) or nil
local safe_text = failures.safe_text
local shows = core.secrets().shows -- the method, for each response

local SHOWN = 200 -- bytes of a response that is not JSON, kept for the error
local FIELDS = 100 -- of a 422, kept for the error
local DAY = 86400 -- seconds; a rate limit's reset after more than a day is not used (wire.md 4.2)

--- The X-Request-ID of a response, safe to display.
---@param secrets userdata
---@param head string its header block
---@return string?
function M.request_id(secrets, head)
  return safe_text(secrets, core.header(head, "X-Request-ID"))
end

-- ---- a response without success ----

local function safe_fields(secrets, fields)
  local safe = {}
  for i = 1, math.min(#fields, FIELDS) do
    local field = fields[i]
    safe[i] = {
      loc = safe_text(secrets, field.loc), msg = safe_text(secrets, field.msg), type = safe_text(secrets, field.type),
    }
  end
  return safe
end

-- The longest wait that the server names, in seconds. X-RateLimit-Reset is in every response, and counts only in a 429
-- (wire.md 4.2). Dates are relative to the response's own Date, because this machine's clock may be wrong.
local function retry_after(head, in_body, status)
  local now, longest = server_clock.of(head, os.time()), nil
  local function consider(seconds)
    if seconds and seconds >= 0 and seconds > (longest or -1) then longest = seconds end
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

local function refusal(call, status, body, head)
  local row, secrets = call.plan.row, call.secrets
  local ok, decoded = decode(body)
  local detail, fields, wait_in_body = responses.error(ok and decoded or nil)
  local meant = errors.corrected_status(status, detail, row.status_corrections)
  local kind, outcome, advice, transient, hint = errors.classify_status(meant)
  local reason = safe_text(secrets, head:match("^HTTP/[%d.]+ %d+ ([^\r\n]+)"))
  detail, fields = safe_text(secrets, detail), fields and safe_fields(secrets, fields)
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

-- A success whose body can't be used.
local function unusable(secrets, status, body, head, why)
  return {
    kind = "protocol", outcome = "unknown", status = status, detail = excerpt(secrets, body), transient = true,
    request_id = head and M.request_id(secrets, head),
    what = ("the response (%d) can't be used: %s"):format(status, safe_text(secrets, why)),
    advice = "check that base_url is the address of the API",
  }
end

-- ---- a success ----

local function read_image(call, status, body, head)
  local path = call.request.save_as
  if path then return { path = path } end -- the core has checked the image while it came
  local kind, name, why = core.image_kind(body)
  if kind then return { bytes = body, kind = kind } end
  local failure = unusable(call.secrets, status, body, head, why)
  if name == "image_cut" then
    local _, advice = errors.classify_core_status(name)
    failure.advice, failure.detail = advice, nil -- the body is part of an image, and no text
  end
  return nil, failure
end

local function read_response(_, status, body, head)
  return responses.response(status, body, head)
end

-- Any success will do, whatever its body is.
local function read_nothing() return true end

local READERS = { image = read_image, raw = read_response, none = read_nothing } -- all others are JSON

--- Classifies a whole response.
---@param call devkit4ai.Call
---@param status integer
---@param body string
---@param head string?
---@return any? answer in its normal form
---@return devkit4ai.Failure? failure
function M.response(call, status, body, head)
  local row, secrets = call.plan.row, call.secrets
  if status < 200 or status > 299 then return nil, refusal(call, status, body, head) end
  local read = READERS[row.response]
  if read then return read(call, status, body, head) end
  local ok, decoded, new_secrets = decode(body, special_fields)
  if not ok then return nil, unusable(secrets, status, body, head, "it is not JSON: " .. decoded) end
  if decoded == nil and row.nullable then return nil end
  if type(decoded) ~= "table" then
    return nil, unusable(secrets, status, body, head, "it is not an object or a list")
  end
  if new_secrets ~= NO_SECRETS or shows(secrets, body) then redact.values(secrets, new_secrets, decoded) end
  local answer, missing = responses[row.response](decoded, new_secrets, row)
  if not answer then return nil, unusable(secrets, status, body, head, "it has no " .. missing) end
  if row.id_argument and answer.id:lower() ~= call.args[row.id_argument]:lower() then
    return nil, unusable(secrets, status, body, head, "it is about another id: " .. secrets:mask(answer.id))
  end
  return answer
end

--- Classifies an exchange that failed, or that an error of the program ended.
---@param call devkit4ai.Call
---@param status integer? of HTTP; nil: the request could not be sent
---@param body string as exchange.send's
---@param head string?
---@param trouble table?
---@return any? answer in its normal form
---@return devkit4ai.Failure? failure
function M.failed_exchange(call, status, body, head, trouble)
  if not status then return nil, failures.not_sent(body, head) end
  local answer, failure
  if trouble.whole then answer, failure = M.response(call, status, body, head)
  else failure = failures.of_exchange(call.request.url, call.secrets, status, trouble) end
  if trouble.raised then return nil, failures.raised(call, answer, failure, trouble.raised) end
  return answer, failure
end

return M
