-- Redis servers for specs, each in a folder of its own.
local child = require "spec.support.process.child"

local M = {}

local Server = {}
Server.__index = Server

local running = {}

local function shell(command)
  local result = os.execute(command)
  return result == true or result == 0
end

--- Whether redis-server, and the library that speaks with it, are installed.
---@return boolean
function M.is_installed()
  return shell "command -v redis-server >/dev/null && command -v redis-cli >/dev/null"
    and pcall(require, "socket") and (package.searchpath or pcall)(package.searchpath and "redis" or require,
      package.searchpath and package.path:gsub("5%.[45]", "5.3") or "redis") ~= nil
end

--- Starts a server on a unix socket.
---@param lines string[]? more lines of the configuration
---@param options { before: string?, program: string? }? before: a command that runs another; program: default redis-server
---@return table server url, folder, socket
function M.start(lines, options)
  local folder = child.folder()
  local server = setmetatable({ folder = folder, socket = folder .. "/s", url = "unix://" .. folder .. "/s" }, Server)
  server.command = ("%s %s"):format(options and options.before or "", options and options.program or "redis-server")
  local file = assert(io.open(folder .. "/conf", "w"))
  file:write(("port 0\nunixsocket %s/s\ndir %s\nappendonly yes\nappendfsync always\nsave \"\"\ndaemonize yes\n"):format(
    folder, folder), ("pidfile %s/pid\nlogfile %s/log\n"):format(folder, folder), table.concat(lines or {}, "\n"), "\n")
  file:close()
  running[server] = true
  server:run()
  return server
end

-- Waits until the socket answers: "NOAUTH" is an answer, too.
local ANSWERS = "until redis-cli -s %s/s ping 2>/dev/null | grep -q 'PONG\\|NOAUTH'; do sleep 0.02; done"

--- Starts it, with the data that it has.
function Server:run()
  assert(shell(("%s %s/conf >/dev/null"):format(self.command, self.folder)))
  assert(shell(("timeout 60 sh -c \"%s\""):format(ANSWERS:format(self.folder))))
  self.pid = child.read(self.folder .. "/pid"):match "%d+"
end

--- Ends it at once, as a crash does.
function Server:kill()
  shell(("kill -9 %s; while kill -0 %s 2>/dev/null; do sleep 0.02; done; rm -f %s/s"):format(self.pid, self.pid,
    self.folder))
end

--- Sends a signal: STOP makes the server stand still until CONT.
---@param name string
function Server:signal(name)
  assert(shell(("kill -%s %s"):format(name, self.pid)))
end

--- Runs redis-cli, and gives what it prints.
---@param arguments string for the shell
---@return string
function Server:cli(arguments)
  local pipe = assert(io.popen(("redis-cli -s %s/s %s 2>&1"):format(self.folder, arguments)))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

--- Waits until a replica has got a key.
---@param key string
function Server:until_it_has(key)
  local form = "timeout 60 sh -c \"until redis-cli -s %s exists '%s' | grep -q 1; do sleep 0.02; done\""
  assert(shell(form:format(self.socket, key)))
end

--- Stops all servers, and removes their folders.
function M.stop_all()
  for server in pairs(running) do
    server:kill()
    child.remove(server.folder)
  end
  running = {}
end

return M
