--- Starts a sandbox as a process of its own and ends it, from any Lua. The process has this program's end of a
--- pipe as its standard input: when the pipe closes, by stop(), by collection, or because this program is gone
--- (killed included), the sandbox ends. A child of this program may hold the pipe open, so stop() also says it, and
--- the sandbox watches this process too. Its answers come back through a FIFO.
local cjson = require("cjson").new()
local object = require "devkit4ai.util.object"
local options = require "devkit4ai.sandbox.options"

local M = {}

---@class devkit4ai.Sandbox a sandbox that runs
---@field url string the address of the API, for base_url
---@field operator_key string with which client:register makes developers
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

-- What is wrong with start's table, or nil.
local function complaint(given)
  if type(given) ~= "table" then return "options must be a table" end
  for name, value in pairs(given) do
    local row = ROWS[name]
    if not row then
      return ("unknown option '%s' (known: %s)"):format(tostring(name), table.concat(NAMES, ", "))
    end
    if name == "command" then
      if type(value) ~= "string" or value == "" then return "command must be a string" end
    else
      local fault = options.complaint(row, value)
      if fault then return fault end
    end
  end
end

local STOP = '{"command":"stop"}'

-- The shell's part. The FIFO is opened in a line of its own, before the shell looks at the command, so that opening
-- our end never waits for more than the shell; a command that fails leaves its exit code there. What the pipe brings
-- after that goes nowhere: writing to it never kills the program that started it.
local SCRIPT = [[
exec 3>'%s/answers'
%s sandbox --control --parent "$PPID"%s >&3 3>&- && exit
echo "$?" >&3
exec 3>&-
while read -r line; do [ "$line" != '%s' ] || exit; done]]

local function command_line(given, folder)
  local flags = {}
  for _, row in ipairs(options.rows) do
    local value = given[row[1]]
    if value then flags[#flags + 1] = (" %s %s"):format(options.flag(row), options.write(row, value)) end
  end
  return SCRIPT:format(folder, given.command or "devkit4ai", table.concat(flags), STOP)
end

local function remove_fifo(folder)
  os.remove(folder .. "/answers")
  os.remove(folder)
end

-- A folder that nobody else can look into, with the FIFO in it; or nil and why not.
local function make_fifo()
  local named, folder = pcall(os.tmpname)
  if not named then return nil, folder end
  os.remove(folder)
  -- os.execute does not know how a command ended where the process ignores SIGCHLD
  local pipe = io.popen(("mkdir -m 700 '%s' && mkfifo -m 600 '%s/answers' && echo made"):format(folder, folder))
  local made = pipe and pipe:read("*l") == "made"
  if pipe then pipe:close() end
  if made then return folder end
  remove_fifo(folder)
  return nil, "cannot make a FIFO in " .. folder
end

-- Why a command ended at once, from its exit code and what it wrote to standard error.
local function diagnose(code, command)
  if code == "127" then
    return ("the sandbox did not start: the shell finds no command '%s'. It comes with the rock devkit4ai and with "
      .. "`make install`: add its folder to PATH, or name it in the option command"):format(command)
  end
  return ("the sandbox did not start: '%s sandbox' ended with exit code %s"):format(command, code or "unknown")
end

-- The sandbox's first line. What stands before it is not the sandbox's: LUA_INIT may print, or a script around the command.
local function first_answer(output)
  local last
  for line in output:lines() do
    local ok, said = pcall(cjson.decode, line)
    if ok and type(said) == "table" and (said.url or said.error) then return said end
    last = line
  end
  return {}, last
end

---@class devkit4ai.sandbox.Start how a sandbox is; the bounds are in options.lua, more words in docs/sandbox.md
---@field command string? the shell words that run the command; default devkit4ai
---@field port integer? of the API; default any free one
---@field step_time number? seconds that a generation is pending, and again processing; default 2
---@field access_life number? seconds that an access token is good for; default 1800
---@field refresh_life number? seconds that a refresh token is good for; default 604800
---@field activation string? when a new account can log in: "at_once" (default), or when its address is "verified"
---@field tier string? whose limits hold where none is given: "none" (default), "free", "starter", "premium"
---@field project_limit integer? projects that a developer may have
---@field key_limit integer? active keys that a project may have
---@field user_limit integer? end users that a project may have
---@field generation_limit integer? generations that a user may have under way
---@field monthly_generation_limit integer? generations in 30 days in all projects of a developer
---@field anonymous_limit integer? anonymous generations a day
---@field request_limit integer? requests an hour
---@field daily_request_limit integer? requests a day
---@field auth_limit integer? requests an hour to /api/v1/auth/
---@field management_limit integer? requests a day to /api/v1/projects/
---@field dialect (string|table)? the form of the answers: "seed" (default), "openapi", or { "seed", upload_part = "files" }

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
  local fault = complaint(given)
  if fault then error("devkit4ai.sandbox.start: " .. fault, 2) end
  local folder, why = make_fifo()
  if not folder then return nil, "the sandbox did not start: " .. why end
  local input, output
  input, why = io.popen(command_line(given, folder), "w")
  if input then output, why = io.open(folder .. "/answers", "r") end
  remove_fifo(folder)
  if not output then
    if input then input:close() end
    return nil, "the sandbox did not start: " .. tostring(why)
  end
  local self = object.new(Sandbox, {}, { _input = input, _output = output })
  local said, last = first_answer(output)
  if not said.url then
    self:stop()
    return nil, said.error or diagnose(last, given.command or "devkit4ai")
  end
  self.url, self.operator_key = said.url, said.operator_key
  return self
end

-- lua-cjson reads every number as a float: whole ones become integers where the Lua has them.
local function whole(value)
  if type(value) == "number" then return value % 1 == 0 and math.floor(value) or value end
  if type(value) ~= "table" then return value end
  for key, item in pairs(value) do value[key] = whole(item) end
  return value
end

-- Says a command and gives the answer; or nil and why not. A mistake of the program raises where it called the method;
-- strict: whatever the sandbox complains of is one.
local function ask(self, method, command, fields, strict)
  local function wrong(what) error(("sandbox:%s: %s"):format(method, what), 4) end
  if not self._input then wrong "the sandbox was stopped" end
  if type(fields) ~= "table" then wrong "a table is needed" end
  local asked = {}
  for name, value in pairs(fields) do asked[name] = value end
  asked.command = command
  local fine, line = pcall(cjson.encode, asked)
  if not fine then wrong(line) end
  self._input:write(line, "\n")
  self._input:flush()
  local answer = self._output:read()
  if not answer or tonumber(answer) then return nil, "the sandbox has ended" end -- a number: its exit code
  local ok, said = pcall(cjson.decode, answer)
  if not ok or type(said) ~= "table" then
    return nil, ("sandbox:%s: the answer of the sandbox is not JSON: %s"):format(method, tostring(said))
  end
  if said.error and strict then wrong(said.error) end
  if said.error then return nil, said.error end
  return whole(said)
end

--- Registers a developer, with the first project and its key, logged in.
--- ```lua
--- local options = assert(sandbox:developer { email = "new@example.com", password = "SecurePass123" })
--- print(assert(devkit4ai.new(options)):me().email) --> new@example.com
--- ```
---@param account { email: string, password: string }
---@return devkit4ai.Options? options for devkit4ai.new, secrets included
---@return string? message
function Sandbox:developer(account)
  if type(account) ~= "table" or type(account.email) ~= "string" or type(account.password) ~= "string" then
    error("sandbox:developer: email and password must be strings", 2)
  end
  local said, message = ask(self, "developer", "developer", { email = account.email, password = account.password })
  if not said then return nil, message end
  said.base_url = self.url
  return said
end

--- Sets a fault: what goes wrong on purpose, and where. docs/sandbox.md lists the fields.
--- ```lua
--- sandbox:fault { operation = "list_projects", status = 404, times = 1 }
--- print(select(3, client:projects()).kind) --> not_found
--- ```
---@param fault devkit4ai.sandbox.Fault
---@return devkit4ai.sandbox.Fault? fault as it was set, with its number
---@return string? message
function Sandbox:fault(fault)
  local said, message = ask(self, "fault", "fault", fault, true)
  if not said then return nil, message end
  return said
end

--- The faults that are still to come, in their order.
--- ```lua
--- sandbox:fault { operation = "login", cut = "before", times = 2 }
--- print(sandbox:faults()[1].operation) --> login
--- ```
---@return devkit4ai.sandbox.Fault[]? faults
---@return string? message
function Sandbox:faults()
  local said, message = ask(self, "faults", "faults", {}, true)
  if not said then return nil, message end
  return said.faults
end

--- Takes all faults away.
--- ```lua
--- sandbox:fault { operation = "login", status = 503 }
--- print(#sandbox:clear_faults():faults()) --> 0
--- ```
---@return devkit4ai.Sandbox? sandbox itself
---@return string? message
function Sandbox:clear_faults()
  local said, message = ask(self, "clear_faults", "clear_faults", {}, true)
  if not said then return nil, message end
  return self
end

--- The sandbox's clock; changed first, where a change is given.
--- ```lua
--- local before = sandbox:clock { frozen = true }
--- print(sandbox:clock { advance = 60, frozen = false }.now - before.now >= 60) --> true
--- ```
---@param change { frozen: boolean?, advance: number? }? frozen: it stands still, or goes on; advance: seconds
---@return { now: number, text: string, frozen: boolean }? clock
---@return string? message
function Sandbox:clock(change)
  local said, message = ask(self, "clock", "clock", change == nil and {} or change, true)
  if not said then return nil, message end
  return said
end

--- Moves the sandbox's clock forward, also one that stands still.
--- ```lua
--- sandbox:advance(3600) -- the access token is over: the client renews it
--- print(client:me().email) --> dev@example.com
--- ```
---@param seconds number
---@return devkit4ai.Sandbox? sandbox itself
---@return string? message
function Sandbox:advance(seconds)
  local said, message = ask(self, "advance", "clock", { advance = seconds == nil and "nothing" or seconds }, true)
  if not said then return nil, message end
  return self
end

--- The last 1,000 exchanges, oldest first, secrets masked.
--- ```lua
--- sandbox:clear_requests()
--- client:me()
--- print(sandbox:requests()[1].operation) --> get_me
--- ```
---@return table[]? exchanges each with method, path, query, headers, body, status, time, ...: docs/sandbox.md
---@return string? message
function Sandbox:requests()
  local said, message = ask(self, "requests", "requests", {}, true)
  if not said then return nil, message end
  return said.requests
end

--- Forgets the exchanges.
--- ```lua
--- print(#sandbox:clear_requests():requests()) --> 0
--- ```
---@return devkit4ai.Sandbox? sandbox itself
---@return string? message
function Sandbox:clear_requests()
  local said, message = ask(self, "clear_requests", "clear_requests", {}, true)
  if not said then return nil, message end
  return self
end

--- Every generation that was really made, deleted ones too, oldest first.
--- ```lua
--- sandbox:fault { operation = "create_generation", cut = "after" }
--- local _, _, err = project:generate { images = { "a.png" }, prompt = "a street" }
--- local made = sandbox:generations()
--- print(err.outcome, made[#made].status) --> unknown pending
--- ```
---@return { id: string, time: number, status: string, instructions: string }[]? generations
---@return string? message
function Sandbox:generations()
  local said, message = ask(self, "generations", "generations", {}, true)
  if not said then return nil, message end
  return said.generations
end

--- The verification token that was sent last to an account.
--- ```lua
--- assert(client:request_verification(client:me().id))
--- print(sandbox:verification_token("dev@example.com") ~= nil) --> true
--- ```
---@param account string its id, or its address
---@return string? token
---@return string? message
function Sandbox:verification_token(account)
  if type(account) ~= "string" then error("sandbox:verification_token: the account must be a string", 2) end
  local said, message = ask(self, "verification_token", "mails", {}, true)
  if not said then return nil, message end
  for i = #said.mails, 1, -1 do
    local mail = said.mails[i]
    if mail.user_id == account or mail.email:lower() == account:lower() then return mail.verification_token end
  end
  return nil, "no verification token was sent to " .. account
end

--- Ends the sandbox and waits until it has ended. Twice is once. `local sandbox <close>` does it at the end of its block, on
--- Lua 5.4; the end of the program does it anywhere.
--- ```lua
--- local sandbox = assert(require("devkit4ai.sandbox").start())
--- sandbox:stop()
--- sandbox:stop() -- does nothing
--- ```
function Sandbox:stop()
  if not self._input then return end
  if self.url then self._input:write(STOP, "\n") end -- one that never listened may be gone, the shell too
  self._input:close()
  self._output:close()
  self._input, self._output = nil, nil
end

Sandbox.__close = Sandbox.stop
Sandbox.__gc = Sandbox.stop -- plain Lua 5.1 and LuaJIT collect the pipe instead, which ends it as well

return M
