--- The URL of a queue: redis://user:password@host:6379/0, rediss:// for TLS, unix:///run/redis.sock for a unix socket.
local errors = require "devkit4ai.util.errors"

local M = {}

---@class devkit4ai.batch.queue.Address
---@field host string? nil: a unix socket
---@field port integer
---@field path string? of a unix socket
---@field database integer
---@field user string? an ACL user
---@field password string?
---@field tls boolean
---@field ca_file string? root certificates to trust, in place of the system's
---@field shown string the URL without its login

-- Valkey has the same protocol. tls: whether the connection is encrypted
local SCHEMES = {
  redis = { tls = false }, rediss = { tls = true }, valkey = { tls = false }, valkeys = { tls = true },
  unix = { socket = true },
}
local DEFAULT_PORT = 6379
local MOST_DATABASE = 2 ^ 31 - 1 -- the number is an int of C in Redis

local function decode(text)
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- A password may stand in any part of a URL that can't be read, so no part of it is shown.
local function refuse(why)
  return errors.fail { kind = "config", outcome = "not_sent", what = "the queue's URL " .. why,
    advice = "it looks like redis://host:6379/0, rediss://user:password@host:6379/0 or unix:///run/redis/redis.sock" }
end

local function login_of(address, text)
  local user, password = text:match "^([^:]*):(.*)$"
  if not password then user, password = text, "" end
  address.user = user ~= "" and decode(user) or nil
  address.password = password ~= "" and decode(password) or nil
end

local function query_of(address, text)
  for pair in text:gmatch "[^&]+" do
    local name, value = pair:match "^([^=]*)=(.*)$"
    value = value and decode(value)
    if name == "ca_file" then address.ca_file = value
    elseif name == "db" and value and value:find "^%d+$" then address.database = tonumber(value)
    else return "has a parameter that is not ca_file=FILE or db=NUMBER" end
  end
end

-- The parts of the text behind the login: a host, perhaps in brackets, and a port.
local function host_of(address, text)
  local host, port = text:match "^%[([%x:.]+)%]:?(%d*)$"
  if not host then host, port = text:match "^([^:%[%]]+):?(%d*)$" end
  if not host then return "has no host" end
  address.host, address.port = host, tonumber(port) or DEFAULT_PORT
  if address.port < 1 or address.port > 65535 then return "has a port that does not exist" end
end

local function path_of(address, text, scheme)
  if scheme.socket then
    if text == "" or text == "/" then return "names no socket" end
    address.path = decode(text)
  elseif text:find "^/%d+$" then address.database = tonumber(text:sub(2))
  elseif text ~= "" and text ~= "/" then return "names no database: it is a number" end
end

local function show(address, name)
  if address.path then return "unix://" .. address.path end
  local host = address.host:find(":", 1, true) and "[" .. address.host .. "]" or address.host
  return ("%s://%s:%d/%d"):format(name, host, address.port, address.database)
end

--- Reads a URL.
---@param url string
---@return devkit4ai.batch.queue.Address? address
---@return string? message
---@return devkit4ai.Error? err
function M.parse(url)
  local name, rest = url:match "^(%a+)://(.*)$"
  local scheme = name and SCHEMES[name:lower()]
  if not scheme then return refuse "has none of the schemes redis, rediss, valkey, valkeys, unix" end
  local address = { database = 0, tls = scheme.tls or false }
  local authority, path, query = rest:match "^([^/?]*)([^?]*)%??(.*)$"
  local login, host = authority:match "^(.*)@([^@]*)$"
  if login then login_of(address, login) end
  local why = not scheme.socket and host_of(address, host or authority) or path_of(address, path, scheme)
    or query_of(address, query)
  if why then return refuse(why) end
  if address.database > MOST_DATABASE then return refuse "names a database that does not exist" end
  if address.user and not address.password then return refuse "names a user without a password" end
  address.shown = show(address, name:lower())
  return address
end

return M
