--- The engine of this Lua state: submits transfers, and hands each finished one to the caller that waits for it.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local host = require "devkit4ai.loop.host"

local M = {}

---@class devkit4ai.loop.Transfer: devkit4ai.loop.Slot one exchange with a server; a caller waits for it at the transfer itself
---@field id integer|false of the engine; false: it is not submitted
---@field client devkit4ai.Client the client whose secrets and connections it uses
---@field is_abandoned boolean? nobody waits for it
---@field callback devkit4ai.loop.Callback? the caller waits for its end, and not at the transfer
---@field on_orphan (fun(status: integer, body: string, head: string, trouble: table?))? called with a response that its caller did not take, because the host ended the caller; the caller that takes it removes the function
---@field status integer|false of HTTP, 0: there is no response; false: it has not finished, nor are the fields below set
---@field body string|false
---@field head string|false|nil the response's header block
---@field trouble table|false|nil unless the response is whole: { name, text, step, seconds, fate }
---@field times table|false|nil seconds of its steps, where the request asks for them
---@field sent integer? bytes of its body that were sent, once an upload has finished
---@field total integer? bytes of its body, once an upload has finished

local engine = core.engine()
local submit, next_finished, now = engine.submit, engine.next, core.now
local transfers = {} -- by id; without a client: its response came before it was registered
local single -- one transfer that is not in the table: with a new key for each call, the table would be built anew each time
local released -- the record of a finished transfer, for the next one: a new record would cost 2 % of a small call
local untaken = {} -- transfers with on_orphan that their callers have not taken yet
local threaded = false -- a thread steps the engine

-- Hands the responses of callers that the host has ended to on_orphan. It looks again at those of the drain before: the host
-- may end a caller that was woken before it runs.
local function find_orphans()
  local left = {}
  for _, transfer in ipairs(untaken) do
    local on_orphan, callback = transfer.on_orphan, transfer.callback
    if on_orphan and host.is_gone(callback and callback.waiter or transfer) then
      transfer.on_orphan = nil -- before the call: a function of the user's in it may end this loop, by ngx.exit
      on_orphan(transfer.status, transfer.body, transfer.head, transfer.trouble)
    elseif on_orphan then
      left[#left + 1] = transfer
    end
  end
  untaken = left
end

--- Hands out the finished transfers.
---@param seconds number? waits so long for the first one
---@param deadline number? on the loop's clock: one that is there after it stays for the next time; at least one is handed out
---@return boolean untaken some responses are not taken yet: call it again soon
function M.drain(seconds, deadline)
  if untaken[1] then find_orphans() end
  repeat
    local id, more, status, body, head, trouble, times, sent, total = next_finished(engine, seconds)
    if not id then break end
    local transfer = single
    if transfer and transfer.id == id then single = nil else
      transfer = transfers[id]
      transfers[id] = nil
    end
    if not transfer then -- a call made by a finalizer took it
      transfer = {}
      transfers[id] = transfer
    end
    transfer.status, transfer.body, transfer.head, transfer.trouble, transfer.times = status, body, head, trouble, times
    if total then transfer.sent, transfer.total = sent, total end
    if transfer.client and not transfer.is_abandoned then
      if transfer.on_orphan and host.is_gone then untaken[#untaken + 1] = transfer end
      host.wake(transfer)
    end
    seconds = nil
  until not more or deadline and now() >= deadline
  return untaken[1] ~= nil
end

host.watch(engine, M.drain)

--- The engine for a new client, or for a wait. A forked child gets an engine of its own.
---@return userdata core.engine's
function M.current()
  if engine:forked() then engine, transfers, single, threaded = core.engine(), {}, nil, false end
  host.watch(engine, M.drain)
  return engine
end

--- The record of a transfer, for a submit. The caller has it before anything is sent: an error right after the submit must not
--- leave a transfer that nobody can cancel.
---@param client devkit4ai.Client
---@return devkit4ai.loop.Transfer
function M.record(client)
  local transfer = released or { -- all fields: the table is made as large as it becomes
    id = false, client = false, woken = false, status = false,
    body = false, head = false, trouble = false, times = false,
  }
  released = nil
  transfer.id, transfer.client, transfer.woken, transfer.status = false, client, false, false
  return transfer
end

--- Submits a request.
---@param transfer devkit4ai.loop.Transfer a new record
---@param request userdata core.request's
---@param secrets userdata core.secrets', which fill it
---@param on_orphan function? see Transfer
---@return boolean? submitted nil: it could not be sent
---@return string? name of the core's status
---@return string? text
function M.submit(transfer, request, secrets, on_orphan)
  local id, name, text = submit(transfer.client._engine, request, secrets, transfer) -- sets transfer.id
  if not id then return nil, name, text end
  local early = transfers[id] -- a finalizer's call, or a hook's, took the response
  if early then
    transfers[id] = nil
    for field, value in pairs(early) do transfer[field] = value end
    return true
  end
  if on_orphan then transfer.on_orphan = on_orphan end
  if single then transfers[id] = transfer else single = transfer end
  host.watch(engine, M.drain)
  return true
end

--- Releases a finished transfer: its record is used again. Only its waiter has it, and forgets it. The response may have
--- secrets, so nothing of it stays.
---@param transfer devkit4ai.loop.Transfer
function M.release(transfer)
  transfer.client, transfer.body, transfer.head, transfer.trouble, transfer.times = false, false, false, false, false
  if transfer.total then transfer.sent, transfer.total = nil, nil end
  released = transfer
end

--- Removes a transfer that the engine no longer has.
---@param transfer devkit4ai.loop.Transfer
function M.forget(transfer)
  if single == transfer then single = nil else transfers[transfer.id] = nil end
end

--- Cancels a transfer. It is still handed out.
---@param transfer devkit4ai.loop.Transfer
function M.cancel(transfer)
  if transfer.id and not transfer.status then engine:cancel(transfer.id) end
end

--- Bytes sent so far and in total.
---@param transfer devkit4ai.loop.Transfer
---@return integer? sent nil: it was cancelled by the end of the engine
---@return integer? total
function M.progress(transfer)
  if transfer.total then return transfer.sent, transfer.total end
  return engine:progress(transfer.id)
end

--- Cancels the transfers of clients that are closed.
function M.cancel_closed()
  if single and single.client._closed then engine:cancel(single.id) end
  for id, transfer in pairs(transfers) do
    if transfer.client and transfer.client._closed then engine:cancel(id) end
  end
end

--- devkit4ai.update: from the first call on, a thread steps the engine. It starts at once, and with it libcurl: in a call's
--- frame that would take milliseconds. A build without threads has none: then each call steps the engine.
---@param budget number? seconds
function M.update(budget)
  if not host.update then
    errors.raise(("devkit4ai.update: the loop %q runs the tasks by itself; remove this call"):format(host.name))
  end
  host.update(budget) -- raises inside a task, before there is a thread
  if threaded or not core.threads then return end
  if not (engine:start() and engine:fd()) then error("devkit4ai.update: no thread could be started", 0) end
  threaded = true
end

return M
