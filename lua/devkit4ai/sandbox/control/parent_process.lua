--- Watchdog of the parent process: ends the sandbox when the program that started it has ended.
local cqueues = require "cqueues"

local M = {}

local INTERVAL = 0.2 -- seconds between two checks

--- Waits until a process has ended, then ends this one. Returns at once where /proc does not exist.
---@param pid string
function M.watch(pid)
  local file = io.open(("/proc/%s/stat"):format(pid)) -- stays open, so it never shows a later process of this number
  if not file and io.open("/proc/self/stat") then os.exit(0) end -- the process has ended already
  if not file then return end
  file:setvbuf("no")
  repeat
    cqueues.sleep(INTERVAL)
    file:seek("set")
    local state = (file:read(1024) or ""):match(".*%) (%a)")
  until not state or state == "Z"
  os.exit(0)
end

return M
