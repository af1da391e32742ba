--- Puts jobs on a queue. All of them are checked before the first one is there.
local errors = require "devkit4ai.util.errors"
local jobs_of = require "devkit4ai.batch.jobs"
local marker = require "devkit4ai.batch.run.marker"
local queues = require "devkit4ai.batch.queue"
local server_check = require "devkit4ai.batch.queue.server_check"

local M = {}

local CHUNK = 300 -- jobs in memory at once
local MOST_NAMED = 5 -- names in a message

local function refuse(kind, message)
  return errors.fail { kind = kind, outcome = "not_sent", message = message }
end

-- Reads the jobs once, in parts. A file that can't be read any more, or has changed since the check, ends it.
local function each_chunk(jobs, fn)
  local next_job, why = jobs:each()
  if not next_job then return refuse("file", why) end
  local list = {}
  while true do
    local job, line, problem = next_job()
    if job == false then return refuse("invalid", ("%s: %s %s: %s"):format(jobs.label, jobs.unit, tostring(line), problem)) end
    if job then list[#list + 1] = job end
    if #list == CHUNK or not job and list[1] then
      local done, message, err = fn(list)
      if not done then return nil, message, err end
      list = {}
    end
    if not job then return true end
  end
end

-- The error about jobs that are in the queue with other content.
local function changed_message(queue, names)
  local shown = {}
  for i = 1, math.min(#names, MOST_NAMED) do shown[i] = names[i] end
  return ("%d job%s in the queue %s with other images, instructions or project: %s%s; give the changed jobs other names"):format(
    #names, #names == 1 and " is" or "s are", queue.name, table.concat(shown, ", "), #names > MOST_NAMED and ", ..." or "")
end

local function check_changes(queue, jobs)
  local changed = {}
  local done, message, err = each_chunk(jobs, function(list)
    local names, why, failure = queue:changed(list)
    for _, name in ipairs(names or {}) do changed[#changed + 1] = name end
    return names, why, failure
  end)
  if not done then return nil, message, err end
  if changed[1] then return refuse("conflict", changed_message(queue, changed)) end
  return true
end

---@class devkit4ai.batch.queue.PushOptions: devkit4ai.batch.JobOptions
---@field url string of the queue
---@field queue_name string
---@field jobs any as for client:batch; nil: only `again`
---@field again string[]? names of dead letters that are put on the queue again
---@field warn fun(message: string)

-- Connects to a server that can hold a queue, and makes the queue.
local function open_queue(options)
  local queue, message, err = queues.connect(options.url, options.queue_name)
  if not queue then return nil, message, err end
  local usable, problem
  usable, problem, err = server_check.check(queue.redis)
  if not usable then return nil, problem, err end
  if problem then options.warn(("queue %s: %s"):format(queue.redis.shown, problem)) end
  return queue:create {}
end

local function push_again(queue, names)
  local others, message, err = queue:again(names)
  if not others then return nil, message, err end
  if others[1] then
    return refuse("not_found", ("no dead letter of the queue %s: %s"):format(queue.name, table.concat(others, ", ")))
  end
  return true
end

local function push_jobs(queue, options)
  local jobs, why, kind = jobs_of.open(options.jobs, options)
  if not jobs then return refuse(kind, why) end
  local checked
  checked, why, kind = jobs:check {
    instructions_problem = function(job) return marker.problem(job, queue.id) end,
  }
  if not checked then return refuse(kind, why) end
  local done, message, err = check_changes(queue, jobs)
  if not done then return nil, message, err end
  local added = 0
  done, message, err = each_chunk(jobs, function(list)
    local count, reason, failure = queue:add(list)
    added = added + (count or 0)
    return count, reason, failure
  end)
  if not done then return nil, message, err end
  return { total = checked.total, added = added }
end

--- Puts jobs on a queue. Those that are there already stay as they are, so a push that failed can be repeated.
---@param options devkit4ai.batch.queue.PushOptions
---@return { total: integer, added: integer }? pushed
---@return string? message
---@return devkit4ai.Error? err
function M.run(options)
  local queue, message, err = open_queue(options)
  if not queue then return nil, message, err end
  local pushed, done = { total = 0, added = 0 }, true
  if options.again then done, message, err = push_again(queue, options.again) end
  if done and options.jobs ~= nil then pushed, message, err = push_jobs(queue, options) end
  queue.redis:close()
  if not done then return nil, message, err end
  return pushed, message, err
end

return M
