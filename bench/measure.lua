--- Measurements that a Lua process makes of itself. bench/peers/raw_libcurl.c prints the same.
local M = {}

--- Prints microseconds of CPU for each of `count` items, for all threads.
---@param count integer
---@param work fun(count: integer) handles that many items
function M.cpu(count, work)
  local start = os.clock()
  work(count)
  print(string.format("%.3f", (os.clock() - start) / count * 1e6))
end

--- Prints microseconds of CPU a call.
---@param call fun() makes one call and fails if its answer is not the expected one
---@param count integer calls that are measured
---@param warm integer calls made before
function M.calls(call, count, warm)
  for _ = 1, warm do call() end
  M.cpu(count, function()
    for _ = 1, count do call() end
  end)
end

--- KiB of this process: VmRSS what is resident, VmHWM its peak.
---@param field string
function M.memory(field)
  for line in io.lines("/proc/self/status") do
    local kib = line:match("^" .. field .. ":%s*(%d+)")
    if kib then return tonumber(kib) end
  end
end

local function collect()
  collectgarbage()
  collectgarbage()
end

local HELD = { -- bytes
  resident = function() return M.memory "VmRSS" * 1024 end,
  heap = function() return collectgarbage("count") * 1024 end,
}

M.FLIGHT = 0.5 -- seconds in which all requests of a flight are on their way

--- Prints the bytes of memory that each of `count` items holds when work is done.
---@param count integer
---@param work fun(list: any[]) makes them, and puts them into a list that has the room
---@param where "resident"|"heap"|nil of the process's memory (the default), or of Lua's own alone
function M.bytes(count, work, where)
  local held, list = HELD[where or "resident"], {}
  for i = 1, count do list[i] = false end
  collect()
  local before = held()
  work(list)
  collect()
  print(string.format("%.0f", (held() - before) / #list))
end

--- Prints milliseconds of CPU of one call and KiB of its peak above what was resident before it.
---@param call fun()
function M.peak(call)
  local idle, start = M.memory("VmRSS"), os.clock()
  call()
  local used = os.clock() - start
  print(string.format("%.3f %d", used * 1e3, M.memory("VmHWM") - idle))
end

return M
