--- Modules that are loaded at their first use: a script's first call loads what it needs, and no more (bench/run R5).
--- After it, `load_all` loads the others: a failure must be reported also when the process can't open another file.
local dependencies = "devkit4ai.util.dependencies"

local M = {}

local waiting = {} -- names of modules that are not loaded yet

--- A table in place of a module. It loads the module when a function is first read from it.
---@param name string of the module
---@return table
function M.module(name)
  waiting[#waiting + 1] = name
  return setmetatable({}, { __index = function(module, key)
    local value = require(name)[key]
    module[key] = value
    return value
  end })
end

--- Loads every module that was named so far. One that can't be loaded now is tried again at its first use.
function M.load_all()
  while waiting[1] do require(dependencies).optional(table.remove(waiting)) end
end

return M
