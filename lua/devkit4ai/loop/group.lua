--- Groups of tasks: devkit4ai.all and devkit4ai.map.
local creations = require "devkit4ai.util.errors.creations"
local errors = require "devkit4ai.util.errors"
local host = require "devkit4ai.loop.host"
local task_module = require "devkit4ai.loop.task"
local tasks = require "devkit4ai.loop.tasks"
local validate = require "devkit4ai.util.validate"
local waits = require "devkit4ai.loop.waits"

local M = {}

---@class devkit4ai.loop.Group tasks that one caller waits for
---@field tasks table<integer, devkit4ai.loop.Task>
---@field alive integer how many have not ended
---@field results table<integer, any> the first values of those that returned one
---@field slot devkit4ai.loop.Slot? where the caller waits
---@field stopped boolean? its tasks were cancelled
---@field failed devkit4ai.loop.Task? the first that failed, where that ends the others
---@field cut devkit4ai.Error? the most serious failure that cancelling them made
---@field _creations devkit4ai.Note[]? what they created

local function new_group()
  return { tasks = {}, alive = 0, results = {} }
end

local function add(group, i, on_end, fn, ...)
  local task = task_module.start(fn, ...)
  group.tasks[i], group.alive = task, group.alive + 1
  task._group_of = group
  task._on_end = function()
    group.alive = group.alive - 1
    local failure = task._cancellation and task._cancellation.failure
    if failure then group.cut = waits.more_serious(group.cut, failure) end
    if task._results then group.results[i] = task._results[1] end
    creations.adopt(group, task)
    on_end(task)
    if group.slot and (group.failed or group.alive == 0) then host.wake(group.slot) end
  end
end

local function cancel_all(group)
  group.stopped = true
  for _, task in pairs(group.tasks) do task:cancel() end
end

-- Waits for what ends soon by itself: tasks that were cancelled.
local function wait_for_cancelled(group)
  waits.park(tasks.current(), group.slot, math.huge)
end

-- Waits until no task is alive. Where one failed, or the caller is cancelled, the others are cancelled and waited for all the
-- same, so that the failures of their calls are known. Gives whether the caller goes on.
local function wait_for_all(group)
  local going = true
  while group.alive > 0 do
    group.slot = {}
    if going and not group.failed then
      going = waits.wait_for(group.slot) or group.alive == 0
    else
      cancel_all(group)
      if group.alive > 0 then wait_for_cancelled(group) end
    end
  end
  return going
end

-- An error has ended the wait of a script: the tasks end with it, and the error names what they created.
local function end_group(group)
  return function(value, text)
    cancel_all(group)
    group.failed = nil
    while group.alive > 0 do
      group.slot = {}
      wait_for_cancelled(group)
    end
    error(creations.raised(group._creations, value, text), 0)
  end
end

-- Waits for all; where the caller was cancelled: nil, message, err.
local function wait_for_group(group, name)
  local waiter = tasks.current()
  if waiter then
    waits.recover(waiter)
    waiter._waits_for, waiter._group = group.tasks, group
  end
  local going = waits.protect(end_group(group), wait_for_all, group)
  if waiter then waiter._waits_for, waiter._group = nil, nil end
  creations.adopt(waiter, group)
  if going then return true end
  local cut = group.cut or task_module.NOTHING
  local message = ("%s: the task that waits was cancelled, and so were its own: %s"):format(name, cut.message)
  local _, _, err = errors.fail({
    kind = "cancelled", outcome = cut.outcome, generation_id = cut.generation_id, operation = cut.operation,
    message = message,
  })
  return waits.keep_failure(creations.failure(group._creations, message, err, group.results))
end

local TABLE = { type = "table", required = true }
local FUNCTION = { type = "function", required = true }

--- Runs functions beside each other and waits for all. The first failure cancels the others.
---@param list function[]
---@return any[]? results each one's first value, in the list's order; of the first that failed, nil, message, err; an error is raised again, with its traceback
---@return string? message
---@return devkit4ai.Error? err
function M.all(list)
  waits.check()
  validate.value("devkit4ai.all", TABLE, list)
  for i, fn in ipairs(list) do validate.value(("devkit4ai.all: [%d]"):format(i), FUNCTION, fn) end
  local group = new_group()
  local function on_end(task)
    if not group.failed and task_module.has_failed(task) then group.failed = task end
  end
  for i, fn in ipairs(list) do add(group, i, on_end, fn) end
  local going, message, err = wait_for_group(group, "devkit4ai.all")
  if not going then return nil, message, err end
  local failed = group.failed
  if not failed then return group.results end
  local raised = task_module.raised(failed)
  if raised then error(creations.raised(group._creations, raised.error, raised.text), 0) end
  return creations.failure(group._creations, failed._results[2], failed._results[3], group.results)
end

-- The failure of an item: its err, or where it returned none or raised, one that has the words.
local function failure_of(task)
  local err = task._results and task._results[3]
  if type(err) == "table" then return err end
  local raised = task_module.raised(task)
  if raised and errors.is(raised.error) then return raised.error end
  local message = raised and raised.text or tostring(task._results[2])
  local _, _, told = errors.fail({ kind = "failed", outcome = "unknown", message = message })
  return select(3, creations.failure(task._creations, message, told))
end

local MAP = { concurrency = { type = "number" } }
local WIDTH = 8 -- items at a time, where the caller does not say

--- Runs fn(item, i) for each item of a list, some at a time. An item that fails does not end the others.
---@param list any[]
---@param options { concurrency: integer? }? default 8 at a time
---@param fn fun(item: any, i: integer): any?, string?, devkit4ai.Error?
---@return any[]? results results[i]: the first value of item i; nil, if the task that calls was cancelled, which cancels the rest
---@return table<integer, devkit4ai.Error>|string failures failures[i]: the err of item i, with the ids of the generations that were created in it; one that it raised has kind `failed` and the traceback as its message
---@return devkit4ai.Error? err where results is nil
function M.map(list, options, fn)
  waits.check()
  validate.value("devkit4ai.map: list", TABLE, list)
  local width = validate.arguments("devkit4ai.map", MAP, options).concurrency or WIDTH
  validate.value("devkit4ai.map: fn", FUNCTION, fn)
  if width < 1 or width % 1 ~= 0 then errors.raise("devkit4ai.map: concurrency: give a whole number, 1 or more") end
  local group, failures, begun = new_group(), {}, 0
  local function start_next()
    begun = begun + 1
    local i = begun
    add(group, i, function(task)
      group.tasks[i] = nil
      if task_module.has_failed(task) then failures[i] = failure_of(task) end
      if begun < #list and not group.stopped then start_next() end
    end, fn, list[i], i)
  end
  while begun < math.min(width, #list) do start_next() end
  local going, message, err = wait_for_group(group, "devkit4ai.map")
  if not going then return nil, message, err end
  return group.results, failures
end

return M
