-- copas 1.2 and 4: threads of its loop.
local copas = require "copas"
local socket = require "socket"
local tasks = require "devkit4ai.loop.tasks"

local M = { spawns_in_main = true }

local alive = 0 -- threads that have not ended
local raised -- what one of them raised

--- Runs fn beside the caller.
function M.start(fn)
  alive = alive + 1
  copas.addthread(function()
    copas.setErrorHandler(function(message) raised, alive = message, alive - 1 end)
    fn()
    alive = alive - 1
  end)
end

--- Runs fn in a thread of the host, until nothing is left, or is_over is true after a step. Raises what a thread raised.
---@param fn function? nil: goes on with what is left
---@param is_over (fun(): boolean)?
function M.run(fn, is_over)
  if fn then M.start(fn) end
  while not raised and (alive > 0 or tasks.count() > 0) and not (is_over and is_over()) do copas.step() end
  local message = raised
  raised = nil
  if message then error(message, 0) end
end

local descriptor = assert(socket.bind("127.0.0.1", 0)) -- any that is open

-- An object that copas finds readable in the next turn of its loop.
local function new_turn()
  local turn, has_waited = {}, false
  function turn.getfd() return descriptor:getfd() end
  function turn.dirty() return true end
  function turn.receive()
    if has_waited then return true end
    has_waited = true
    return nil, "timeout"
  end
  function turn.close() end
  return turn
end

-- copas 1.2 has no timers: a turn of the loop after another.
local function pause_in_turns(seconds)
  local due = socket.gettime() + seconds
  repeat copas.receive(new_turn()) until socket.gettime() >= due
end

M.pause = copas.pause or pause_in_turns

return M
