--- Waiting for generations: looks by poll's schedule, at the pace of the account, until one is done or the time is up.
local core = require "devkit4ai.core"
local config = require "devkit4ai.config"
local creations = require "devkit4ai.util.creations"
local display = require "devkit4ai.util.display"
local errors = require "devkit4ai.util.errors"
local suggestions = require "devkit4ai.util.suggestions"
local locale = require "devkit4ai.util.locale"
local operations = require "devkit4ai.api.operations"
local request_pacing = require "devkit4ai.generation.request_pacing"
local poll_schedule = require "devkit4ai.generation.poll_schedule"
local waits = require "devkit4ai.loop.waits"
local tasks = require "devkit4ai.loop.tasks"
local server_clock = require "devkit4ai.request.server_clock"
local session = require "devkit4ai.auth.session"
local events = require "devkit4ai.request.events"
local in_flight = require "devkit4ai.generation.in_flight"

local M = {}

local MOMENT = 1 / 1000 -- seconds
local LEAST = 1 / 10 -- seconds; with less left, the look at the deadline has the client's own limits: a timeout of 0 is one look

local function failed(gen)
  local reason = gen.error and display.text(gen.error) or "the server gives no reason"
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
    events.emit(client, { type = "orphan", operation = gen._looks, generation_id = gen.id })
  end
  return waits.keep_failure(errors.give({
    kind = "cancelled", outcome = "unknown", operation = gen._looks, generation_id = gen.id,
    message = ("%s: %s; the generation %s may still finish and is paid for; %sgo on waiting with %s"):format(
      says, client._closed and "the client was closed" or "the task was cancelled", gen.id,
      client._closed and "make a new client, and " or "", suggestions.wait(gen)),
  }))
end

--- A generation was accepted. Where its task was cancelled meanwhile, nobody waits for it.
---@param gen devkit4ai.Generation
---@param says string the call that ordered it
function M.accept(gen, says)
  in_flight.add(gen._scope._client, gen)
  creations.generation(tasks.current(), gen)
  if waits.is_cancelled() then M.abandon(gen, says) end
end

--- A time that several calls share.
---@param seconds number? none
---@return fun(): number? left what is left of it; a moment at least, so that what comes too late runs into its own limit
function M.countdown(seconds)
  local started = waits.now()
  return function()
    return seconds and math.max(MOMENT, seconds - (waits.now() - started))
  end
end

--- The failure of a call on a generation. What was paid for is never left behind: the message says the id and the way on.
---@param gen devkit4ai.Generation
---@param err devkit4ai.Error
---@param way string in words, the line at its end
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.fail(gen, err, way)
  if not config.is_uuid(gen.id) then return nil, err.message, err end -- nothing was sent; it may be a key in the wrong place
  local known = gen.status or gen._ordered
  err.generation_id = gen.id
  if gen._scope._client._closed then way = "make a new client, and " .. way end
  if not gen._is_public then
    err.message = (known and "%s; the generation %s is paid for; %s"
      or "%s; if the generation %s was ordered, it is paid for; %s"):format(err.message, gen.id, way)
  end
  return nil, err.message, err
end

--- Runs a call on a generation in a script so that an error which ends it (Ctrl-C, a debug hook) names the generation.
---@param gen devkit4ai.Generation
---@param says string how the user knows the call
---@param way string in words, the line at its end
---@param fn function
---@param ... any
---@return any ... what fn gives
function M.protect(gen, says, way, fn, ...)
  return waits.protect(function(value, text)
    local _, _, err = errors.give({
      kind = "cancelled", outcome = "unknown", operation = gen._looks, message = says .. ": an error ended the call",
    })
    M.fail(gen, err, way)
    creations.raise({ value = value, text = text }, err)
  end, fn, ...)
end

-- lost: the failure of the last look, if it failed
local function out_of_time(gen, seconds, lost)
  return errors.give({
    kind = "timeout", outcome = "unknown", transient = true, harmless = true, operation = gen._looks,
    generation_id = gen.id,
    message = ("gen:wait: after %s s the generation %s is not done (%s). It was accepted, may still finish and is paid "
      .. "for; go on waiting with %s"):format(locale.format("%g", seconds), gen.id,
      display.text(gen.status or "no status came")
      .. (lost and "; the last look failed: " .. lost.message:gsub("^gen:wait: ", "") or ""), suggestions.wait(gen)),
  })
end

local paces = setmetatable({}, { __mode = "v" }) -- by account: what its waits in this Lua state share

-- The slot that stands for an account whose tokens can't be read.
local INSTEAD = { developer = "developer_key", end_user = "access_token", platform_operator = "operator_key" }

-- The account that the server counts a look against. A look without a login counts against our address.
local function account_of(client, looks)
  local role = client._role
  if operations[looks].profile[role] == "none" then return "" end
  return ("%s %s"):format(role, session.account(client) or client._secrets:tag(INSTEAD[role]) or "")
end

-- A client holds the paces that it uses, so that what a 429 said outlives the wait that got it.
local function pace_of(client, looks)
  local key = client.base_url .. " " .. account_of(client, looks)
  local shared, held = paces[key] or request_pacing.new(), rawget(client, "_paces") or {}
  paces[key], client._paces, held[looks] = shared, held, shared
  return shared
end

-- Waits for a place among the looks of the account; a deadline is worth a look of its own.
local function take_turn(client, shared, deadline)
  local now = waits.now()
  repeat
    local at = math.min(request_pacing.reserve(shared, now), deadline)
    if at > now and not waits.sleep(at - now, client) then return false end
    now = waits.now()
  until now >= shared.shut or now >= deadline
  return true
end

local function number_of(head, name)
  return locale.number((core.header(head, name)))
end

-- What a look says of the pace.
local function heed(shared, head, err)
  local signal = {}
  if err and err.kind == "rate_limited" then signal.limited = err.retry_after end
  if head then
    local reset = number_of(head, "X-RateLimit-Reset")
    signal.limit, signal.remaining = number_of(head, "X-RateLimit-Limit"), number_of(head, "X-RateLimit-Remaining")
    signal.reset = reset and reset - server_clock.of(head, os.time())
  end
  if head or signal.limited then request_pacing.heed(shared, waits.now(), signal) end
end

-- One look, at the pace of its account. Gives nil where it was ended early.
local function look_in_turn(client, gen, deadline, look)
  local shared = pace_of(client, gen._looks)
  if not take_turn(client, shared, deadline) then return nil end
  local left = deadline - waits.now()
  local seen, message, err, head = look(left > LEAST and left or nil)
  heed(shared, head, err)
  return true, seen, message, err
end

local function rest(client, gen, seconds)
  events.emit(client, {
    type = "wait", operation = gen and gen._looks, generation_id = gen and gen.id, pause = seconds,
  })
  return waits.sleep(seconds, client)
end

-- Looks until the generation has ended, or the time is up.
local function follow(gen, timeout, interval, on_progress, look)
  local client, deadline, looks = gen._scope._client, waits.now() + timeout, 0
  while true do
    local looked, seen, _, err = look_in_turn(client, gen, deadline, look)
    if not looked then return M.abandon(gen, "gen:wait") end
    looks = looks + 1
    local pause = poll_schedule.pause(looks, interval)
    if not seen then
      if err.kind == "cancelled" then return M.abandon(gen, "gen:wait") end
      pause = poll_schedule.after_failure(err, pause)
      if not pause then return M.fail(gen, err, "go on waiting with " .. suggestions.wait(gen)) end
    else
      if on_progress then on_progress(gen) end
      if gen.status == "completed" then return gen end
      if gen.status == "failed" then return failed(gen) end
    end
    local left = deadline - waits.now()
    if left <= 0 then return out_of_time(gen, timeout, err) end
    if not rest(client, gen, math.min(pause, left)) then return M.abandon(gen, "gen:wait") end
  end
end

-- An error that ends a wait (Ctrl-C, a debug hook, on_progress) says which generation goes on without it.
local function name_generation(gen)
  return function(value, text)
    creations.raise({ value = value, text = text }, select(3, errors.give({
      kind = "cancelled", outcome = "unknown", operation = gen._looks, generation_id = gen.id,
      message = ("gen:wait: an error ended the wait; the generation %s may still finish and is paid for; go on waiting "
        .. "with %s"):format(gen.id, suggestions.wait(gen)),
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
  local timeout, interval = options.timeout or poll_schedule.DEADLINE, options.interval
  if not (timeout >= 0 and (not interval or interval > 0)) then
    local _, _, err = waits.after_refusal(errors.refuse("config",
      "gen:wait: timeout and interval must be numbers of seconds", gen._looks))
    return M.fail(gen, err, "go on waiting with " .. suggestions.wait(gen))
  end
  local client, job = gen._scope._client, tasks.current()
  local entry = in_flight.watch(client, gen)
  local function give(...)
    creations.waits_for(job, nil)
    in_flight.unwatch(client, entry)
    return ...
  end
  if not job then
    return give(waits.protect(name_generation(gen), follow, gen, timeout, interval, options.on_progress, look))
  end
  creations.waits_for(job, gen)
  return give(follow(gen, timeout, interval, options.on_progress, look))
end

-- One turn of waiting for room: a rest, and a look at the oldest unless another wait saw an end meanwhile. false: no time.
local function wait_a_turn(client, waiter, turn, deadline, look)
  local left = deadline - waits.now()
  local pause = math.min(poll_schedule.pause(turn), left)
  if left <= 0 or not rest(client, in_flight.first(client), pause) then return false end
  local gen = not waiter.room and in_flight.first(client)
  if not gen then return true end
  if pace_of(client, gen._looks).shut - waits.now() > client._retry.max_wait then return false end
  local looked, _, _, err = look_in_turn(client, gen, deadline, function(seconds) return look(gen, seconds) end)
  if not looked or err and err.kind == "cancelled" then return false end
  if err and not poll_schedule.after_failure(err, 0) then in_flight.remove(client, gen.id) end
  return true
end

-- Waits until one of the client's own generations has ended; false: none is under way, or there is no time.
local function wait_for_room(client, deadline, look)
  if not in_flight.is_busy(client) then return false end
  local waiter, turn, going_on = in_flight.enter(client), 0, true
  while going_on and not waiter.room and in_flight.is_busy(client) do
    turn = turn + 1
    going_on = wait_a_turn(client, waiter, turn, deadline, look)
  end
  in_flight.leave(client, waiter)
  return going_on
end

--- Makes a creating call. A 429 while generations of the client's own are under way waits for one of them to end rather than
--- for the time that the server names, if the deadline allows (wire.md 5.5).
---@param client devkit4ai.Client
---@param seconds number? for all of it
---@param look fun(gen: devkit4ai.Generation, left: number?): devkit4ai.Generation?, string?, devkit4ai.Error?, string?
---@param order fun(left: number?, max_wait: number?): table?, string?, devkit4ai.Error?, string? makes the call; max_wait 0: a 429 comes back at once
---@return table? fields
---@return string? message
---@return devkit4ai.Error? err
---@return string? head
function M.with_room(client, seconds, look, order)
  local deadline, left = seconds and waits.now() + seconds or math.huge, seconds
  while true do
    local busy, its = in_flight.is_busy(client), in_flight.order(client)
    local fields, message, err, head = order(left, busy and 0 or nil)
    in_flight.answered(client, its)
    local room = err and err.kind == "rate_limited" and wait_for_room(client, deadline, look)
    left = seconds and deadline - waits.now()
    if not room or (left and left <= 0) then return fields, message, err, head end
  end
end

return M
