--- Launcher of the sandbox, for any Lua. The sandbox is a child process that reads commands from a pipe, writes results
--- to a FIFO, and ends when the pipe closes, so it never outlives this program.
local cjson = require("cjson").new()
local object = require "devkit4ai.util.object"
local options = require "devkit4ai.sandbox.options"
local system = require "devkit4ai.util.system"

local M = {}

---@class devkit4ai.Sandbox a running sandbox
---@field url string the address of the API, for base_url
---@field operator_key string the key with which client:register registers developers
---@field private _input file*
---@field private _output file*
local Sandbox = {}

local ROWS = { command = true }
local NAMES = { "command" }
for _, row in ipairs(options.rows) do
  ROWS[row[1]] = row
  NAMES[#NAMES + 1] = row[1]
end
table.sort(NAMES)

-- The message about the first wrong option of start; nil: all are valid.
local function check_options(given)
  if type(given) ~= "table" then return "options must be a table" end
  for name, value in pairs(given) do
    local row = ROWS[name]
    if not row then
      return ("unknown option '%s' (known: %s)"):format(tostring(name), table.concat(NAMES, ", "))
    end
    if name == "command" then
      if type(value) ~= "string" or value == "" then return "command must be a string" end
    else
      local problem = options.check(row, value)
      if problem then return problem end
    end
  end
end

local STOP_COMMAND = '{"command":"stop"}' -- needed where a child of this program holds the pipe open

-- The child's shell script. It opens the FIFO before it parses the command, so open() here waits for the shell only. A
-- failed command leaves its exit code. The loop keeps the pipe open, since writing to a closed one kills this program.
local SCRIPT = [[
exec 3>'%s/results'
%s sandbox --control --parent "$PPID"%s >&3 3>&- && exit
echo "$?" >&3
exec 3>&-
while read -r line; do [ "$line" != '%s' ] || exit; done]]

local function command_line(given, folder)
  local flags = {}
  for _, row in ipairs(options.rows) do
    local value = given[row[1]]
    if value then flags[#flags + 1] = (" %s %s"):format(options.flag(row), options.format(row, value)) end
  end
  return SCRIPT:format(folder, given.command or "devkit4ai", table.concat(flags), STOP_COMMAND)
end

local function remove_fifo(folder)
  os.remove(folder .. "/results")
  os.remove(folder)
end

-- Makes a folder that other users can't read, with the FIFO in it; or gives nil and the reason.
local function make_fifo()
  local named, folder = pcall(os.tmpname)
  if not named then return nil, folder end
  os.remove(folder)
  -- os.execute gives no exit code where the process ignores SIGCHLD
  local pipe = io.popen(("mkdir -m 700 '%s' && mkfifo -m 600 '%s/results' && echo made"):format(folder, folder))
  local made = pipe and pipe:read("*l") == "made"
  if pipe then pipe:close() end
  if made then return folder end
  remove_fifo(folder)
  return nil, "cannot make a FIFO in " .. folder
end

local ON_WINDOWS = "the sandbox did not start: it needs Unix; run `devkit4ai sandbox` in WSL or in a container, "
  .. "and use its address"

-- The message for a command that has ended at once.
local function start_failure(code, command)
  if code == "127" then
    return ("the sandbox did not start: the shell finds no command '%s'. It comes with the rock devkit4ai and with "
      .. "`make install`: add its folder to PATH, or name it in the option command"):format(command)
  end
  return ("the sandbox did not start: '%s sandbox' ended with exit code %s"):format(command, code or "unknown")
end

-- The sandbox's first result, and the last line where there is none. LUA_INIT, or a script around the command, may
-- print lines before it.
local function read_first_result(output)
  local last
  for line in output:lines() do
    local ok, result = pcall(cjson.decode, line)
    if ok and type(result) == "table" and (result.url or result.error) then return result end
    last = line
  end
  return {}, last
end

---@class devkit4ai.sandbox.Start the options of a sandbox; docs/sandbox.md explains them
---@field command string? the shell command that runs devkit4ai; default devkit4ai
---@field port integer? of the API; default any free one
---@field data string? folder that keeps accounts, keys, projects and generations for the next start; default: none
---@field step_time number? seconds that a generation is pending, and then processing; default 2
---@field access_life number? seconds until an access token expires; default 1800
---@field refresh_life number? seconds until a refresh token expires; default 604800
---@field activation string? when a new account can log in: "at_once" (default), or after its address is "verified"
---@field tier string? the tier that sets the limits below: "none" (default), "free", "starter", "premium"
---@field project_limit integer? projects that a developer may have
---@field key_limit integer? active keys that a project may have
---@field user_limit integer? end users that a project may have
---@field generation_limit integer? unfinished generations that a user may have
---@field monthly_generation_limit integer? generations in 30 days, in all projects of a developer
---@field anonymous_limit integer? anonymous generations a day
---@field request_limit integer? requests an hour
---@field daily_request_limit integer? requests a day
---@field auth_limit integer? requests an hour to /api/v1/auth/
---@field management_limit integer? requests a day to /api/v1/projects/
---@field dialect (string|table)? the form of the responses: "seed" (default), "openapi", or { "seed", upload_part = "files" }

--- Starts a sandbox and waits until it listens.
--- ```lua
--- local sandbox = assert(require("devkit4ai.sandbox").start { step_time = 0.1, project_limit = 3 })
--- print(sandbox.url) --> http://127.0.0.1:...
--- sandbox:stop()
--- ```
---@param given devkit4ai.sandbox.Start?
---@return devkit4ai.Sandbox? sandbox
---@return string? message why it did not start
function M.start(given)
  given = given == nil and {} or given
  local problem = check_options(given)
  if problem then error("devkit4ai.sandbox.start: " .. problem, 2) end
  if system.is_windows then return nil, ON_WINDOWS end
  local folder, why = make_fifo()
  if not folder then return nil, "the sandbox did not start: " .. why end
  local input, output
  input, why = io.popen(command_line(given, folder), "w")
  if input then output, why = io.open(folder .. "/results", "r") end
  remove_fifo(folder)
  if not output then
    if input then input:close() end
    return nil, "the sandbox did not start: " .. tostring(why)
  end
  local self = object.new(Sandbox, {}, { _input = input, _output = output })
  local result, last = read_first_result(output)
  if not result.url then
    self:stop()
    return nil, result.error or start_failure(last, given.command or "devkit4ai")
  end
  self.url, self.operator_key = result.url, result.operator_key
  return self
end

-- lua-cjson decodes every number as a float. Whole numbers become integers here, where the Lua has them.
local function to_integers(value)
  if type(value) == "number" then return value % 1 == 0 and math.floor(value) or value end
  if type(value) ~= "table" then return value end
  for key, item in pairs(value) do value[key] = to_integers(item) end
  return value
end

-- Sends a command and reads its result; or gives nil and a message. A mistake of the program raises an error at the
-- line that called the method. errors_raise: an error of the sandbox counts as such a mistake.
local function run_command(self, method, command, fields, errors_raise)
  local function raise(problem) error(("sandbox:%s: %s"):format(method, problem), 4) end
  if not self._input then raise "the sandbox was stopped" end
  if type(fields) ~= "table" then raise "a table is needed" end
  local message = {}
  for name, value in pairs(fields) do message[name] = value end
  message.command = command
  local encoded, line = pcall(cjson.encode, message)
  if not encoded then raise(line) end
  self._input:write(line, "\n")
  self._input:flush()
  local text = self._output:read()
  if not text or tonumber(text) then return nil, "the sandbox has ended" end -- a number: its exit code
  local decoded, result = pcall(cjson.decode, text)
  if not decoded or type(result) ~= "table" then
    return nil, ("sandbox:%s: the result is not JSON: %s"):format(method, tostring(result))
  end
  if result.error and errors_raise then raise(result.error) end
  if result.error then return nil, result.error end
  return to_integers(result)
end

--- Registers a developer with a project and keys, and logs in.
--- ```lua
--- local options = assert(sandbox:developer { email = "new@example.com", password = "SecurePass123" })
--- print(assert(devkit4ai.new(options)):me().email) --> new@example.com
--- ```
---@param account { email: string, password: string }
---@return devkit4ai.Options? options for devkit4ai.new, with secrets
---@return string? message
function Sandbox:developer(account)
  if type(account) ~= "table" or type(account.email) ~= "string" or type(account.password) ~= "string" then
    error("sandbox:developer: email and password must be strings", 2)
  end
  local fields = { email = account.email, password = account.password }
  local result, message = run_command(self, "developer", "developer", fields)
  if not result then return nil, message end
  result.base_url = self.url
  return result
end

--- Sets a fault. docs/sandbox.md lists the fields.
--- ```lua
--- sandbox:fault { operation = "list_projects", status = 404, times = 1 }
--- print(select(3, client:projects()).kind) --> not_found
--- ```
---@param fault devkit4ai.sandbox.Fault
---@return devkit4ai.sandbox.Fault? fault with its number
---@return string? message
function Sandbox:fault(fault)
  local result, message = run_command(self, "fault", "fault", fault, true)
  if not result then return nil, message end
  return result
end

--- The faults that are set, in their order.
--- ```lua
--- sandbox:fault { operation = "login", cut = "before", times = 2 }
--- print(sandbox:faults()[1].operation) --> login
--- ```
---@return devkit4ai.sandbox.Fault[]? faults
---@return string? message
function Sandbox:faults()
  local result, message = run_command(self, "faults", "faults", {}, true)
  if not result then return nil, message end
  return result.faults
end

--- Removes all faults.
--- ```lua
--- sandbox:fault { operation = "login", status = 503 }
--- print(#sandbox:clear_faults():faults()) --> 0
--- ```
---@return devkit4ai.Sandbox? sandbox itself
---@return string? message
function Sandbox:clear_faults()
  local result, message = run_command(self, "clear_faults", "clear_faults", {}, true)
  if not result then return nil, message end
  return self
end

--- Changes the sandbox's clock, if a change is given, and gives its time.
--- ```lua
--- local before = sandbox:clock { frozen = true }
--- print(sandbox:clock { advance = 60, frozen = false }.now - before.now >= 60) --> true
--- ```
---@param change { frozen: boolean?, advance: number? }? frozen: stopped; advance: seconds to move it forward
---@return { now: number, text: string, frozen: boolean }? clock
---@return string? message
function Sandbox:clock(change)
  local result, message = run_command(self, "clock", "clock", change == nil and {} or change, true)
  if not result then return nil, message end
  return result
end

--- Moves the sandbox's clock forward, also when it is stopped.
--- ```lua
--- sandbox:advance(3600) -- the access token has expired: the client refreshes it
--- print(client:me().email) --> dev@example.com
--- ```
---@param seconds number
---@return devkit4ai.Sandbox? sandbox itself
---@return string? message
function Sandbox:advance(seconds)
  local fields = { advance = seconds == nil and "nothing" or seconds }
  local result, message = run_command(self, "advance", "clock", fields, true)
  if not result then return nil, message end
  return self
end

--- The last 1,000 requests with their responses, oldest first, without secrets.
--- ```lua
--- sandbox:clear_requests()
--- client:me()
--- print(sandbox:requests()[1].operation) --> get_me
--- ```
---@return table[]? requests each with method, path, query, headers, body, status, time, ...: docs/sandbox.md
---@return string? message
function Sandbox:requests()
  local result, message = run_command(self, "requests", "requests", {}, true)
  if not result then return nil, message end
  return result.requests
end

--- Removes the requests from the journal.
--- ```lua
--- print(#sandbox:clear_requests():requests()) --> 0
--- ```
---@return devkit4ai.Sandbox? sandbox itself
---@return string? message
function Sandbox:clear_requests()
  local result, message = run_command(self, "clear_requests", "clear_requests", {}, true)
  if not result then return nil, message end
  return self
end

--- Every generation that was created, also deleted ones, oldest first.
--- ```lua
--- sandbox:fault { operation = "create_generation", cut = "after" }
--- local _, _, err = project:generate { images = { "a.png" }, prompt = "a street" }
--- local list = sandbox:generations()
--- print(err.outcome, list[#list].instructions:find("a street", 1, true) ~= nil) --> unknown true
--- ```
---@return { id: string, time: number, status: string, instructions: string }[]? generations
---@return string? message
function Sandbox:generations()
  local result, message = run_command(self, "generations", "generations", {}, true)
  if not result then return nil, message end
  return result.generations
end

--- The last verification token that was sent to an account.
--- ```lua
--- assert(client:request_verification(client:me().id))
--- print(sandbox:verification_token("dev@example.com") ~= nil) --> true
--- ```
---@param account string the id or the email address
---@return string? token
---@return string? message
function Sandbox:verification_token(account)
  if type(account) ~= "string" then error("sandbox:verification_token: the account must be a string", 2) end
  local result, message = run_command(self, "verification_token", "mails", {}, true)
  if not result then return nil, message end
  for i = #result.mails, 1, -1 do
    local mail = result.mails[i]
    if mail.user_id == account or mail.email:lower() == account:lower() then return mail.verification_token end
  end
  return nil, "no verification token was sent to " .. account
end

--- Ends the sandbox and waits until it has ended. Safe to repeat. On Lua 5.4, `local sandbox <close>` stops it at the
--- end of the block. The end of the program also stops it.
--- ```lua
--- local sandbox = assert(require("devkit4ai.sandbox").start())
--- sandbox:stop()
--- sandbox:stop() -- does nothing
--- ```
function Sandbox:stop()
  if not self._input then return end
  if self.url then self._input:write(STOP_COMMAND, "\n") end -- without a URL, the child may have ended already
  self._input:close()
  self._output:close()
  self._input, self._output = nil, nil
end

Sandbox.__close = Sandbox.stop
Sandbox.__gc = Sandbox.stop -- Lua 5.1 and LuaJIT collect the pipe instead, which ends the sandbox too

return M
