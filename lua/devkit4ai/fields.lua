--- Fields of an object that are made when they are first asked for: who does not use them pays nothing.
local M = {}

--- An __index for a class with such fields.
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
