--- Failures of calls on a generation. Each names the generation and the line that continues with it.
local config = require "devkit4ai.config"
local creations = require "devkit4ai.util.errors.creations"
local display = require "devkit4ai.util.display"
local errors = require "devkit4ai.util.errors"
local events = require "devkit4ai.request.events"
local locale = require "devkit4ai.util.locale"
local waits = require "devkit4ai.loop.waits"
local suggestions = require "devkit4ai.util.errors.suggestions"

local M = {}

--- The advice to wait for a generation again, for messages.
---@param gen devkit4ai.Generation
---@return string
function M.wait_advice(gen)
  return "go on waiting with " .. suggestions.wait(gen)
end

--- The server reports that the generation failed.
---@param gen devkit4ai.Generation
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.failed(gen)
  local reason = gen.error and display.text(gen.error) or "the server gives no reason"
  return errors.fail({
    kind = "failed", outcome = "unknown", operation = gen._status_operation, generation_id = gen.id,
    detail = gen.error and reason,
    call_name = "gen:wait", what = ("the generation %s failed: %s"):format(gen.id, reason),
  })
end

--- The deadline of a wait has passed.
---@param gen devkit4ai.Generation
---@param seconds number the timeout
---@param last_failure devkit4ai.Error? of the last poll, if it failed
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.timed_out(gen, seconds, last_failure)
  local status = display.text(gen.status or "no status was received")
  if last_failure then
    status = status .. "; the last status request failed: " .. last_failure.message:gsub("^gen:wait: ", "")
  end
  return errors.fail({
    kind = "timeout", outcome = "unknown", transient = true, harmless = true, operation = gen._status_operation,
    generation_id = gen.id, call_name = "gen:wait", advice = M.wait_advice(gen),
    what = ("after %s s the generation %s is not done (%s). It was accepted, may still finish and is paid for"):format(
      locale.format("%g", seconds), gen.id, status),
  })
end

--- The task was cancelled or the client was closed. The generation is reported as an orphan, once: it was accepted, and its
--- result may reach nobody.
---@param gen devkit4ai.Generation
---@param call_name string "gen:wait"
---@return nil
---@return string message
---@return devkit4ai.Error err of kind `cancelled`
function M.cancelled(gen, call_name)
  local client = gen._scope._client
  if not gen._is_orphan then
    gen._is_orphan = true
    events.emit(client, { type = "orphan", operation = gen._status_operation, generation_id = gen.id })
  end
  return waits.keep_failure(errors.fail({
    kind = "cancelled", outcome = "unknown", operation = gen._status_operation, generation_id = gen.id,
    call_name = call_name, what = client._closed and "the client was closed" or "the task was cancelled",
    consequence = ("the generation %s may still finish and is paid for"):format(gen.id),
    advice = (client._closed and "make a new client, and " or "") .. M.wait_advice(gen),
  }))
end

--- Adds the generation and the advice to the failure of a call on it.
---@param gen devkit4ai.Generation
---@param err devkit4ai.Error
---@param advice string
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.with_advice(gen, err, advice)
  if not config.is_uuid(gen.id) then return nil, err.message, err end -- nothing was sent; it may be a key
  local exists = gen.status or gen._created_at
  err.generation_id = gen.id
  if gen._scope._client._closed then advice = "make a new client, and " .. advice end
  if not gen._is_listed_publicly then
    err.message = (exists and "%s; the generation %s is paid for; %s"
      or "%s; if the generation %s was created, it is paid for; %s"):format(err.message, gen.id, advice)
  end
  return nil, err.message, err
end

--- Runs a call on a generation. In a script, an error that ends it (Ctrl-C, a debug hook, a callback) names the generation.
---@param gen devkit4ai.Generation
---@param call_name string "gen:save"
---@param advice string
---@param fn function
---@param ... any
---@return any ... what fn returns
function M.protect(gen, call_name, advice, fn, ...)
  return waits.protect(function(value, text)
    local _, _, err = errors.fail({
      kind = "cancelled", outcome = "unknown", operation = gen._status_operation,
      message = call_name .. ": an error ended the call",
    })
    M.with_advice(gen, err, advice)
    creations.raise({ value = value, text = text }, err)
  end, fn, ...)
end

return M
