--- devkit4ai projects: lists the account's projects, or creates one.
local clients = require "devkit4ai.cli.client"
local converters = require "devkit4ai.cli.input.converters"
local errors = require "devkit4ai.cli.errors"
local progress = require "devkit4ai.cli.output.progress"

local M = { name = "projects", summary = "List the projects, or create one." }

M.examples = {
  { "devkit4ai projects" },
  { 'devkit4ai projects --new "My First AI App"', "prints the id of the new project" },
}

--- Adds the options.
---@param parser table
function M.add_options(parser)
  parser:option("--new", "create a project with this name; prints its id"):argname("<name>")
    :convert(converters.text "--new")
  parser:option("--description", "the description of the new project"):argname("<text>")
end

local function record_of(project)
  return {
    id = project.id, name = project.name, description = project.description, is_active = project.is_active,
    created_at = project.created_at,
  }
end

local function create(client, options, console)
  local project, message, err = progress.run(console, function()
    return client:new_project { name = options.new, description = options.description }
  end)
  project = project or err.created and err.created[1] -- the server created it before Ctrl-C
  if not project then return nil, message, err end
  console:print_record(record_of(project), project.id)
  if not console.output_error then return true end
  return errors.not_shown(console, ("%s. The project %s was made"):format(console.output_error, project.id))
end

--- Lists the projects, or creates one.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  if options.description and not options.new then
    return errors.fail("invalid", "--description is only for --new")
  end
  local client, settings, err = clients.open(options, console)
  if not client then return nil, settings, err end
  if options.new then return create(client, options, console) end
  local projects, message
  projects, message, err = client:projects()
  if not projects then return nil, message, err end
  local records = {}
  for i, project in ipairs(projects) do records[i] = record_of(project) end
  console:print_list(records, function(record) return { record.id, record.name or "" } end)
  return true
end

return M
