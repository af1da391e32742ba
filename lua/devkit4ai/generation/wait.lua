--- gen:wait: polls by the schedule, at the pace of the account, until the generation finishes or the deadline passes.
local creations = require "devkit4ai.util.errors.creations"
local errors = require "devkit4ai.util.errors"
local limits = require "devkit4ai.api.limits"
local failures = require "devkit4ai.generation.failures"
local in_flight = require "devkit4ai.generation.in_flight"
local poll_schedule = require "devkit4ai.generation.pacing.poll_schedule"
local waits = require "devkit4ai.loop.waits"
local tasks = require "devkit4ai.loop.tasks"
local status = require "devkit4ai.generation.status"

local M = {}

local function poll_until_finished(gen, options)
  local client, deadline, polls = gen._scope._client, waits.now() + options.timeout, 0
  while true do
    local sent, updated, _, err = status.poll(gen, deadline, options.headers)
    if not sent then return failures.cancelled(gen, "gen:wait") end
    polls = polls + 1
    local pause = poll_schedule.pause(polls, options.interval)
    if updated then
      if options.on_progress then options.on_progress(gen) end
      if gen.status == "completed" then return gen end
      if gen.status == "failed" then return failures.failed(gen) end
    else
      if err.kind == "cancelled" then return failures.cancelled(gen, "gen:wait") end
      pause = poll_schedule.after_failure(err, pause)
      if not pause then return failures.with_advice(gen, err, failures.wait_advice(gen)) end
    end
    if waits.now() >= deadline then return failures.timed_out(gen, options.timeout, err) end
    if not status.pause(client, gen, pause, deadline) then return failures.cancelled(gen, "gen:wait") end
  end
end

local function refuse(gen)
  local _, _, err = waits.after_refusal(errors.refuse("config",
    "gen:wait: timeout and interval must be numbers of seconds", gen._status_operation))
  return failures.with_advice(gen, err, failures.wait_advice(gen))
end

local function finish(task, client, entry, ...)
  creations.waits_for(task, nil)
  in_flight.end_wait(client, entry)
  return ...
end

--- Waits until a generation is completed.
---@param gen devkit4ai.Generation
---@param options { timeout: number?, interval: number?, on_progress: function?, headers: table<string, string>? }
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
function M.run(gen, options)
  -- a copy: the program may change its table during the wait
  options = {
    timeout = options.timeout or limits.MAX_GENERATION_TIME, interval = options.interval,
    on_progress = options.on_progress, headers = options.headers,
  }
  if not (options.timeout >= 0 and (not options.interval or options.interval > 0)) then return refuse(gen) end
  local client, task = gen._scope._client, tasks.current()
  local entry = in_flight.begin_wait(client, gen)
  creations.waits_for(task, gen) -- so that the end of the task names the generation
  local advice = failures.wait_advice(gen)
  return finish(task, client, entry, failures.protect(gen, "gen:wait", advice, poll_until_finished, gen, options))
end

return M
