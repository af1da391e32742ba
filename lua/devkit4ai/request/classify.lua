--- Classifies the result of an exchange: an answer in its normal form, or a failure.
local core = require "devkit4ai.core"
local responses = require "devkit4ai.api.responses"
local lazy = require "devkit4ai.util.lazy"
local failures = lazy.module "devkit4ai.request.failures"
local json = require "devkit4ai.util.json"
local redact = lazy.module "devkit4ai.util.redact"

local M = {}

local decode, NO_SECRETS, type = json.decode, json.NO_SECRETS, type
-- A decoder of fields in C saves 4 % of a small call's instructions; LuaJIT compiles the loop in Lua.
local special_fields = not rawget(_G, "jit") and core.special_fields(json.SECRET_FIELDS) or nil
local shows = core.secrets().shows -- the method, for each response

-- ---- a success ----

local function read_image(call, status, body, head)
  local path = call.request.save_as
  if path then return { path = path } end -- the core has checked the image while it came
  local kind, name, why = core.image_kind(body)
  if kind then return { bytes = body, kind = kind } end
  return nil, failures.no_image(call.secrets, status, body, head, name, why)
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
  if status < 200 or status > 299 then return nil, failures.refused(call, status, body, head) end
  local read = READERS[row.response]
  if read then return read(call, status, body, head) end
  local ok, decoded, new_secrets = decode(body, special_fields)
  if not ok then return nil, failures.unusable(secrets, status, body, head, "it is not JSON: " .. decoded) end
  if decoded == nil and row.nullable then return nil end
  if type(decoded) ~= "table" then
    return nil, failures.unusable(secrets, status, body, head, "it is not an object or a list")
  end
  if new_secrets ~= NO_SECRETS or shows(secrets, body) then redact.values(secrets, new_secrets, decoded) end
  local answer, missing = responses[row.response](decoded, new_secrets, row)
  if not answer then return nil, failures.unusable(secrets, status, body, head, "it has no " .. missing) end
  if row.id_argument and answer.id:lower() ~= call.args[row.id_argument]:lower() then
    return nil, failures.unusable(secrets, status, body, head, "it is about another id: " .. secrets:mask(answer.id))
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
