--- What a Lua state has once: the engine, the loop, and which slot waits for which transfer.
local core = require "devkit4ai.core"
local creations = require "devkit4ai.loop.creations"
local loop = require "devkit4ai.loop.own"
local errors = require "devkit4ai.util.errors"
local traceback = require "devkit4ai.util.traceback"

local M = {}

local park, wake, watch, usable, current = loop.park, loop.wake, loop.watch, loop.usable, loop.job
local pcall = pcall
local engine = core.engine()
local submit, next_done = engine.submit, engine.next
local waiting = {} -- a transfer's id -> the slot of who waits for it
local early = {} -- a transfer's id -> its answer, which a call made by a finalizer took before its waiter could
local slots = setmetatable({}, { __mode = "k" }) -- those that sleep, or did; owner: whose wait it is now
local huge, unpack = math.huge, table.unpack or unpack -- luacheck: ignore 113
local PLAIN_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")
local SLICE = 1 / 10 -- seconds between two looks at an upload's progress (design, section 4)
local CANCELLED = "its task was cancelled before that"
local MOMENT = 1 / 1000 -- seconds that a refused wait of a cancelled task takes
local PATIENCE = 1000 -- waits that a cancelled task may begin; one that goes on after them is ended

---@class devkit4ai.Job what the loop knows of a task; it is the slot of every sleep and exchange of that task, too
---@field owner devkit4ai.Client? whose wait it is now
---@field id integer? of the transfer that it waits for
---@field _at table? another's slot that it waits at
---@field _cancelled boolean?
---@field _client devkit4ai.Client? whose call it made last
---@field _cut devkit4ai.Error? the gravest of what its cancellation cut
---@field _stopped boolean? its cancellation ended or refused a wait
---@field _refused integer? waits that it began after its cancellation
---@field _row table? of the call that it waits for, where that changes something
---@field _gen devkit4ai.Generation? that it waits for
---@field _describe (fun(): string?)? what is known of the generation that it creates
---@field _group table? of its all or map
---@field _notes devkit4ai.Note[]? what its calls created

local function deliver(id, status, body, head, trouble, times)
  local slot, answer = waiting[id], { status, body, head, trouble, times }
  if not slot then
    early[id] = answer
    return
  end
  waiting[id] = nil
  slot.answer = answer
  wake(slot)
end

-- Gives each finished transfer to its waiter; waits for the first one, seconds at most, if it is told to.
local function drain(seconds)
  local id, more, status, body, head, trouble, times = next_done(engine, seconds)
  while id do
    deliver(id, status, body, head, trouble, times)
    if not more then return end
    id, more, status, body, head, trouble, times = next_done(engine)
  end
end

watch(engine, drain)

M.now = core.now

-- ---- the user's functions ----

---@class devkit4ai.Callback: devkit4ai.Job one call of a function of the user's
---@field over boolean?
---@field raised { value: any, text: string }? the error that ended it
local Callback = {}
Callback.__index = Callback

local function end_callback(callback)
  callback.over = true
  if callback.waiter then wake(callback.waiter) end
end

function Callback:failed(value, text)
  if value ~= loop.YIELDED then
    self.raised = { value = value, text = text }
    if self.report then self.report(text) end
  end
  end_callback(self)
end

Callback.left, Callback.given_up = end_callback, end_callback

--- Calls a function of the user's apart from the caller, so that no error in it reaches what is under way. It may make calls:
--- in a task it then goes on beside the caller.
---@param fn function
---@param report fun(text: string)? gets the text of an error in it
---@return devkit4ai.Callback
function M.call(fn, report)
  local callback = setmetatable({ report = report }, Callback)
  creations.share(callback, current())
  loop.call(function()
    fn()
    end_callback(callback)
  end, callback)
  return callback
end

-- Calls on_upload and waits for its end. Gives what it raised.
local function tell(progress, id, job)
  local sent, total = engine:progress(id)
  if not sent or total == 0 then return nil end
  local callback = M.call(function() progress(sent, total) end)
  while job and not callback.over do
    callback.waiter = {}
    job._at = callback.waiter
    park(callback.waiter, huge)
    job._at = nil
    if job._cancelled then
      engine:cancel(id)
      M.cancel(callback)
      break
    end
  end
  return callback.raised
end

-- Gives what on_upload raised.
local function watch_progress(id, slot, progress, job)
  local raised
  while not slot.answer do
    park(slot, SLICE)
    if not (raised or slot.answer or slot._cancelled) then
      raised = tell(progress, id, job)
      if raised then engine:cancel(id) end
    end
  end
  return raised
end

-- ---- waiting for an answer ----

local awaited, awaiter -- the transfer that a script's call waits for, or waited for when Ctrl-C ended it, and whose it is

-- A script's call, with no task that could run meanwhile: waits in the engine itself, with no slot.
local function await(wanted, owner)
  awaited, awaiter = wanted, owner
  while not early[wanted] do
    local id, _, status, body, head, trouble, times = next_done(engine, SLICE) -- not longer: see `early`
    if id == wanted then
      awaiter = nil
      return status, body, head, trouble, times
    end
    if id then deliver(id, status, body, head, trouble, times) end
  end
  local answer = early[wanted]
  early[wanted] = nil
  return unpack(answer, 1, 5)
end

-- What is given in place of an answer whose client was closed meanwhile: its secrets are gone, so that none could be hidden.
local function unseen()
  return { 0, "", "", { name = "cancelled", text = "the client was closed", step = "", seconds = 0, fate = "unknown" } }
end

-- The trouble of an answer has the error that ended its wait; a whole answer may have come all the same.
local function add_raised(answer, raised)
  answer[4] = answer[4] or { whole = true }
  answer[4].raised = raised
end

local function await_parked(id, owner, progress, job)
  local slot, raised = job or {}, nil
  slot.owner, slot.id = owner, id
  slot.answer, early[id] = early[id], nil
  if not slot.answer then waiting[id] = slot end
  watch(engine, drain)
  if progress then raised = watch_progress(id, slot, progress, job) end
  while not slot.answer do park(slot, huge) end
  local answer = slot.answer
  slot.answer, slot.owner, slot.id, slot._row = nil, nil, nil, nil
  if slot._cancelled and answer[4] then slot._stopped = true end
  if owner._closed and not answer[4] then answer = unseen() end
  if raised then add_raised(answer, raised) end
  return unpack(answer, 1, 5)
end

-- ---- waits that an error ends: Ctrl-C, a debug hook ----

-- The answer of a transfer whose wait an error ended in a script: it is cancelled before anything else steps the engine.
local function end_transfer(id, owner)
  engine:cancel(id)
  awaiter = nil
  local slot = { owner = owner, answer = early[id] }
  early[id] = nil
  if not slot.answer then waiting[id] = slot end
  while not slot.answer and engine:progress(id) do drain(SLICE) end
  waiting[id] = nil
  return slot.answer
    or { 0, "", "", { name = "cancelled", text = "an error ended it", step = "", seconds = 0, fate = "unknown" } }
end

-- What a script's call gives after an error in its wait: what became of the transfer, with the error.
local function ended_by(value, id, owner)
  local answer = end_transfer(id, owner)
  add_raised(answer, { value = value, text = traceback.text(value) })
  return unpack(answer, 1, 5)
end

-- Notes what nobody knows of a job's call: it was sent, or was about to be.
local function note_call(notes_of, job)
  if job._gen then creations.generation(notes_of, job._gen) end
  local row, text = job._row, job._describe and job._describe()
  if row and row.unknown_advice and not text then
    text = ("%s: an error ended the call; %s"):format(row.call_name, row.unknown_advice)
  end
  if text then creations.lost(notes_of, text) end
end

--- Ends what a job still has under way after an error ended its wait, and notes what nobody knows of it.
---@param job devkit4ai.Job
function M.leave(job)
  local id, group = job.id, job._group
  if id then
    engine:cancel(id)
    if waiting[id] == job then waiting[id] = { owner = job.owner } end -- takes the answer, and wakes nobody
  end
  note_call(job, job)
  if group then
    group.stopped = true
    for _, task in pairs(group.tasks) do
      creations.adopt(job, task)
      note_call(job, task)
      task:cancel()
    end
  end
  loop.release(job)
  if job._at then loop.release(job._at) end
  job.id, job.answer, job.owner, job._row, job._describe = nil, nil, nil, nil, nil
  job._gen, job._at, job._group = nil, nil, nil
end

-- What stands at the beginning of each wait: an error may have ended the last one, in a task that caught it.
local function enter(job)
  if job.id or job._row or job._group then M.leave(job) end
end

-- Others have their turn before a cancelled task goes on: a loop in it that repeats a call holds nobody up.
local function refuse(job)
  job._stopped = true
  job._refused = (job._refused or 0) + 1
  if job._refused > PATIENCE then
    job:given_up()
    loop.stop()
  end
  if usable() then park(job, MOMENT) end
end

--- Whether the task that calls was cancelled; then this is one of its waits, which is refused.
---@return boolean
function M.is_refused()
  local job = current()
  if not (job and job._cancelled) then return false end
  refuse(job)
  return true
end

--- Others have their turn before a task goes on after a call that was refused at once: a loop that repeats it holds nobody
--- up. Takes and gives the three results of the call.
---@return nil
---@return string message
---@return any err
function M.refused(none, message, err)
  local job = current()
  if job then
    enter(job)
    if job._cancelled then refuse(job) elseif usable() then park(job, MOMENT) end
  end
  return none, message, err
end

local function exchange_of_task(request, secrets, owner, progress, row, job)
  enter(job)
  if job._cancelled then
    refuse(job)
    return nil, "cancelled", CANCELLED
  end
  job._client = owner
  local id, name, text = submit(owner._engine, request, secrets)
  if not id then return M.refused(nil, name, text) end
  job._row = row.retry_class ~= "safe" and row or nil
  return await_parked(id, owner, progress, job)
end

--- Sends one request and waits until it came back; in a task that was cancelled, nothing is sent. Raises at the caller's line
--- where the caller can't wait.
---@param request userdata core.request's
---@param secrets userdata core.secrets', which fill it
---@param owner devkit4ai.Client whose call it is
---@param progress fun(sent: integer, total: integer)? called every 0.1 s while the body goes out
---@param row table of `operations`
---@return integer? status of HTTP, 0: none came; nil: it could not be sent
---@return string body of the answer; the name of the core's status, where it could not be sent
---@return string? head the answer's header block, nil for a GET that succeeded unless it asked for it; the reason, where it could not be sent
---@return table? trouble unless the answer is whole: { name, text, step, seconds, fate }; raised: the error that ended the wait, of on_upload, of Ctrl-C, of a debug hook, as { value, text }; whole: the answer is whole nevertheless
---@return table? times of its steps, where the request asks for them
function M.exchange(request, secrets, owner, progress, row)
  local can, alone, job = usable()
  if not can then errors.raise(alone) end
  if job then return exchange_of_task(request, secrets, owner, progress, row, job) end
  local id, name, text = submit(owner._engine, request, secrets)
  if not id then return nil, name, text end
  local wait = await
  if not alone or progress then wait = await_parked end
  local ok, status, body, head, trouble, times = pcall(wait, id, owner, progress)
  if ok then return status, body, head, trouble, times end
  return ended_by(status, id, owner)
end

--- Ends all that belongs to a client which is closed by now, itself or with its parent; each comes back as cancelled.
function M.end_closed()
  if awaiter and awaiter._closed then engine:cancel(awaited) end -- one that is over is fine
  for id, slot in pairs(waiting) do
    if slot.owner._closed then engine:cancel(id) end
  end
  for slot in pairs(slots) do
    if slot.owner and slot.owner._closed and not slot.id then wake(slot) end
  end
end

--- Ends what a job waits for, and each wait that it begins from now on.
---@param job devkit4ai.Job
function M.cancel(job)
  job._cancelled = true
  local slot = job._at or job
  if slot.id then
    if waiting[slot.id] == slot then engine:cancel(slot.id) end
  elseif slot.co then
    wake(slot)
  end
end

--- Whether the task that calls was cancelled.
---@return boolean
function M.is_cancelled()
  local job = current()
  return job ~= nil and job._cancelled == true
end

local function outcome(ended, ok, value, ...)
  if ok then return value, ... end
  return ended(value, traceback.text(value))
end

--- Runs fn(...). In a script, an error that ends it is given to ended(value, text), which raises in its place. In a task Lua
--- 5.1 has no protected call that may wait; there the end of the task says what it created.
---@param ended fun(value: any, text: string)
---@param fn function
---@param ... any
---@return any ... what fn gives
function M.protect(ended, fn, ...)
  if current() or PLAIN_51 and coroutine.running() then return fn(...) end
  return outcome(ended, pcall(fn, ...))
end

--- Of two failures that a cancellation made, the one that tells more of what may have been done.
---@param kept devkit4ai.Error?
---@param err devkit4ai.Error
---@return devkit4ai.Error
function M.graver(kept, err)
  if not kept or err.outcome == "unknown" and (kept.outcome ~= "unknown" or err.generation_id) then return err end
  return kept
end

--- What cut a call of the task that calls short: kept, if it is the gravest so far, for who joins a task that was cancelled.
--- Takes and gives the three results of a call.
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.cut(none, message, err)
  local job = current()
  if job and job._cancelled then job._cut = M.graver(job._cut, err) end
  return none, message, err
end

--- Raises at the caller's line where the caller can't wait.
function M.check_wait()
  local can, why = usable()
  if not can then errors.raise(why) end
end

--- Waits; closing the owner and cancelling the task end it early.
---@param seconds number
---@param owner table whose wait it is
---@return boolean over false: it was ended early
function M.sleep(seconds, owner)
  local job = current()
  if job then
    enter(job)
    if job._cancelled then refuse(job) end
  end
  if owner._closed or job and job._cancelled then return false end
  local slot = job or {}
  slots[slot] = true
  slot.owner, slot.woken = owner, nil
  park(slot, seconds)
  slot.owner = nil
  if job and job._cancelled then job._stopped = true end
  return not (owner._closed or job and job._cancelled)
end

local NOBODY = {} -- whose the sleeps of the program are

--- devkit4ai.sleep
---@param seconds number
---@return boolean over false: the task that calls was cancelled
function M.rest(seconds)
  M.check_wait()
  M.engine() -- a forked child can't wait in its parent's
  return M.sleep(seconds, NOBODY)
end

--- Waits until somebody wakes the slot. Raises at the caller's line where the caller can't wait.
---@param slot table a new one for each wait
---@param seconds number? at most
---@return boolean over false: the task that calls was cancelled
function M.wait_for(slot, seconds)
  local can, why, job = usable()
  if not can then errors.raise(why) end
  if not job then
    park(slot, seconds or huge)
    return true
  end
  if job.id or job._row then M.leave(job) end
  if job._cancelled then
    refuse(job)
    return false
  end
  job._at = slot
  park(slot, seconds or huge)
  job._at = nil
  if job._cancelled then job._stopped = true end
  return not job._cancelled
end

--- The same where a cancellation does not end it: for what ends soon by itself.
---@param slot table a new one for each wait
function M.wait_out(slot)
  park(slot, huge)
end

--- Whether a for loop's iterator may wait where the caller is.
---@return boolean false: in a task on plain Lua 5.1
function M.can_yield_in_iterator()
  return not (PLAIN_51 and current())
end

M.wake, M.spawn, M.job, M.usable = wake, loop.spawn, current, usable

local Detached = {}
Detached.__index = Detached

function Detached:failed(_, text)
  M.leave(self)
  self.tell(text)
end

function Detached:left()
  self.tell("the process was forked, and this belongs to its parent")
end

--- Runs fn apart from the caller, whose end and cancellation do not touch it.
---@param fn function
---@param failed fun(traceback: string) called when it raises
function M.detach(fn, failed)
  return loop.detach(fn, setmetatable({ tell = failed }, Detached))
end

local function first_update(budget)
  loop.update(budget) -- raises inside a task, before there is a thread
  local started, why = engine:start()
  if not started then error("devkit4ai.update: " .. why, 0) end
  M.update = loop.update
end

--- devkit4ai.update
M.update = first_update

--- The engine for a new client. A forked child's clients get one of the child's own: the one that was used is its parent's.
---@return userdata core.engine's
function M.engine()
  if engine:forked() then
    engine, waiting, M.update = core.engine(), {}, first_update
    watch(engine, drain)
  end
  return engine
end

return M
