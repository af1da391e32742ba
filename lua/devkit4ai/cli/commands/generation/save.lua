--- devkit4ai save: saves the image of a completed generation.
local steps = require "devkit4ai.cli.generation.steps"

local M = { name = "save", summary = "Save the image of a completed generation." }

M.examples = {
  { "devkit4ai save 550e8400-e29b-41d4-a716-446655440000 --out city.png" },
}
M.notes = "It does not wait: use `devkit4ai wait` if the generation may not be completed yet."

--- Adds the options.
---@param parser table
function M.add_options(parser)
  steps.add_id(parser)
  parser:option("--out", "the image's file, - for standard output (required)"):argname("<file>"):count(1)
  parser:flag("--overwrite", "replace the file if it exists")
end

--- Asks for the status, and saves the image.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  local gen, message, err = steps.open_generation(console, options)
  if not gen then return nil, message, err end
  gen, message, err = gen:refresh()
  if not gen then return nil, message, err end
  return steps.save(console, gen, options)
end

return M
