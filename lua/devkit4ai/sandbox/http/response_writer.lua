--- Response writer: sends responses to a connection, as they are or with a fault.
local cqueues = require "cqueues"
local dependencies = require "devkit4ai.util.dependencies"
local errno = require "cqueues.errno"

local M = {}

local SLOW_INTERVAL = 0.05 -- seconds between two pieces of a slow body

local EAGAIN = errno.EAGAIN

--- Sends bytes.
---@param connection table
---@param bytes string
---@return boolean complete
---@return integer sent bytes
function M.send(connection, bytes)
  local from, incomplete = 1, false
  while from <= #bytes do
    local sent, why = connection:send(bytes, from, #bytes, "bn")
    from, incomplete = from + sent, why ~= nil
    if why and why ~= EAGAIN then return false, from - 1 end
    if from <= #bytes then cqueues.poll(connection) end
  end
  -- send also counts bytes that it keeps in its own buffer while the system accepts no more
  return not incomplete or connection:flush() == true, #bytes
end

-- After this, close() resets the connection. cqueues can't set SO_LINGER; LuaSocket can, on the same descriptor.
local function reset_at_close(connection)
  local tcp = require("socket").tcp()
  tcp:setfd(connection:pollfd())
  tcp:setoption("linger", { on = true, timeout = 0 })
  tcp:setfd(-1)
end

--- Why this machine can't reset connections.
---@return string? message nil: it can
function M.reset_unavailable()
  return dependencies.missing_message("reset", { "socket" })
end

-- Sends the head at once, and the body at a rate in bytes a second.
local function send_slowly(connection, bytes, head_length, rate)
  local size = math.max(1, math.floor(rate * SLOW_INTERVAL))
  local complete, count = M.send(connection, bytes:sub(1, head_length))
  local total = count
  while complete and total < #bytes do
    cqueues.sleep(size / rate)
    complete, count = M.send(connection, bytes:sub(total + 1, total + size))
    total = total + count
  end
  return complete, total
end

-- Sends nothing, or half of the body; the connection is to be closed then.
local function send_cut(connection, bytes, head_length, fault)
  local sent = 0
  if fault.cut == "during" then
    local half = head_length < #bytes and head_length + math.floor((#bytes - head_length) / 2)
      or math.floor(head_length / 2)
    sent = select(2, M.send(connection, bytes:sub(1, half)))
  end
  if fault.reset then reset_at_close(connection) end
  return false, sent
end

--- Sends a response with the delay, cut, slowness or length of a fault.
---@param connection table
---@param bytes string
---@param fault devkit4ai.sandbox.Fault
---@return boolean open false: close the connection at once
---@return integer sent bytes
function M.send_with_fault(connection, bytes, fault)
  if fault.delay then cqueues.sleep(fault.delay) end
  local head_length = select(2, bytes:find("\r\n\r\n", 1, true))
  if fault.cut then return send_cut(connection, bytes, head_length, fault) end
  local complete, sent
  if fault.slow then complete, sent = send_slowly(connection, bytes, head_length, fault.slow)
  else complete, sent = M.send(connection, bytes) end
  return complete and (fault.length or 0) <= 0, sent -- the client waits for promised bytes until the connection ends
end

return M
