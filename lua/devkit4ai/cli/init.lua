--- The command devkit4ai. exits.lua has its exit codes; docs/command.md tells how it is used.
local dependencies = require "devkit4ai.util.dependencies"

local M = {}

-- The commands are files beside this one: name, summary, declare(parser, commands), run(options, shell) -> true, or nil,
-- message, err; examples and notes for the help text; lacks() -> a text, where something that the command needs may not be
-- installed; too_many: what is said of surplus words; handles_signals: it listens to SIGINT and the like itself.
local COMMANDS = {
  "quickstart", "register", "login", "logout", "me", "projects", "keys", "generate", "wait", "save", "list", "config",
  "sandbox", "completion", "version", "help",
}

-- The options of every command: what argparse calls it, its words, the name of its value, the target; of a flag no name.
local COMMON = {
  { "--json", "write data as JSON, one object a line" },
  { "-q --quiet", "write nothing but failures to standard error" },
  { "-v --verbose", "show each request on standard error; without a command: show the version" },
  { "--base-url", "the API's address (DEVKIT4AI_BASE_URL)", "<url>", "base_url" },
  { "--project", "the project's id (DEVKIT4AI_PROJECT_ID)", "<id>", "project_id" },
  { "--role", "who you are: developer (default), end_user or platform_operator", "<role>", "role" },
  { "--ca-file", "trust the root certificates in this file", "<file>", "ca_file" },
  { "--env-file", "read DEVKIT4AI_ variables from a file; the environment has priority", "<file>", "env_file" },
}

-- What ends the parsing: help or the version is asked for, or the use is wrong.
local function leave(reason)
  error(reason, 0)
end

-- A value that is given twice may be a mistake, and one of the two would be dropped.
local function refuse_repeats(parser)
  for _, option in ipairs(parser._options) do
    if option._maxargs ~= 0 then option:overwrite(false) end
  end
end

local function declare_help(parser)
  parser:add_help(false)
  parser:flag("-h --help", "show this help"):action(function() leave { help = parser:get_help() } end)
  parser.error = function(self, message)
    if message == "too many arguments" then message = self.too_many or message end
    leave { wrong = message, usage = self:get_usage() }
  end
end

local function declare_common(parser)
  local values = require "devkit4ai.cli.values"
  for _, row in ipairs(COMMON) do
    if row[3] then
      parser:option(row[1], row[2]):argname(row[3]):target(row[4]):convert(values.text(row[1]))
    else
      parser:flag(row[1], row[2])
    end
  end
end

local WIDTH = 79 -- columns of a help text

local EPILOG = [[
Start here: devkit4ai quickstart, then devkit4ai help first-image

Every command takes these options, before or after its name.
`devkit4ai help COMMAND` shows a command's options and examples.
`devkit4ai help TOPIC` explains: %s.]]

local function show_version()
  leave { version = true }
end

-- The parser, and those of the commands by name.
local function new_parser(commands, argparse)
  local parser = argparse("devkit4ai", "The Dev Kit for AI Cloud API from the shell.")
  local help, parsers = require "devkit4ai.cli.help", {}
  parser:require_command(false):command_target("command"):help_max_width(WIDTH)
  parser:usage("Usage: devkit4ai [<options>] <command> [<words>]")
  parser:epilog(EPILOG:format(table.concat(help.topics(), ", ")))
  declare_help(parser)
  declare_common(parser)
  parser:flag("--version", "show the version"):action(show_version)
  for _, command in ipairs(commands) do
    local own = parser:command(command.name, command.summary)
    declare_help(own)
    own.too_many = command.too_many
    command.declare(own, commands)
    own:epilog(help.epilog(command))
    refuse_repeats(own)
    parsers[command.name] = own
  end
  refuse_repeats(parser)
  return parser, parsers
end

-- What the words say. Without a command, `-v` asks for the version, as in stripe; `me -v` tells of its requests.
local function parse(parser, arguments)
  local options = parser:parse(arguments)
  if not options.command and options.verbose then show_version() end
  if not options.command then parser:error "a command is required; `devkit4ai help` lists them" end
  return options
end

-- The common options that were given, as a line that goes on needs them.
local function again(options)
  local text, words = require "devkit4ai.cli.text", {}
  for _, row in ipairs(COMMON) do
    local value = row[4] and options[row[4]]
    if value then words[#words + 1] = (" %s %s"):format(row[1], text.quote(value)) end
  end
  return table.concat(words)
end

-- The words that run this command again, as its interpreter was told them.
local function own_words(arguments)
  local at, words = 0, {}
  while arguments[at - 1] do at = at - 1 end
  for i = at, 0 do words[#words + 1] = arguments[i] end
  return words
end

local function has(arguments, word)
  for _, argument in ipairs(arguments) do
    if argument == word then return true end
  end
  return false
end

-- The command whose name comes first among the words.
local function named(commands, arguments)
  for _, word in ipairs(arguments) do
    for _, command in ipairs(commands) do
      if word == command.name then return command end
    end
  end
end

local function run(arguments, shell)
  local exits = require "devkit4ai.cli.exits"
  local lacking = dependencies.lacking("the command", { "argparse", "cjson" })
  if lacking then return exits.fail("file", lacking) end
  local commands = {}
  for i, name in ipairs(COMMANDS) do commands[i] = require("devkit4ai.cli." .. name) end
  local command = named(commands, arguments)
  lacking = command and command.lacks and command.lacks()
  if lacking then return exits.fail("file", lacking) end
  local parser, parsers = new_parser(commands, require "argparse")
  local options = parse(parser, arguments)
  shell.parser, shell.parsers = parser, parsers
  shell.words, shell.again = own_words(arguments), again(options)
  shell.quiet, shell.verbose = options.quiet or false, options.verbose or false
  for _, one in ipairs(commands) do
    if one.name == options.command then
      if not one.handles_signals then require("devkit4ai.core").catch_stops() end
      return one.run(options, shell)
    end
  end
end

local function failed(shell, message, err)
  local exits, order = require "devkit4ai.cli.exits", require "devkit4ai.cli.order"
  err = err or { message = message }
  local words = order.explain(shell, exits.words(message, err, shell.order ~= nil), err)
  local code = exits.code(err)
  shell:complain(words)
  if err._parts and err._parts.raw then shell:detail(err._parts.raw) end -- libcurl's words
  if shell.json then
    shell:give { error = {
      message = words, exit_code = code, kind = err.kind, outcome = err.outcome, status = err.status,
      detail = err.detail, retry_after = err.retry_after, retryable = err.retryable, request_id = err.request_id,
      generation_id = err.generation_id, command = err.command,
    } }
  end
  return code
end

-- What was raised: the end of the parsing, Ctrl-C, or a mistake of ours.
local function raised(shell, reason, traceback)
  if type(reason) == "table" and reason.help then
    if shell.json then shell:give { text = reason.help } else shell:show(reason.help) end
    return require("devkit4ai.cli.exits").DONE
  end
  if type(reason) == "table" and reason.version then
    require("devkit4ai.cli.version").run(nil, shell)
    return require("devkit4ai.cli.exits").DONE
  end
  if type(reason) == "table" and reason.wrong then
    local words = reason.wrong .. "\n" .. reason.usage
    return failed(shell, words, { kind = "invalid", outcome = "not_sent", message = words })
  end
  if require("devkit4ai.core").stopped() then
    return failed(shell, "interrupted", { kind = "cancelled", message = "interrupted" })
  end
  local line = "unexpected: " .. tostring(reason):match("^[^\n]*") .. (shell.verbose and "" or " (-v tells more)")
  shell:detail(traceback)
  return failed(shell, line)
end

-- Standard output took no data: that is a failure as well. Nobody is told where its reader has gone, as `head` does, and
-- nothing is lost.
local function close(shell, code)
  local exits = require "devkit4ai.cli.exits"
  if not shell.broken then return code end
  if code ~= exits.DONE then
    if not (shell.gone or shell.told) then shell:complain(shell.broken) end
    return code
  end
  if shell.gone and not require("devkit4ai.cli.order").is_at_stake(shell) then return exits.READER_GONE end
  return failed(shell, shell.broken, { kind = "file", message = shell.broken })
end

-- A program that starts `devkit4ai sandbox --control` waits for a line: it is told there what failed before the sandbox
-- could say so itself.
local function tell_program(arguments, reason)
  if not has(arguments, "--control") then return end
  local words = type(reason) == "table" and reason.wrong or type(reason) == "string" and reason
  if words then io.stdout:write(require("devkit4ai.cli.json").encode { error = words }, "\n") end
end

--- Runs the command, and ends the process with its exit code.
---@param arguments string[] as the interpreter has them in `arg`
function M.main(arguments)
  local lacking = dependencies.lacking("the command", { "devkit4ai.core" })
  if lacking then error(lacking, 0) end
  local core = require "devkit4ai.core"
  core.prepare(has(arguments, "--json")) -- before anything is opened; until a command runs, a signal ends the process here
  local shell = require("devkit4ai.cli.shell").new { json = has(arguments, "--json") }
  local traceback
  local ok, done, message, err = xpcall(function()
    local done, message, err = run(arguments, shell)
    core.note_stops()
    return done, message, err
  end, function(reason)
    core.note_stops()
    traceback = debug.traceback(tostring(reason), 2)
    return reason
  end)
  local code = 0
  tell_program(arguments, not ok and done or not done and message)
  if not ok then
    code = raised(shell, done, traceback)
  elseif not done and message then
    code = failed(shell, message, err)
  elseif not done then
    code = 1
  end
  os.exit(close(shell, code))
end

return M
