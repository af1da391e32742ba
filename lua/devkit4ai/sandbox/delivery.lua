--- An answer's way onto the wire, straight or as a fault has it.
local cqueues = require "cqueues"
local dependencies = require "devkit4ai.util.dependencies"
local errno = require "cqueues.errno"

local M = {}

M.BODY_LIMIT = 60 * 1024 * 1024 -- bytes read away of a body that nobody wanted
local PACE = 0.05 -- seconds between two pieces of a slow body

local EAGAIN = errno.EAGAIN

--- Sends bytes.
---@param connection table
---@param bytes string
---@return boolean whole
---@return integer sent bytes
function M.send(connection, bytes)
  local from, held = 1, false
  while from <= #bytes do
    local sent, why = connection:send(bytes, from, #bytes, "bn")
    from, held = from + sent, why ~= nil
    if why and why ~= EAGAIN then return false, from - 1 end
    if from <= #bytes then cqueues.poll(connection) end
  end
  -- send also counts the bytes that it holds back in its own buffer while the system takes no more
  return not held or connection:flush() == true, #bytes
end

-- From here on closing the connection resets it. cqueues can't set SO_LINGER, LuaSocket can: on a descriptor lent to it.
local function arm_reset(connection)
  local tcp = require("socket").tcp()
  tcp:setfd(connection:pollfd())
  tcp:setoption("linger", { on = true, timeout = 0 })
  tcp:setfd(-1)
end

--- Why this machine can't reset connections, or nil.
---@return string?
function M.cannot_reset()
  return dependencies.missing_message("reset", { "socket" })
end

-- The head at once, the body at a pace.
local function trickle(connection, bytes, head, rate)
  local piece = math.max(1, math.floor(rate * PACE))
  local whole, count = M.send(connection, bytes:sub(1, head))
  local total = count
  while whole and total < #bytes do
    cqueues.sleep(piece / rate)
    whole, count = M.send(connection, bytes:sub(total + 1, total + piece))
    total = total + count
  end
  return whole, total
end

--- Sends an answer as a fault has it.
---@param connection table
---@param bytes string
---@param fault devkit4ai.sandbox.Fault
---@return boolean open whether the connection can go on; if not, it is to be closed at once
---@return integer sent bytes
function M.spoiled(connection, bytes, fault)
  if fault.delay then cqueues.sleep(fault.delay) end
  local head = select(2, bytes:find("\r\n\r\n", 1, true))
  if fault.cut then
    local sent = 0
    if fault.cut == "during" then
      local half = head < #bytes and head + math.floor((#bytes - head) / 2) or math.floor(head / 2)
      sent = select(2, M.send(connection, bytes:sub(1, half)))
    end
    if fault.reset then arm_reset(connection) end
    return false, sent
  end
  local whole, sent
  if fault.slow then whole, sent = trickle(connection, bytes, head, fault.slow)
  else whole, sent = M.send(connection, bytes) end
  return whole and (fault.length or 0) <= 0, sent -- bytes that were promised and never come: the connection ends
end

return M
