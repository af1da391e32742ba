--- The line by which a program that started the sandbox talks to it: a JSON object a line on standard input,
--- one back on standard output. When the input ends, so does the sandbox: its program is gone, however it went; and
--- when the program's process is gone, since a child of the program may hold the input open after it.
local cqueues = require "cqueues"
local fields = require "devkit4ai.sandbox.fields"
local json = require "devkit4ai.sandbox.json"

local M = {}

local INPUT = { pollfd = 0, events = "r" }

--- Writes one line.
---@param form table
---@param record table
function M.say(form, record)
  io.stdout:write(json.object(form, record), "\n")
  io.stdout:flush()
end

local COMMANDS = {}

-- A developer, registered, provisioned and logged in, as options of devkit4ai.new.
function COMMANDS.developer(state, asked)
  if type(asked.email) ~= "string" or not fields.email(asked.email) then
    return nil, "the email is not a valid address"
  end
  if type(asked.password) ~= "string" or not fields.password(asked.password) then
    return nil, "the password needs at least 8 characters with upper case, lower case and a digit"
  end
  local user, provisioning = state:register_developer { email = asked.email, password = asked.password }
  if not user then return nil, "the email is registered already" end
  return { "developer_key", "project_id", "project_key", "access_token", "refresh_token" }, {
    developer_key = provisioning.developer_key, project_id = provisioning.project_id,
    project_key = provisioning.api_key,
    access_token = state.tokens:issue("access", user), refresh_token = state.tokens:issue("refresh", user),
  }
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

--- Takes commands until the input ends; then ends the process.
---@param state table
function M.run(state)
  io.stdin:setvbuf("no") -- what lies in a buffer of ours, poll does not see
  while true do
    cqueues.poll(INPUT)
    local line = io.read()
    if not line then os.exit(0) end
    local asked = json.decode(line)
    local command = type(asked) == "table" and COMMANDS[asked.command]
    local form, record = nil, "unknown command"
    if command then form, record = command(state, asked) end
    if form then M.say(form, record) else M.say({ "error" }, { error = record }) end
  end
end

return M
