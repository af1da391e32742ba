--- The engine of this Lua state: submits transfers, and hands each finished one to the caller that waits for it.
local core = require "devkit4ai.core"
local own = require "devkit4ai.loop.own"

local M = {}

---@class devkit4ai.loop.Transfer one exchange with a server
---@field id integer of the engine
---@field client devkit4ai.Client the client whose secrets and connections it uses
---@field slot devkit4ai.loop.Slot woken when it has finished
---@field finished boolean? the engine has returned it; the fields below are set
---@field status integer? of HTTP; 0: there is no response
---@field body string?
---@field head string? the response's header block
---@field trouble table? unless the response is whole: { name, text, step, seconds, fate }
---@field times table? seconds of its steps, where the request asks for them

local engine = core.engine()
local submit, next_finished, wake = engine.submit, engine.next, own.wake
local transfers = {} -- by id: those whose response was not taken; without a slot: a finalizer's call took it too early
local threaded = false -- a thread steps the engine

local function deliver(id, status, body, head, trouble, times)
  local transfer = transfers[id] or {}
  transfer.finished, transfer.status, transfer.body, transfer.head = true, status, body, head
  transfer.trouble, transfer.times = trouble, times
  if not transfer.slot then
    transfers[id] = transfer
    return
  end
  transfers[id] = nil
  wake(transfer.slot)
end

--- Hands out the finished transfers.
---@param seconds number? waits so long for the first one
function M.drain(seconds)
  local id, more, status, body, head, trouble, times = next_finished(engine, seconds)
  while id do
    deliver(id, status, body, head, trouble, times)
    if not more then return end
    id, more, status, body, head, trouble, times = next_finished(engine)
  end
end

own.watch(engine, M.drain)

--- The engine for a new client. The clients of a forked child get an engine of the child's own.
---@return userdata core.engine's
function M.current()
  if engine:forked() then
    engine, transfers, threaded = core.engine(), {}, false
    own.watch(engine, M.drain)
  end
  return engine
end

--- Submits a request.
---@param request userdata core.request's
---@param secrets userdata core.secrets', which fill it
---@param client devkit4ai.Client
---@param slot devkit4ai.loop.Slot a new one
---@return devkit4ai.loop.Transfer? transfer nil: it could not be sent
---@return string? name of the core's status
---@return string? text
function M.submit(request, secrets, client, slot)
  local id, name, text = submit(client._engine, request, secrets)
  if not id then return nil, name, text end
  local transfer = transfers[id]
  if transfer then transfers[id] = nil else
    transfer = {}
    transfers[id] = transfer
  end
  transfer.id, transfer.client, transfer.slot = id, client, slot
  own.watch(engine, M.drain)
  return transfer
end

--- Cancels a transfer. It is still handed out.
---@param transfer devkit4ai.loop.Transfer
function M.cancel(transfer)
  if not transfer.finished then engine:cancel(transfer.id) end
end

--- Bytes sent so far and in total; nil: it has finished.
---@param transfer devkit4ai.loop.Transfer
---@return integer? sent
---@return integer? total
function M.progress(transfer)
  return engine:progress(transfer.id)
end

--- Cancels the transfers of clients that are closed.
function M.cancel_closed()
  for id, transfer in pairs(transfers) do
    if transfer.client and transfer.client._closed then engine:cancel(id) end
  end
end

--- devkit4ai.update: from the first call on, a thread steps the engine.
---@param budget number? seconds
function M.update(budget)
  own.update(budget) -- raises inside a task, before there is a thread
  if threaded then return end
  local started, why = engine:start()
  if not started then error("devkit4ai.update: " .. why, 0) end
  threaded = true
end

return M
