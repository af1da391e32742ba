--- devkit4ai wait: waits for a generation, and saves its image.
local steps = require "devkit4ai.cli.generation.steps"

local M = { name = "wait", summary = "Wait for a generation and save its image." }

M.examples = {
  { "devkit4ai wait 550e8400-e29b-41d4-a716-446655440000 --out city.png" },
}
M.notes = "You can repeat it: it creates nothing and costs nothing."

--- Adds the options.
---@param parser table
function M.add_options(parser)
  steps.add_id(parser)
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
  local gen, message, err = steps.open_generation(console, options)
  if not gen then return nil, message, err end
  gen, message, err = steps.wait(console, gen, options)
  if not gen then return nil, message, err end
  return steps.save(console, gen, options)
end

return M
