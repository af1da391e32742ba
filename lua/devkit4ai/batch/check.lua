--- The checks of a batch, before the first job is paid for: each job, the journal of earlier runs, and the keys.
local comparison = require "devkit4ai.batch.run.comparison"
local config = require "devkit4ai.config"
local errors = require "devkit4ai.util.errors"
local instructions_of = require "devkit4ai.generation.input.instructions"
local jobs_of = require "devkit4ai.batch.jobs"
local journal = require "devkit4ai.batch.journal"
local marker = require "devkit4ai.batch.run.marker"
local project_scopes = require "devkit4ai.batch.project_scopes"
local senders = require "devkit4ai.batch.sender"
local waits = require "devkit4ai.loop.waits"

local M = {}

local NO_KEY = "the key of the project %s is not known, and %d jobs need it: give it first, with %s. Nothing was sent"

-- Finds jobs of other projects whose keys the client does not have. The client's own key is checked with its first request.
local function new_key_check(client)
  local scope_of, missing = project_scopes.of(client), {}
  function missing.add(_, job)
    if not job.project or not config.is_uuid(job.project) or scope_of(job)._secrets:has "project_key" then return end
    missing.project, missing.count = missing.project or job.project, (missing.count or 0) + 1
  end
  function missing.problem()
    if not missing.project then return nil end
    local call = ("client:project(%q):use_key(KEY)"):format(missing.project)
    local _, message, err = errors.refuse("config", NO_KEY:format(missing.project, missing.count, call),
      "create_generation", "client:batch")
    err.option, err._project = "project_key", missing.project
    return message, err
  end
  return missing
end

local OTHER_SENDER = "an earlier run sent these jobs %s until they have ended, or give another folder: %s; nothing was "
  .. "sent"
local MOST_NAMED = 20

-- Generations that another account or project created can't be found, and those without a marker not in the same way.
local function sender_problem(ledger, sender, compared)
  if not compared.needs_project then sender = { account = sender.account, marker = sender.marker } end
  local change = senders.change(ledger:sender(), sender)
  local open = change and ledger:unfinished_names {} or {}
  if not open[1] then return nil end
  return OTHER_SENDER:format(change, table.concat(open, ", ", 1, math.min(#open, MOST_NAMED)))
end

-- Compares and checks all jobs.
local function compare(client, options, jobs, ledger, sender)
  local compared, keys = comparison.new(ledger, options), new_key_check(client)
  local function instructions_problem(job)
    if options.marker == false then return select(2, instructions_of.encode(job.instructions)) end
    return marker.problem(job, ledger.batch, ledger:state_of(job).attempt)
  end
  local checked, message, kind = jobs:check {
    is_done = function(job)
      local sends = compared:add(job)
      if sends then keys:add(job) end
      return not sends
    end,
    instructions_problem = instructions_problem,
  }
  if not checked then return errors.refuse(kind, message, nil, "client:batch") end
  local problem = compared:problem() or sender_problem(ledger, sender, compared)
  if problem then return errors.refuse("conflict", problem, nil, "client:batch") end
  local err
  message, err = keys:problem()
  if message then return nil, message, err end
  return compared
end

---@class devkit4ai.batch.CheckedBatch what a run needs
---@field client devkit4ai.Client
---@field options devkit4ai.BatchOptions
---@field jobs devkit4ai.batch.Jobs
---@field ledger devkit4ai.batch.Journal open; the batch closes it
---@field comparison devkit4ai.batch.Comparison
---@field sender devkit4ai.batch.Sender

--- Opens the jobs and the journal, and checks all jobs. Nothing is sent, and no file is made.
---@param client devkit4ai.Client
---@param options devkit4ai.BatchOptions
---@return devkit4ai.batch.CheckedBatch?
---@return string? message
---@return devkit4ai.Error? err
function M.run(client, options)
  local project = options.project
  local jobs, why, kind = jobs_of.open(options.jobs, {
    images = options.images, prompt = options.prompt, instructions = options.instructions, name = options.name,
    project = type(project) == "table" and project.id or project,
  })
  if not jobs then return errors.refuse(kind, why, nil, "client:batch") end
  local ledger, message, err = journal.open(options.out)
  if not ledger then return nil, message, err end
  local function free(value) -- a function of the program raised
    ledger:close()
    error(value, 0)
  end
  local sender = senders.of(client)
  sender.marker = options.marker ~= false
  local compared
  compared, message, err = waits.protect(free, compare, client, options, jobs, ledger, sender)
  if compared then
    return { client = client, options = options, jobs = jobs, ledger = ledger, comparison = compared, sender = sender }
  end
  ledger:close()
  return nil, message, err
end

return M
