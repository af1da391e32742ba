--- Objects of the public API. The object's table has only the public fields, so `pairs`, cjson and Penlight's pretty show
--- nothing else. Its metatable, the record, has the private fields: names that begin with "_".
local M = {}

local METAMETHODS = { "__tostring", "__call", "__close", "__gc" }

local function assign(object, name, value)
  if type(name) == "string" and name:sub(1, 1) == "_" then
    getmetatable(object)[name] = value
  else
    rawset(object, name, value)
  end
end

--- Creates an object.
---@param class table methods and metamethods
---@param fields table public fields; this table becomes the object
---@param record table private fields
---@param parent table? metatable of the record; default: a missing field is looked up in the class
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

--- Creates an object whose class is loaded at its first use.
---@param module string has the class in its field `class`
---@param record table private fields
---@return table object
function M.deferred(module, record)
  local object = {}
  local function load()
    return M.new(require(module).class, object, record)
  end
  return setmetatable(object, {
    __index = function(_, name) return load()[name] end,
    __tostring = function() return tostring(load()) end,
  })
end

--- The metatable of records with lazy fields, which are created when they are first read: `class.__record`.
---@param class table
---@param makers table<string, fun(record: table): any> field name -> function that creates the field
---@return table
function M.lazy_fields(class, makers)
  return { class = class, __index = function(record, name)
    local make = makers[name]
    if not make then return class[name] end
    local value = make(record)
    rawset(record, name, value)
    return value
  end }
end

return M
