--- How many requests are left, and how an answer says so (wire.md 4.2, 4.5; the dialect's axis rate_headers).
local json = require "devkit4ai.sandbox.json"
local windows = require "devkit4ai.sandbox.windows"

local M = {}
local Rates = {}
Rates.__index = Rates

local HOUR, DAY = 3600, 24 * 3600

-- The settings that limit all requests, and those that limit a group of operations besides (routes.lua).
local GENERAL = { { "request_limit", HOUR }, { "daily_request_limit", DAY } }
local OF_GROUPS = { { "auth_limit", HOUR }, { "management_limit", DAY } }

local function seconds(wait)
  return "Retry-After: " .. wait
end

local function date(wait, now)
  return "Retry-After: " .. os.date("!%a, %d %b %Y %H:%M:%S GMT", math.ceil(now + wait))
end

-- value of the axis -> header: the Retry-After line of a 429; body: its retry_after; limits: X-RateLimit-* on all
local STYLES = {
  ["retry_after+body"] = { header = seconds, body = true },
  retry_after = { header = seconds },
  date = { header = date },
  body = { body = true },
  ["limits+body"] = { body = true, limits = true },
  limits = { limits = true },
}

---@param settings devkit4ai.sandbox.Settings
---@param style string of the axis rate_headers
---@param clock fun(): number Unix time
function M.new(settings, style, clock)
  local general, of_group = {}, {}
  for _, row in ipairs(GENERAL) do general[#general + 1] = windows.new(settings[row[1]], row[2], clock) end
  for _, row in ipairs(OF_GROUPS) do of_group[row[1]] = windows.new(settings[row[1]], row[2], clock) end
  return setmetatable({ style = STYLES[style], clock = clock, general = general, of_group = of_group }, Rates)
end

--- Counts a request; where a limit's window is used up, the seconds until the next one is allowed, and the window.
---@param group string? the setting that limits the group of the request's operation
---@return integer? seconds
---@return devkit4ai.sandbox.Window?
function Rates:take(group)
  for _, window in ipairs(self.general) do
    local wait = window:take()
    if wait then return wait, window end
  end
  local window = self.of_group[group]
  local wait = window and window:take()
  if wait then return wait, window end
end

--- An answer with what the dialect says of limits, those of the window that refused or else the first general one;
--- the answer given stays as it is.
---@param answer devkit4ai.sandbox.Answer
---@return devkit4ai.sandbox.Answer
function Rates:dress(answer)
  local style, wait = self.style, answer.wait
  local window = style.limits and (answer.window or self.general[1])
  if not window and not wait then return answer end
  local now, headers, body = self.clock(), {}, nil
  for i, line in ipairs(answer.headers or headers) do headers[i] = line end
  if window then
    headers[#headers + 1] = "X-RateLimit-Limit: " .. window.limit
    headers[#headers + 1] = "X-RateLimit-Remaining: " .. window:left()
    headers[#headers + 1] = "X-RateLimit-Reset: " .. window:ends()
  end
  if wait and style.header then headers[#headers + 1] = style.header(wait, now) end
  if wait and style.body then
    body = json.object({ "detail", "retry_after" }, { detail = answer.detail, retry_after = wait })
  end
  return setmetatable({ headers = headers[1] and headers, body = body }, { __index = answer })
end

return M
