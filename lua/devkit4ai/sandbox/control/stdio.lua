--- The control line: JSON commands on standard input, a line each, and JSON results on standard output. The sandbox
--- ends with its input, so it never outlives the program that started it.
local cqueues = require "cqueues"
local errno = require "cqueues.errno"
local socket = require "cqueues.socket"
local commands = require "devkit4ai.sandbox.control.commands"
local json = require "devkit4ai.sandbox.util.json"
local response_writer = require "devkit4ai.sandbox.http.response_writer"
local validation = require "devkit4ai.sandbox.api.validation"

local M = {}

local READ_SIZE = 65536 -- bytes of input

local CREDENTIALS = { "developer_key", "project_id", "project_key", "access_token", "refresh_token" }

-- name -> function(state, fields): the schema and the record of the result; or nil and a problem. Commands that only
-- this interface has.
local COMMANDS = {}

-- Registers a developer with a project and keys, logged in: the options of devkit4ai.new.
function COMMANDS.developer(state, fields)
  for name in pairs(fields) do
    if name ~= "email" and name ~= "password" then
      return nil, ("unknown field '%s' (known: email, password)"):format(name)
    end
  end
  if type(fields.email) ~= "string" or not validation.is_email(fields.email) then
    return nil, "the email is not a valid address"
  end
  if type(fields.password) ~= "string" or not validation.is_strong_password(fields.password) then
    return nil, "the password needs at least 8 characters with upper case, lower case and a digit"
  end
  local user, record = state:register_active_developer(fields)
  if not user then return nil, "the email is registered already" end
  record.access_token, record.refresh_token = state.tokens:issue("access", user), state.tokens:issue("refresh", user)
  return CREDENTIALS, record
end

function COMMANDS.stop()
  os.exit(0)
end

local function error_line(message)
  return json.encode_object({ "error" }, { error = message })
end

-- The result of a line.
local function run_line(state, line)
  local fields = json.decode(line)
  if not json.is_object(fields, line) then return error_line "a JSON object is needed" end
  local name = fields.command
  fields.command = nil
  local command = COMMANDS[name]
  if not command then return (commands.run(state, name, fields)) or error_line "unknown command" end
  local schema, record_or_problem = command(state, fields)
  if not schema then return error_line(record_or_problem) end
  return json.encode_object(schema, record_or_problem)
end

--- Writes one line to standard output and waits until it is written.
---@param schema devkit4ai.sandbox.Schema
---@param record table
function M.write_line(schema, record)
  io.stdout:write(json.encode_object(schema, record), "\n")
  io.stdout:flush()
end

-- Standard input or output as a stream that never blocks the server. Where the system allows it (Linux), it is opened
-- again: the shell that started this process shares the inherited one, which must stay blocking. A pipe opens at once
-- while both ends are open, so this opens the other end meanwhile.
local function open_stream(name, file, mode)
  local both_ends = io.open("/dev/" .. name, "r+b")
  local reopened = both_ends and io.open("/dev/" .. name, mode)
  local stream, why = socket.dup(reopened or file)
  if reopened then reopened:close() end
  if both_ends then both_ends:close() end
  if not stream then return nil, errno.strerror(why) end
  stream:setmode("b", "bn")
  stream:onerror(function(_, _, failure) return failure end)
  return stream
end

---@class devkit4ai.sandbox.StdioStreams
---@field input table
---@field output table

--- Opens standard input and output.
---@return devkit4ai.sandbox.StdioStreams?
---@return string? reason
function M.open()
  local input, output, why
  input, why = open_stream("stdin", io.stdin, "rb")
  if input then output, why = open_stream("stdout", io.stdout, "ab") end
  if not output then return nil, "cannot open the control line: " .. why end
  return { input = input, output = output }
end

-- An iterator over the lines of a stream. An incomplete line at the end is dropped.
local function lines_of(input)
  local pieces, lines, next_line = {}, {}, 1 -- pieces: of the line that is incomplete
  local function add(bytes)
    local from, stop = 1, bytes:find("\n", 1, true)
    while stop do
      pieces[#pieces + 1] = bytes:sub(from, stop - 1)
      lines[#lines + 1] = table.concat(pieces)
      pieces, from = {}, stop + 1
      stop = bytes:find("\n", from, true)
    end
    pieces[#pieces + 1] = bytes:sub(from)
  end
  return function()
    while not lines[next_line] do
      lines, next_line = {}, 1
      local bytes, why = input:recv(-READ_SIZE)
      if bytes then add(bytes)
      elseif why == errno.EAGAIN then cqueues.poll(input)
      else return nil end
    end
    next_line = next_line + 1
    return lines[next_line - 1]
  end
end

--- Runs commands until the input ends or the output can't be written; then ends the process.
---@param state devkit4ai.sandbox.State
---@param streams devkit4ai.sandbox.StdioStreams
function M.run(state, streams)
  for line in lines_of(streams.input) do
    local ok, result = pcall(run_line, state, line)
    if not ok then result = error_line("internal error of the sandbox: " .. tostring(result)) end
    local kept, problem = state.records:commit()
    if not kept then result = error_line("the sandbox can't keep its data: " .. problem) end
    if not response_writer.send(streams.output, result .. "\n") then break end
  end
  os.exit(0)
end

return M
