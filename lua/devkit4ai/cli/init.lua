--- The command devkit4ai: runs one command, and ends the process with its exit code. docs/command.md describes its use.
local dependencies = require "devkit4ai.util.dependencies"

local M = {}

-- A module of commands/ has: name, summary, add_options(parser, commands), run(options, console), which returns true, or nil,
-- message, err. Optional: examples and notes of the help text; missing_dependency(), which returns a message;
-- too_many_arguments, a message; handles_signals: it handles SIGINT, SIGTERM and SIGHUP itself.

-- The words that start this command again: the interpreter and its own arguments.
local function command_line(arguments)
  local first, words = 0, {}
  while arguments[first - 1] do first = first - 1 end
  for i = first, 0 do words[#words + 1] = arguments[i] end
  return words
end

local function has(arguments, word)
  for _, argument in ipairs(arguments) do
    if argument == word then return true end
  end
  return false
end

-- The command whose name comes first among the arguments.
local function find_command(commands, arguments)
  for _, word in ipairs(arguments) do
    for _, command in ipairs(commands) do
      if word == command.name then return command end
    end
  end
end

-- The arguments, with `batch push` and `batch work` as the names of two commands.
local function join_names(arguments)
  for i, word in ipairs(arguments) do
    local name = arguments[i + 1] and word .. "-" .. arguments[i + 1]
    if name == "batch-push" or name == "batch-work" then
      arguments[i] = name
      table.remove(arguments, i + 1)
      return
    end
  end
end

local function load_commands()
  local commands = {}
  for i, module in ipairs(require "devkit4ai.cli.commands") do commands[i] = require(module) end
  return commands
end

local function run(arguments, console)
  local errors = require "devkit4ai.cli.errors"
  local missing = dependencies.missing_message("the command", { "argparse", "cjson" })
  if missing then return errors.fail("file", missing) end
  local commands = load_commands()
  join_names(arguments)
  local command = find_command(commands, arguments)
  missing = command and command.missing_dependency and command.missing_dependency()
  if missing then return errors.fail("file", missing) end
  local parsers = require "devkit4ai.cli.parser"
  console.parser, console.command_parsers = parsers.new(commands)
  local options = parsers.parse(console.parser, arguments)
  console.command_line, console.common_options = command_line(arguments), parsers.common_options(options)
  console.quiet, console.verbose = options.quiet or false, options.verbose or false
  for _, one in ipairs(commands) do
    if one.name == options.command then
      if not one.handles_signals then require("devkit4ai.core").catch_stops() end
      return one.run(options, console)
    end
  end
end

-- Reports a failure; gives its exit code.
local function report_failure(console, message, err)
  local exit_codes, messages = require "devkit4ai.cli.errors.exit_codes", require "devkit4ai.cli.errors.messages"
  err = err or { message = message }
  local text = messages.text(message, err, console.recovery ~= nil)
  text = require("devkit4ai.cli.generation.recovery").explain(console, text, err)
  local code = exit_codes.of(err)
  console:error(text)
  if err._parts and err._parts.raw then console:debug(err._parts.raw) end -- libcurl's words
  if console.json then
    console:print_record { error = {
      message = text, exit_code = code, kind = err.kind, outcome = err.outcome, status = err.status,
      detail = err.detail, retry_after = err.retry_after, retryable = err.retryable, request_id = err.request_id,
      generation_id = err.generation_id, command = err.command,
    } }
  end
  return code
end

-- By the field of what parser.lua raised: how the parsing ended.
local PARSER_ENDS = {
  help = function(console, text)
    if console.json then console:print_record { text = text } else console:print(text) end
    return 0
  end,
  version = function(console)
    require("devkit4ai.cli.commands.version").run(nil, console)
    return 0
  end,
  wrong_use = function(console, message, reason)
    message = message .. "\n" .. reason.usage
    return report_failure(console, message, { kind = "invalid", outcome = "not_sent", message = message })
  end,
}

-- What was raised: the end of the parsing, Ctrl-C, or a bug of ours. Gives the exit code.
local function handle_raised(console, reason, traceback)
  for field, finish in pairs(PARSER_ENDS) do
    if type(reason) == "table" and reason[field] then return finish(console, reason[field], reason) end
  end
  if require("devkit4ai.core").stopped() then
    return report_failure(console, "interrupted", { kind = "cancelled", message = "interrupted" })
  end
  local message = "unexpected: " .. tostring(reason):match("^[^\n]*") .. (console.verbose and "" or " (-v tells more)")
  console:debug(traceback)
  return report_failure(console, message)
end

-- Reports a failure of standard output. A reader that has closed the pipe, such as `head`, is no failure, unless the output
-- had the id of a generation.
local function finish_output(console, code)
  local exit_codes = require "devkit4ai.cli.errors.exit_codes"
  if not console.output_error then return code end
  if code ~= exit_codes.DONE then
    if not (console.reader_gone or console.output_error_reported) then console:error(console.output_error) end
    return code
  end
  if console.reader_gone and not require("devkit4ai.cli.generation.recovery").is_pending(console) then
    return exit_codes.READER_GONE
  end
  return report_failure(console, console.output_error, { kind = "file", message = console.output_error })
end

-- `sandbox --control` is for a program, which reads a JSON line. It gets the reason here, if the sandbox could not start.
local function report_to_program(arguments, reason)
  if not has(arguments, "--control") then return end
  local message = type(reason) == "table" and reason.wrong_use or type(reason) == "string" and reason
  if message then io.stdout:write(require("devkit4ai.cli.output.json").encode { error = message }, "\n") end
end

--- Runs the command, and ends the process with its exit code.
---@param arguments string[] the interpreter's table `arg`
function M.main(arguments)
  local missing = dependencies.missing_message("the command", { "devkit4ai.core" })
  if missing then error(missing, 0) end
  local core = require "devkit4ai.core"
  core.prepare(has(arguments, "--json")) -- first: from here on a signal ends the process with a message
  for i, word in ipairs(arguments) do arguments[i] = core.utf8(word) end
  local console = require("devkit4ai.cli.output.console").new { json = has(arguments, "--json") }
  local traceback
  local ok, done, message, err = xpcall(function()
    local done, message, err = run(arguments, console)
    core.note_stops()
    return done, message, err
  end, function(reason)
    core.note_stops()
    traceback = debug.traceback(tostring(reason), 2)
    return reason
  end)
  local code = 0
  report_to_program(arguments, not ok and done or not done and message)
  if not ok then
    code = handle_raised(console, done, traceback)
  elseif not done and message then
    code = report_failure(console, message, err)
  elseif not done then
    code = 1
  end
  os.exit(finish_output(console, code))
end

return M
