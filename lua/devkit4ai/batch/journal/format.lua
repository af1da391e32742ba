--- The lines of a journal: JSON objects, each with a sum over its own text and the sum of the line before. So a line that
--- was changed, removed or moved is noticed. Pure.
local core = require "devkit4ai.core"
local json = require "devkit4ai.util.json"

local M = {}

--- The version of the format. A journal of another one is refused.
M.VERSION = 1

---@class devkit4ai.batch.Record one line: the first one has `journal`; one of a run has `run`; one of a step has `job`
---@field journal integer? version of the format
---@field batch string? id of the batch
---@field run integer? id of the process that has the journal from here on
---@field host string? of that process
---@field job string? name of the job
---@field step string?
---@field attempt integer? 2 or more: the user decided to send the job again
---@field digest string? of the job
---@field images string? digest of the bytes of its images
---@field since integer? Unix time of the server before the request; nil: it was not known
---@field id string? of the generation
---@field bytes integer? of the image
---@field paid boolean? of a failed job
---@field reason string?
---@field time integer Unix time of this machine, for people

-- The order of the fields in a line.
local ORDER = {
  "journal", "batch", "run", "host", "job", "step", "attempt", "digest", "images", "since", "id", "bytes", "paid",
  "reason", "time",
}

local SUM_LENGTH = 16 -- hexadecimal digits
local SUM_FIELD = ',"sum":"%s"}'
local TAIL = #SUM_FIELD:format(("0"):rep(SUM_LENGTH)) -- bytes

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\" }

local function quote(text)
  return '"' .. text:gsub('[%c"\\\127]', function(char)
    return ESCAPES[char] or ("\\u%04x"):format(char:byte())
  end) .. '"'
end

local function value_of(value)
  if type(value) == "string" then return quote(value) end
  if type(value) == "number" then return ("%.0f"):format(value) end
  return tostring(value)
end

local function sum_of(previous, body)
  return core.digest(previous .. body):sub(1, SUM_LENGTH)
end

--- The line of a record, with its line feed.
---@param record devkit4ai.batch.Record
---@param previous string the sum of the line before; "" for the first line
---@return string line
---@return string sum
function M.encode(record, previous)
  local parts = {}
  for _, name in ipairs(ORDER) do
    local value = record[name]
    if value ~= nil then parts[#parts + 1] = ('"%s":%s'):format(name, value_of(value)) end
  end
  local body = "{" .. table.concat(parts, ",")
  local sum = sum_of(previous, body)
  return body .. SUM_FIELD:format(sum) .. "\n", sum
end

--- Reads a line.
---@param line string without its line feed
---@param previous string the sum of the line before
---@return devkit4ai.batch.Record? record nil: it is not the line that was written there
---@return string? sum
function M.decode(line, previous)
  local body, tail = line:sub(1, -TAIL - 1), line:sub(-TAIL)
  local sum = sum_of(previous, body)
  if tail ~= SUM_FIELD:format(sum) then return nil end
  local record = json.decode_plain(line)
  if type(record) ~= "table" then return nil end
  return record, sum
end

return M
