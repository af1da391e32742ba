--- Modules that are loaded at their first use: a script's first call loads what it needs, and no more (bench/run R5).
--- After it, `load_all` loads the others: a failure must be reported also when the process can't open another file.
local M = {}

local waiting = {} -- { name, metatable } of each module that is not loaded yet

--- A table in place of a module. The module is loaded when a field is first read.
---@param name string of the module
---@return table
function M.module(name)
  local metatable = {}
  function metatable.__index(_, field)
    metatable.__index = require(name)
    return metatable.__index[field]
  end
  waiting[#waiting + 1] = { name = name, metatable = metatable }
  return setmetatable({}, metatable)
end

--- Loads every module that was named so far. One that can't be found now is tried again at its first use. Raises any other
--- error, such as that of Ctrl-C.
function M.load_all()
  while waiting[1] do
    local entry = table.remove(waiting)
    local loaded, value = pcall(require, entry.name)
    if loaded then entry.metatable.__index = value
    elseif type(value) ~= "string" or not value:find(" not found:", 1, true) then error(value, 0) end
  end
end

return M
