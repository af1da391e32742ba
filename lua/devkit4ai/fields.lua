--- Fields of an object that hold an object of another class, whose file is loaded when it is first used: who does without pays
--- next to nothing.
local M = {}

-- Becomes the other class at the first use.
local function become(module, part)
  return setmetatable(part, require(module).class)
end

--- The object in such a field.
---@param module string whose `class` it is of
---@param part table its fields
---@return table part
function M.later(module, part)
  return setmetatable(part, {
    __index = function(self, name) return become(module, self)[name] end,
    __tostring = function(self) return tostring(become(module, self)) end,
  })
end

--- An __index for a class whose objects get such fields when they are first asked for.
---@param class table the methods
---@param made table<string, fun(object: table): any> what makes a field, by its name
---@return fun(object: table, name: string): any
function M.index(class, made)
  return function(object, name)
    local make = made[name]
    if not make then return class[name] end
    local value = make(object)
    rawset(object, name, value)
    return value
  end
end

return M
