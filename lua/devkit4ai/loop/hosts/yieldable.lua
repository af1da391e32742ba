--- Whether a coroutine can be suspended where it runs now. It is asked before anything is sent: without its waiter, a response
--- would be lost.
local M = {}

local isyieldable = coroutine.isyieldable
local debug = rawget(_G, "debug")
local getinfo = debug and debug.getinfo
local plain_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")
-- C functions that a yield can cross; none in Lua 5.1.
local CROSSED = plain_51 and {} or { [pcall] = true, [xpcall] = true, [dofile or pcall] = true }

--- Lua 5.1 and 5.2 alone, and where Lua has its debug library: the function between a coroutine and its wait that can't yield.
--- In Lua 5.2 a finalizer is not found.
---@param where string what the coroutine is, for the message
---@return string? why the coroutine can't wait; nil: nothing was found
function M.barrier(where)
  if not getinfo then return nil end
  local level = 2
  local info = getinfo(level, "Snf")
  while info do
    if plain_51 and info.name == "(for generator)" then
      return ("Lua 5.1 can't wait in a for loop's iterator inside %s: call it in a while loop, as with pages:next()"):format(where)
    elseif info.what == "C" and not CROSSED[info.func] then
      return ("%s can't wait inside %s in %s: call it directly; a failure comes back as nil, message, err")
        :format(_VERSION, info.name or "a C function", where)
    end
    level = level + 1
    info = getinfo(level, "Snf")
  end
end

--- Whether the running coroutine can yield, by whomever it was resumed.
---@return boolean? can
---@return string? why not
function M.check()
  if not isyieldable then
    local why = M.barrier "a coroutine"
    return not why or nil, why
  elseif isyieldable() then
    return true
  end
  return nil, "a coroutine can't wait inside a finalizer or a function that Lua's C code calls (a sort, a gsub)"
end

return M
