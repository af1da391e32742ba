--- A listening socket on 127.0.0.1 and the life of each connection, over cqueues.
local cqueues = require "cqueues"
local resume = require("cqueues.auxlib").resume -- passes what cqueues yields on to the queue
local errno = require "cqueues.errno"
local socket = require "cqueues.socket"
local delivery = require "devkit4ai.sandbox.http.response_writer"
local errors = require "devkit4ai.sandbox.api.errors"
local http = require "devkit4ai.sandbox.http.request_reader"

local M = {}

---@class devkit4ai.sandbox.Program  what a port does
---@field clock fun(): number  Unix time, for the Date header
---@field admits fun(self: table): boolean  whether a new connection may stay
---@field answer fun(self: table, request: devkit4ai.sandbox.Request): devkit4ai.sandbox.Answer, devkit4ai.sandbox.Fault?
---@field sent fun(self: table, request: devkit4ai.sandbox.Request, answer: devkit4ai.sandbox.Answer, bytes: integer)

M.HOST = "127.0.0.1" -- never another: the sandbox is for the machine it runs on
local TURN = 1024 * 1024 -- bytes that one connection may bring before the others get their turn
local LINGER = 2 -- seconds given to a peer that still sends after its answer

local EAGAIN, EADDRINUSE, EACCES = errno.EAGAIN, errno.EADDRINUSE, errno.EACCES

-- The next bytes, nil at the end. A peer that never pauses must not hold up the others.
local function receiver(connection)
  local taken = 0 -- without a pause
  return function()
    while true do
      local bytes, why = connection:recv(-65536)
      if bytes then
        taken = taken + #bytes
        if taken >= TURN then
          taken = 0
          cqueues.sleep(0)
        end
        return bytes
      end
      if why ~= EAGAIN then return nil end
      taken = 0
      cqueues.poll(connection)
    end
  end
end

-- Closing while bytes lie unread resets the connection, and the peer may lose its answer: read on for a while.
local function linger(connection)
  connection:shutdown("w")
  local deadline = cqueues.monotime() + LINGER
  while true do
    local bytes, why = connection:recv(-65536)
    if not bytes and why ~= EAGAIN then return end
    local left = deadline - cqueues.monotime()
    if left <= 0 then return end
    if bytes then cqueues.sleep(0) -- a peer that never pauses must not hold up the others
    else cqueues.poll(connection, left) end
  end
end

-- Sends the answer to a request and tells the program of it. Gives whether the connection is still good, and whether
-- it is to be kept.
local function deliver(connection, program, request)
  local answer, fault = program:answer(request)
  local keep = request:drain(delivery.BODY_LIMIT) and request.keep_alive
  local bytes = http.answer(answer, program.clock(), keep, request.method == "HEAD")
  local open, sent
  if fault then open, sent = delivery.spoiled(connection, bytes, fault)
  else open, sent = delivery.send(connection, bytes) end
  program:sent(request, answer, sent)
  return open, keep
end

-- The requests of a connection, one after another. Returns when it is to be closed.
local function converse(connection, program)
  if not program:admits() then
    cqueues.poll({ pollfd = connection:pollfd(), events = "r" }, LINGER) -- closing resets it while bytes lie unread
    return
  end
  local _, peer = connection:peername()
  local reader = http.reader(receiver(connection), function(bytes) return delivery.send(connection, bytes) end)
  while true do
    local request, status, reason = reader:head()
    if not request then
      if status then
        delivery.send(connection, http.answer(errors.answer(status, reason), program.clock(), false))
        linger(connection)
      end
      return
    end
    request.peer = peer
    local open, keep = deliver(connection, program, request)
    if not open then return end
    if not keep then return linger(connection) end
  end
end

-- A mistake in the program costs its own connection and nothing else. (A coroutine, not pcall, which plain Lua 5.1
-- cannot yield across.)
local function serve(connection, program)
  connection:setmode("b", "bn")
  connection:onerror(function(_, _, why) return why end)
  local conversation = coroutine.create(converse)
  local ok, err = resume(conversation, connection, program)
  if not ok then
    io.stderr:write("devkit4ai sandbox: ", debug.traceback(conversation, tostring(err)), "\n")
    delivery.send(connection, http.answer(errors.of("crashed"), program.clock(), false))
    linger(connection)
  end
  connection:close()
end

--- Listens. Port 0 takes any free one.
---@param port integer
---@return table? listener
---@return integer|string port_or_reason the port, or why not
function M.listen(port)
  local listener = socket.listen { host = M.HOST, port = port, nodelay = true }
  listener:onerror(function(_, _, why) return why end)
  local ok, why = listener:listen()
  if not ok then
    if why == EADDRINUSE then return nil, ("port %d is in use"):format(port) end
    if why == EACCES then return nil, ("port %d is not allowed here: take one above 1023"):format(port) end
    return nil, ("cannot listen on port %d: %s"):format(port, errno.strerror(why))
  end
  local _, _, bound = listener:localname()
  return listener, bound
end

--- Serves every connection to a listener, for as long as the queue runs.
---@param queue table a cqueue
---@param listener table
---@param program devkit4ai.sandbox.Program
function M.serve(queue, listener, program)
  queue:wrap(function()
    while true do
      local connection = listener:accept()
      if connection then queue:wrap(serve, connection, program)
      else cqueues.sleep(0.1) end -- out of descriptors: others have to close first
    end
  end)
end

return M
