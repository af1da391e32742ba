--- The status requests of a generation: one on its own, or one poll of a wait.
local account_pace = require "devkit4ai.generation.pacing.account_pace"
local call = require "devkit4ai.request.call"
local failures = require "devkit4ai.request.failures"
local config = require "devkit4ai.config"
local limits = require "devkit4ai.api.limits"
local events = require "devkit4ai.request.events"
local in_flight = require "devkit4ai.generation.in_flight"
local request_pacing = require "devkit4ai.generation.pacing.request_pacing"
local waits = require "devkit4ai.loop.waits"

local M = {}

local FINISHED = { completed = true, failed = true }
local LEAST = 1 / 10 -- seconds; with less left, a poll has the client's own limits: a timeout of 0 means one poll

--- Copies the fields of a response to a generation. A field that the response lacks keeps its value.
---@param gen devkit4ai.Generation
---@param fields table in their normal form
---@param head string? the header block, if the response is about this generation alone
---@return devkit4ai.Generation gen
function M.update(gen, fields, head)
  for name, value in pairs(fields) do gen[name] = value end
  gen.request_id = head and failures.request_id(gen._scope._secrets, head) or gen.request_id
  if FINISHED[gen.status] then in_flight.remove(gen._scope._client, gen.id) end
  return gen
end

--- Sends one status request, and updates the generation.
---@param gen devkit4ai.Generation
---@param extra table? for call.run
---@return devkit4ai.Generation? gen
---@return string? message
---@return devkit4ai.Error? err
---@return string? head the header block of the response
function M.request(gen, extra)
  local fields, message, err, head = call.run(gen._scope, gen._status_operation, { generation_id = gen.id }, extra)
  if fields then return M.update(gen, fields, head), nil, nil, head end
  err.generation_id = config.is_uuid(gen.id) and gen.id or nil
  if err.kind == "not_found" and gen._created_at and waits.now() - gen._created_at < limits.NOT_FOUND_TIME then
    err.retryable = true
    err.message = message .. "; it was created a moment ago and may appear in some seconds"
  end
  return nil, err.message, err
end

--- Polls once, at the pace of the account. A failure is not retried: the next poll follows.
---@param gen devkit4ai.Generation
---@param deadline number of waits.now()
---@param headers table<string, string>? the user's own
---@return boolean? sent nil: a cancellation or a closed client ended the sleep before the request
---@return devkit4ai.Generation? gen
---@return string? message
---@return devkit4ai.Error? err
function M.poll(gen, deadline, headers)
  local client = gen._scope._client
  local pace = account_pace.of(client, gen._status_operation)
  if not account_pace.sleep(client, pace, deadline) then return nil end
  local left = deadline - waits.now()
  local updated, message, err, head = M.request(gen, {
    total = left > LEAST and math.min(left, client._limits.total) or nil, headers = headers, call_name = "gen:wait",
    tries = 1, max_wait = 0,
  })
  account_pace.adjust(pace, head, err)
  return true, updated, message, err
end

--- Sleeps before the next poll.
---@param client devkit4ai.Client
---@param gen devkit4ai.Generation? the next poll's
---@param seconds number a long pause may take a moment more
---@param deadline number of waits.now(); it ends the sleep
---@return boolean over false: a cancellation or a closed client ended the sleep
function M.pause(client, gen, seconds, deadline)
  local now = math.min(waits.now(), deadline)
  events.emit(client, {
    type = "wait", operation = gen and gen._status_operation, generation_id = gen and gen.id,
    pause = math.min(seconds, deadline - now),
  })
  return waits.sleep(math.min(request_pacing.end_of_pause(now, seconds), deadline) - now, client)
end

return M
