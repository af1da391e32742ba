-- A free port of loopback for a server that can't choose one by itself. Linux gives the ports from 32768 on to connections, and to
-- servers that name no port. This one is below, so none of them takes it before the server listens.
local socket = require "socket"

local FIRST, COUNT = 16384, 16384

---@return integer
return function()
  local random = assert(io.open("/dev/urandom", "rb"))
  local port, listener
  repeat
    local high, low = random:read(2):byte(1, 2)
    port = FIRST + (high * 256 + low) % COUNT
    listener = socket.bind("127.0.0.1", port)
  until listener
  listener:close()
  random:close()
  return port
end
