--- Failures: handlers raise tables; the user gets a short text, and nginx's log gets the library's message.
local M = {}

-- By the kind of the library's error, or its operation and its kind or outcome: status, text. detail: the API's own text
-- follows, in which the library has masked all secrets.
local ROWS = {
  auth = { 401, "Your session is over. Log in again." },
  conflict = { 409, "There is already an account with this address." },
  failed = { 422, "The service could not make this image", detail = true },
  invalid = { 422, "The service did not accept this", detail = true },
  not_found = { 404, "There is no such image." },
  rate_limited = { 429, "The service has too much to do. Try again later." },
  ["login auth"] = { 401, "The address or the password is wrong." },
  ["create_generation unknown"] = { 502, "The connection was lost. Look in the gallery: the image may be on its way." },
}
local OTHER = { 502, "The service can't be reached at the moment. Try again later." }

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
  local operation = tostring(err.operation) .. " "
  local row = err.text and { err.status, err.text } or ROWS[operation .. tostring(err.kind)]
    or ROWS[operation .. tostring(err.outcome)] or ROWS[err.kind] or OTHER
  if row[1] >= 500 then ngx.log(ngx.ERR, err.message) end
  return row[1], { error = row[2] .. (row.detail and (err.detail and ": " .. err.detail or ".") or "") }
end

return M
