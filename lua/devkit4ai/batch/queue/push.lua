--- Puts jobs on a queue. All of them are checked before the first one is there.
local errors = require "devkit4ai.util.errors"
local estimate = require "devkit4ai.batch.jobs.estimate"
local jobs_of = require "devkit4ai.batch.jobs"
local json = require "devkit4ai.util.json"
local keys = require "devkit4ai.batch.queue.keys"
local marker = require "devkit4ai.batch.run.marker"
local paces = require "devkit4ai.batch.queue.shared_pace"
local queues = require "devkit4ai.batch.queue"
local senders = require "devkit4ai.batch.sender"
local validate = require "devkit4ai.util.validate"

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
    if job == false then
      return refuse("invalid", ("%s: %s %s: %s"):format(jobs.label, jobs.unit, tostring(line), problem))
    end
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
  local form = "%d job%s in the queue %s with other images, instructions or project: %s%s; "
    .. "give the changed jobs other names"
  return form:format(#names, #names == 1 and " is" or "s are", queue.name, table.concat(shown, ", "),
    #names > MOST_NAMED and ", ..." or "")
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

---@class devkit4ai.PushBatchOptions what client:push_batch takes
---@field queue string its URL: redis://user:password@host:6379/0, rediss:// with TLS, unix:///path
---@field queue_name string? default "batch"
---@field jobs string|table|function|nil as for client:batch; nil: only `again`
---@field images (string|string[])? templates of paths, which must exist on each worker, too; default row.images or row.image
---@field prompt string? template; default row.prompt
---@field instructions (table|string)? in place of prompt; the texts in a table are templates; default row.instructions
---@field name string? template of the file's name; default row.name, or the position: 0001.png
---@field project string? id; default row.project, or the worker's
---@field again string[]? names of dead letters that are put on the queue again: one that failed is paid for again; one that is undecided is looked for first
---@field on_event fun(event: devkit4ai.batch.Event)? a warning about the server has the type "warning"

local OPTIONS = {
  queue = { type = "string", required = true }, queue_name = { type = "string" },
  jobs = { type = "string table function userdata" }, images = { type = "string or table" },
  prompt = { type = "string" }, instructions = { type = "table or string" }, name = { type = "string" },
  project = { type = "string" }, again = { type = "table" }, on_event = { type = "function" },
}

local function check_again(queue, names)
  local others, message, err = queue:not_dead(names)
  if not others then return nil, message, err end
  if others[1] then
    return refuse("not_found", ("no dead letter of the queue %s: %s"):format(queue.name, table.concat(others, ", ")))
  end
  return true
end

-- Why a job can't be on a queue.
local function problem_of(queue, job)
  local text, why = json.encode(job.row)
  return not text and "the row can't be written as JSON: " .. why or marker.problem(job, queue.id)
end

-- Opens the jobs, and checks all of them.
local function check_jobs(queue, options)
  local jobs, why, kind = jobs_of.open(options.jobs, options)
  if not jobs then return refuse(kind, why) end
  local checked
  checked, why, kind = jobs:check { instructions_problem = function(job) return problem_of(queue, job) end }
  if not checked then return refuse(kind, why) end
  local done, message, err = check_changes(queue, jobs)
  if not done then return nil, message, err end
  return { jobs = jobs, total = checked.total }
end

local function add_jobs(queue, checked)
  local added = 0
  local done, message, err = each_chunk(checked.jobs, function(list)
    local count, reason, failure = queue:add(list)
    added = added + (count or 0)
    return count, reason, failure
  end)
  if not done then return nil, message, err end
  return { total = checked.total, added = added }
end

-- How long the jobs take that are on the queue and were not sent.
local function estimate_of(queue, client)
  local counts, message, err = queue:counts()
  if not counts then return nil, message, err end
  local prefix = keys.account_prefix(client)
  local limit = prefix and paces.known_limit(queue, prefix)
  return estimate.of(counts.planned + counts.refused, limit or estimate.AT_ONCE, estimate.SECONDS_EACH)
end

-- Everything is checked before the queue changes. The jobs are added first: if Redis fails then, the same push can be repeated.
local function push(client, queue, options)
  local sender = { account = senders.of(client).account }
  local done, message, err = queue:create(sender)
  local checked, pushed = nil, { total = 0, added = 0 }
  if done and options.jobs ~= nil then
    checked, message, err = check_jobs(queue, options)
    done = checked
  end
  if done and options.again then done, message, err = check_again(queue, options.again) end
  if done then done, message, err = queue:begin_push(sender) end
  if done and checked then
    pushed, message, err = add_jobs(queue, checked)
    done = pushed
  end
  if done and options.again then done, message, err = queue:again(options.again) end
  if not done then return nil, message, err end
  pushed.estimate, message, err = estimate_of(queue, client)
  if not pushed.estimate then return nil, message, err end
  return pushed
end

--- client:push_batch.
---@param client devkit4ai.Client whose account the workers use
---@param options devkit4ai.PushBatchOptions
---@return { total: integer, added: integer, estimate: devkit4ai.batch.Estimate }? pushed
---@return string? message
---@return devkit4ai.Error? err
function M.run(client, options)
  options = validate.arguments("client:push_batch", OPTIONS, options)
  local queue, message, err = queues.open(options.queue, options.queue_name)
  if not queue then return nil, message, err end
  if message and options.on_event then options.on_event { type = "warning", reason = message, time = os.time() } end
  local pushed
  pushed, message, err = push(client, queue, options)
  queue.redis:close()
  if not pushed then return nil, message, err end
  return pushed
end

return M
