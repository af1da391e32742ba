--- The sandbox's clock: Unix time that a test can stop and move forward. Changes of the machine's time do not move it while
--- the sandbox runs.
local cqueues = require "cqueues"
local dependencies = require "devkit4ai.util.dependencies"

local M = {}

---@class devkit4ai.sandbox.Clock
---@field now fun(): number  Unix time
---@field private _offset number  from the monotonic clock to Unix time
---@field private _stopped_at number?  Unix time
---@field private _records devkit4ai.sandbox.Records
---@field private _record { ahead: number, stopped_at: number? }  ahead: seconds from the machine's time
local Clock = {}
Clock.__index = Clock

-- The machine's time. Plain Lua has whole seconds only, which would put every time up to a second behind.
local function wall_time()
  local socket = dependencies.optional "socket"
  return socket and socket.gettime() or os.time()
end

---@param records devkit4ai.sandbox.Records
---@return devkit4ai.sandbox.Clock
function M.new(records)
  local record = records:find("sandbox", "clock") or { ahead = 0 }
  local self = setmetatable({
    _offset = wall_time() + record.ahead - cqueues.monotime(), _stopped_at = record.stopped_at, _records = records,
    _record = record,
  }, Clock)
  self.now = function() return self._stopped_at or self._offset + cqueues.monotime() end
  return self
end

function Clock:_keep()
  self._record.ahead = self._offset + cqueues.monotime() - wall_time()
  self._record.stopped_at = self._stopped_at
  self._records:put("sandbox", "clock", self._record)
end

--- Moves the clock forward, also when it is stopped.
---@param seconds number 0 or more
function Clock:advance(seconds)
  self._offset = self._offset + seconds
  if self._stopped_at then self._stopped_at = self._stopped_at + seconds end
  self:_keep()
end

--- Stops the clock, or lets it continue from where it stopped.
---@param frozen boolean
function Clock:set_frozen(frozen)
  local now = self.now()
  self._stopped_at = frozen and now or nil
  self._offset = now - cqueues.monotime()
  self:_keep()
end

--- Tells whether the clock is stopped.
---@return boolean
function Clock:is_frozen()
  return self._stopped_at ~= nil
end

return M
