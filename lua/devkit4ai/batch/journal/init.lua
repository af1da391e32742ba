--- The journal of a batch: a file beside the results, and the ledger that the steps of each job are written to.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local format = require "devkit4ai.batch.journal.format"
local reader = require "devkit4ai.batch.journal.reader"
local state_module = require "devkit4ai.batch.journal.state"
local tasks = require "devkit4ai.loop.tasks"
local waits = require "devkit4ai.loop.waits"

local M = {}

--- The name of the file in the folder of the results.
M.NAME = "journal.jsonl"

---@class devkit4ai.batch.Ledger where the steps of jobs are written before they are taken; queue/ledger.lua has one in Redis
---@field batch string id of the batch, for markers
---@field record fun(self: devkit4ai.batch.Ledger, job: devkit4ai.batch.Job, step: string, fields: table?): boolean?, string?, devkit4ai.Error? the record is durable when it returns true; else the step must not be taken
---@field state_of fun(self: devkit4ai.batch.Ledger, job: devkit4ai.batch.Job): devkit4ai.batch.State
---@field owner_of fun(self: devkit4ai.batch.Ledger, id: string): string? the name of the job that has this generation

---@class devkit4ai.batch.Journal: devkit4ai.batch.Ledger
---@field path string
---@field private _file userdata core.journal's
---@field private _lock userdata core.lock's
---@field private _states devkit4ai.batch.States
---@field private _link string the end of the last line in the file, which the sum of the next one includes
---@field private _pending devkit4ai.batch.Write? records that the next write has
local Journal = {}
Journal.__index = Journal

---@class devkit4ai.batch.Write one write of the records of several jobs
---@field records devkit4ai.batch.Record[]
---@field slots devkit4ai.loop.Slot[] of the tasks that wait for it
---@field done boolean?
---@field err devkit4ai.Error? the write failed

local function fail(path, what)
  return errors.refuse("file", ("%s: %s"):format(path, what), nil, "client:batch")
end

local function new_id()
  local digits = {}
  for i = 1, 12 do digits[i] = ("%x"):format(math.floor(core.random() * 16)) end
  return table.concat(digits)
end

-- Reads a journal that another process writes.
local function read_other(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local read = reader.read {
    read = function(_, offset, most)
      file:seek("set", offset)
      return file:read(most) or ""
    end,
  }
  file:close()
  return read
end

-- Who has the journal, as its last line of a run says.
local function holder_of(path)
  local read = read_other(path)
  local holder = read and read.states.holder
  if not holder then return "another process" end
  return ("process %d on %s, since %s"):format(holder.run, holder.host ~= "" and holder.host or "this machine",
    os.date("%Y-%m-%d %H:%M:%S", holder.time))
end

-- Opens the file, reads it, and removes what a crash left behind its last whole line.
local function open(path)
  local file, _, why = core.journal(path)
  if not file then return nil, why end
  local read, problem = reader.read(file)
  local done = read and true
  if read and file:length() > read.length then done, _, problem = file:cut(read.length) end
  if done then return file, read end
  file:close()
  return nil, ("%s: %s"):format(path, problem)
end

--- Opens the journal in a folder, and locks it until close. The file appears with its first record.
---@param folder string of the results; it must exist
---@return devkit4ai.batch.Journal?
---@return string? message
---@return devkit4ai.Error? err kind `file`: another process has it, it was changed by hand, it is damaged, of another version, or can't be written
function M.open(folder)
  local path = folder:gsub("([^/])$", "%1/") .. M.NAME
  local lock, _, why = core.lock(path .. ".lock")
  if lock == nil then return errors.refuse("file", why, nil, "client:batch") end
  if not lock then
    return fail(path, ("%s runs this batch; wait for its end, or end it. Nothing was sent"):format(holder_of(path)))
  end
  local file, read = open(path)
  if not file then
    lock:release()
    return errors.refuse("file", read, nil, "client:batch")
  end
  return setmetatable({
    path = path, batch = read.states.batch or new_id(), _file = file, _lock = lock, _states = read.states,
    _link = read.link,
  }, Journal)
end

-- Appends records in one write. nil, message, err: none of them is in the file.
local function append(journal, records)
  local lines, link = {}, journal._link
  local time = os.time()
  for i, record in ipairs(records) do
    record.time = time
    lines[i], link = format.encode(record, link)
  end
  local done, _, why = journal._file:append(table.concat(lines))
  if not done then return errors.refuse("file", why, nil, "batch:run") end
  journal._link = link
  for _, record in ipairs(records) do
    if record.journal then journal._states.batch = record.batch else journal._states:add(record) end
  end
  return true
end

local function finish(journal, write)
  if journal._pending == write then journal._pending = nil end
  local _, _, err = append(journal, write.records)
  write.done, write.err = true, err
  for _, slot in ipairs(write.slots) do waits.wake(slot) end
end

-- Waits for a write that another task does. A cancellation must not end this wait: the step would be in the journal, and its
-- task would not know.
local function wait_for(write)
  while not write.done do
    local slot = {}
    write.slots[#write.slots + 1] = slot
    waits.park(tasks.current(), slot, math.huge)
  end
end

--- Writes a step of a job. Jobs that record at the same moment share one write and one sync.
---@param job devkit4ai.batch.Job
---@param step string
---@param fields table? of the record
---@return boolean? done the record is on the disk
---@return string? message
---@return devkit4ai.Error? err kind `file`: it is not in the file, and the step must not be taken
function Journal:record(job, step, fields)
  local record = { job = job.name, step = step }
  for name, value in pairs(fields or {}) do record[name] = value end
  local write = self._pending
  if write then
    write.records[#write.records + 1] = record
    wait_for(write)
  else
    write = { records = { record }, slots = {} }
    self._pending = write
    waits.sleep(0) -- other tasks that are ready add their records
    finish(self, write)
  end
  if not write.err then return true end
  return nil, write.err.message, write.err
end

--- Writes that this process runs the batch from now on, and the plan: jobs that are new, that changed, or that the user
--- decided to send again.
---@param jobs devkit4ai.batch.PlannedJob[]
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function Journal:begin(jobs)
  local records = {}
  if not self._states.batch then records[1] = { journal = format.VERSION, batch = self.batch } end
  records[#records + 1] = { run = core.process(), host = core.host_name() }
  for _, planned in ipairs(jobs) do
    records[#records + 1] = { job = planned.name, step = "planned", digest = planned.digest, attempt = planned.attempt }
  end
  return append(self, records)
end

---@param job devkit4ai.batch.Job
---@return devkit4ai.batch.State
function Journal:state_of(job)
  return self._states:of(job.name)
end

---@param id string of a generation
---@return string? name of the job that has it
function Journal:owner_of(id)
  return self._states.owners[id]
end

--- How many generations were accepted, and paid for, in all runs.
---@return integer
function Journal:payments()
  return self._states.payments
end

--- The names of jobs that were sent and have not ended, apart from some.
---@param known table<string, true> names
---@return string[]
function Journal:unfinished_names(known)
  local names = {}
  for name, state in pairs(self._states.jobs) do
    if state_module.IS_OPEN[state.step] and not known[name] then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- Closes the file, and lets other processes have it. A second call changes nothing.
function Journal:close()
  self._file:close()
  self._lock:release()
end

return M
