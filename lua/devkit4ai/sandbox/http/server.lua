--- HTTP server: listens on 127.0.0.1 and serves each connection in a coroutine of cqueues.
local cqueues = require "cqueues"
local resume = require("cqueues.auxlib").resume -- passes the yields of cqueues on to the queue
local errno = require "cqueues.errno"
local socket = require "cqueues.socket"
local request_reader = require "devkit4ai.sandbox.http.request_reader"
local responses = require "devkit4ai.sandbox.http.response"
local response_writer = require "devkit4ai.sandbox.http.response_writer"

local M = {}

---@class devkit4ai.sandbox.Handler the program of a port
---@field now fun(): number  Unix time, for the Date header
---@field accepts_connection fun(self: table): boolean  false: the connection is reset
---@field handle fun(self: table, request: devkit4ai.sandbox.Request): devkit4ai.sandbox.Response, devkit4ai.sandbox.Fault?, devkit4ai.sandbox.JournalEntry?
---@field log_response fun(self: table, entry: devkit4ai.sandbox.JournalEntry?, response: devkit4ai.sandbox.Response, bytes: integer)

M.HOST = "127.0.0.1" -- always: the sandbox serves its own machine only
local BYTES_PER_TURN = 1024 * 1024 -- that one connection may receive before the others get a turn
local LINGER = 2 -- seconds that a client gets to read the last response

local EAGAIN, EADDRINUSE, EACCES = errno.EAGAIN, errno.EADDRINUSE, errno.EACCES

-- A function that gives the next bytes of a connection, nil at the end. A busy client does not block the others.
local function receiver(connection)
  local received = 0 -- since the last pause
  return function()
    while true do
      local bytes, why = connection:recv(-65536)
      if bytes then
        received = received + #bytes
        if received >= BYTES_PER_TURN then
          received = 0
          cqueues.sleep(0)
        end
        return bytes
      end
      if why ~= EAGAIN then return nil end
      received = 0
      cqueues.poll(connection)
    end
  end
end

-- Closing a connection with unread bytes resets it, and the client may lose its response. So this reads on for a while.
local function lingering_close(connection)
  connection:shutdown("w")
  local deadline = cqueues.monotime() + LINGER
  while true do
    local bytes, why = connection:recv(-65536)
    if not bytes and why ~= EAGAIN then return end
    local left = deadline - cqueues.monotime()
    if left <= 0 then return end
    if bytes then cqueues.sleep(0) -- a busy client does not block the others
    else cqueues.poll(connection, left) end
  end
end

-- Handles a request and sends the response. Tells whether the connection still works, and whether it stays open.
local function serve_request(connection, handler, request)
  local response, fault, entry = handler:handle(request)
  local keep_alive = request:drain() and request.keep_alive
  local bytes = responses.serialize(response, handler.now(), keep_alive, request.method == "HEAD")
  local works, sent
  if fault then works, sent = response_writer.send_with_fault(connection, bytes, fault)
  else works, sent = response_writer.send(connection, bytes) end
  handler:log_response(entry, response, sent)
  return works, keep_alive
end

-- Sends a last response and closes the sending side.
local function send_last(connection, handler, response)
  response_writer.send(connection, responses.serialize(response, handler.now(), false))
  lingering_close(connection)
end

-- Serves the requests of a connection one after another. Returns when the connection is to be closed.
local function serve_requests(connection, handler)
  if not handler:accepts_connection() then
    -- waits for the request: closing a connection with unread bytes resets it
    cqueues.poll({ pollfd = connection:pollfd(), events = "r" }, LINGER)
    return
  end
  local _, peer = connection:peername()
  local reader = request_reader.new(receiver(connection), function(bytes)
    return response_writer.send(connection, bytes)
  end, peer)
  while true do
    local request, status, reason = reader:read_request()
    if not request then
      if status then send_last(connection, handler, responses.detail(status, reason)) end
      return
    end
    local works, keep_alive = serve_request(connection, handler, request)
    if not works then return end
    if not keep_alive then return lingering_close(connection) end
  end
end

-- Serves a connection and closes it. An error in the code ends this connection only.
local function serve_connection(connection, handler)
  connection:setmode("b", "bn")
  connection:onerror(function(_, _, why) return why end)
  local thread = coroutine.create(serve_requests) -- not pcall, which plain Lua 5.1 can't yield across
  local ok, err = resume(thread, connection, handler)
  if not ok then
    io.stderr:write("devkit4ai sandbox: ", debug.traceback(thread, tostring(err)), "\n")
    send_last(connection, handler, responses.detail(500, "Internal Server Error"))
  end
  connection:close()
end

--- Listens on a port.
---@param port integer 0: any free one
---@return table? listener
---@return integer|string port_or_reason
function M.listen(port)
  local listener = socket.listen { host = M.HOST, port = port, nodelay = true }
  listener:onerror(function(_, _, why) return why end)
  local ok, why = listener:listen()
  if not ok then
    if why == EADDRINUSE then return nil, ("port %d is in use"):format(port) end
    if why == EACCES then return nil, ("port %d needs root rights: use a port above 1023"):format(port) end
    return nil, ("cannot listen on port %d: %s"):format(port, errno.strerror(why))
  end
  local _, _, bound = listener:localname()
  return listener, bound
end

--- Serves every connection to a listener while the queue runs.
---@param queue table a cqueue
---@param listener table
---@param handler devkit4ai.sandbox.Handler
function M.serve(queue, listener, handler)
  queue:wrap(function()
    while true do
      local connection = listener:accept()
      if connection then queue:wrap(serve_connection, connection, handler)
      else cqueues.sleep(0.1) end -- no file descriptor is free: wait until another connection closes
    end
  end)
end

return M
