--- Whether a coroutine can yield where it is: not in a function that Lua's C code calls, such as a sort.
local M = {}

local isyieldable, debug = coroutine.isyieldable, rawget(_G, "debug")
local getinfo = debug and debug.getinfo
local plain_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")
-- C functions that a yield can cross; an engine may have removed the last one.
local CROSSED = plain_51 and {} or { [pcall] = true, [xpcall] = true, [rawget(_G, "dofile") or pcall] = true }
local ASKED = plain_51 and "nl" or "fl" -- the rest costs more; from Lua 5.2 on, an iterator of `for` can wait

local function describe(info)
  if info.name == "(for generator)" then
    return "Lua 5.1 can't wait in a for loop's iterator inside a task: call it in a while loop, as with pages:next()"
  end
  return ("%s can't wait inside %s in a task: call it directly; a failure comes back as nil, message, err")
    :format(_VERSION, info.name or "a C function")
end

--- The function between the base of the running coroutine and the caller that can't yield.
---@param level integer of the caller's stack: 1 is the caller
---@return string? message nil: there is none, or the program has no library `debug`
function M.barrier(level)
  local info = getinfo and getinfo(level + 1, ASKED)
  while info do
    if info.name == "(for generator)" then return describe(info) end
    if info.currentline < 0 and not CROSSED[info.func or 0] then -- no line of Lua: a function in C, unless its lines were stripped
      info = getinfo(level + 1, "Sn")
      if info.what == "C" then return describe(info) end
    end
    level = level + 1
    info = getinfo(level + 1, ASKED)
  end
end

--- Whether the running coroutine can yield.
---@return boolean? can nil: it can't
---@return string? why not
function M.check()
  if not isyieldable then -- Lua 5.1 and 5.2
    local why = M.barrier(2)
    if why then return nil, why end
    return true
  end
  if isyieldable() then return true end
  return nil, "a task can't wait inside a finalizer or a function that Lua's C code calls (a sort, a gsub)"
end

return M
