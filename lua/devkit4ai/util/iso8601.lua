--- Lenient parser of ISO 8601 times, as the API writes them (wire.md D64). Pure.
local locale = require "devkit4ai.util.locale"

local M = {}

local DAYS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
local DAY = 86400 -- seconds

local function is_leap(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

-- Days from 1970-01-01 to January 1 of the year.
local function days_before(year)
  local past = year - 1
  return (year - 1970) * 365 + math.floor(past / 4) - math.floor(past / 100) + math.floor(past / 400) - 477
end

-- Days from 1970-01-01 to a date.
local function days_to(year, month, day)
  if year < 1970 or month < 1 or month > 12 or day < 1 then return nil end
  local days = days_before(year)
  for i = 1, month do
    local length = DAYS[i] + (i == 2 and is_leap(year) and 1 or 0)
    if i == month then return day <= length and days + day - 1 or nil end
    days = days + length
  end
end

-- Offset from UTC in seconds, east is positive. A time without a zone is UTC.
local function utc_offset(text)
  if text == "" or text == "Z" or text == "z" then return 0 end
  local sign, hours, minutes = text:match("^([+-])(%d%d):?(%d?%d?)$")
  if not sign or #minutes == 1 then return nil end
  hours, minutes = tonumber(hours), tonumber(minutes) or 0
  if hours > 23 or minutes > 59 then return nil end
  return (hours * 60 + minutes) * (sign == "-" and -60 or 60)
end

--- Parses a time: 2025-12-08T10:30:00Z, also with a fraction, with another zone or none (UTC), or with a blank for the T.
---@param text any
---@return number? seconds Unix time; nil: not a time, or before 1970
function M.parse(text)
  if type(text) ~= "string" then return nil end
  local date, time, rest = text:match("^(%d%d%d%d%-%d%d%-%d%d)[Tt ](%d%d:%d%d:%d%d)(.*)$")
  if not date then return nil end
  local fraction, offset = rest:match("^([.,]%d+)(.*)$")
  local east = utc_offset(offset or rest)
  local year, month, day = date:match("^(%d+)%-(%d+)%-(%d+)$")
  local days = days_to(tonumber(year), tonumber(month), tonumber(day))
  local hour, minute, second = time:match("^(%d+):(%d+):(%d+)$")
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second)
  if not (east and days) or hour > 23 or minute > 59 or second > 60 then return nil end -- 60: a leap second
  local seconds = days * DAY + hour * 3600 + minute * 60 + second - east
  return fraction and seconds + locale.number("0." .. fraction:sub(2, 16)) or seconds
end

return M
