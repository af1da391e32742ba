--- The journal of a batch: a file beside the results, and the ledger that the steps of each job are written to.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local file_failures = require "devkit4ai.batch.file_failures"
local format = require "devkit4ai.batch.journal.format"
local known_length = require "devkit4ai.batch.journal.known_length"
local reader = require "devkit4ai.batch.journal.reader"
local states_module = require "devkit4ai.batch.journal.state"
local tasks = require "devkit4ai.loop.tasks"
local waits = require "devkit4ai.loop.waits"

local M = {}

--- The name of the file in the folder of the results.
M.NAME = "journal.jsonl"

local NO_ENTRY = 2 -- ENOENT, on every system

---@class devkit4ai.batch.Ledger where the steps of jobs are written before they are taken; queue/ledger.lua has one in Redis
---@field batch string id of the batch, for markers
---@field record fun(self: devkit4ai.batch.Ledger, job: devkit4ai.batch.Job, step: string, fields: table?): boolean?, string?, devkit4ai.Error? the record is durable when it returns true; else the step must not be taken
---@field state_of fun(self: devkit4ai.batch.Ledger, job: devkit4ai.batch.Job): devkit4ai.batch.State
---@field is_of_other fun(self: devkit4ai.batch.Ledger, id: string, job: devkit4ai.batch.Job): boolean whether this generation belongs to another job than this one

---@class devkit4ai.batch.Journal: devkit4ai.batch.Ledger
---@field path string
---@field private _folder string of the results
---@field private _file userdata? core.journal's; nil: there is none yet, and begin makes it
---@field private _lock userdata? core.lock's; nil: the folder is not there yet, and begin makes it
---@field private _states devkit4ai.batch.States
---@field private _link string the end of the last line in the file, which the sum of the next one includes
---@field private _pending devkit4ai.batch.Write? records that the next write has
---@field private _known_length devkit4ai.batch.KnownLength? nil: this process has not written to it, or the length can't be noted
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
  local holder = read and read.states.last_run
  if not holder then return "another process" end
  return ("process %d on %s, since %s"):format(holder.run, holder.host ~= "" and holder.host or "this machine",
    os.date("%Y-%m-%d %H:%M:%S", holder.time))
end

-- Locks the journal. false: there is no folder for it.
local function take_lock(folder, path)
  local lock, _, why = core.lock(path .. ".lock")
  if lock then return lock end
  if lock == false then
    return fail(path, ("%s runs this batch; wait for its end, or end it. Nothing was sent"):format(holder_of(path)))
  end
  -- The dot: a pipe in the place of the folder is not opened, which would wait for its other end.
  local file, _, number = io.open(path:sub(1, -#M.NAME - 1) .. ".", "rb")
  if file then file:close() end
  if number == NO_ENTRY then return false end
  return file_failures.of_folder(folder, path .. ".lock", why)
end

-- What is read where there is no file.
local function nothing()
  return { states = states_module.new(), link = "", length = 0 }
end

-- Opens the file, if there is one, reads it, and completes or removes what a crash left at its end.
local function open(path)
  local file, _, why = core.journal(path, false)
  if file == nil then return nil, file_failures.text(why) end
  local read, problem = nothing(), nil
  if file then read, problem = reader.read(file) end
  problem = problem or known_length.problem(path, read.length)
  if not file then return nil, problem and ("%s: %s"):format(path, problem) or read end
  local done = not problem
  local surplus = done and file:length() - read.length or 0
  if surplus > 0 then done, _, problem = file:cut(read.length)
  elseif surplus < 0 then done, _, problem = file:append "\n" end
  if done then return file, read end
  file:close()
  return nil, ("%s: %s"):format(path, problem)
end

--- Opens the journal in a folder, and locks it until close. The file appears with its first record.
---@param folder string of the results; if it is missing, begin makes it
---@return devkit4ai.batch.Journal?
---@return string? message
---@return devkit4ai.Error? err kind `file`: another process has it, it was changed by hand, it is damaged, of another version, or can't be written
function M.open(folder)
  local path = folder:gsub("([^/])$", "%1/") .. M.NAME
  local lock, message, err = take_lock(folder, path)
  if lock == nil then return nil, message, err end
  local file, read = nil, nothing()
  if lock then file, read = open(path) end
  if type(read) == "string" then
    lock:release()
    return errors.refuse("file", read, nil, "client:batch")
  end
  return setmetatable({
    path = path, batch = read.states.batch or new_id(), _folder = folder, _file = file, _lock = lock or nil,
    _states = read.states, _link = read.link,
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
  if not done then return file_failures.refuse(why) end
  journal._link = link
  for _, record in ipairs(records) do
    if record.journal then journal._states.batch = record.batch else assert(journal._states:add(record)) end
  end
  return true
end

local MAY_SEND = { planned = true, refused = true }
local SENT = "the job %s was sent already; it is not sent again"
local OF_OTHER = "the job %s can't have the generation %s: it is another job's"

local RAISED = "the record of a step may be missing, since an error was raised while it was written: "

-- The tasks that wait for the write go on in each case, also after an error such as one of memory.
local function finish(journal, write)
  if journal._pending == write then journal._pending = nil end
  local ok, raised, _, err = pcall(append, journal, write.records)
  if not ok then err = select(3, errors.refuse("file", RAISED .. tostring(raised), nil, "batch:run")) end
  write.done, write.err = true, err
  for _, slot in ipairs(write.slots) do waits.wake(slot) end
  if not ok then error(raised, 0) end
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

-- Whether a request of the job may be on its way, or the next write says so.
local function is_sent(journal, job)
  for _, record in ipairs(journal._pending and journal._pending.records or {}) do
    if record.job == job.name and record.step == "sending" then return true end
  end
  return not MAY_SEND[journal:state_of(job).step or "planned"]
end

--- Writes a step of a job. Jobs that record at the same moment share one write and one sync.
---@param job devkit4ai.batch.Job
---@param step string
---@param fields table? of the record
---@return boolean? done the record is on the disk
---@return string? message
---@return devkit4ai.Error? err kind `file`: it is not in the file, and the step must not be taken; kind `conflict`: the job was sent
function Journal:record(job, step, fields)
  local problem = step == "sending" and is_sent(self, job) and SENT:format(job.name)
    or step == "accepted" and self:is_of_other(fields.id, job) and OF_OTHER:format(job.name, fields.id)
  if problem then return errors.refuse("conflict", problem, nil, "batch:run") end
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

-- Makes the folder and the file, where they are missing.
local function make(journal)
  if not journal._lock then
    local made, _, why = core.make_folder(journal._folder, false)
    if not made then return file_failures.of_folder(journal._folder, journal._folder, why) end
    local lock, message, err = take_lock(journal._folder, journal.path)
    if lock == false then return fail(journal.path, "its folder was removed. Nothing was sent") end
    if not lock then return nil, message, err end
    journal._lock = lock
  end
  if journal._file then return true end
  local file, _, why = core.journal(journal.path, true)
  if not file then return file_failures.refuse(why) end
  journal._file = file
  if file:length() == 0 then return true end
  return fail(journal.path, "another run has begun this batch since its jobs were checked. Nothing was sent; run it "
    .. "again")
end

--- Writes that this process runs the batch from now on, and the plan: jobs that are new, that changed, or that the user
--- decided to send again. Makes the folder and the file, where they are missing.
---@param jobs devkit4ai.batch.PlannedJob[]
---@param sender devkit4ai.batch.Sender
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function Journal:begin(jobs, sender)
  local made, message, err = make(self)
  if not made then return nil, message, err end
  local records = {}
  if not self._states.batch then records[1] = { journal = format.VERSION, batch = self.batch } end
  records[#records + 1] = {
    run = core.process(), host = core.host_name(), account = sender.account, project = sender.project,
    marker = sender.marker,
  }
  for _, planned in ipairs(jobs) do
    records[#records + 1] = { job = planned.name, step = "planned", digest = planned.digest, attempt = planned.attempt }
  end
  self._known_length = known_length.open(self.path)
  return append(self, records)
end

--- Who sent the jobs, as far as a run knew it.
---@return devkit4ai.batch.Sender
function Journal:sender()
  return self._states.sender
end

---@param job devkit4ai.batch.Job
---@return devkit4ai.batch.State
function Journal:state_of(job)
  return self._states:of(job.name)
end

--- Whether a generation belongs to another job than this one.
---@param id string of the generation
---@param job devkit4ai.batch.Job? nil: whether it belongs to any job
---@return boolean
function Journal:is_of_other(id, job)
  return self._states:is_of_other(id, job and job.name or "") -- no job has this name
end

--- How many generations were accepted, and paid for, in all runs.
---@return integer
function Journal:payments()
  return self._states:payments()
end

--- The names of jobs that were sent and have not ended, apart from some.
---@param known table<string, true> names
---@return string[]
function Journal:unfinished_names(known)
  local names = {}
  for _, name in ipairs(self._states:open_names()) do
    if not known[name] then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

--- Closes the file, and lets other processes have it. A second call changes nothing.
function Journal:close()
  if self._known_length then self._known_length:close(self._file:length()) end
  self._known_length = nil
  if self._file then self._file:close() end
  if self._lock then self._lock:release() end
end

return M
