--- Waiting for generations: looks by poll's schedule, at the pace of all waits, until one is done or the time is up.
local core = require "devkit4ai.core"
local created = require "devkit4ai.created"
local errors = require "devkit4ai.errors"
local pace = require "devkit4ai.pace"
local poll = require "devkit4ai.poll"
local runtime = require "devkit4ai.runtime"
local trace = require "devkit4ai.trace"
local under_way = require "devkit4ai.under_way"

local M = {}

local MOMENT = 0.001 -- seconds

local function failed(gen)
  local reason = gen.error and tostring(gen.error) or "the server gives no reason"
  return errors.give({
    kind = "failed", outcome = "unknown", operation = gen._looks, generation_id = gen.id,
    detail = gen.error and reason,
    message = ("gen:wait: the generation %s failed: %s"):format(gen.id, reason),
  })
end

--- A generation for which its task does not wait any more, or its client, is told as an orphan: it was accepted, and nobody
--- may be there to see it finish.
---@param gen devkit4ai.Generation
---@param says string how the user knows the call
---@return nil
---@return string message
---@return devkit4ai.Error err of kind `cancelled`
function M.abandon(gen, says)
  local client = gen._scope._client
  if not gen._orphan then
    gen._orphan = true
    trace.emit(client, { type = "orphan", operation = gen._looks, generation_id = gen.id })
  end
  return runtime.cut(errors.give({
    kind = "cancelled", outcome = "unknown", operation = gen._looks, generation_id = gen.id,
    message = ("%s: %s; the generation %s may still finish and is paid for; go on waiting with %s:wait()"):format(
      says, client._closed and "the client was closed" or "the task was cancelled", gen.id, gen._words),
  }))
end

--- A generation was accepted. Where its task was cancelled meanwhile, nobody waits for it.
---@param gen devkit4ai.Generation
---@param says string the call that ordered it
function M.accept(gen, says)
  under_way.add(gen._scope._client, gen)
  created.generation(runtime.job(), gen)
  if runtime.is_cancelled() then M.abandon(gen, says) end
end

--- A time that several calls share.
---@param seconds number? none
---@return fun(): number? left what is left of it; a moment at least, so that what comes too late runs into its own limit
function M.countdown(seconds)
  local started = runtime.now()
  return function()
    return seconds and math.max(MOMENT, seconds - (runtime.now() - started))
  end
end

local function out_of_time(gen, seconds)
  return errors.give({
    kind = "timeout", outcome = "unknown", transient = true, harmless = true, operation = gen._looks,
    generation_id = gen.id,
    message = ("gen:wait: after %g s the generation %s is not done (%s). It was accepted, may still finish and is paid "
      .. "for; go on waiting with %s:wait()"):format(seconds, gen.id, gen.status or "no answer yet", gen._words),
  })
end

local paces = {} -- by the API's address: what all waits of this Lua state share

local function pace_of(client)
  local shared = paces[client.base_url] or pace.new()
  paces[client.base_url] = shared
  return shared
end

-- Waits for a place among the looks of all; a deadline is worth a look of its own.
local function take_turn(client, deadline)
  local shared, now = pace_of(client), runtime.now()
  repeat
    local at = math.min(pace.reserve(shared, now), deadline)
    if at > now and not runtime.sleep(at - now, client) then return false end
    now = runtime.now()
  until now >= shared.shut or now >= deadline
  return true
end

local function number_of(head, name)
  return tonumber((core.header(head, name)))
end

-- What a look says of the pace.
local function heed(client, head, err)
  local signal = {}
  if err and err.kind == "rate_limited" then signal.limited = err.retry_after end
  if head then
    local reset = number_of(head, "X-RateLimit-Reset")
    signal.limit, signal.remaining = number_of(head, "X-RateLimit-Limit"), number_of(head, "X-RateLimit-Remaining")
    signal.reset = reset and reset - os.time()
  end
  if head or signal.limited then pace.heed(pace_of(client), runtime.now(), signal) end
end

-- One look, at the pace of all. Gives nil where it was ended early.
local function look_in_turn(client, deadline, look)
  if not take_turn(client, deadline) then return nil end
  local left = deadline - runtime.now()
  local seen, message, err, head = look(left > 0 and left or nil) -- a timeout of 0 is one look
  heed(client, head, err)
  return true, seen, message, err
end

local function rest(client, gen, seconds)
  trace.emit(client, {
    type = "wait", operation = gen and gen._looks, generation_id = gen and gen.id, pause = seconds,
  })
  return runtime.sleep(seconds, client)
end

local until_done

-- An error that ends a wait (Ctrl-C, a debug hook, on_progress) says which generation goes on without it.
local function name_generation(gen)
  return function(value, text)
    created.raise({ value = value, text = text }, select(3, errors.give({
      kind = "cancelled", outcome = "unknown", operation = gen._looks, generation_id = gen.id,
      message = ("gen:wait: an error ended the wait; the generation %s may still finish and is paid for; go on waiting "
        .. "with %s:wait()"):format(gen.id, gen._words),
    })))
  end
end

--- Waits until a generation is completed.
---@param gen devkit4ai.Generation
---@param options { timeout: number?, interval: number?, on_progress: function? } as gen:wait's
---@param look fun(left: number?): devkit4ai.Generation?, string?, devkit4ai.Error?, string? asks the server, for so many seconds; the head behind the error
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
function M.until_done(gen, options, look)
  local job = runtime.job()
  if not job then return runtime.protect(name_generation(gen), until_done, gen, options, look) end
  job._gen = gen
  local done, message, err = until_done(gen, options, look)
  job._gen = nil
  return done, message, err
end

until_done = function(gen, options, look)
  local timeout, interval = options.timeout or poll.DEADLINE, options.interval
  if not (timeout >= 0 and (not interval or interval > 0)) then
    return errors.refuse("config", "gen:wait: timeout and interval must be numbers of seconds", gen._looks)
  end
  local client, deadline, looks = gen._scope._client, runtime.now() + timeout, 0
  while true do
    local looked, seen, message, err = look_in_turn(client, deadline, look)
    if not looked then return M.abandon(gen, "gen:wait") end
    looks = looks + 1
    local pause = poll.pause(looks, interval)
    if not seen then
      if err.kind == "cancelled" then return M.abandon(gen, "gen:wait") end
      pause = poll.after_failure(err, pause)
      if not pause then return nil, message, err end
    else
      if options.on_progress then options.on_progress(gen) end
      if gen.status == "completed" then return gen end
      if gen.status == "failed" then return failed(gen) end
    end
    local left = deadline - runtime.now()
    if left <= 0 then return out_of_time(gen, timeout) end
    if not rest(client, gen, math.min(pause, left)) then return M.abandon(gen, "gen:wait") end
  end
end

-- One turn of waiting for room: a rest, and a look at the oldest unless another wait saw an end meanwhile. false: no time.
local function wait_a_turn(client, waiter, turn, deadline, look)
  local left = deadline - runtime.now()
  if left <= 0 or not rest(client, under_way.first(client), math.min(poll.pause(turn), left)) then return false end
  local gen = not waiter.room and under_way.first(client)
  if not gen then return true end
  local looked, _, _, err = look_in_turn(client, deadline, function(seconds) return look(gen, seconds) end)
  if not looked or err and err.kind == "cancelled" then return false end
  if err and not poll.after_failure(err, 0) then under_way.remove(client, gen.id) end
  return true
end

-- Waits until one of the client's own generations has ended; false: none is under way, or there is no time.
local function wait_for_room(client, deadline, look)
  if not under_way.is_busy(client) then return false end
  local waiter, turn, going_on = under_way.enter(client), 0, true
  while going_on and not waiter.room and under_way.is_busy(client) do
    turn = turn + 1
    going_on = wait_a_turn(client, waiter, turn, deadline, look)
  end
  under_way.leave(client, waiter)
  return going_on
end

--- Makes a creating call. A 429 while generations of the client's own are under way waits for one of them to end rather than
--- for the time that the server names, if the deadline allows (CONTRACT 5.5).
---@param client devkit4ai.Client
---@param seconds number? for all of it
---@param look fun(gen: devkit4ai.Generation, left: number?): devkit4ai.Generation?, string?, devkit4ai.Error?, string?
---@param order fun(left: number?, max_wait: number?): table?, string?, devkit4ai.Error? makes the call; max_wait 0: a 429 comes back at once
---@return table? fields
---@return string? message
---@return devkit4ai.Error? err
function M.with_room(client, seconds, look, order)
  local deadline, left = seconds and runtime.now() + seconds or math.huge, seconds
  while true do
    local busy, its = under_way.is_busy(client), under_way.order(client)
    local fields, message, err = order(left, busy and 0 or nil)
    under_way.answered(client, its)
    local room = err and err.kind == "rate_limited" and wait_for_room(client, deadline, look)
    left = seconds and deadline - runtime.now()
    if not room or (left and left <= 0) then return fields, message, err end
  end
end

return M
