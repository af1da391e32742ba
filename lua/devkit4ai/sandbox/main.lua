--- The sandbox as a program: the API on one port, the storage of its pictures on another.
local cqueues = require "cqueues"
local signal = require "cqueues.signal"
local app = require "devkit4ai.sandbox.app"
local control = require "devkit4ai.sandbox.control"
local desk = require "devkit4ai.sandbox.desk"
local exchange = require "devkit4ai.sandbox.exchange"
local greeting = require "devkit4ai.sandbox.greeting"
local pictures = require "devkit4ai.sandbox.pictures"
local routes = require "devkit4ai.sandbox.routes"
local server = require "devkit4ai.sandbox.server"
local states = require "devkit4ai.sandbox.state"
local storages = require "devkit4ai.sandbox.storage"

local M = {}

local INTERRUPTED = 130 -- the exit code after Ctrl-C; SIGTERM is how a container ends

--- Runs until the process is ended, or, controlled, until its standard input ends.
---@param settings devkit4ai.sandbox.Settings|{ port: integer }
---@param controlled boolean speak the control line (control.lua) instead of greeting a person
---@param parent string? number of the process to end with
---@param greet fun(facts: table<string, string>, text: string): boolean told, where nobody controls it, that it listens
---@param developer string? e-mail address of a developer to register
---@return nil
---@return string? reason it could not start; none: greet gave false
function M.run(settings, controlled, parent, greet, developer)
  signal.block(signal.SIGINT, signal.SIGTERM) -- listened to below: as process 1 we get no signal that we do not ask for
  if controlled then signal.block(signal.SIGHUP) end -- left to the program, as Ctrl-C is: the input ends with it
  local api, port = server.listen(settings.port)
  if not api then return nil, port end
  local store, store_port = server.listen(0)
  if not store then return nil, store_port end

  local url = ("http://%s:%d"):format(server.HOST, port)
  local origin = ("http://%s:%d"):format(server.HOST, store_port)
  local state = states.new(settings, routes)
  local storage = storages.new(state, pictures.new(), origin)
  state.storage = storage

  local queue = cqueues.new()
  server.serve(queue, api, exchange.new(state, app.new(state, routes), { desk = desk.new(state) }))
  server.serve(queue, store, exchange.new(state, storage, { operation = storage:operation() }))
  if controlled then
    control.say({ "url", "operator_key" }, { url = url, operator_key = state.operator_key })
    queue:wrap(control.run, state)
  else
    local facts = greeting.facts(state, url, developer)
    if not greet(facts, greeting.text(facts, origin)) then return nil end -- nobody would know where it listens
  end
  queue:wrap(function()
    -- Ctrl-C ends the sandbox of a person; that of a program leaves it to the program.
    local ends = controlled and { signal.SIGTERM } or { signal.SIGTERM, signal.SIGINT }
    local came = signal.listen((table.unpack or unpack)(ends)):wait() -- luacheck: ignore (5.1 and LuaJIT)
    os.exit(came == signal.SIGINT and INTERRUPTED or 0)
  end)
  if parent then queue:wrap(control.watch, parent) end
  while true do
    local ok, err = queue:loop()
    if not ok then io.stderr:write("devkit4ai sandbox: ", tostring(err), "\n") end
  end
end

return M
