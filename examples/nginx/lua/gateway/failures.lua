--- Failures: handlers raise tables; the user gets a short text, and nginx's log gets the library's message.
local M = {}

-- By the kind of the library's error: status, text. detail: the API's own text follows, which has no secrets.
local KINDS = {
  auth = { 401, "Your session is over. Log in again." },
  conflict = { 409, "There is already an account with this address." },
  failed = { 422, "The service could not make this image: ", detail = true },
  invalid = { 422, "The service did not accept this: ", detail = true },
  not_found = { 404, "There is no such image." },
  rate_limited = { 429, "The service has too much to do. Try again later." },
}
local OTHER = { 502, "The service can't be reached at the moment. Try again later." }
local UNKNOWN = { 502, "The connection was lost. Your image may be in the making: look at the gallery first." }

--- Raises a failure that the gateway found: the status of the response, a text for the user, seconds.
function M.refuse(status, text, retry_after)
  error({ status = status, text = text, retry_after = retry_after }, 0)
end

--- Returns the value of a call of the library, or raises its error.
function M.try(value, _, err)
  if value == nil then error(err, 0) end
  return value
end

--- The status and the JSON of a failed response. It logs each failure that the user did not cause.
function M.describe(err)
  if type(err) ~= "table" then err = { message = err, status = 500, text = "The gateway has a fault." } end
  if err.retry_after and not ngx.headers_sent then ngx.header.retry_after = math.ceil(err.retry_after) end
  local is_lost = err.operation == "create_generation" and err.outcome == "unknown"
  local row = err.text and { err.status, err.text } or is_lost and UNKNOWN or KINDS[err.kind] or OTHER
  if row[1] >= 500 then ngx.log(ngx.ERR, err.message) end
  return row[1], { error = row.detail and row[2] .. (err.detail or err.message) or row[2] }
end

return M
