--- Objects of the public API. An object's own table holds the fields that a user reads and nothing else, so that `pairs`,
--- cjson and Penlight's pretty show these alone. Its private record is its metatable: fields whose names begin with "_".
local M = {}

local METAMETHODS = { "__tostring", "__call", "__close", "__gc" }

local function assign(object, name, value)
  if type(name) == "string" and name:sub(1, 1) == "_" then
    getmetatable(object)[name] = value
  else
    rawset(object, name, value)
  end
end

--- Makes an object.
---@param class table its methods and metamethods
---@param fields table what the user reads; it becomes the object
---@param record table its private fields
---@param parent table? the record's metatable; default: a record looks up in the class what it lacks
---@return table object
function M.new(class, fields, record, parent)
  for _, name in ipairs(METAMETHODS) do record[name] = class[name] end
  record.__index, record.__newindex = record, assign
  if not parent then
    parent = class.__record or { class = class, __index = class }
    class.__record = parent
  end
  setmetatable(record, parent)
  return setmetatable(fields, record)
end

--- An object whose class is loaded when the object is first used.
---@param module string its `class` is the object's
---@param record table its private fields
---@return table object
function M.later(module, record)
  local object = {}
  local function load()
    return M.new(require(module).class, object, record)
  end
  return setmetatable(object, {
    __index = function(_, name) return load()[name] end,
    __tostring = function() return tostring(load()) end,
  })
end

--- The metatable of private records, where some fields are made when they are first read: `class.__record`.
---@param class table
---@param made table<string, fun(record: table): any> what makes a field, by its name
---@return table
function M.lazy(class, made)
  return { class = class, __index = function(record, name)
    local make = made[name]
    if not make then return class[name] end
    local value = make(record)
    rawset(record, name, value)
    return value
  end }
end

return M
