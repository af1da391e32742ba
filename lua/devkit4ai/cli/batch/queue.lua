--- What `batch-push` and `batch-work` have in common: the options and the setting of the queue, and its warnings.
local errors = require "devkit4ai.cli.errors"
local converters = require "devkit4ai.cli.input.converters"

local M = {}

--- Adds the options.
---@param parser table
function M.add_options(parser)
  parser:option("--queue", "the URL of Redis or Valkey (DEVKIT4AI_QUEUE), such as redis://host:6379/0"):argname("<url>")
    :convert(converters.text "--queue")
  parser:option("--queue-name", "the name of the queue, if a server has several (default: batch)"):argname("<name>")
    :convert(converters.text "--queue-name"):target("queue_name")
end

--- The URL of the queue.
---@param settings table<string, devkit4ai.cli.Setting>
---@param console devkit4ai.cli.Console
---@return string? url
---@return string? message
---@return table? err
function M.url(settings, console)
  local setting = settings.queue
  if not setting then return errors.fail("config", "no queue is set: give --queue URL, or set DEVKIT4AI_QUEUE") end
  if setting.from == "option" and setting.value:find "//[^/]*:[^/]*@" then
    console:info("other users of this machine can see the password in --queue: set DEVKIT4AI_QUEUE, or use --env-file")
  end
  return setting.value
end

--- Shows a warning, or that the queue waits. Gives false for any other event.
---@param console devkit4ai.cli.Console
---@param event devkit4ai.batch.Event
---@return boolean shown
function M.show(console, event)
  if event.type == "warning" then console:info("warning: " .. event.reason)
  elseif event.type == "paused" then console:info(("a quota is used up; it ends in %.0f s"):format(event.seconds))
  else return false end
  return true
end

return M
