--- How many requests an hour are left, and how an answer says so (CONTRACT 4.2; the dialect's axis rate_headers).
local json = require "devkit4ai.sandbox.json"

local M = {}
local Rates = {}
Rates.__index = Rates

local HOUR = 3600

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

---@param limit integer? requests an hour; nil: any number
---@param style string of the axis rate_headers
---@param clock fun(): number Unix time
function M.new(limit, style, clock)
  return setmetatable({ limit = limit, style = STYLES[style], clock = clock, used = 0 }, Rates)
end

-- When the window that is open now ends, in whole seconds, as Reset says it; one that has not begun would begin now.
function Rates:reset(now)
  return self.ends and now < self.ends and self.ends or math.floor(now) + HOUR
end

--- Counts a request; the seconds until the next one is allowed where the hour's are used up.
---@return integer?
function Rates:take()
  if not self.limit then return nil end
  local now = self.clock()
  local ends = self:reset(now)
  if ends ~= self.ends then self.ends, self.used = ends, 0 end
  self.used = self.used + 1
  if self.used > self.limit then return math.ceil(ends - now) end
end

--- An answer with what the dialect says of limits; the one given stays as it is.
---@param answer devkit4ai.sandbox.Answer
---@return devkit4ai.sandbox.Answer
function Rates:dress(answer)
  local style, now = self.style, self.clock()
  local limits, wait = style.limits and self.limit, answer.wait
  if not limits and not wait then return answer end
  local headers, body = {}, nil
  for i, line in ipairs(answer.headers or headers) do headers[i] = line end
  if limits then
    local open = self.ends and now < self.ends
    headers[#headers + 1] = "X-RateLimit-Limit: " .. limits
    headers[#headers + 1] = "X-RateLimit-Remaining: " .. (open and math.max(0, limits - self.used) or limits)
    headers[#headers + 1] = "X-RateLimit-Reset: " .. self:reset(now)
  end
  if wait and style.header then headers[#headers + 1] = style.header(wait, now) end
  if wait and style.body then
    body = json.object({ "detail", "retry_after" }, { detail = answer.detail, retry_after = wait })
  end
  return setmetatable({ headers = headers[1] and headers, body = body }, { __index = answer })
end

return M
