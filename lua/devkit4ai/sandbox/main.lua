--- The sandbox as a program: the API on one port, the storage of its pictures on another.
local cqueues = require "cqueues"
local signal = require "cqueues.signal"
local app = require "devkit4ai.sandbox.api.app"
local control = require "devkit4ai.sandbox.control.stdio"
local desk = require "devkit4ai.sandbox.control.control_api"
local exchange = require "devkit4ai.sandbox.pipeline"
local greeting = require "devkit4ai.sandbox.startup_message"
local pictures = require "devkit4ai.sandbox.images.image_cache"
local routes = require "devkit4ai.sandbox.api.routes"
local server = require "devkit4ai.sandbox.http.server"
local states = require "devkit4ai.sandbox.state"
local storages = require "devkit4ai.sandbox.images.image_storage"

local unpack = table.unpack or unpack -- luacheck: ignore (LuaJIT)

local M = {}

local INTERRUPTED = 130 -- the exit code after Ctrl-C; SIGTERM is how a container ends

-- Whether the process that started us has SIGHUP ignored, as nohup does.
local function is_hangup_ignored()
  local status = io.open "/proc/self/status"
  local ignored = status and status:read("*a"):match("SigIgn:%s*%x*(%x)\n") -- SIGHUP is 1, the lowest bit
  if status then status:close() end
  return not ignored or tonumber(ignored, 16) % 2 == 1
end

-- The signals that end the sandbox. A terminal sends SIGINT and SIGHUP to a program and to its sandbox: those of a program are
-- left to the program, with which the sandbox's input ends.
local function ends_of(controlled)
  if controlled then return { signal.SIGTERM } end
  if is_hangup_ignored() then return { signal.SIGTERM, signal.SIGINT } end
  return { signal.SIGTERM, signal.SIGINT, signal.SIGHUP }
end

-- An error without the place in the source that raised it.
local function reason_of(raised)
  return (tostring(raised):gsub("^[^ ]+:%d+: ", ""))
end

--- Runs until the process is ended, or, controlled, until its standard input ends.
---@param settings devkit4ai.sandbox.Settings|{ port: integer }
---@param controlled boolean speak the control line (control.lua) instead of greeting a person
---@param parent string? number of the process to end with
---@param greet fun(facts: table<string, string>, text: string): boolean told, where nobody controls it, that it listens
---@param developer string? e-mail address of a developer to register
---@return nil
---@return string? reason it could not start; none: greet gave false
function M.run(settings, controlled, parent, greet, developer)
  local ends = ends_of(controlled)
  signal.block(signal.SIGINT, signal.SIGHUP, unpack(ends)) -- as process 1 we get no signal that we do not ask for
  local api, port = server.listen(settings.port)
  if not api then return nil, port end
  local store, store_port = server.listen(0)
  if not store then return nil, store_port end
  local line, why
  if controlled then
    line, why = control.open()
    if not line then return nil, why end
  end
  local made, queue = pcall(cqueues.new)
  if not made then return nil, reason_of(queue) end

  local url = ("http://%s:%d"):format(server.HOST, port)
  local origin = ("http://%s:%d"):format(server.HOST, store_port)
  local state = states.new(settings, routes)
  local storage = storages.new(state, pictures.new(), origin)
  state.storage = storage

  server.serve(queue, api, exchange.new(state, app.new(state, routes), { desk = desk.new(state) }))
  server.serve(queue, store, exchange.new(state, storage, { operation = storage:operation() }))
  queue:wrap(function()
    local came = signal.listen(unpack(ends)):wait()
    os.exit(came == signal.SIGINT and INTERRUPTED or 0)
  end)
  made, why = queue:step(0) -- here it takes the descriptors that it needs
  if not made then return nil, reason_of(why) end
  if controlled then
    control.say({ "url", "operator_key" }, { url = url, operator_key = state.operator_key })
    queue:wrap(control.run, state, line)
  else
    local facts = greeting.facts(state, url, developer)
    if not greet(facts, greeting.text(facts, origin)) then return nil end -- nobody would know where it listens
  end
  if parent then queue:wrap(control.watch, parent) end
  while true do
    local ok, err = queue:loop()
    if not ok then io.stderr:write("devkit4ai sandbox: ", tostring(err), "\n") end
  end
end

return M
