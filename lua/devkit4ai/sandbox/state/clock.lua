--- The one clock that everything in a sandbox reads: Unix time that no change of the wall clock moves, and that a test
--- can stop and move forward. Calling it gives the time.
local cqueues = require "cqueues"
local dependencies = require "devkit4ai.dependencies"

local M = {}

---@class devkit4ai.sandbox.Clock
---@overload fun(): number Unix time
local Clock = {}
Clock.__index = Clock

function Clock:__call()
  return self.stopped or self.offset + cqueues.monotime()
end

-- The wall clock's time. Plain Lua knows whole seconds alone, by which every time here would be up to a second behind.
local function wall_time()
  local socket = dependencies.optional "socket"
  return socket and socket.gettime() or os.time()
end

---@return devkit4ai.sandbox.Clock
function M.new()
  return setmetatable({ offset = wall_time() - cqueues.monotime() }, Clock)
end

--- Moves the clock forward, also one that stands still.
---@param seconds number 0 or more
function Clock:advance(seconds)
  self.offset = self.offset + seconds
  if self.stopped then self.stopped = self.stopped + seconds end
end

--- Stops the clock, or lets it go on from where it stands.
---@param frozen boolean
function Clock:freeze(frozen)
  local now = self()
  self.stopped = frozen and now or nil
  self.offset = now - cqueues.monotime()
end

--- Whether the clock stands still.
---@return boolean
function Clock:frozen()
  return self.stopped ~= nil
end

return M
