-- nginx with its Lua module, for specs: starts it with a configuration in a temporary folder, on a loopback port, and stops it.
-- Its workers find the library as the spec does. Sockets of the library are in the folder, too.
local child = require "spec.support.process.child"
local free_port = require "spec.support.servers.free_port"
local socket = require "socket"

local M = {}

local GIVE_UP = 240 -- seconds for what never takes long; no test depends on it

local CONF = [[
daemon on;
worker_processes WORKERS;
USER
pid FOLDER/pid;
error_log FOLDER/error.log notice;
MODULES
MAIN
events { worker_connections CONNECTIONS; }
http {
  access_log off;
  client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fastcgi;
  uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;
  lua_package_path "PATH"; lua_package_cpath "CPATH";
  HTTP
  server {
    listen 127.0.0.1:PORT;
    SERVER
  }
}
]]

-- Not every build of nginx has its Lua module inside.
local function modules()
  local lines = {}
  for _, name in ipairs { "ndk_http_module", "ngx_http_lua_module" } do
    local path = ("/usr/lib/nginx/modules/%s.so"):format(name)
    local file = io.open(path)
    if file then
      file:close()
      lines[#lines + 1] = ("load_module %s;"):format(path)
    end
  end
  return table.concat(lines, "\n")
end

--- Waits until fn gives a value.
---@param what string for the error
---@param fn fun(): any
---@return any value
function M.wait(what, fn)
  local started = socket.gettime()
  repeat
    local value = fn()
    if value then return value end
    socket.sleep(0.01)
  until socket.gettime() - started > GIVE_UP
  error("this did not happen: " .. what, 2)
end

---@param path string
---@return string? text nil: there is no such file
local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a")
  if file then file:close() end
  return text
end

--- Whether a process runs. A zombie does not.
---@param pid integer
---@return boolean
function M.runs(pid)
  local stat = read(("/proc/%d/stat"):format(pid))
  return stat ~= nil and stat:match("%) (%a)") ~= "Z"
end

---@class spec.Nginx
---@field url string http://127.0.0.1:PORT
---@field port integer
---@field folder string
---@field pid integer of the master
local Nginx = {}
Nginx.__index = Nginx

--- Lines of the error log so far.
---@return string
function Nginx:log()
  return self._log or read(self.folder .. "/error.log") or ""
end

--- The processes of the workers that run.
---@return integer[]
function Nginx:workers()
  local list = {}
  for pid in (read(("/proc/%d/task/%d/children"):format(self.pid, self.pid)) or ""):gmatch("%d+") do
    if M.runs(pid) then list[#list + 1] = tonumber(pid) end
  end
  return list
end

--- Sends a signal to a process, by default the master.
---@param name string QUIT, HUP, TERM, KILL
---@param pid integer?
function Nginx:signal(name, pid)
  os.execute(("kill -%s %d"):format(name, pid or self.pid))
end

--- Reloads, and waits until only new workers accept. Workers with requests may still run.
function Nginx:reload()
  local before = self:workers()
  self:signal("HUP")
  M.wait("new workers", function()
    local now, old = self:workers(), {}
    for _, pid in ipairs(before) do old[pid] = true end
    for _, pid in ipairs(now) do
      if not old[pid] then return true end
    end
  end)
end

--- One request, by curl.
---@param path string
---@param arguments string? of curl
---@return string body
---@return integer status 0: there is no response
function Nginx:get(path, arguments)
  local command = "curl -s -m 90 -w '\n%%{http_code}' %s '%s%s'"
  local pipe = assert(io.popen(command:format(arguments or "", self.url, path)))
  local text = pipe:read("*a")
  pipe:close()
  local body, status = text:match("^(.*)\n(%d+)$")
  return body, tonumber(status)
end

--- Sends a request, and gives its connection, without waiting for the response.
---@param path string
---@param head string? more lines
---@param body string?
---@return table connection of LuaSocket
function Nginx:send(path, head, body)
  local connection = assert(socket.connect("127.0.0.1", self.port))
  connection:settimeout(GIVE_UP)
  assert(connection:send(("%s %s HTTP/1.0\r\n%s\r\n%s"):format(body and "POST" or "GET", path, head or "", body or "")))
  return connection
end

--- Reads the response on a connection of send. Its first result is nil if the connection ended without one.
---@param connection table
---@return string? body
function M.body(connection)
  local text = connection:receive("*a")
  connection:close()
  return text and text:match("\r\n\r\n(.*)$")
end

-- What a healthy nginx does not log.
local TROUBLE = { "lua tcp socket", "%[alert%]", "%[crit%]", "%[emerg%]", "entry thread aborted" }

--- Ends nginx and removes its folder. Raises if the log has what a healthy nginx does not log, or a socket was left.
---@param options table? signal: default QUIT; expected: patterns of lines that may be in the log
function Nginx:stop(options)
  if self._log then return end
  options = options or {}
  self:signal(options.signal or "QUIT")
  local workers = self:workers()
  M.wait("nginx ends", function()
    for _, pid in ipairs(workers) do
      if M.runs(pid) then return false end
    end
    return not M.runs(self.pid)
  end)
  self._log = self:log()
  local left = child.list(self.folder .. "/tmp")
  child.remove(self.folder)
  for line in self._log:gmatch("[^\n]+") do
    local bad = false
    for _, pattern in ipairs(TROUBLE) do bad = bad or line:find(pattern) end
    for _, pattern in ipairs(options.expected or {}) do bad = bad and not line:find(pattern) end
    if bad then error("nginx logged: " .. line, 2) end
  end
  if left[1] then error("nginx left " .. table.concat(left, ", "), 2) end
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

local function launch(self, options, env)
  self.port = free_port()
  self.url = "http://127.0.0.1:" .. self.port
  local main = options.main or ""
  local pipe = io.popen("id -u")
  local is_root = pipe:read("*l") == "0"
  pipe:close()
  local values = {
    WORKERS = options.workers or 1, CONNECTIONS = options.connections or 2048, FOLDER = self.folder,
    MODULES = modules(), PORT = self.port,
    USER = is_root and "user root;" or "", -- its workers can then read what the spec can
    MAIN = main:find("env TMPDIR", 1, true) and main or "env TMPDIR;\n" .. main,
    HTTP = options.http or "", SERVER = options.server or "",
    PATH = (options.lua_path or "") .. ";" .. package.path, CPATH = package.cpath,
  }
  write(self.folder .. "/nginx.conf", (CONF:gsub("%f[%u]%u%u%u%u+%f[%U]", values)))
  pipe = io.popen(("env %s TMPDIR=%s/tmp nginx -p %s -c %s/nginx.conf 2>&1; echo $?"):format(
    env, self.folder, self.folder, self.folder))
  local text = pipe:read("*a")
  pipe:close()
  return text:match("(%d+)%s*$") == "0", text
end

--- Starts nginx, and waits until it listens.
---@param options table workers: default 1; connections: of each, default 2048; main, http, server: lines of nginx.conf in their block; lua_path: one more folder of Lua modules; env: variables of the master
---@return spec.Nginx
function M.start(options)
  local self = setmetatable({ folder = child.folder() }, Nginx)
  local env = {}
  for name, value in pairs(options.env or {}) do env[#env + 1] = ("%s='%s'"):format(name, value) end
  os.execute(("chmod 755 %s && mkdir -m 1777 %s/tmp"):format(self.folder, self.folder))
  local ran, text
  for _ = 1, 5 do
    ran, text = launch(self, options, table.concat(env, " "))
    if ran or not text:find("Address already in use", 1, true) then break end
  end
  if not ran then
    text = text .. self:log()
    child.remove(self.folder)
    error("nginx did not start: " .. text, 2)
  end
  self.pid = M.wait("nginx writes its pid", function() return tonumber(read(self.folder .. "/pid") or "") end)
  M.wait("the workers run", function() return #self:workers() >= (options.workers or 1) end)
  return self
end

return M
