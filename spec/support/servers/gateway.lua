-- The gateway of examples/nginx for specs: runs tools/gateway (nginx and a sandbox), and sends requests over plain sockets,
-- because a test also needs requests that a good HTTP client does not send.
local child = require "spec.support.process.child"
local cjson = require "cjson"
local free_port = require "spec.support.servers.free_port"
local socket = require "socket"

local M = {}

---@class spec.Gateway
---@field port integer
---@field origin string "http://127.0.0.1:PORT"
---@field folder string its temporary files
---@field api string the address of its sandbox
---@field seen string[] every response
local Gateway = {}
Gateway.__index = Gateway

--- Starts a gateway, with options of the sandbox.
---@param options string? "--step-time 0"
---@return spec.Gateway
function M.start(options)
  local self = setmetatable({ port = free_port(), _folder = child.folder() }, Gateway)
  assert(os.execute("mkfifo " .. self._folder .. "/ready"))
  self._pipe = assert(io.popen(("tools/gateway %d %s >%s/ready 2>%s/log"):format(self.port, options or "", self._folder,
    self._folder), "w"))
  local ready = assert(io.open(self._folder .. "/ready"))
  local line = ready:read("*l")
  ready:close()
  if not line then error("the gateway did not start: " .. self:error_log()) end
  self.origin, self.folder = line:match("(http://%S+) %(its files: (.+)%)")
  self.settings = child.read(self.folder .. "/settings")
  self.api, self.seen = self.settings:match("DEVKIT4AI_BASE_URL=(%S+)"), {}
  return self
end

--- Ends nginx and the sandbox, and waits for their end.
function Gateway:stop()
  self._pipe:close()
  child.remove(self._folder)
end

--- nginx's error log.
---@return string
function Gateway:error_log()
  return child.read(self._folder .. "/log")
end

--- nginx's access log.
---@return string
function Gateway:access_log()
  return child.read(self.folder .. "/gateway/run/access.log")
end

--- The largest memory that one of nginx's workers has had, in MB.
---@return number
function Gateway:peak_memory()
  local master = child.read(self.folder .. "/gateway/run/nginx.pid"):match("%d+")
  local most = 0
  for worker in child.read(("/proc/%s/task/%s/children"):format(master, master)):gmatch("%d+") do
    most = math.max(most, tonumber(child.read(("/proc/%s/status"):format(worker)):match("VmHWM:%s+(%d+)")) / 1024)
  end
  return most
end

--- The uploads and results that are on the disk.
---@return string[]
function Gateway:files()
  local names = {}
  for _, name in ipairs(child.list(self.folder .. "/gateway/run")) do
    if name:find("^%x+$") and #name == 32 or name:find("^devkit4ai") then names[#names + 1] = name end
  end
  return names
end

--- Opens a connection.
---@param address string? of this end; another one has rate limits of its own
---@return table socket
function Gateway:connect(address)
  local connection = assert(socket.tcp())
  connection:settimeout(60)
  if address then assert(connection:bind(address, 0)) end
  assert(connection:connect("127.0.0.1", self.port))
  return connection
end

local function dechunk(text)
  local parts, position = {}, 1
  while true do
    local size, first = text:match("^(%x+)\r\n()", position)
    size = tonumber(size or 0, 16)
    if size == 0 then return table.concat(parts) end
    parts[#parts + 1] = text:sub(first, first + size - 1)
    position = first + size + 2
  end
end

---@class spec.GatewayResponse
---@field status integer
---@field head string status line and headers
---@field body string
---@field json table?
---@field cookie string? of Set-Cookie

--- Reads a response to the end of the connection.
---@return spec.GatewayResponse
function Gateway:read(connection)
  local text, _, rest = connection:receive("*a")
  text = text or rest
  connection:close()
  self.seen[#self.seen + 1] = text
  local head, body = text:match("^(.-)\r\n\r\n(.*)$")
  if not head then error("no response, but: " .. text) end
  if head:lower():find("transfer%-encoding: chunked") then body = dechunk(body) end
  local is_json = head:lower():find("content%-type: application/json")
  return { status = tonumber(head:match("^HTTP/1.1 (%d+)")), head = head, body = body,
    json = is_json and cjson.decode(body) or nil, cookie = head:lower():match("set%-cookie: (session=%x*)") }
end

--- The text of a request.
---@param options { cookie: string?, json: table?, body: string?, headers: table<string, string|false>? } false: without it
---@return string
function Gateway:text(method, path, options)
  local body = options.json and cjson.encode(options.json) or options.body
  local headers = { Host = "127.0.0.1:" .. self.port, Origin = self.origin, Connection = "close",
    Cookie = options.cookie, ["Content-Length"] = body and tostring(#body),
    ["Content-Type"] = options.json and "application/json" or nil }
  for name, value in pairs(options.headers or {}) do headers[name] = value end
  local lines = { method .. " " .. path .. " HTTP/1.1" }
  for name, value in pairs(headers) do
    if value then lines[#lines + 1] = name .. ": " .. value end
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

--- Sends a request as the page does.
---@param options table? of Gateway:text, and `from`: the address of this end
---@return spec.GatewayResponse
function Gateway:request(method, path, options)
  options = options or {}
  local connection = self:connect(options.from)
  connection:send(self:text(method, path, options)) -- it may fail in a long body, after an early response
  return self:read(connection)
end

--- Creates an account, which is logged in.
---@param from string? the address of this end
---@return string cookie
function Gateway:sign_up(email, from)
  local json = { email = email, password = "SecurePass123" }
  local response = self:request("POST", "/api/sign-up", { json = json, from = from })
  assert(response.status == 200, response.body)
  return response.cookie
end

--- Creates a user, who is logged in, at an address of its own, because nginx limits the logins of an address.
---@return string cookie
---@return string email
function Gateway:new_user()
  self._users = (self._users or 0) + 1
  local email = ("user%d@example.com"):format(self._users)
  return self:sign_up(email, "127.0.1." .. self._users), email
end

--- Logs in.
---@param headers table? of Gateway:text
---@return spec.GatewayResponse
function Gateway:log_in(email, password, headers)
  return self:request("POST", "/api/log-in", { json = { email = email, password = password }, headers = headers })
end

--- Sends a GET of a user.
---@return spec.GatewayResponse
function Gateway:get(cookie, path)
  return self:request("GET", path, { cookie = cookie })
end

--- Uploads an image.
---@param path string? default an image of the examples
---@return spec.GatewayResponse
function Gateway:upload(cookie, path)
  return self:request("POST", "/api/images", { cookie = cookie, body = child.read(path or "examples/images/neon.png"),
    headers = { ["Content-Type"] = "image/png" } })
end

--- Uploads an image, and starts a generation.
---@return string id
function Gateway:generate(cookie, prompt)
  local json = { images = { self:upload(cookie).json.id }, prompt = prompt }
  local response = self:request("POST", "/api/generations", { cookie = cookie, json = json })
  assert(response.status == 200, response.body)
  return response.json.id
end

--- A command of the sandbox's control API.
---@param path string "generations"
---@param fields table? sends them
---@return table
function Gateway:sandbox(path, fields)
  local data = fields and "-d '" .. cjson.encode(fields) .. "'" or ""
  local pipe = assert(io.popen(("curl -sf %s/_sandbox/%s %s"):format(self.api, path, data)))
  local text = pipe:read("*a")
  pipe:close()
  return cjson.decode(text)
end

--- How many generations the API has created.
---@return integer
function Gateway:generated()
  return self:sandbox("generations").count
end

--- Raises if a response or a log has a key, a token, a password, or a fault of the gateway's Lua.
function Gateway:check_secrets()
  local texts, keys = table.concat(self.seen, "\n") .. self:error_log() .. self:access_log(), 0
  for name, value in self.settings:gmatch "export DEVKIT4AI_([%u_]+)=(%S+)" do
    if name ~= "EMAIL" and name ~= "PASSWORD" then
      keys = keys + 1
      assert(not texts:find(value, 1, true), name)
    end
  end
  assert(keys == 6, "the settings of the sandbox")
  for _, text in ipairs { "eyJ", "SecurePass123", "attempt to " } do -- eyJ: the start of a token
    assert(not texts:find(text, 1, true), text)
  end
end

return M
