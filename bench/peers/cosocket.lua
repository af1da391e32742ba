--- Peer of the benchmarks in nginx: a GET by cosocket, with a connection that is kept. It does the least that a client must do:
--- status, length, body, JSON.
local cjson = require "cjson"

local M = {}

--- Sends a request, and returns its decoded response.
---@param port integer of 127.0.0.1
---@param head string the request
---@return table
function M.get(port, head)
  local socket = ngx.socket.tcp()
  socket:settimeout(60000)
  assert(socket:connect("127.0.0.1", port))
  assert(socket:send(head))
  assert(assert(socket:receive()):find("^HTTP/1%.1 200"))
  local length
  repeat
    local line = assert(socket:receive())
    length = length or line:match("^[Cc]ontent%-[Ll]ength: *(%d+)")
  until line == ""
  local body = assert(socket:receive(tonumber(length)))
  assert(socket:setkeepalive(60000, 2000))
  return cjson.decode(body)
end

return M
