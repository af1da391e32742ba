--- An HTTP response and its bytes on the wire.
local json = require "devkit4ai.sandbox.util.json"

local M = {}

local REASONS = {
  [200] = "OK", [201] = "Created", [202] = "Accepted", [204] = "No Content",
  [301] = "Moved Permanently", [302] = "Found", [303] = "See Other", [304] = "Not Modified",
  [307] = "Temporary Redirect", [308] = "Permanent Redirect",
  [400] = "Bad Request", [401] = "Unauthorized", [403] = "Forbidden", [404] = "Not Found",
  [405] = "Method Not Allowed", [408] = "Request Timeout", [409] = "Conflict", [411] = "Length Required",
  [413] = "Content Too Large", [415] = "Unsupported Media Type", [422] = "Unprocessable Entity",
  [429] = "Too Many Requests", [431] = "Request Header Fields Too Large",
  [500] = "Internal Server Error", [501] = "Not Implemented", [502] = "Bad Gateway", [503] = "Service Unavailable",
  [504] = "Gateway Timeout", [505] = "HTTP Version Not Supported",
}

---@class devkit4ai.sandbox.Response a response; middleware copies it and never changes it
---@field status integer
---@field body string
---@field headers string[]?  more header lines
---@field content_type string?  default application/json
---@field date string?  the Date header, in place of the clock's time
---@field content_length integer?  a false Content-Length, in place of the body's
---@field retry_after integer?  of a 429: seconds
---@field window devkit4ai.sandbox.RateWindow?  of a 429: the window that is used up
---@field detail string?  of a 429: the text in the body
---@field generation devkit4ai.sandbox.Generation?  the generation that the request created

local DETAIL = { "detail" }

--- A response with a detail text, as JSON.
---@param status integer
---@param detail string
---@param headers string[]?
---@return devkit4ai.sandbox.Response
function M.detail(status, detail, headers)
  return { status = status, headers = headers, body = json.encode_object(DETAIL, { detail = detail }) }
end

--- The reason phrase of a status.
---@param status integer
---@return string
function M.reason(status)
  return REASONS[status] or "Status " .. status
end

local cached_second, cached_date -- the Date header is formatted once a second

local function http_date(now)
  now = math.floor(now)
  if now ~= cached_second then
    cached_second, cached_date = now, os.date("!%a, %d %b %Y %H:%M:%S GMT", now)
  end
  return cached_date
end

--- The bytes of a response.
---@param response devkit4ai.sandbox.Response
---@param now number Unix time
---@param keep_alive boolean
---@param without_body boolean? for HEAD
---@return string
function M.serialize(response, now, keep_alive, without_body)
  local status, body, content = response.status, response.body, ""
  if status == 204 or status == 304 then body = "" -- these have no body and no headers about it
  else
    content = "\r\nContent-Type: " .. (response.content_type or "application/json")
      .. "\r\nContent-Length: " .. (response.content_length or #body)
  end
  local headers = response.headers
  return "HTTP/1.1 " .. status .. " " .. (REASONS[status] or M.reason(status))
    .. "\r\nDate: " .. (response.date or http_date(now)) .. content
    .. (headers and headers[1] and "\r\n" .. table.concat(headers, "\r\n") or "")
    .. (keep_alive and "\r\n\r\n" or "\r\nConnection: close\r\n\r\n")
    .. (without_body and "" or body)
end

return M
