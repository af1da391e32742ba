--- Rate limits of requests, and the response headers about them (wire.md 4.2, 4.5; the dialect's axis rate_headers).
local json = require "devkit4ai.sandbox.util.json"
local merge = require "devkit4ai.sandbox.util.merge"
local rate_window = require "devkit4ai.sandbox.state.rate_window"

local M = {}

---@class devkit4ai.sandbox.RateLimits
---@field private _now fun(): number
---@field private _style { retry_after: function?, body: boolean?, limits: boolean? }
---@field private _general devkit4ai.sandbox.RateWindow[]  of all requests
---@field private _by_group table<string, devkit4ai.sandbox.RateWindow>  by the setting's name
local RateLimits = {}
RateLimits.__index = RateLimits

local HOUR, DAY = 3600, 24 * 3600

-- The settings that limit all requests, and those that limit a group of routes too: name, seconds.
local GENERAL = { { "request_limit", HOUR }, { "daily_request_limit", DAY } }
local GROUPS = { { "auth_limit", HOUR }, { "management_limit", DAY } }

local function in_seconds(wait)
  return "Retry-After: " .. wait
end

local function as_date(wait, now)
  return "Retry-After: " .. os.date("!%a, %d %b %Y %H:%M:%S GMT", math.ceil(now + wait))
end

-- value of the axis -> retry_after: makes the Retry-After header of a 429; body: the body has retry_after;
-- limits: every response has X-RateLimit-* headers
local STYLES = {
  ["retry_after+body"] = { retry_after = in_seconds, body = true },
  retry_after = { retry_after = in_seconds },
  date = { retry_after = as_date },
  body = { body = true },
  ["limits+body"] = { body = true, limits = true },
  limits = { limits = true },
}

---@param settings devkit4ai.sandbox.Settings
---@param style string the value of the axis rate_headers
---@param now fun(): number Unix time
---@param records devkit4ai.sandbox.Records
---@return devkit4ai.sandbox.RateLimits
function M.new(settings, style, now, records)
  local function window_of(row) return rate_window.new(settings[row[1]], row[2], now, records, row[1]) end
  local general, by_group = {}, {}
  for _, row in ipairs(GENERAL) do general[#general + 1] = window_of(row) end
  for _, row in ipairs(GROUPS) do by_group[row[1]] = window_of(row) end
  return setmetatable({ _style = STYLES[style], _now = now, _general = general, _by_group = by_group }, RateLimits)
end

--- Counts a request.
---@param group string? the setting that limits the route's group
---@return integer? seconds until the next request is allowed, where a limit is exceeded
---@return devkit4ai.sandbox.RateWindow? window that is used up
function RateLimits:count_request(group)
  for _, window in ipairs(self._general) do
    local wait = window:hit()
    if wait then return wait, window end
  end
  local window = self._by_group[group]
  local wait = window and window:hit()
  if wait then return wait, window end
end

--- Adds the dialect's rate headers, of the window that refused, otherwise of the first general window.
---@param response devkit4ai.sandbox.Response
---@return devkit4ai.sandbox.Response
function RateLimits:add_headers(response)
  local style, wait = self._style, response.retry_after
  local window = style.limits and (response.window or self._general[1])
  if not window and not wait then return response end
  local headers, body = {}, response.body
  for i, line in ipairs(response.headers or headers) do headers[i] = line end
  if window then
    headers[#headers + 1] = "X-RateLimit-Limit: " .. window.limit
    headers[#headers + 1] = "X-RateLimit-Remaining: " .. window:remaining()
    headers[#headers + 1] = "X-RateLimit-Reset: " .. window:reset_time()
  end
  if wait and style.retry_after then headers[#headers + 1] = style.retry_after(wait, self._now()) end
  if wait and style.body then
    body = json.encode_object({ "detail", "retry_after" }, { detail = response.detail, retry_after = wait })
  end
  return merge(response, { headers = headers, body = body })
end

return M
