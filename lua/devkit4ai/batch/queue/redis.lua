--- A connection to Redis or Valkey: one function, `command(...)`.
---
--- The protocol is that of the library redis-lua (Debian: lua-redis), which is plain Lua on LuaSocket, so the same code runs on
--- all Luas. It gets a socket that is connected here: a host name, a unix socket, or TLS by LuaSec. hiredis would need a binding in
--- C, and Debian 12 has its version 0.14, which has no TLS; lua-resty-redis needs nginx.
---
--- A command blocks the process until its answer is there: a worker is a process of its own.
local address_of = require "devkit4ai.batch.queue.address"
local core = require "devkit4ai.core"
local dependencies = require "devkit4ai.util.dependencies"
local errors = require "devkit4ai.util.errors"

local M = {}

local TIMEOUT = 5 -- seconds that the connection and each answer may take
local SLOW = 1 -- seconds; a server that needs longer before a connection fails stands still
local DOWN = 0.2 -- seconds after such a failure, in which each command fails at once: jobs that end together wait for one timeout
local CA_FILES = { "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem" }

---@class devkit4ai.batch.queue.Redis
---@field shown string the URL without its login
---@field command fun(self: devkit4ai.batch.queue.Redis, name: string, ...: string|number): any, string?, devkit4ai.Error?

local Redis = {}
Redis.__index = Redis
Redis.__name = "devkit4ai.batch.queue.Redis"
function Redis:__tostring() return "queue " .. self.shown end

-- Addresses and scripts by connection: a table that is printed shows no password.
local private = setmetatable({}, { __mode = "k" })

-- ---- the library ----

-- Debian 12 installs lua-redis, which is plain Lua, in the folders of Lua 5.1 to 5.3 alone.
local function from_older_lua()
  local path = package.searchpath and package.searchpath("redis", (package.path:gsub("5%.[45]", "5.3")))
  return path and dofile(path)
end

local function load_library(tls)
  local library = dependencies.optional "redis" or dependencies.optional "socket" and from_older_lua()
  local message = not library and dependencies.missing_message("a queue", { "socket", "redis" })
    or dependencies.missing_message("a queue", tls and { "socket", "ssl" } or { "socket" })
  if message then return errors.fail { kind = "config", outcome = "not_sent", message = message } end
  return library
end

-- ---- the socket ----

local function readable(path)
  local file = path and io.open(path, "rb")
  if file then file:close() end
  return file and path
end

-- Whether a name of a certificate is that of the host; "*" stands for its first label.
local function is_name_of(name, host)
  name, host = name:lower(), host:lower()
  return name == host or name:sub(1, 2) == "*." and host:match "^[^.]+(%..+)$" == name:sub(2)
end

-- LuaSec checks the chain of certificates, and leaves the name to its caller.
local function has_name(certificate, host)
  for _, names in pairs(certificate:extensions()["2.5.29.17"] or {}) do
    for _, name in pairs(type(names) == "table" and names or {}) do
      if is_name_of(name, host) then return true end
    end
  end
  return false
end

local function encrypt(socket, address)
  local ca_file = address.ca_file
  for _, path in ipairs(CA_FILES) do ca_file = ca_file or readable(path) end
  local ssl = require "ssl"
  local wrapped, why = ssl.wrap(socket, { mode = "client", protocol = "any", verify = "peer", cafile = ca_file,
    options = { "all", "no_sslv2", "no_sslv3", "no_tlsv1", "no_tlsv1_1" } })
  if not wrapped then return nil, "TLS can't be set up: " .. tostring(why) end
  wrapped:sni(address.host)
  wrapped:settimeout(TIMEOUT)
  local done
  done, why = wrapped:dohandshake()
  if not done then
    local form = "the TLS handshake failed: %s; for a certificate of your own, add ?ca_file=FILE to the URL"
    return nil, form:format(tostring(why))
  end
  if not has_name(wrapped:getpeercertificate(), address.host) then return nil, "the certificate is for another host" end
  return wrapped
end

-- A name may have several addresses; LuaSocket tries them in turn.
local function open_socket(address)
  local socket, why
  if address.path then
    socket, why = require("socket.unix").stream()
  else
    local library = require "socket"
    socket, why = (address.host:find(":", 1, true) and library.tcp6 or library.tcp)()
  end
  if not socket then return nil, why end
  socket:settimeout(TIMEOUT)
  local connected
  if address.path then connected, why = socket:connect(address.path)
  else connected, why = socket:connect(address.host, address.port) end
  if not connected then
    socket:close()
    return nil, why
  end
  if address.host then socket:setoption("tcp-nodelay", true) end
  if not address.tls then return socket end
  local wrapped
  wrapped, why = encrypt(socket, address)
  if not wrapped then socket:close() end
  return wrapped, why
end

-- ---- failures ----

-- What an error of the server means; the first word decides. final: no other try can succeed without a change.
local MEANINGS = {
  NOAUTH = { kind = "auth", final = true, advice = "put its password into the URL: rediss://user:password@host/0" },
  WRONGPASS = { kind = "auth", final = true, advice = "the user or the password in the URL is wrong" },
  NOPERM = {
    kind = "forbidden", final = true, advice = "docs/batch-queue.md has the commands and keys that the user needs",
  },
  OOM = { kind = "server", advice = "Redis has reached maxmemory: give it more, nothing is lost meanwhile" },
  READONLY = { kind = "server", advice = "it is a replica: give the URL of the master" },
  MASTERDOWN = { kind = "server", advice = "it is a replica: give the URL of the master" },
  MISCONF = { kind = "server", advice = "Redis can't write to its disk" },
  LOADING = { kind = "server", advice = "Redis reads its data after a start" },
  BUSY = { kind = "server", advice = "a script of another program occupies Redis" },
  MOVED = { kind = "config", final = true, advice = "Redis Cluster is not supported: give the URL of a single Redis" },
  CROSSSLOT = {
    kind = "config", final = true, advice = "Redis Cluster is not supported: give the URL of a single Redis",
  },
}

local function fail(redis, fields, what)
  fields.outcome, fields.what = "not_sent", ("queue %s: %s"):format(redis.shown, what)
  return errors.fail(fields)
end

local function lost(redis, why)
  redis:close()
  return fail(redis, { kind = "network", transient = true }, tostring(why))
end

-- An answer to AUTH may repeat the login.
local REFUSED_LOGIN = { kind = "auth", final = true, advice = "give the URL the login that this server has, or none" }

local function answered(redis, name, text)
  local word = text:match "^%u+" or ""
  local meaning = MEANINGS[word] or name == "AUTH" and REFUSED_LOGIN or { kind = "server" }
  if name == "AUTH" then text = ("%s to the login (AUTH)"):format(word) end
  local _, message, err = fail(redis, { kind = meaning.kind, advice = meaning.advice, transient = not meaning.final },
    "it answers " .. text)
  err._code = word
  return nil, message, err
end

-- An answer that is none of Redis: the other end is a server of something else.
local function is_foreign(why)
  return tostring(why):find("unknown response prefix", 1, true) ~= nil
end

-- ---- commands ----

-- Sends one command on an open connection. Errors of the library are raised: a table is an error that the server answered.
local function exchange(redis, name, arguments)
  local own = private[redis]
  local send = own.senders[name] or own.library.command(name)
  own.senders[name] = send
  local done, result = pcall(send, own.client, arguments)
  if done then return true, result end
  if type(result) == "table" and result.answered then return answered(redis, name, result.answered) end
  if is_foreign(result) then
    redis:close()
    return fail(redis, { kind = "protocol" }, "the server there is not Redis")
  end
  return lost(redis, (tostring(result):gsub("^connection error: ", "the connection is lost: ")))
end

local function open_connection(redis)
  local own = private[redis]
  local address = own.address
  local socket, why = open_socket(address)
  if not socket then return lost(redis, why) end
  own.client = own.library.connect { socket = socket }
  own.client.error = function(text)
    local answer = text:match "^redis error: (.*)"
    error(answer and { answered = answer } or text, 0)
  end
  local function begin(name, ...)
    local done, message, err = exchange(redis, name, { ... })
    if not done then redis:close() end
    return done, message, err
  end
  local message, err
  local done = true
  if address.password then
    if address.user then done, message, err = begin("AUTH", address.user, address.password)
    else done, message, err = begin("AUTH", address.password) end
  end
  if done and address.database ~= 0 then done, message, err = begin("SELECT", tostring(address.database)) end
  if done and own.on_connect then
    own.is_checking = true
    done, message, err = own.on_connect()
    own.is_checking = false
    if not done then redis:close() end
  end
  if not done then return nil, message, err end
  return true
end

local function connect(redis)
  local own = private[redis]
  if own.is_checking then return lost(redis, "the connection is lost") end
  if own.down and core.now() < own.down.till then return nil, own.down.message, own.down.err end
  local began = core.now()
  local done, message, err = open_connection(redis)
  local now = core.now()
  own.down = err and now - began >= SLOW and { till = now + DOWN, message = message, err = err } or nil
  return done, message, err
end

--- Sends a command, and waits for its answer. A lost connection is opened again, and the command is sent once more: each
--- script of the queue may run twice.
---@param name string in capitals
---@param ... string|number
---@return any answer nil: it failed, or the answer is nil
---@return string? message nil: it did not fail
---@return devkit4ai.Error? err
function Redis:command(name, ...)
  local arguments = { ... }
  for i = 1, #arguments do
    local value = arguments[i]
    arguments[i] = type(value) == "number" and ("%.0f"):format(value) or value
  end
  local done, result, err
  for attempt = 1, 2 do
    local was_open = private[self].client ~= nil
    if was_open then done = true else done, result, err = connect(self) end
    if done then done, result, err = exchange(self, name, arguments) end
    if done then return result end
    if not was_open or err.kind ~= "network" or attempt == 2 then break end
  end
  return nil, result, err
end

--- Runs a script, which Redis remembers by its digest.
---@param text string
---@param key string its only key
---@param ... string|number
---@return any answer
---@return string? message
---@return devkit4ai.Error? err
function Redis:script(text, key, ...)
  local digests = private[self].digests
  for _ = 1, 2 do
    if not digests[text] then
      local digest, message, err = self:command("SCRIPT", "LOAD", text)
      if not digest then return nil, message, err end
      digests[text] = digest
    end
    local answer, message, err = self:command("EVALSHA", digests[text], "1", key, ...)
    if not err or err._code ~= "NOSCRIPT" then return answer, message, err end
    digests[text] = nil -- Redis was restarted
  end
  return self:command("EVAL", text, "1", key, ...)
end

--- Sets what checks each new connection, before any other command is sent on it.
---@param fn fun(): boolean?, string?, devkit4ai.Error? which may use the connection
function Redis:on_connect(fn)
  private[self].on_connect = fn
end

--- Closes the connection; the next command opens it again.
function Redis:close()
  local client = private[self].client
  private[self].client = nil
  if client then client.network.socket:close() end
end

--- Opens a connection.
---@param url string
---@return devkit4ai.batch.queue.Redis? redis
---@return string? message
---@return devkit4ai.Error? err
function M.open(url)
  local address, message, err = address_of.parse(url)
  if not address then return nil, message, err end
  local library
  library, message, err = load_library(address.tls)
  if not library then return nil, message, err end
  local redis = setmetatable({ shown = address.shown }, Redis)
  private[redis] = { address = address, library = library, senders = {}, digests = {} }
  local answer
  answer, message, err = redis:command "PING"
  if not answer then return nil, message, err end
  return redis
end

return M
