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

local SUM_FIELD, SUM_END = ',"sum":"', '"}\n'
local SUM_LENGTH = 16 -- hexadecimal digits

--- Bytes of a line that the sum of the next one includes.
M.LINK = SUM_LENGTH + #SUM_END

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

--- The line of a record, with its line feed. core.check_lines checks it.
---@param record devkit4ai.batch.Record
---@param link string the end of the line before; "" for the first line
---@return string line
---@return string link its own end
function M.encode(record, link)
  local parts = {}
  for _, name in ipairs(ORDER) do
    local value = record[name]
    if value ~= nil then parts[#parts + 1] = ('"%s":%s'):format(name, value_of(value)) end
  end
  local body = "{" .. table.concat(parts, ",")
  local own_link = core.digest(link .. body):sub(1, SUM_LENGTH) .. SUM_END
  return body .. SUM_FIELD .. own_link, own_link
end

-- The fields of the steps that most lines have; JSON costs five times as much.
local FIELDS = {
  planned = '^,"digest":"(%x+)","time":', sending = '^,"images":"%x+","since":(%d+),"time":',
  accepted = '^,"id":"([%x-]+)","time":', completed = '^,"time":()', saved = '^,"bytes":%d+,"time":()',
}
local NAMES = { planned = "digest", sending = "since", accepted = "id" }

local function number_of(step, value)
  return step == "sending" and tonumber(value) or value
end

--- Reads a record of a line that was checked.
---@param text string
---@param start integer where the line begins
---@param stop integer where its line feed is
---@return string? job nil: it has no step of a job
---@return string|devkit4ai.batch.Record|nil step the step, or the whole record where it has other fields than usual
---@return string? field the name of the only field that counts
---@return string|number|nil value
function M.decode(text, start, stop)
  local _, last, job, step = text:find('^{"job":"([^"\\]*)","step":"(%l+)"', start)
  local form = FIELDS[step]
  local value = form and text:match(form, last + 1)
  if value then return job, step, NAMES[step], number_of(step, value) end
  local record = json.decode_plain(text:sub(start, stop - 1))
  if type(record) ~= "table" then return nil end
  return record.job, record
end

return M
