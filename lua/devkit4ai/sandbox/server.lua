--- A listening socket on 127.0.0.1 and the life of each connection, over cqueues.
local cqueues = require "cqueues"
local resume = require("cqueues.auxlib").resume -- passes what cqueues yields on to the queue
local errno = require "cqueues.errno"
local socket = require "cqueues.socket"
local errors = require "devkit4ai.sandbox.errors"
local http = require "devkit4ai.sandbox.http"

local M = {}

M.HOST = "127.0.0.1" -- never another: the sandbox is for the machine it runs on
local BODY_LIMIT = 60 * 1024 * 1024 -- bytes read away of a body that nobody wanted
local LINGER = 2 -- seconds given to a peer that still sends after its answer

local EAGAIN, EADDRINUSE, EACCES = errno.EAGAIN, errno.EADDRINUSE, errno.EACCES

local function receive(connection)
  while true do
    local bytes, why = connection:recv(-65536)
    if bytes then return bytes end
    if why ~= EAGAIN then return nil end
    cqueues.poll(connection)
  end
end

local function send(connection, bytes)
  local from = 1
  while true do
    local sent, why = connection:send(bytes, from, #bytes, "bn")
    from = from + sent
    if from > #bytes then return true end
    if why ~= EAGAIN then return false end
    cqueues.poll(connection)
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

-- The requests of a connection, one after another. Returns when it is to be closed.
local function converse(connection, program)
  local reader = http.reader(function() return receive(connection) end,
    function(bytes) return send(connection, bytes) end)
  while true do
    local request, status, reason = reader:head()
    if not request then
      if status then
        send(connection, http.answer(errors.answer(status, reason), false))
        linger(connection)
      end
      return
    end
    local answer = program(request)
    local keep = request:drain(BODY_LIMIT) and request.keep_alive
    if not send(connection, http.answer(answer, keep, request.method == "HEAD")) then return end
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
    send(connection, http.answer(errors.of("crashed"), false))
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
---@param program fun(request: devkit4ai.sandbox.Request): devkit4ai.sandbox.Answer
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
