--- Objects of the public API. An object's own table holds only the fields that a user reads, so `pairs`, cjson and
--- Penlight's pretty show nothing else. Its private record is its metatable, with fields whose names begin with "_".
local M = {}

local METAMETHODS = { "__tostring", "__call", "__close", "__gc" }

-- An object's __newindex: a private field goes to the record.
local function assign(object, name, value)
  if type(name) == "string" and name:sub(1, 1) == "_" then
    getmetatable(object)[name] = value
  else
    rawset(object, name, value)
  end
end

--- The metatable of the private records of a class.
---@param class table its methods: a record looks up here what it lacks
---@param lazy table<string, fun(record: table): any>? creates a field of a record when the field is first read
---@return table
function M.record_metatable(class, lazy)
  if not lazy then return { class = class, __index = class } end
  return { class = class, __index = function(record, name)
    local create = lazy[name]
    if not create then return class[name] end
    local value = create(record)
    rawset(record, name, value)
    return value
  end }
end

--- Creates an object.
---@param class table its methods and metamethods; `__lazy`: see record_metatable
---@param fields table what the user reads; it becomes the object
---@param record table its private fields
---@param metatable table? the record's; default: one for all records of the class
---@return table object
function M.new(class, fields, record, metatable)
  for _, name in ipairs(METAMETHODS) do
    if class[name] then record[name] = class[name] end
  end
  record.__index, record.__newindex = record, assign
  if not metatable then
    metatable = class.__record or M.record_metatable(class, class.__lazy)
    class.__record = metatable
  end
  setmetatable(record, metatable)
  return setmetatable(fields, record)
end

return M
