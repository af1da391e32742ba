--- devkit4ai wait: goes on waiting for a generation, and saves its picture.
local follow = require "devkit4ai.cli.generation.steps"
local order = require "devkit4ai.cli.generation.recovery"
local picture = require "devkit4ai.cli.generation.output_file"
local session = require "devkit4ai.cli.client"
local values = require "devkit4ai.cli.input.converters"

local M = { name = "wait", summary = "Wait for a generation and save its image." }

M.examples = {
  { "devkit4ai wait 550e8400-e29b-41d4-a716-446655440000 --out city.png" },
}
M.notes = "You can repeat it: it creates nothing and costs nothing."

--- Adds the command's options to its parser.
---@param parser table
function M.declare(parser)
  parser:argument("id", "the generation's id"):convert(values.uuid "the generation's id")
  parser:option("--out", "the image's file, - for standard output; without it: show the status"):argname("<file>")
  follow.declare(parser)
end

--- Waits and saves.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, shell)
  local project, message, err = session.open_project(options, shell)
  if not project then return nil, message, err end
  local fine
  fine, message, err = picture.check(options.out, options.overwrite, shell)
  if not fine then return nil, message, err end
  local gen = project:generation(options.id)
  order.follow(shell, gen, options)
  gen, message, err = follow.wait(shell, gen, options)
  if not gen then return nil, message, err end
  return follow.save(shell, gen, options)
end

return M
