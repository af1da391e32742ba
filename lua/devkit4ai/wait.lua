--- Waiting for a generation: looks by poll's schedule until it is done, or the time is up.
local errors = require "devkit4ai.errors"
local poll = require "devkit4ai.poll"
local runtime = require "devkit4ai.runtime"

local M = {}

local function failed(gen)
  local reason = gen.error and tostring(gen.error) or "the server gives no reason"
  return errors.give({
    kind = "failed", outcome = "unknown", operation = "get_generation_status", generation_id = gen.id,
    detail = gen.error and reason,
    message = ("gen:wait: the generation %s failed: %s"):format(gen.id, reason),
  })
end

local function cancelled(gen)
  return errors.give({
    kind = "cancelled", outcome = "unknown", operation = "get_generation_status", generation_id = gen.id,
    message = ("gen:wait: the client was closed; the generation %s may still finish and is paid for"):format(gen.id),
  })
end

local function out_of_time(gen, seconds)
  return errors.give({
    kind = "timeout", outcome = "unknown", safe = true, operation = "get_generation_status", generation_id = gen.id,
    message = ("gen:wait: after %g s the generation %s is not done (%s). It was accepted, may still finish and is paid "
      .. "for; go on waiting with %s:wait()"):format(seconds, gen.id, gen.status or "no answer yet", gen._words),
  })
end

--- Waits until a generation is completed.
---@param gen devkit4ai.Generation
---@param options { timeout: number?, interval: number?, on_progress: function? } as gen:wait's
---@param look fun(left: number?): devkit4ai.Generation?, string?, devkit4ai.Error? asks the server, for so many seconds
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
function M.until_done(gen, options, look)
  local timeout, interval = options.timeout or poll.DEADLINE, options.interval
  if not (timeout >= 0 and (not interval or interval > 0)) then
    return errors.refuse("config", "gen:wait: timeout and interval must be numbers of seconds", "get_generation_status")
  end
  local deadline, looks, left = runtime.now() + timeout, 0, timeout
  while true do
    local seen, message, err = look(left > 0 and left or nil) -- a timeout of 0 is one look
    looks = looks + 1
    local pause = poll.pause(looks, interval)
    if not seen then
      pause = poll.after_failure(err, pause)
      if not pause then return nil, message, err end
    else
      if options.on_progress then options.on_progress(gen) end
      if gen.status == "completed" then return gen end
      if gen.status == "failed" then return failed(gen) end
    end
    left = deadline - runtime.now()
    if left <= 0 then return out_of_time(gen, timeout) end
    local client = gen._scope._client
    runtime.sleep(math.min(pause, left), client)
    if client._closed then return cancelled(gen) end
  end
end

return M
