--- A time limit that several requests share.
local core = require "devkit4ai.core"

local M = {}

local LEAST = 1 / 1000 -- seconds; 0 would be refused as an argument, and this little runs into the request's own limit

--- Starts a time limit.
---@param seconds number? nil: no limit
---@return fun(): number? remaining the seconds that are left, 1 ms at least; nil: no limit
function M.start(seconds)
  local started = core.now()
  return function()
    return seconds and math.max(LEAST, seconds - (core.now() - started))
  end
end

return M
