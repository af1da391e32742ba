--- Create calls at the account's concurrency limit. A 429 while generations of the client are in flight waits until one of
--- them finishes, in place of the time that the server names (wire.md 5.5).
local account_pace = require "devkit4ai.generation.pacing.account_pace"
local in_flight = require "devkit4ai.generation.in_flight"
local poll_schedule = require "devkit4ai.generation.pacing.poll_schedule"
local waits = require "devkit4ai.loop.waits"
local status = require "devkit4ai.generation.status"

local M = {}

-- One turn: a pause, then a poll of the oldest generation, unless another call saw one finish meanwhile. false: give up.
local function wait_one_turn(client, waiter, turn, deadline)
  if waits.now() >= deadline then return false end
  if not status.pause(client, in_flight.oldest(client), poll_schedule.pause(turn), deadline) then return false end
  local gen = not waiter.may_send and in_flight.oldest(client)
  if not gen then return true end
  local blocked_until = account_pace.of(client, gen._status_operation).blocked_until
  if blocked_until - waits.now() > client._retry.max_wait then return false end
  local sent, _, _, err = status.poll(gen, deadline)
  if not sent or err and err.kind == "cancelled" then return false end
  if err and not poll_schedule.after_failure(err, 0) then in_flight.remove(client, gen.id) end
  return true
end

-- Waits until a generation of the client finishes. false: none is in flight, or the time is not enough.
local function wait_for_capacity(client, deadline)
  if not in_flight.is_busy(client) then return false end
  local waiter, turn, may_retry = in_flight.add_waiter(client), 0, true
  while may_retry and not waiter.may_send and in_flight.is_busy(client) do
    turn = turn + 1
    may_retry = wait_one_turn(client, waiter, turn, deadline)
  end
  in_flight.remove_waiter(client, waiter)
  return may_retry
end

--- Sends a create request for a caller with a pace of its own: a 429 is not waited out.
---@param client devkit4ai.Client
---@param seconds number? for the whole call
---@param send fun(left: number?, max_wait: number?): table?, string?, devkit4ai.Error?, string?
---@return table? fields
---@return string? message
---@return devkit4ai.Error? err
---@return string? head
function M.send_once(client, seconds, send)
  local request = in_flight.begin_request(client)
  local fields, message, err, head = send(seconds, 0)
  in_flight.end_request(client, request)
  return fields, message, err, head
end

--- Sends a create request, and sends it again after a 429 if a generation in flight finishes before the deadline.
---@param client devkit4ai.Client
---@param seconds number? for the whole call
---@param send fun(left: number?, max_wait: number?): table?, string?, devkit4ai.Error?, string? max_wait 0: a 429 is not waited out
---@return table? fields
---@return string? message
---@return devkit4ai.Error? err
---@return string? head
function M.run(client, seconds, send)
  local deadline, left = seconds and waits.now() + seconds or math.huge, seconds
  while true do
    local request, busy = in_flight.begin_request(client)
    local fields, message, err, head = send(left, busy and 0 or nil)
    in_flight.end_request(client, request)
    local may_retry = err and err.kind == "rate_limited" and wait_for_capacity(client, deadline)
    left = seconds and deadline - waits.now()
    if not may_retry or (left and left <= 0) then return fields, message, err, head end
  end
end

return M
