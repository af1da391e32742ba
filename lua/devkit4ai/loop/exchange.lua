--- One exchange with a server: submits a request, waits for its response and reports the progress of its upload.
local lazy = require "devkit4ai.util.lazy"
local callback = lazy.module "devkit4ai.loop.callback"
local engine = require "devkit4ai.loop.engine"
local host = require "devkit4ai.loop.host"
local tasks = require "devkit4ai.loop.tasks"
local traceback = lazy.module "devkit4ai.util.errors.traceback"
local waits = require "devkit4ai.loop.waits"

local M = {}

local record, submit, release, current = engine.record, engine.submit, engine.release, tasks.current
local pcall, running, huge = pcall, coroutine.running, math.huge
local plain_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")
local SLICE = 1 / 10 -- seconds between two calls of on_upload
local CANCELLED = "its task was cancelled before that"

local function cancelled(text)
  return { name = "cancelled", text = text, step = "", seconds = 0, fate = "unknown" }
end

-- Calls on_upload, and waits for its end. Gives the error that it raised, and the bytes that it was told.
local function report_progress(transfer, on_upload, task)
  local sent, total = engine.progress(transfer)
  if not sent or total == 0 or task and task._cancellation then return nil end
  local call = callback.start(function() on_upload(sent, total) end)
  transfer.callback = call
  if not callback.wait(call, task) then engine.cancel(transfer) end
  transfer.callback = nil
  return call.raised, sent
end

-- Waits while on_upload is called; the last call has the whole body, if it was sent. Gives the error that it raised.
local function wait_with_progress(transfer, on_upload, task)
  local raised, told
  while not transfer.status do
    waits.park(task, transfer, SLICE)
    if not (raised or transfer.status) then
      raised, told = report_progress(transfer, on_upload, task)
      if raised then engine.cancel(transfer) end
    end
  end
  if not raised and transfer.sent == transfer.total and told ~= transfer.total then
    raised = report_progress(transfer, on_upload, task)
  end
  return raised
end

-- The trouble of a response has the error that ended its wait; the response may be whole all the same.
local function add_raised(transfer, raised)
  transfer.trouble = transfer.trouble or { whole = true }
  transfer.trouble.raised = raised
end

local function wait(transfer, on_upload, task)
  if on_upload then
    local raised = wait_with_progress(transfer, on_upload, task)
    if raised then add_raised(transfer, raised) end
  end
  if task then task._waiting_at = transfer end
  while not transfer.status do host.park(transfer, huge) end
  if task then task._waiting_at = nil end
end

-- Gives the name and the text of the core's status, if the request could not be sent.
local function submit_and_wait(transfer, request, secrets, on_upload, on_orphan)
  local submitted, name, text = submit(transfer, request, secrets, on_orphan)
  if not submitted then return name, text end
  wait(transfer, on_upload)
end

-- An error has ended the call of a script: the transfer ends before anything else steps the engine.
local function end_transfer(transfer, value)
  if not transfer.id then error(value, 0) end -- nothing was sent
  engine.cancel(transfer)
  while not transfer.status and engine.progress(transfer) do engine.drain(SLICE) end
  if not transfer.status then -- the error came while it was handed out
    engine.forget(transfer)
    transfer.status, transfer.body, transfer.head, transfer.trouble = 0, "", "", cancelled "an error ended it"
  end
  add_raised(transfer, { value = value, text = traceback.text(value) })
end

local function results(transfer)
  if transfer.on_orphan then transfer.on_orphan = nil end
  -- without the secrets of a closed client, nothing in a response could be masked
  local trouble = transfer.trouble
  if transfer.client._closed and (not trouble or trouble.whole) then
    local closed = cancelled "the client was closed"
    closed.raised = trouble and trouble.raised
    return 0, "", "", closed
  end
  return transfer.status, transfer.body, transfer.head, transfer.trouble, transfer.times
end

local function send_in_task(request, secrets, client, on_upload, row, on_orphan, task)
  if not waits.begin(task) then return nil, "cancelled", CANCELLED end
  task._client = client
  task._call = row.retry_class ~= "safe" and row or nil -- before the submit: an error right after it ends the call, too
  local transfer = record(client)
  task._transfer = transfer
  local submitted, name, text = submit(transfer, request, secrets, on_orphan)
  if not submitted then
    task._transfer, task._call = nil, nil
    return waits.after_refusal(nil, name, text)
  end
  wait(transfer, on_upload, task)
  task._transfer, task._call = nil, nil
  if task._cancellation and transfer.trouble then task._cancellation.ended_a_wait = true end
  return results(transfer)
end

--- Sends one request and waits for its response; in a task that was cancelled, nothing is sent. The caller can wait: see
--- waits.check_call.
---@param request userdata core.request's
---@param secrets userdata core.secrets', which fill it
---@param client devkit4ai.Client the client that makes the call
---@param on_upload fun(sent: integer, total: integer)? called every 0.1 s while the body is sent, and when all of it is sent
---@param row table of `operations`
---@param on_orphan (fun(status: integer, body: string, head: string, trouble: table?))? called in place of the return, if the host ends the caller
---@return integer? status of HTTP, 0: there is no response; nil: the request could not be sent
---@return string body of the response; the name of the core's status, where the request could not be sent
---@return string? head the response's header block, nil for a GET that succeeded unless it asked for it; the reason, where the request could not be sent
---@return table? trouble unless the response is whole: { name, text, step, seconds, fate }; raised: the error that ended the wait, of on_upload, of Ctrl-C, of a debug hook, as { value, text }; whole: the response is whole nevertheless
---@return table? times of its steps, where the request asks for them
function M.send(request, secrets, client, on_upload, row, on_orphan)
  local task = current()
  if task then return send_in_task(request, secrets, client, on_upload, row, on_orphan, task) end
  local transfer = record(client)
  if plain_51 and not host.blocks and running() then -- a host's coroutine, which can't yield in pcall
    local name, text = submit_and_wait(transfer, request, secrets, on_upload, on_orphan)
    if name then return nil, name, text end
    return results(transfer)
  end
  local ok, name, text = pcall(submit_and_wait, transfer, request, secrets, on_upload, on_orphan)
  if not ok then end_transfer(transfer, name)
  elseif name then return nil, name, text end
  local status, body, head, trouble, times = results(transfer)
  if ok and host.blocks then release(transfer) end -- an adapter for another loop may keep something in its slots
  return status, body, head, trouble, times
end

return M
