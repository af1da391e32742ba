--- What the Lua peers of a benchmark measure of themselves, in every Lua, as bench/twin.c does.
local M = {}

--- Prints microseconds of CPU a call, all threads counted.
---@param call fun() makes one call and fails if its answer is not the expected one
---@param count integer calls that are measured
---@param warm integer calls made before
function M.calls(call, count, warm)
  for _ = 1, warm do call() end
  local start = os.clock()
  for _ = 1, count do call() end
  print(string.format("%.3f", (os.clock() - start) / count * 1e6))
end

local function memory(field)  -- KiB
  for line in io.lines("/proc/self/status") do
    local kib = line:match("^" .. field .. ":%s*(%d+)")
    if kib then return tonumber(kib) end
  end
end

--- Prints milliseconds of CPU of one call and KiB of its peak above what was resident before it.
---@param call fun()
function M.peak(call)
  local idle, start = memory("VmRSS"), os.clock()
  call()
  local used = os.clock() - start
  print(string.format("%.3f %d", used * 1e3, memory("VmHWM") - idle))
end

return M
