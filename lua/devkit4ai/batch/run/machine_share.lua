--- What the runs of one account on this machine share: a small file in the user's cache folder. Each run has a lock file beside it,
--- which ends with its process, so that the places of a killed run are free again. The file counts only while a run is alive: the
--- first run begins with what the server says, whatever an earlier one learned.
local core = require "devkit4ai.core"
local json = require "devkit4ai.util.json"
local senders = require "devkit4ai.batch.sender"
local system = require "devkit4ai.util.system"

local M = {}

local VERSION = 1 -- of the file

---@class devkit4ai.batch.MachineShare
---@field private _path string of the file
---@field private _id string of this run
---@field private _life userdata core.lock's: this run is alive
local Share = {}
Share.__index = Share

---@class devkit4ai.batch.ShareRecord what the file has
---@field version integer
---@field changes integer how often a run changed what follows
---@field limit integer? jobs of the account at once
---@field limit_until integer? Unix time: before, the server refuses one more
---@field limit_for integer? seconds from the refusal until then: a clock that is wrong changes no wait to a longer one
---@field blocked_until integer? Unix time: nothing is sent before
---@field blocked_for integer? seconds, in the same way
---@field is_probing boolean? one job at a time is sent
---@field runs table<string, devkit4ai.batch.ShareEntry> by the id of the run

---@class devkit4ai.batch.ShareEntry one run
---@field places integer jobs that it may have at once
---@field running integer jobs that it has, or may begin before it writes the next time
---@field wants boolean it waits for a place
---@field probes boolean it is the one that sends, while all probe

-- The user's folder for such files. nil: the environment names none.
local function cache_folder()
  if system.is_windows then
    local base = os.getenv "LOCALAPPDATA"
    return base and base ~= "" and base .. "\\devkit4ai" or nil
  end
  local base = os.getenv "XDG_CACHE_HOME"
  if base and base:sub(1, 1) == "/" then return base .. "/devkit4ai" end -- the XDG specification ignores a relative path
  local home = os.getenv "HOME"
  return home and home ~= "" and home .. "/.cache/devkit4ai" or nil
end

local function new_id()
  local digits = {}
  for i = 1, 12 do digits[i] = ("%x"):format(math.floor(core.random() * 16)) end
  return table.concat(digits)
end

--- Joins the runs of the client's account and address.
---@param client devkit4ai.Client
---@return devkit4ai.batch.MachineShare?
---@return string? why not
function M.join(client)
  local account, folder = senders.limits_key(client), cache_folder()
  if not account then return nil, "the client has no token that names its account" end
  if not folder then return nil, "the environment names no folder for it: set HOME or XDG_CACHE_HOME" end
  local made, _, why = core.make_folder(folder, true)
  if not made then return nil, why end
  local path = ("%s/batch-%s"):format(folder, account)
  local id = new_id()
  local life
  life, _, why = core.lock(("%s.%s.lock"):format(path, id))
  if not life then return nil, why or "its lock is not free" end
  return setmetatable({ _path = path, _id = id, _life = life }, Share)
end

-- Whether a run has ended. Removes the lock file of one that was killed.
local function has_ended(share, id)
  local lock = core.lock(("%s.%s.lock"):format(share._path, id))
  if lock then lock:release() end
  return lock ~= false
end

local NUMBERS = { "changes", "limit", "limit_until", "blocked_until", "blocked_for" }

-- Whether a value has numbers in all of these fields.
local function has_numbers(value, names)
  if type(value) ~= "table" then return false end
  for _, name in ipairs(names) do
    if type(value[name]) ~= "number" then return false end
  end
  return true
end

local function is_record(value)
  return has_numbers(value, NUMBERS) and value.version == VERSION and type(value.runs) == "table"
end

-- The record without runs that have ended; an empty one if no other run is alive.
local function read(share, text)
  local record = text and json.decode_plain(text)
  local others = {}
  for id, entry in pairs(is_record(record) and record.runs or {}) do
    local is_entry = id ~= share._id and id:find "^%x+$" and has_numbers(entry, { "places", "running" })
    if is_entry and not has_ended(share, id) then others[id] = entry end
  end
  return next(others) and record or { version = VERSION, changes = 0 }, others
end

-- Writes the record; the last run removes the file.
local function write(share, record)
  if next(record.runs) then return core.save(share._path, json.encode(record)) end
  os.remove(share._path)
  return true
end

--- Reads the record, changes it, and writes it, while no other run does.
---@param change fun(record: devkit4ai.batch.ShareRecord, others: table<string, devkit4ai.batch.ShareEntry>): devkit4ai.batch.ShareEntry? gives this run's entry; nil: it has none any more
---@return boolean? done false: another run does this now
---@return string? why not
function Share:exchange(change)
  local lock, _, why = core.lock(self._path .. ".lock")
  if not lock then return lock, why end
  local text, _, reason = core.load(self._path)
  local done = text ~= nil
  if done then
    local record, others = read(self, text)
    local entry = change(record, others)
    record.runs = others
    record.runs[self._id] = entry
    done, _, reason = write(self, record)
  end
  lock:release()
  return done, reason
end

--- Leaves the other runs: the places of this one are free.
function Share:close()
  self:exchange(function() return nil end)
  self._life:release()
end

return M
