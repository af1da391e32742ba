--- The argument parser: the common options, one argparse parser for each command.
local converters = require "devkit4ai.cli.input.converters"
local shell_quote = require "devkit4ai.cli.output.shell_quote"
local topics = require "devkit4ai.cli.help.topics"

local M = {}

local ROLES = { "developer", "end_user", "platform_operator" }

-- The options of every command: names and help text; of an option with a value also the value's name and the field of the
-- parsed options.
local COMMON = {
  { "--json", "write data as JSON, one object a line" },
  { "-q --quiet", "write nothing but failures to standard error" },
  { "-v --verbose", "show each request on standard error; without a command: show the version" },
  { "--base-url", "the API's address (DEVKIT4AI_BASE_URL)", "<url>", "base_url" },
  { "--project", "the project's id (DEVKIT4AI_PROJECT_ID)", "<id>", "project_id" },
  {
    "--role", "who you are: developer (default), end_user or platform_operator", "<role>", "role", completions = ROLES,
  },
  { "--ca-file", "trust the root certificates in this file", "<file>", "ca_file" },
  { "--env-file", "read DEVKIT4AI_ variables from a file; the environment has priority", "<file>", "env_file" },
}

-- Ends the parsing: the user asks for help or the version, or the arguments are wrong.
local function stop(reason)
  error(reason, 0)
end

local function show_version()
  stop { version = true }
end

-- Refuses an option that is given twice: one of its values would be ignored.
local function refuse_repeats(parser)
  for _, option in ipairs(parser._options) do
    if option._maxargs ~= 0 then option:overwrite(false) end
  end
end

local function add_help(parser)
  parser:add_help(false)
  parser:flag("-h --help", "show this help"):action(function() stop { help = parser:get_help() } end)
  parser.error = function(self, message)
    if message == "too many arguments" then message = self.too_many_arguments or message end
    stop { wrong_use = message, usage = self:get_usage() }
  end
end

local function add_common_options(parser)
  for _, row in ipairs(COMMON) do
    if row[3] then
      local option = parser:option(row[1], row[2]):argname(row[3]):target(row[4]):convert(converters.text(row[1]))
      option.completions = row.completions
    else
      parser:flag(row[1], row[2])
    end
  end
end

-- The end of a command's help text: its notes and its examples.
local function epilog_of(command)
  local parts = {}
  if command.notes then parts[1] = command.notes .. "\n" end
  if command.examples then parts[#parts + 1] = "Examples:" end
  for _, example in ipairs(command.examples or {}) do
    if example[2] then parts[#parts + 1] = "  # " .. example[2] end
    parts[#parts + 1] = "  " .. example[1]
  end
  parts[#parts + 1] = "\nThe options of every command: devkit4ai help"
  return table.concat(parts, "\n")
end

local WIDTH = 79 -- columns of a help text

local EPILOG = [[
Start here: devkit4ai quickstart, then devkit4ai help first-image

Every command takes these options, before or after its name.
`devkit4ai help COMMAND` shows a command's options and examples.
`devkit4ai help TOPIC` explains: %s.]]

local function topic_names()
  local names = {}
  for i, topic in ipairs(topics) do names[i] = topic.name end
  return table.concat(names, ", ")
end

--- Makes the parser.
---@param commands table[]
---@return table parser
---@return table<string, table> command_parsers by the name of the command
function M.new(commands)
  local parser = require "argparse"("devkit4ai", "The Dev Kit for AI Cloud API from the shell.")
  local command_parsers = {}
  parser:require_command(false):command_target("command"):help_max_width(WIDTH)
  parser:usage("Usage: devkit4ai [<options>] <command> [<words>]")
  parser:epilog(EPILOG:format(topic_names()))
  add_help(parser)
  add_common_options(parser)
  parser:flag("--version", "show the version"):action(show_version)
  for _, command in ipairs(commands) do
    local command_parser = parser:command(command.name, command.summary)
    add_help(command_parser)
    command_parser.too_many_arguments = command.too_many_arguments
    command.add_options(command_parser, commands)
    command_parser:epilog(epilog_of(command))
    refuse_repeats(command_parser)
    command_parsers[command.name] = command_parser
  end
  refuse_repeats(parser)
  return parser, command_parsers
end

--- Parses the arguments. `-v` without a command shows the version.
---@param parser table
---@param arguments string[]
---@return table options
function M.parse(parser, arguments)
  local options = parser:parse(arguments)
  if not options.command and options.verbose then show_version() end
  if not options.command then parser:error "a command is required; `devkit4ai help` lists them" end
  return options
end

--- The common options with a value, as a suggested command line repeats them.
---@param options table
---@return string
function M.common_options(options)
  local words = {}
  for _, row in ipairs(COMMON) do
    local value = row[4] and options[row[4]]
    if value then words[#words + 1] = (" %s %s"):format(row[1], shell_quote.word(value)) end
  end
  return table.concat(words)
end

return M
