--- devkit4ai wait: waits for a generation, and saves its image.
local clients = require "devkit4ai.cli.client"
local converters = require "devkit4ai.cli.input.converters"
local output_file = require "devkit4ai.cli.generation.output_file"
local recovery = require "devkit4ai.cli.generation.recovery"
local steps = require "devkit4ai.cli.generation.steps"

local M = { name = "wait", summary = "Wait for a generation and save its image." }

M.examples = {
  { "devkit4ai wait 550e8400-e29b-41d4-a716-446655440000 --out city.png" },
}
M.notes = "You can repeat it: it creates nothing and costs nothing."

--- Adds the options.
---@param parser table
function M.add_options(parser)
  parser:argument("id", "the generation's id"):convert(converters.uuid "the generation's id")
  parser:option("--out", "the image's file, - for standard output; without it: show the status"):argname("<file>")
  steps.add_options(parser)
end

--- Waits and saves.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  local project, message, err = clients.open_project(options, console)
  if not project then return nil, message, err end
  local can_write
  can_write, message, err = output_file.check(options.out, options.overwrite, console)
  if not can_write then return nil, message, err end
  local gen = project:generation(options.id)
  recovery.track(console, gen, options)
  gen, message, err = steps.wait(console, gen, options)
  if not gen then return nil, message, err end
  return steps.save(console, gen, options)
end

return M
