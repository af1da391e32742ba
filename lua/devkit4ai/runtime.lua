--- What a Lua state has once: the engine, the loop, and which slot waits for which transfer.
local core = require "devkit4ai.core"
local loop = require "devkit4ai.loop.own"
local errors = require "devkit4ai.errors"

local M = {}

local park, wake, watch, usable = loop.park, loop.wake, loop.watch, loop.usable
local engine = core.engine()
local submit, next_done = engine.submit, engine.next
local waiting = {} -- a transfer's id -> the slot of who waits for it
local early = {} -- a transfer's id -> its answer, which a call made by a finalizer took before await could
local sleeping = setmetatable({}, { __mode = "k" }) -- a slot that nothing but time wakes -> its owner
local huge, unpack = math.huge, table.unpack or unpack -- luacheck: ignore 113
local SLICE = 0.1 -- seconds between two looks at an upload's progress (design, section 4)

local function deliver(id, status, body, head, trouble)
  local slot = waiting[id]
  if not slot then
    early[id] = { status, body, head, trouble }
    return
  end
  waiting[id] = nil
  slot.status, slot.body, slot.head, slot.trouble, slot.done = status, body, head, trouble, true
  wake(slot)
end

-- Gives each finished transfer to its waiter; waits for the first one, seconds at most, if it is told to.
local function drain(seconds)
  local id, more, status, body, head, trouble = next_done(engine, seconds)
  while id do
    deliver(id, status, body, head, trouble)
    if not more then return end
    id, more, status, body, head, trouble = next_done(engine)
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

local function watch_progress(id, slot, progress)
  local told, why = true, nil
  while not slot.done do
    park(slot, SLICE)
    if told and not slot.done then
      told, why = tell(progress, id)
      if not told then engine:cancel(id) end
    end
  end
  if not told then error(why, 0) end
end

local awaited, awaiter -- the transfer that a script's call waits for, or waited for when Ctrl-C ended it, and whose it is

-- A script's call, with no task that could run meanwhile: waits in the engine itself, with no slot.
local function await(wanted, owner)
  awaited, awaiter = wanted, owner
  while not early[wanted] do
    local id, _, status, body, head, trouble = next_done(engine, SLICE) -- not longer: see `early`
    if id == wanted then
      awaiter = nil
      return status, body, head, trouble
    end
    if id then deliver(id, status, body, head, trouble) end
  end
  local answer = early[wanted]
  early[wanted] = nil
  return unpack(answer, 1, 4)
end

local function await_parked(id, owner, progress)
  local slot = { owner = owner, done = false }
  waiting[id] = slot
  watch(engine, drain)
  if progress then watch_progress(id, slot, progress) end
  while not slot.done do park(slot, huge) end
  return slot.status, slot.body, slot.head, slot.trouble
end

--- Sends one request and waits until it came back. Raises at the caller's line where the caller can't wait.
---@param request userdata core.request's
---@param secrets userdata core.secrets', which fill it
---@param owner devkit4ai.Client whose call it is; M.cancel ends all of an owner's
---@param progress fun(sent: integer, total: integer)? called every 0.1 s while the body goes out
---@return integer? status of HTTP, 0: none came; nil: it could not be sent
---@return string body of the answer; the name of the core's status, where it could not be sent
---@return string head the answer's header block, empty for a GET that succeeded; the reason, where it could not be sent
---@return table? trouble unless the answer is whole: { name, text, step, seconds, fate }
function M.exchange(request, secrets, owner, progress)
  local can, alone = usable()
  if not can then errors.raise(alone) end
  local id, name, text = submit(owner._engine, request, secrets)
  if not id then return nil, name, text end
  if alone and not progress then return await(id, owner) end
  return await_parked(id, owner, progress)
end

-- an end user's client is closed with its project's
local function is_of(whose, owner)
  return whose == owner or whose ~= nil and whose._closed
end

--- Ends all that an owner has under way; each comes back as cancelled.
function M.cancel(owner)
  if is_of(awaiter, owner) then engine:cancel(awaited) end -- one that is over is fine
  for id, slot in pairs(waiting) do
    if is_of(slot.owner, owner) then engine:cancel(id) end
  end
  for slot, whose in pairs(sleeping) do
    if is_of(whose, owner) then wake(slot) end
  end
end

--- Waits; M.cancel ends it early.
---@param seconds number
---@param owner table whose wait it is
---@return boolean over false: it was ended early
function M.sleep(seconds, owner)
  local slot = {}
  sleeping[slot] = owner
  local ended = park(slot, seconds)
  sleeping[slot] = nil
  return not ended
end

--- Waits until somebody wakes the slot. Raises at the caller's line where the caller can't wait.
---@param slot table
---@param seconds number? at most
function M.wait_for(slot, seconds)
  local can, why = usable()
  if not can then errors.raise(why) end
  park(slot, seconds or huge)
end

M.wake, M.spawn, M.detach = loop.wake, loop.spawn, loop.detach

local function first_update()
  local started, why = engine:start()
  if not started then error("devkit4ai.update: " .. why, 0) end
  M.update = loop.update
  return loop.update()
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
