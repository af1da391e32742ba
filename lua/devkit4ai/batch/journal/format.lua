--- The lines of a journal: JSON objects, each with a sum over its own text and the sum of the line before. So a line that
--- was changed, removed or moved is noticed. Pure.
local core = require "devkit4ai.core"

local M = {}

--- The version of the format. A journal of another one is refused.
M.VERSION = 1

---@class devkit4ai.batch.Record one line: the first one has `journal`; one of a run has `run`; one of a step has `job`
---@field journal integer? version of the format
---@field batch string? id of the batch
---@field run integer? id of the process that has the journal from here on
---@field host string? of that process
---@field account string? digest of the account that this run uses
---@field project string? id of the project of jobs that name none, in this run
---@field marker boolean? whether this run adds a marker to the instructions
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

-- The fields in the order of a line, and the type of each.
local FIELDS = {
  { "journal", "number" }, { "batch", "string" }, { "run", "number" }, { "host", "string" }, { "account", "string" },
  { "project", "string" }, { "marker", "boolean" }, { "job", "string" },
  { "step", "string" }, { "attempt", "number" }, { "digest", "string" }, { "images", "string" }, { "since", "number" },
  { "id", "string" }, { "bytes", "number" }, { "paid", "boolean" }, { "reason", "string" }, { "time", "number" },
}
local MAX_NUMBER = 2 ^ 53

local SUM_FIELD, SUM_END = ',"sum":"', '"}\n'
local SUM_LENGTH = 16 -- hexadecimal digits

--- Bytes of a line that the sum of the next one includes.
M.LINK = SUM_LENGTH + #SUM_END

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\" }
local SPECIAL = '[%c"\\\127]'

local function quote(text)
  if not text:find(SPECIAL) then return '"' .. text .. '"' end
  return '"' .. text:gsub(SPECIAL, function(char)
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
  local parts, count = {}, 0
  for i = 1, #FIELDS do
    local name = FIELDS[i][1]
    local value = record[name]
    if value ~= nil then
      count = count + 1
      parts[count] = '"' .. name .. '":' .. value_of(value)
    end
  end
  local body = "{" .. table.concat(parts, ",")
  local own_link = core.digest(link .. body):sub(1, SUM_LENGTH) .. SUM_END
  return body .. SUM_FIELD .. own_link, own_link
end

--- Whether each value of a line has the type that encode writes.
---@param record any the decoded line
---@return boolean
function M.has_types(record)
  if type(record) ~= "table" then return false end
  for _, field in ipairs(FIELDS) do
    local value = record[field[1]]
    if value ~= nil and type(value) ~= field[2] then return false end
    if type(value) == "number" and not (value >= 0 and value <= MAX_NUMBER and value % 1 == 0) then return false end
  end
  return true
end

return M
