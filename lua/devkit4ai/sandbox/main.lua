--- The sandbox's process: the API on one port, the image storage on another.
local cqueues = require "cqueues"
local signal = require "cqueues.signal"
local apps = require "devkit4ai.sandbox.api.app"
local control_api = require "devkit4ai.sandbox.control.control_api"
local image_cache = require "devkit4ai.sandbox.images.image_cache"
local image_storage = require "devkit4ai.sandbox.images.image_storage"
local parent_process = require "devkit4ai.sandbox.control.parent_process"
local pipelines = require "devkit4ai.sandbox.pipeline"
local records_module = require "devkit4ai.sandbox.state.records"
local routes = require "devkit4ai.sandbox.api.routes"
local server = require "devkit4ai.sandbox.http.server"
local startup_message = require "devkit4ai.sandbox.startup_message"
local states = require "devkit4ai.sandbox.state"
local stdio = require "devkit4ai.sandbox.control.stdio"

local unpack = table.unpack or unpack -- luacheck: ignore (LuaJIT)

local M = {}

local INTERRUPTED = 130 -- the exit code after Ctrl-C

-- Whether this process was started with SIGHUP ignored, as nohup does.
local function is_hangup_ignored()
  local status = io.open "/proc/self/status"
  local ignored = status and status:read("*a"):match("SigIgn:%s*%x*(%x)\n") -- SIGHUP is 1, the lowest bit
  if status then status:close() end
  return not ignored or tonumber(ignored, 16) % 2 == 1
end

-- The signals that end the sandbox. A terminal sends SIGINT and SIGHUP to a program and to its sandbox; with a control
-- line the sandbox ignores them and ends with its input.
local function ending_signals(controlled)
  if controlled then return { signal.SIGTERM } end
  if is_hangup_ignored() then return { signal.SIGTERM, signal.SIGINT } end
  return { signal.SIGTERM, signal.SIGINT, signal.SIGHUP }
end

-- The message of an error, without the line of code that raised it.
local function message_of(err)
  return (tostring(err):gsub("^[^ ]+:%d+: ", ""))
end

local function origin_of(port)
  return ("http://%s:%d"):format(server.HOST, port)
end

-- Listens for downloads: on the port of the process before, if it is free, so that the links which that one showed work.
local function listen_for_downloads(records)
  local record = records:find("sandbox", "downloads") or {}
  local listener, port
  if record.port then listener, port = server.listen(record.port) end
  if not listener then listener, port = server.listen(0) end
  record.port = port
  if listener then records:put("sandbox", "downloads", record) end
  return listener, port
end

--- Runs until the process is ended; with a control line also until its standard input ends.
---@param settings devkit4ai.sandbox.Settings|{ port: integer }
---@param controlled boolean use the control line (stdio.lua)
---@param parent string? id of the process to end with
---@param announce fun(facts: table<string, string>, text: string): boolean called when it listens without a control line
---@param developer string? email address of a developer to register
---@return nil
---@return string? reason why it could not start; nil: announce returned false
function M.run(settings, controlled, parent, announce, developer)
  local signals = ending_signals(controlled)
  signal.block(signal.SIGINT, signal.SIGHUP, unpack(signals)) -- process 1 gets only the signals that it asks for
  local api_listener, api_port = server.listen(settings.port)
  if not api_listener then return nil, api_port end
  local records, why = records_module.none(), nil
  if settings.data then records, why = records_module.open(settings.data) end
  if not records then return nil, why end
  local image_listener, image_port = listen_for_downloads(records)
  if not image_listener then return nil, image_port end
  local streams
  if controlled then
    streams, why = stdio.open()
    if not streams then return nil, why end
  end
  local made, queue = pcall(cqueues.new)
  if not made then return nil, message_of(queue) end

  local url, image_origin = origin_of(api_port), origin_of(image_port)
  local state = states.new(settings, routes, image_origin, records)
  local images = image_storage.new(state, image_cache.new())
  server.serve(queue, api_listener,
    pipelines.new(state, apps.new(state, routes), { control_api = control_api.new(state) }))
  server.serve(queue, image_listener, pipelines.new(state, images, { only_operation = image_storage.OPERATION }))
  queue:wrap(function()
    local received = signal.listen(unpack(signals)):wait()
    os.exit(received == signal.SIGINT and INTERRUPTED or 0)
  end)
  made, why = queue:step(0) -- takes the file descriptors that it needs
  if not made then return nil, message_of(why) end
  local facts
  facts, why = startup_message.facts(state, url, developer)
  if facts then made, why = records:write() end
  if not (facts and made) then return nil, why end
  if controlled then
    stdio.write_line({ "url", "operator_key" }, facts)
    queue:wrap(stdio.run, state, streams)
  elseif not announce(facts, startup_message.text(facts, image_origin, settings.data)) then
    return nil
  end
  if parent then queue:wrap(parent_process.watch, parent) end
  while true do
    local ok, err = queue:loop()
    if not ok then io.stderr:write("devkit4ai sandbox: ", tostring(err), "\n") end
  end
end

return M
