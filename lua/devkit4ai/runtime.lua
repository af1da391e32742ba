--- What a Lua state has once: the engine, the loop, and which slot waits for which transfer.
local core = require "devkit4ai.core"
local loop = require "devkit4ai.loop.own"
local errors = require "devkit4ai.errors"

local M = {}

local engine = core.engine()
local waiting = {} -- a transfer's id -> the slot of who waits for it
local SLICE = 0.1 -- seconds between two looks at an upload's progress (design, section 4)

local function drain()
  while true do
    local id, status, body, head, trouble = engine:next()
    if not id then return end
    local slot = waiting[id]
    waiting[id] = nil
    if slot then
      slot.status, slot.body, slot.head, slot.trouble, slot.done = status, body, head, trouble, true
      loop.wake(slot)
    end
  end
end

loop.watch(engine, drain)

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
    loop.park(slot, SLICE)
    if told and not slot.done then
      told, why = tell(progress, id)
      if not told then engine:cancel(id) end
    end
  end
  if not told then error(why, 0) end
end

--- Sends one request and waits until it came back.
---@param request table for core's engine:submit
---@param owner table whose call it is; M.cancel ends all of an owner's
---@param progress fun(sent: integer, total: integer)? called every 0.1 s while the body goes out
---@return table? exchange with status, body, head and, unless the answer is whole, trouble { name, text, step, seconds, fate }; it is the caller's
---@return string? name of the core's status: nothing was sent
---@return string? text
function M.exchange(request, owner, progress)
  local id, name, text = engine:submit(request)
  if not id then return nil, name, text end
  local slot = { owner = owner }
  waiting[id] = slot
  loop.watch(engine, drain)
  if progress then watch_progress(id, slot, progress) end
  while not slot.done do loop.park(slot, math.huge) end
  return slot
end

--- Ends all that an owner has under way; each comes back as cancelled.
function M.cancel(owner)
  for id, slot in pairs(waiting) do
    if slot.owner == owner then engine:cancel(id) end
  end
end

--- Waits.
---@param seconds number
function M.sleep(seconds)
  loop.park({}, seconds)
end

--- Whether the caller can wait; raises at its line where it can't.
function M.check_usable()
  local usable, why = loop.usable()
  if not usable then errors.raise(why) end
end

M.park, M.wake, M.spawn, M.detach = loop.park, loop.wake, loop.spawn, loop.detach

--- devkit4ai.update
function M.update()
  local started, why = engine:start()
  if not started then error("devkit4ai.update: " .. why, 0) end
  M.update = loop.update
  return loop.update()
end

return M
