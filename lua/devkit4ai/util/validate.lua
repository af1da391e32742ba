--- Argument validation by a schema: a wrong type or an unknown name raises an error at the line of the caller.
local errors = require "devkit4ai.util.errors"

local M = {}

--- Describes a rejected value without showing it: it may be a secret in the wrong place.
---@param value any
---@return string
function M.describe(value)
  return type(value) == "string" and ("a string of %d bytes"):format(#value) or "a " .. type(value)
end

--- Quotes an argument name for a message. Anything that may be a secret is only described.
---@param name any
---@return string
function M.quote_name(name)
  if type(name) == "number" then return ("'%s'"):format(name) end
  if type(name) ~= "string" then return "of type " .. type(name) end
  return #name <= 32 and name:find("^[a-z][a-z_]*$") and ("'%s'"):format(name) or ("of %d bytes"):format(#name)
end

local function names_of(rows)
  local names = {}
  for name in pairs(rows) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, ", ")
end

local function fits(row, value)
  if value == nil then return not row.required end
  local kind = type(value)
  if row.type == kind then return true end -- without an iterator, which would be an allocation in each frame
  for wanted in row.type:gmatch("%a+") do
    if wanted == kind then return true end
  end
  return false
end

local function raise_type(what, row, value)
  errors.raise(("%s: %s expected, got %s"):format(what, row.type, type(value)))
end

--- Raises an error if the value has none of the row's types.
---@param what string name for the message: "client:login: email"
---@param row { type: string, required: boolean? } type: Lua types, separated by "or"
---@param value any
function M.value(what, row, value)
  if not fits(row, value) then raise_type(what, row, value) end
end

local CALL_OPTIONS = { timeout = { type = "number" }, headers = { type = "table" } }
local UPLOAD_OPTIONS = {
  timeout = CALL_OPTIONS.timeout, headers = CALL_OPTIONS.headers, on_upload = { type = "function" },
}

local function check_names(what, rows, given)
  if type(given) ~= "table" then errors.raise(("%s: table expected, got %s"):format(what, type(given))) end
  for name in pairs(given) do
    if not rows[name] then
      errors.raise(("%s: unknown option %s; known are %s"):format(what, M.quote_name(name), names_of(rows)))
    end
  end
end

-- The options as a table: a number is the timeout.
local function as_table(options)
  return type(options) == "number" and { timeout = options } or options
end

-- A new table with the arguments and the options.
local function merge_options(what, rows, given, options)
  local all = {}
  options = as_table(options)
  check_names(what, rows.on_upload and UPLOAD_OPTIONS or CALL_OPTIONS, options)
  for name, value in pairs(given) do all[name] = value end
  for name, value in pairs(options) do all[name] = value end
  return all
end

--- Raises an error if an argument is unknown or has a wrong type.
---@param what string name of the call: "project:generate"
---@param rows table<string, { type: string, required: boolean? }>
---@param given (table|number)? a number is the timeout, if the schema has one
---@param options (devkit4ai.Own|number)? the last argument of the call, after its table
---@return table given an empty table for nil
function M.arguments(what, rows, given, options)
  if rows.timeout then given = as_table(given) end
  if given == nil then given = {} end
  check_names(what, rows, given)
  if options ~= nil then given = merge_options(what, rows, given, options) end
  for name, row in pairs(rows) do
    local value = given[name]
    if (value ~= nil or row.required) and not fits(row, value) then raise_type(what .. ": " .. name, row, value) end
  end
  return given
end

--- The schema of a call whose arguments are a table: adds the options that every call takes.
---@param rows table<string, { type: string, required: boolean? }>
---@return table rows the same table
function M.schema(rows)
  for name, row in pairs(CALL_OPTIONS) do rows[name] = row end
  return rows
end

M.TIMEOUT_MESSAGE = "timeout must be a number of seconds above 0"

--- Whether a number is a valid timeout of a call.
---@param seconds number
---@return boolean
function M.is_valid_timeout(seconds)
  return seconds > 0 and seconds < math.huge
end

---@class devkit4ai.Own options of every call, in its table of arguments or as its last argument; a number there is the timeout
---@field timeout number? seconds for the whole call, with its retries, pauses and token refreshes; generate obeys it too
---@field headers table<string, string>? more headers for the API, in addition to those of the client

---@class devkit4ai.Uploading: devkit4ai.Own options of a call that uploads files
---@field on_upload (fun(sent: integer, total: integer))? called with the bytes every 0.1 s while they go out; the last call has all of them, unless the upload ended early

--- Validates the last argument of a call that takes no table of arguments.
---@param what string name of the call: "client:me"
---@param options (devkit4ai.Own|number)?
---@return table? extra for call.run
function M.call_options(what, options)
  if options == nil then return nil end
  return M.extra_fields(M.arguments(what, CALL_OPTIONS, options))
end

--- The arguments of a call with an optional text: `project:new_key(30)` is `project:new_key(nil, 30)`.
---@param text any
---@param options any
---@return any text
---@return any options
function M.optional_text(text, options)
  local is_options = type(text) == "number" or type(text) == "table" and next(text) ~= nil
  if options == nil and is_options then return nil, text end
  return text, options
end

--- The options of the call among its arguments.
---@param given table
---@return table extra for call.run
function M.extra_fields(given)
  return { total = given.timeout, headers = given.headers }
end

return M
