--- devkit4ai batch push: puts jobs on a queue in Redis, from which workers on many machines take them.
local bar = require "devkit4ai.cli.batch.bar"
local clients = require "devkit4ai.cli.client"
local converters = require "devkit4ai.cli.input.converters"
local errors = require "devkit4ai.cli.errors"
local job_source = require "devkit4ai.cli.batch.job_source"
local queue = require "devkit4ai.cli.batch.queue"

local M = { name = "batch-push", summary = "Put the jobs of a batch on a queue in Redis (`batch push`)." }

M.examples = {
  { "devkit4ai batch push jobs.csv --queue redis://localhost:6379/0" },
  { "devkit4ai batch push --again paris.png", "put a dead letter on the queue again" },
}
M.notes = "All jobs are checked before the first one is on the queue. Jobs that are there already stay as they are. "
  .. "The images must exist on each worker under the same paths."

--- Adds the options.
---@param parser table
function M.add_options(parser)
  parser:argument("jobs", "a .csv or .jsonl file, a folder of images, or - for standard input")
    :argname("<jobs>"):args("?"):convert(converters.text "the jobs")
  queue.add_options(parser)
  parser:option("--images", "template of an image's path, such as photos/{row.photo}; repeat it for more images")
    :argname("<path>"):count("*"):convert(converters.text "--images")
  parser:option("--prompt", 'template of the prompt, such as "{row.city} at night"'):argname("<text>")
    :convert(converters.text "--prompt")
  parser:option("--name", "template of a result's file name, such as {row.city}.png"):argname("<name>")
    :convert(converters.text "--name")
  parser:option("--again", "put this dead letter on the queue again, which may pay again; repeat it for more jobs")
    :argname("<name>"):count("*"):convert(converters.text "--again")
end

local function list(values)
  return values[1] and values or nil
end

--- Puts the jobs on the queue.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  if not options.jobs and not options.again[1] then return errors.fail("invalid", "give the jobs, or --again NAME") end
  local client, settings, err = clients.open(options, console)
  if not client then return nil, settings, err end
  local url, message, pushed
  url, message, err = queue.url(settings, console)
  if not url then return nil, message, err end
  pushed, message, err = client:push_batch {
    queue = url, queue_name = options.queue_name, jobs = options.jobs and job_source.of(options.jobs),
    images = list(options.images), prompt = options.prompt, name = options.name, again = list(options.again),
    on_event = function(event) queue.show(console, event) end,
  }
  if not pushed then return nil, message, err end
  local estimate = pushed.estimate
  local form = "%d jobs, %d of them new\nto send: %d; estimate: %s, with %d at once"
  console:print_record(pushed, form:format(pushed.total, pushed.added, estimate.to_send, bar.duration(estimate.seconds),
    estimate.at_once))
  return true
end

return M
