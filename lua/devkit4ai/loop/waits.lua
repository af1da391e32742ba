--- Waits that a cancelled task or a closed client ends: sleep, wait for a slot. Every wait of the library is one of them.
local core = require "devkit4ai.core"
local lazy = require "devkit4ai.util.lazy"
local creations = lazy.module "devkit4ai.util.errors.creations"
local engine = require "devkit4ai.loop.engine"
local errors = require "devkit4ai.util.errors"
local host = require "devkit4ai.loop.host"
local tasks = require "devkit4ai.loop.tasks"
local traceback = lazy.module "devkit4ai.util.errors.traceback"

local M = {}

---@class devkit4ai.loop.Waits: devkit4ai.loop.Runnable what a task waits for; the fields belong to this module
---@field _slot devkit4ai.loop.Slot? of its sleeps
---@field _waiting_at devkit4ai.loop.Slot? where it is parked now, or was when an error ended the wait
---@field _cancellation devkit4ai.loop.Cancellation? it was cancelled
---@field _transfer devkit4ai.loop.Transfer? it waits for; see exchange
---@field _call table? the row of `operations` of that transfer, where the call changes something
---@field _group devkit4ai.loop.Group? it waits for; see group

---@class devkit4ai.loop.Cancellation
---@field ended_a_wait boolean it ended or refused a wait of the task
---@field waits integer that the task has begun since
---@field failure devkit4ai.Error? the most serious failure of a call that it ended

local current = tasks.current
local pcall, huge = pcall, math.huge
local plain_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")
local sleepers = setmetatable({}, { __mode = "k" }) -- slots of sleeps -> the client that the sleep belongs to
local TURN = 1 / 1000 -- seconds that a refused wait of a task takes, so that other tasks run
local MOST_REFUSED = 1000 -- waits that a cancelled task may begin; then it is ended

M.now = core.now

-- ---- the current task ----

-- Whether the caller can wait here and now; see host. A forked child needs an engine of its own first: its parent's can't wait.
-- In a script, M.check makes it; for each call that would cost 1 %, and a call with the parent's client is refused anyway.
local function usable()
  if not host.blocks then engine.current() end
  return host.usable()
end

--- Raises at the caller's line where the caller can't wait.
function M.check()
  engine.current()
  local can, why = host.usable()
  if not can then errors.raise(why) end
end

--- Whether a for loop's iterator may wait where the caller is.
---@return boolean false: in a coroutine on plain Lua 5.1
function M.can_yield_in_iterator()
  return not plain_51 or host.blocks and not current()
end

--- Whether the current task was cancelled.
---@return boolean
function M.is_cancelled()
  local task = current()
  return task ~= nil and task._cancellation ~= nil
end

--- Whether the caller can wait, without an error where it can't.
---@return boolean
function M.is_possible()
  return usable() == true
end

--- Whether a call can be made. Raises at the caller's line where the program has to be changed.
---@return boolean? possible
---@return string? why not: where the host can't wait
function M.check_call()
  local can, why, call_fails = usable()
  if can then return true end
  if call_fails then return nil, why end
  errors.raise(why)
end

--- Wakes the caller that waits at a slot.
---@param slot devkit4ai.loop.Slot
function M.wake(slot)
  host.wake(slot)
end

-- ---- waits that an error has ended: Ctrl-C, a debug hook ----

-- Notes what a task's call may have created: the request was sent, or was about to be.
local function note_call(notes_of, task)
  local row = task._call
  if creations.note_pending(notes_of, task) or not (row and row.unknown_advice) then return end
  creations.lost(notes_of, ("%s: an error ended the call; %s"):format(row.call_name, row.unknown_advice))
end

--- Ends what a task still waits for after an error has ended its wait, and notes what may have been created.
---@param task devkit4ai.loop.Waits
function M.abandon(task)
  local transfer, group, slot = task._transfer, task._group, task._waiting_at
  if transfer then
    engine.cancel(transfer)
    transfer.is_abandoned = true
  end
  note_call(task, task)
  if group then
    group.stopped = true
    for _, member in pairs(group.tasks) do
      creations.adopt(task, member)
      note_call(task, member)
      member:cancel()
    end
  end
  if slot then host.wake(slot) end
  if task._slot then sleepers[task._slot] = nil end
  task._transfer, task._call, task._group, task._slot, task._waiting_at = nil, nil, nil, nil, nil
  creations.end_pending(task)
end

--- Ends what is left of a wait that an error has ended, in a task that caught the error.
---@param task devkit4ai.loop.Waits
function M.recover(task)
  if task._waiting_at or task._transfer or task._group then M.abandon(task) end
end

-- ---- waits of a cancelled task ----

-- The slot is known to the task, so that recover and abandon end this wait, too.
local function take_turn(task)
  local slot = {}
  task._waiting_at = slot
  host.park(slot, TURN)
  task._waiting_at = nil
end

-- Ends a task that does not end after its cancel. In a script its coroutine is never resumed again. A host has to see its
-- coroutine end, as a request of nginx does, so there an error ends it; one that catches the error can repeat it once a second.
local function end_given_up()
  if host.blocks then host.park({}, huge) end
  host.park({}, 1)
  error("the task was cancelled, and did not end", 0)
end

-- Other tasks run before a cancelled task goes on: a loop in it that repeats a call blocks nobody.
local function refuse(task)
  local cancellation = task._cancellation
  cancellation.ended_a_wait = true
  cancellation.waits = cancellation.waits + 1
  if cancellation.waits > MOST_REFUSED then
    task:given_up()
    end_given_up()
  end
  if usable() then take_turn(task) end
end

--- Begins a wait of a task.
---@param task devkit4ai.loop.Waits
---@return boolean allowed false: it was cancelled, and the wait is refused
function M.begin(task)
  M.recover(task)
  if not task._cancellation then return true end
  refuse(task)
  return false
end

--- Whether the current task was cancelled; then this is one of its waits, and it is refused.
---@return boolean
function M.is_refused()
  local task = current()
  if not (task and task._cancellation) then return false end
  M.recover(task)
  refuse(task)
  return true
end

--- Lets other tasks run before a task goes on after a call that failed before anything was sent: a loop that repeats the call
--- blocks nobody. Takes and returns the three results of the call.
---@return nil
---@return string message
---@return any err
function M.after_refusal(none, message, err)
  local task = current()
  if task and M.begin(task) and usable() then take_turn(task) end
  return none, message, err
end

--- Ends what a task waits for, and each wait that it begins from now on.
---@param task devkit4ai.loop.Waits
function M.cancel(task)
  task._cancellation = { ended_a_wait = false, waits = 0 }
  local transfer, slot = task._transfer, task._waiting_at
  if transfer and (not slot or slot == transfer) then engine.cancel(transfer)
  elseif slot then host.wake(slot) end
end

--- The more serious of two failures of calls that a cancellation ended.
---@param a devkit4ai.Error?
---@param b devkit4ai.Error
---@return devkit4ai.Error
function M.more_serious(a, b)
  if not a or b.outcome == "unknown" and (a.outcome ~= "unknown" or b.generation_id) then return b end
  return a
end

--- Keeps the failure of a call that the cancellation of the current task ended, for the caller that joins the task. Takes and
--- returns the three results of the call.
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.keep_failure(none, message, err)
  local task = current()
  local cancellation = task and task._cancellation
  if cancellation then cancellation.failure = M.more_serious(cancellation.failure, err) end
  return none, message, err
end

local function outcome(ended, ok, value, ...)
  if ok then return value, ... end
  return ended(value, traceback.text(value))
end

--- Runs fn(...). In a script, an error that ends it is given to ended(value, text), which raises in its place. In a task Lua
--- 5.1 has no protected call that may wait; there the end of the task names what was created.
---@param ended fun(value: any, text: string)
---@param fn function
---@param ... any
---@return any ... what fn gives
function M.protect(ended, fn, ...)
  if current() or plain_51 and coroutine.running() then return fn(...) end
  return outcome(ended, pcall(fn, ...))
end

-- ---- waiting ----

--- Suspends the current task, or the script. For a wait that cancellation must not end, and that ends soon by itself.
---@param task devkit4ai.loop.Waits? the current one
---@param slot devkit4ai.loop.Slot
---@param seconds number math.huge: no limit
function M.park(task, slot, seconds)
  if not task then
    host.park(slot, seconds)
    return
  end
  task._waiting_at = slot
  host.park(slot, seconds)
  task._waiting_at = nil
end

--- Waits for a time; closing the client and cancelling the task end it early.
---@param seconds number
---@param client table? the client that waits; nil: the program itself
---@return boolean over false: it was ended early
function M.sleep(seconds, client)
  local task = current()
  if task and not M.begin(task) or client and client._closed then return false end
  local slot = task and task._slot or {}
  if task then task._slot, task._waiting_at = slot, slot end
  if client then sleepers[slot] = client end
  host.park(slot, seconds) -- not M.park: one call deeper, the stacks of most tasks that sleep would double (R7: 800 bytes)
  if task then task._waiting_at = nil end
  if client then sleepers[slot] = nil end
  if task and task._cancellation then
    task._cancellation.ended_a_wait = true
    return false
  elseif client and client._closed then
    if task then task._slot = nil end -- it may have been woken after its time
    return false
  end
  return true
end

--- Waits until the slot is woken. Raises at the caller's line where the caller can't wait.
---@param slot devkit4ai.loop.Slot a new one for each wait
---@param seconds number? at most
---@return boolean over false: the current task was cancelled
function M.wait_for(slot, seconds)
  M.check()
  local task = current()
  if not task then
    host.park(slot, seconds or huge)
    return true
  end
  if task._waiting_at or task._transfer then M.abandon(task) end -- the group is what a caller in `group` waits for
  if task._cancellation then
    refuse(task)
    return false
  end
  M.park(task, slot, seconds or huge)
  if not task._cancellation then return true end
  task._cancellation.ended_a_wait = true
  return false
end

--- Ends the waits of clients that are closed.
function M.end_closed()
  engine.cancel_closed()
  for slot, client in pairs(sleepers) do
    if client._closed then host.wake(slot) end
  end
end

-- ---- functions that run apart ----

local Detached = {}
Detached.__index = Detached

function Detached:failed(_, text)
  M.abandon(self)
  self.report(text)
end

function Detached:yielded(text)
  M.abandon(self)
  self.report(text)
end

function Detached:left()
  self.report("the process was forked, and this belongs to its parent")
end

function Detached:given_up()
  self.report("it was cancelled")
end

--- Runs fn apart from the caller, whose end and cancellation do not touch it.
---@param fn function
---@param report fun(traceback: string) called when it raises
---@return boolean? started
---@return string? why not
function M.detach(fn, report)
  return host.detach(fn, setmetatable({ report = report }, Detached))
end

return M
