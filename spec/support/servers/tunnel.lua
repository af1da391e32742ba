-- A proxy for specs, run by raw.lua: it connects each CONNECT to one port of this machine, for any host name.
local SCRIPT = [[
local cqueues, socket, signal = require "cqueues", require "cqueues.socket", require "cqueues.signal"
signal.ignore(signal.SIGPIPE) -- a peer may close the connection at any time
local function carry(from, to)
  for bytes in function() return from:read(-65536) end do
    if not to:write(bytes) then break end
  end
  to:shutdown("w")
end
local function pump(from, to) pcall(carry, from, to) end -- the peer may have closed them
return function(conn)
  local head = conn:read_head()
  if not head then return end
  ANSWER
  local target = socket.connect("127.0.0.1", PORT)
  target:setmode("bn", "bn")
  target:onerror(function(_, _, why) return why end)
  conn:write("HTTP/1.1 200 Connection established\r\n\r\n")
  cqueues.running():wrap(function() pump(target, conn.socket) end)
  pump(conn.socket, target)
end]]

--- The script of the proxy.
---@param port integer
---@param answer string? Lua that may respond to `head`, the head of the CONNECT, on `conn` instead
---@return string
return function(port, answer)
  return (SCRIPT:gsub("%f[%u]%u%u%u%u+%f[%U]", { PORT = tostring(port), ANSWER = answer or "" }))
end
