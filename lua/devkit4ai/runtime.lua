--- What a Lua state has once: the engine, the loop, and which slot waits for which transfer.
local core = require "devkit4ai.core"
local loop = require "devkit4ai.loop.own"
local errors = require "devkit4ai.errors"

local M = {}

local park, wake, watch, usable, current = loop.park, loop.wake, loop.watch, loop.usable, loop.job
local engine = core.engine()
local submit, next_done = engine.submit, engine.next
local waiting = {} -- a transfer's id -> the slot of who waits for it
local early = {} -- a transfer's id -> its answer, which a call made by a finalizer took before its waiter could
local slots = setmetatable({}, { __mode = "k" }) -- those that sleep, or did; owner: whose wait it is now
local huge, unpack = math.huge, table.unpack or unpack -- luacheck: ignore 113
local SLICE = 0.1 -- seconds between two looks at an upload's progress (design, section 4)
local CANCELLED = "its task was cancelled before that"

---@class devkit4ai.Job what the loop knows of a task; it is the slot of every sleep and exchange of that task, too
---@field owner devkit4ai.Client? whose wait it is now
---@field id integer? of the transfer that it waits for
---@field _at table? another's slot that it waits at
---@field _cancelled boolean?
---@field _client devkit4ai.Client? whose call it made last
---@field _cut devkit4ai.Error? the gravest of what its cancellation cut

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

-- Calls the user's function apart from the caller: an error in it must not leave the transfer alone.
local function tell(progress, id)
  local sent, total = engine:progress(id)
  if not sent or total == 0 then return true end
  local co = coroutine.create(progress)
  local ok, why = coroutine.resume(co, sent, total)
  if ok then return true end
  return false, debug.traceback(co, tostring(why))
end

-- Gives what the user's function raised.
local function watch_progress(id, slot, progress)
  local told, why = true, nil
  while not slot.answer do
    park(slot, SLICE)
    if told and not slot.answer then
      told, why = tell(progress, id)
      if not told then engine:cancel(id) end
    end
  end
  return why
end

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

local function await_parked(id, owner, progress, job)
  local slot, why = job or {}, nil
  slot.owner, slot.id = owner, id
  slot.answer, early[id] = early[id], nil
  if not slot.answer then waiting[id] = slot end
  watch(engine, drain)
  if progress then why = watch_progress(id, slot, progress) end
  while not slot.answer do park(slot, huge) end
  local answer = slot.answer
  slot.answer, slot.owner, slot.id = nil, nil, nil
  if why then error(why, 0) end
  if owner._closed and not answer[4] then answer = unseen() end
  return unpack(answer, 1, 5)
end

--- Sends one request and waits until it came back; in a task that was cancelled, nothing is sent. Raises at the caller's line
--- where the caller can't wait.
---@param request userdata core.request's
---@param secrets userdata core.secrets', which fill it
---@param owner devkit4ai.Client whose call it is
---@param progress fun(sent: integer, total: integer)? called every 0.1 s while the body goes out
---@return integer? status of HTTP, 0: none came; nil: it could not be sent
---@return string body of the answer; the name of the core's status, where it could not be sent
---@return string? head the answer's header block, nil for a GET that succeeded unless it asked for it; the reason, where it could not be sent
---@return table? trouble unless the answer is whole: { name, text, step, seconds, fate }
---@return table? times of its steps, where the request asks for them
function M.exchange(request, secrets, owner, progress)
  local can, alone, job = usable()
  if not can then errors.raise(alone) end
  if job then
    if job._cancelled then return nil, "cancelled", CANCELLED end
    job._client = owner
  end
  local id, name, text = submit(owner._engine, request, secrets)
  if not id then return nil, name, text end
  if alone and not progress then return await(id, owner) end
  return await_parked(id, owner, progress, job)
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

--- Waits; closing the owner and cancelling the task end it early.
---@param seconds number
---@param owner table whose wait it is
---@return boolean over false: it was ended early
function M.sleep(seconds, owner)
  local job = current()
  if owner._closed or job and job._cancelled then return false end
  local slot = job or {}
  slots[slot] = true
  slot.owner, slot.woken = owner, nil
  park(slot, seconds)
  slot.owner = nil
  return not (owner._closed or job and job._cancelled)
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
  if job._cancelled then return false end
  job._at = slot
  park(slot, seconds or huge)
  job._at = nil
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
  return _VERSION ~= "Lua 5.1" or jit ~= nil or not current() -- luacheck: globals jit
end

M.wake, M.spawn, M.job, M.usable = wake, loop.spawn, current, usable

local Detached = {}
Detached.__index = Detached

function Detached:failed(_, traceback)
  self.tell(traceback)
end

--- Runs fn apart from the caller, whose end and cancellation do not touch it.
---@param fn function
---@param failed fun(traceback: string) called when it raises
function M.detach(fn, failed)
  return loop.detach(fn, setmetatable({ tell = failed }, Detached))
end

local function first_update()
  loop.update() -- raises inside a task, before there is a thread
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
