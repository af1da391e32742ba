--- The line by which a program that started the sandbox talks to it: a JSON object a line on standard input,
--- one back on standard output. When the input ends, so does the sandbox: its program is gone, however it went; and
--- when the program's process is gone, since a child of the program may hold the input open after it.
local cqueues = require "cqueues"
local errno = require "cqueues.errno"
local socket = require "cqueues.socket"
local delivery = require "devkit4ai.sandbox.http.response_writer"
local desk = require "devkit4ai.sandbox.control.control_api"
local fields = require "devkit4ai.sandbox.api.validation"
local json = require "devkit4ai.sandbox.util.json"

local M = {}

local PIECE = 65536 -- bytes of input that are read at once

--- Writes one line.
---@param form table
---@param record table
function M.say(form, record)
  io.stdout:write(json.object(form, record), "\n")
  io.stdout:flush()
end

local COMMANDS = {}

--- Registers a developer with a project and keys, who can log in at once.
---@param state table
---@param asked { email: string, password: string }
---@return table? user
---@return table|string keys developer_key, project_id, project_key; the message, where there is no user
function M.register(state, asked)
  local user, provisioning = state:register_developer { email = asked.email, password = asked.password }
  if not user then return nil, "the email is registered already" end
  user.is_active = true -- ready to call, also where others have to be verified first
  return user, {
    developer_key = provisioning.developer_key, project_id = provisioning.project_id,
    project_key = provisioning.api_key,
  }
end

-- A developer, registered, provisioned and logged in, as options of devkit4ai.new.
function COMMANDS.developer(state, asked)
  for name in pairs(asked) do
    if name ~= "email" and name ~= "password" then
      return nil, ("unknown field '%s' (known: email, password)"):format(name)
    end
  end
  if type(asked.email) ~= "string" or not fields.email(asked.email) then
    return nil, "the email is not a valid address"
  end
  if type(asked.password) ~= "string" or not fields.password(asked.password) then
    return nil, "the password needs at least 8 characters with upper case, lower case and a digit"
  end
  local user, record = M.register(state, asked)
  if not user then return nil, record end
  record.access_token, record.refresh_token = state.tokens:issue("access", user), state.tokens:issue("refresh", user)
  return { "developer_key", "project_id", "project_key", "access_token", "refresh_token" }, record
end

function COMMANDS.stop()
  os.exit(0)
end

--- Ends the process when another one has ended. Where /proc does not show that one it only comes back.
---@param pid string
function M.watch(pid)
  local file = io.open(("/proc/%s/stat"):format(pid)) -- kept open: it never shows a later process of the same number
  if not file and io.open("/proc/self/stat") then os.exit(0) end -- it ended before we looked
  if not file then return end
  file:setvbuf("no")
  repeat
    cqueues.sleep(0.2)
    file:seek("set")
    local state = (file:read(1024) or ""):match(".*%) (%a)")
  until not state or state == "Z"
  os.exit(0)
end

-- The answer to a line: a command of our own, or one of the desk's, whose fields stand beside its name.
local function answer(state, line)
  local asked = json.decode(line)
  if not json.is_object(asked, line) then return json.object({ "error" }, { error = "a JSON object is needed" }) end
  local name = asked.command
  asked.command = nil
  local command = COMMANDS[name]
  if not command then
    return (desk.run(state, name, asked)) or json.object({ "error" }, { error = "unknown command" })
  end
  local form, record = command(state, asked)
  if form then return json.object(form, record) end
  return json.object({ "error" }, { error = record })
end

-- Standard input or output as a stream that never holds up the server. Where the system lets us (Linux), it is opened
-- anew: the shell that started us shares the one that we were given, and must not find it non-blocking. A pipe opens
-- without delay as long as it has both ends: ours is the other one meanwhile.
local function stream(name, file, mode)
  local both = io.open("/dev/" .. name, "r+b")
  local own = both and io.open("/dev/" .. name, mode)
  local opened, why = socket.dup(own or file)
  if own then own:close() end
  if both then both:close() end
  if not opened then return nil, errno.strerror(why) end
  opened:setmode("b", "bn")
  opened:onerror(function(_, _, failure) return failure end)
  return opened
end

---@class devkit4ai.sandbox.Line  the two ends of the control line
---@field input table
---@field output table

--- Opens the control line on standard input and output.
---@return devkit4ai.sandbox.Line?
---@return string? reason
function M.open()
  local input, output, why
  input, why = stream("stdin", io.stdin, "rb")
  if input then output, why = stream("stdout", io.stdout, "ab") end
  if not output then return nil, "cannot open the control line: " .. why end
  return { input = input, output = output }
end

-- The lines of a stream, as they come in. What is left at the end without a line end is no command.
local function lines_of(input)
  local begun, ready, next_one = {}, {}, 1 -- pieces of a line; whole lines
  local function take(bytes)
    local from, stop = 1, bytes:find("\n", 1, true)
    while stop do
      begun[#begun + 1] = bytes:sub(from, stop - 1)
      ready[#ready + 1] = table.concat(begun)
      begun, from = {}, stop + 1
      stop = bytes:find("\n", from, true)
    end
    begun[#begun + 1] = bytes:sub(from)
  end
  return function()
    while not ready[next_one] do
      ready, next_one = {}, 1
      local bytes, why = input:recv(-PIECE)
      if bytes then take(bytes)
      elseif why == errno.EAGAIN then cqueues.poll(input)
      else return nil end
    end
    next_one = next_one + 1
    return ready[next_one - 1]
  end
end

--- Takes commands until the input ends, or nobody reads the answers any more; then ends the process.
---@param state table
---@param ends devkit4ai.sandbox.Line
function M.run(state, ends)
  for line in lines_of(ends.input) do
    local ok, text = pcall(answer, state, line)
    if not ok then text = json.object({ "error" }, { error = "a mistake of the sandbox: " .. tostring(text) }) end
    if not delivery.send(ends.output, text .. "\n") then break end
  end
  os.exit(0)
end

return M
