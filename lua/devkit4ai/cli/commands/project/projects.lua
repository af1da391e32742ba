--- devkit4ai projects: the account's projects, or a new one.
local exits = require "devkit4ai.cli.errors.exit_codes"
local progress = require "devkit4ai.cli.output.progress"
local session = require "devkit4ai.cli.client"
local values = require "devkit4ai.cli.input.converters"

local M = { name = "projects", summary = "List the projects, or create one." }

M.examples = {
  { "devkit4ai projects" },
  { 'devkit4ai projects --new "My First AI App"', "prints the id of the new project" },
}

--- Adds the command's options to its parser.
---@param parser table
function M.declare(parser)
  parser:option("--new", "create a project with this name; prints its id"):argname("<name>")
    :convert(values.text "--new")
  parser:option("--description", "the description of the new project"):argname("<text>")
end

local function record(project)
  return {
    id = project.id, name = project.name, description = project.description, is_active = project.is_active,
    created_at = project.created_at,
  }
end

--- Lists the projects, or makes one.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, shell)
  if options.description and not options.new then
    return exits.fail("invalid", "--description is only for --new")
  end
  local client, settings, err = session.open(options, shell)
  if not client then return nil, settings, err end
  local result, message
  if options.new then
    result, message, err = progress.run(shell, function()
      return client:new_project { name = options.new, description = options.description }
    end)
    result = result or err.created and err.created[1]
    if not result then return nil, message, err end
    shell:give(record(result), result.id)
    if not shell.broken then return true end
    return exits.unseen(shell, ("%s. The project %s was made"):format(shell.broken, result.id))
  end
  result, message, err = client:projects()
  if not result then return nil, message, err end
  local records = {}
  for i, project in ipairs(result) do records[i] = record(project) end
  shell:list(records, function(one) return { one.id, one.name or "" } end)
  return true
end

return M
