--- A queue of jobs in Redis, as functions on its scripts.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local json = require "devkit4ai.util.json"
local keys = require "devkit4ai.batch.queue.keys"
local redis_of = require "devkit4ai.batch.queue.redis"
local scripts = require "devkit4ai.batch.queue.scripts"
local senders = require "devkit4ai.batch.sender"
local server_check = require "devkit4ai.batch.queue.server_check"

local unpack = table.unpack or unpack -- luacheck: ignore 113

---@class devkit4ai.batch.queue.Queue
---@field redis devkit4ai.batch.queue.Redis
---@field name string
---@field prefix string of its keys
---@field id string? of the batch, once it is open
---@field process string? of Redis, which has all steps of the batch
local Queue = {}
Queue.__index = Queue

local M = {}

local CHUNK = 300 -- jobs in one command

-- Two workers, or two requests, never get the same one.
local function token(length)
  local digits = {}
  for i = 1, length do digits[i] = ("%x"):format(math.floor(core.random() * 16)) end
  return table.concat(digits)
end
M.token = token

local function fail(queue, kind, what, advice)
  return errors.fail { kind = kind, outcome = "not_sent", advice = advice,
    what = ("queue %s of %s %s"):format(queue.name, queue.redis.shown, what) }
end

--- A queue on a connection.
---@param redis devkit4ai.batch.queue.Redis
---@param name string
---@return devkit4ai.batch.queue.Queue
function M.on(redis, name)
  return setmetatable({ redis = redis, name = name, prefix = keys.prefix(name) }, Queue)
end

--- Connects to a server, and checks that it can hold a queue.
---@param url string
---@param name string? of the queue, which need not exist yet
---@return devkit4ai.batch.queue.Queue? queue
---@return string? message, or a warning
---@return devkit4ai.Error? err
function M.open(url, name)
  local redis, message, err = redis_of.open(url)
  if not redis then return nil, message, err end
  local usable
  usable, message, err = server_check.check(redis)
  if not usable then
    redis:close()
    return nil, message, err
  end
  local loss = server_check.loss(redis)
  return M.on(redis, name or keys.DEFAULT_NAME), loss and ("queue %s: %s"):format(redis.shown, loss) or nil
end

-- Runs a script of the queue.
local function run(queue, script, ...)
  return queue.redis:script(script, queue.prefix, ...)
end

local function read_batch(queue, fields, sender)
  if fields[1] ~= tostring(keys.VERSION) then
    local text = ("has the version %s, and this program knows %d"):format(tostring(fields[1]), keys.VERSION)
    return fail(queue, "conflict", text)
  end
  local change = senders.change({ account = fields[4] or nil, project = fields[5] or nil }, sender)
  if change then return fail(queue, "conflict", "has jobs that were sent, or are to be sent, " .. change) end
  queue.id, queue.process = fields[2], fields[3]
  return true
end

-- Another process of Redis answers than the one that has the steps of the batch: it was restarted, or a replica took its place.
-- If it may have forgotten steps, nothing is sent: a job whose request was forgotten would be paid for twice.
local function check_process(queue)
  local found, message, err = server_check.process(queue.redis)
  if not found then return nil, message, err end
  if found == queue.process then return true end
  local loss = server_check.loss(queue.redis) or server_check.loss_of_replica(queue.redis)
  if loss then
    return fail(queue, "config", "is on a Redis that was restarted since, and may have forgotten steps: " .. loss,
      "docs/batch-queue.md, \"After a restart\", has what to do")
  end
  local done
  done, message, err = queue.redis:command("HSET", queue.prefix .. ":batch", "process", found)
  if not done then return nil, message, err end
  queue.process = found
  return true
end

-- Makes the queue, or opens the one that is there.
local function open(queue, sender, for_push)
  local process, message, err = server_check.process(queue.redis)
  if not process then return nil, message, err end
  local fields
  fields, message, err = run(queue, scripts.open, keys.VERSION, token(16), process, for_push and "push" or "")
  if not fields then return nil, message, err end
  local opened
  opened, message, err = read_batch(queue, fields, sender)
  if not opened then return nil, message, err end
  local checked
  checked, message, err = check_process(queue)
  if not checked then return nil, message, err end
  queue.redis:on_connect(function() return check_process(queue) end)
  return queue
end

--- Makes the queue, or opens the one that is there, to add jobs. One that has open jobs of another account is refused.
---@param sender devkit4ai.batch.Sender whose fields may be nil: then they are not compared
---@return devkit4ai.batch.queue.Queue? self
---@return string? message
---@return devkit4ai.Error? err
function Queue:create(sender)
  return open(self, sender, true)
end

--- Opens a queue that is there. One whose jobs are sent with another account or project is refused.
---@param sender devkit4ai.batch.Sender as for create
---@return devkit4ai.batch.queue.Queue? self
---@return string? message
---@return devkit4ai.Error? err
function Queue:open(sender)
  local version, message, err = self.redis:command("HGET", self.prefix .. ":batch", "version")
  if message then return nil, message, err end
  if not version then
    return fail(self, "not_found", "does not exist", "devkit4ai batch push creates it")
  end
  return open(self, sender, false)
end

--- Sets the account of the jobs that are added next. A push calls it after all checks, so one that fails leaves the account.
---@param sender devkit4ai.batch.Sender
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err kind `conflict`: another push has begun with another account
function Queue:begin_push(sender)
  local is_same, message, err = run(self, scripts.begin_push, sender.account or "")
  if not is_same then return nil, message, err end
  if is_same == 1 then return true end
  return fail(self, "conflict", "has jobs that are sent with another account; use that one")
end

-- Calls fn with the arguments of each part of a list; each_of gives those of one item.
local function in_chunks(list, each_of, fn)
  for first = 1, #list, CHUNK do
    local arguments = {}
    for i = first, math.min(first + CHUNK - 1, #list) do
      for _, value in ipairs(each_of(list[i])) do arguments[#arguments + 1] = value end
    end
    local done, message, err = fn(arguments)
    if not done then return nil, message, err end
  end
  return true
end

--- The names of jobs that are in the queue with other content.
---@param list table[] of jobs
---@return string[]? names
---@return string? message
---@return devkit4ai.Error? err
function Queue:changed(list)
  local names = {}
  local done, message, err = in_chunks(list, function(job) return { job.name, job.digest } end, function(arguments)
    local changed, why, failure = run(self, scripts.compare, unpack(arguments))
    for _, name in ipairs(changed or {}) do names[#names + 1] = name end
    return changed, why, failure
  end)
  if not done then return nil, message, err end
  return names
end

--- Adds the jobs that are not in the queue yet.
---@param list table[] of jobs
---@return integer? added
---@return string? message
---@return devkit4ai.Error? err
function Queue:add(list)
  local added = 0
  local function row(job) return { job.name, job.digest, assert(json.encode(job)) } end
  local done, message, err = in_chunks(list, row, function(arguments)
    local count, why, failure = run(self, scripts.add, unpack(arguments))
    added = added + (count or 0)
    return count, why, failure
  end)
  if not done then return nil, message, err end
  return added
end

--- The names that are no dead letters.
---@param names string[]
---@return string[]? others
---@return string? message
---@return devkit4ai.Error? err
function Queue:not_dead(names)
  return run(self, scripts.not_dead, unpack(names))
end

--- Puts dead letters on the stream again. A job that failed is paid for a second time; one that is undecided may be.
---@param names string[] others are left as they are
---@return integer? count of the dead letters
---@return string? message
---@return devkit4ai.Error? err
function Queue:again(names)
  return run(self, scripts.again, unpack(names))
end

-- A job and its state, from a name, the deliveries and the fields of the hash.
local function read_job(reply)
  local fields = {}
  for i = 3, #reply, 2 do fields[reply[i]] = reply[i + 1] end
  local job = json.decode_plain(fields.job or "")
  fields.job, fields.deliveries = nil, reply[2]
  for _, field in ipairs { "since", "attempt", "bytes" } do fields[field] = tonumber(fields[field]) end
  if fields.paid then fields.paid = fields.paid == "true" end
  return { name = reply[1], job = job, state = fields }
end

--- Takes jobs: first those of workers that are gone, then new ones.
---@param worker string
---@param lease number seconds
---@param count integer at most
---@param deliveries integer how often a job may be delivered before it is a dead letter
---@param sender devkit4ai.batch.Sender? of the worker; nil: it is not compared
---@return { name: string, job: table, state: table }[]? jobs
---@return string? message
---@return devkit4ai.Error? err
function Queue:claim(worker, lease, count, deliveries, sender)
  sender = sender or {}
  local reply, message, err = run(self, scripts.claim, worker, lease * 1000, count, deliveries, sender.account or "",
    sender.project or "", self.id)
  if not reply then
    if err._code == "NOGROUP" then return fail(self, "not_found", "is gone: Redis has lost or removed its data") end
    return nil, message, err
  end
  if reply == "id" then
    return fail(self, "conflict", "was removed and made again since this worker began; start the worker again")
  end
  if type(reply) == "string" then
    return fail(self, "conflict", ("has jobs that are sent with another %s; use that one"):format(reply))
  end
  local list = {}
  for i, job in ipairs(reply) do list[i] = read_job(job) end
  return list
end

--- Takes a step of a job.
---@param worker string
---@param name string of the job
---@param step string
---@param request string token of the request that the step belongs to
---@param fields table<string, any>
---@return boolean? taken false: the job is another's, or has a step that this one can't follow
---@return string? step that the job has; the message, where taken is nil
---@return devkit4ai.Error? err
function Queue:record(worker, name, step, request, fields)
  local pairs_of = {}
  for field, value in pairs(fields) do
    pairs_of[#pairs_of + 1] = field
    pairs_of[#pairs_of + 1] = type(value) == "table" and assert(json.encode(value)) or tostring(value)
  end
  local reply, message, err = run(self, scripts.record, worker, name, step, request, unpack(pairs_of))
  if not reply then return nil, message, err end
  return reply[1] == "done", reply[2]
end

--- Renews the leases of jobs.
---@param worker string
---@param names string[] not empty
---@return string[]? lost the names of those that another worker has
---@return string? message
---@return devkit4ai.Error? err
function Queue:renew(worker, names)
  return run(self, scripts.renew, worker, unpack(names))
end

--- Gives a job back.
---@param worker string
---@param name string of the job
---@param idle number seconds since when it counts as left: from the lease on, another worker takes it at once
---@param why string? what went wrong; nil: the worker ends, and the delivery does not count
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function Queue:release(worker, name, idle, why)
  return run(self, scripts.release, worker, name, idle * 1000, why or "")
end

--- Removes a worker that ends. One that still has jobs stays, until others have taken them.
---@param worker string
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function Queue:retire(worker)
  return run(self, scripts.retire, worker)
end

--- The state of one job.
---@param name string
---@return table? state nil: the queue has no such job
---@return string? message nil: it has no such job
---@return devkit4ai.Error? err
function Queue:state(name)
  local reply, message, err = self.redis:command("HGETALL", self.prefix .. ":job:" .. name)
  if not reply then return nil, message, err end
  if not reply[1] then return nil end
  table.insert(reply, 1, 0)
  table.insert(reply, 1, name)
  return read_job(reply).state
end

--- The name of the job that has a generation.
---@param id string
---@return string? name nil: no job has it, or it failed
---@return string? message
---@return devkit4ai.Error? err
function Queue:owner_of(id)
  return self.redis:command("HGET", self.prefix .. ":ids", id)
end

--- How many jobs have each step.
---@return table<string, integer>? counts and `open`: the entries of the stream, `total`
---@return string? message
---@return devkit4ai.Error? err
function Queue:counts()
  local reply, message, err = self.redis:command("HMGET", self.prefix .. ":batch", unpack(keys.STEPS))
  if not reply then return nil, message, err end
  local counts = { total = 0 }
  for i, step in ipairs(keys.STEPS) do
    counts[step] = tonumber(reply[i]) or 0
    counts.total = counts.total + counts[step]
  end
  counts.open, message, err = self.redis:command("XLEN", self.prefix .. ":jobs")
  if not counts.open then return nil, message, err end
  return counts
end

--- The dead letters: jobs that failed, are undecided, or were delivered too often.
---@return { name: string, step: string, reason: string, id: string }[]? letters
---@return string? message
---@return devkit4ai.Error? err
function Queue:dead()
  local letters, from = {}, "-"
  while true do
    local reply, message, err = self.redis:command("XRANGE", self.prefix .. ":dead", from, "+", "COUNT", "1000")
    if not reply then return nil, message, err end
    for _, entry in ipairs(reply) do
      local letter = {}
      for i = 1, #entry[2], 2 do letter[entry[2][i]] = entry[2][i + 1] end
      letters[#letters + 1] = { name = letter.job, step = letter.step, reason = letter.reason, id = letter.id }
      from = "(" .. entry[1]
    end
    if #reply < 1000 then return letters end
  end
end

return M
