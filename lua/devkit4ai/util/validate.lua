--- Tables of arguments, held against rows: a wrong type or an unknown name raises at the caller's line.
local errors = require "devkit4ai.util.errors"

local M = {}

--- What a refused value is, without showing it: it may be a key in the wrong place.
---@param value any
---@return string
function M.kind(value)
  return type(value) == "string" and ("a text of %d bytes"):format(#value) or "a " .. type(value)
end

--- A name that a message may show: a key or a password in its place does not look like one.
---@param name any
---@return string
function M.shown(name)
  if type(name) == "number" then return ("'%s'"):format(name) end
  if type(name) ~= "string" then return "of type " .. type(name) end
  return #name <= 32 and name:find("^[a-z][a-z_]*$") and ("'%s'"):format(name) or ("of %d bytes"):format(#name)
end

local function known(rows)
  local names = {}
  for name in pairs(rows) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, ", ")
end

local function fits(row, value)
  local kind = type(value)
  for wanted in row.type:gmatch("%a+") do
    if wanted == kind then return true end
  end
  return value == nil and not row.required
end

--- Raises unless value has one of the row's types.
---@param what string how the user knows it: "client:login: email"
---@param row { type: string, required: boolean? } type: Lua types with "or" between them
---@param value any
function M.value(what, row, value)
  if not fits(row, value) then errors.raise(("%s: %s expected, got %s"):format(what, row.type, type(value))) end
end

local OWN = { timeout = { type = "number" }, headers = { type = "table" } }
local UPLOADING = { timeout = OWN.timeout, headers = OWN.headers, on_upload = { type = "function" } }

local function check_names(what, rows, given)
  if type(given) ~= "table" then errors.raise(("%s: table expected, got %s"):format(what, type(given))) end
  for name in pairs(given) do
    if not rows[name] then
      errors.raise(("%s: unknown option %s; known are %s"):format(what, M.shown(name), known(rows)))
    end
  end
end

-- The options of a call in its last argument, which may be the timeout alone.
local function as_table(options)
  return type(options) == "number" and { timeout = options } or options
end

-- The arguments with the options of the last argument, in a new table.
local function with_options(what, rows, given, options)
  local all = {}
  options = as_table(options)
  check_names(what, rows.on_upload and UPLOADING or OWN, options)
  for name, value in pairs(given) do all[name] = value end
  for name, value in pairs(options) do all[name] = value end
  return all
end

--- Raises unless every name in given has a row and every value its type.
---@param what string how the user knows the call: "project:generate"
---@param rows table<string, { type: string, required: boolean? }>
---@param given (table|number)? a number is the timeout, where the call has one
---@param options (devkit4ai.Own|number)? the call's last argument, where it has one behind its table
---@return table given an empty one where it was nil
function M.arguments(what, rows, given, options)
  if rows.timeout then given = as_table(given) end
  if given == nil then given = {} end
  check_names(what, rows, given)
  if options ~= nil then given = with_options(what, rows, given, options) end
  for name, row in pairs(rows) do M.value(what .. ": " .. name, row, given[name]) end
  return given
end

--- Rows for a call whose arguments are a table: those of the operation, and every call's own.
---@param rows table<string, { type: string, required: boolean? }>
---@return table rows the same table
function M.rows(rows)
  for name, row in pairs(OWN) do rows[name] = row end
  return rows
end

M.TIMEOUT = "timeout must be a number of seconds above 0"

--- Whether a number can be the timeout of a call.
---@param seconds number
---@return boolean
function M.is_timeout(seconds)
  return seconds > 0 and seconds < math.huge
end

---@class devkit4ai.Own what every call takes, in its table of arguments or as its last argument; a number there is the timeout
---@field timeout number? seconds for the whole call, repeats, pauses and refreshes included; it binds generate, too
---@field headers table<string, string>? lines of your own for the API, on top of the client's

---@class devkit4ai.Uploading: devkit4ai.Own what a call that uploads takes
---@field on_upload (fun(sent: integer, total: integer))? told the bytes every 0.1 s while they go out, and never where that is quicker

--- The last argument of a call that takes no table of arguments.
---@param what string how the user knows the call: "client:me"
---@param options (devkit4ai.Own|number)?
---@return table? extra for call.run
function M.own(what, options)
  if options == nil then return nil end
  return M.extra(M.arguments(what, OWN, options))
end

--- The arguments of a call whose text may be left out: `project:new_key(30)` is `project:new_key(nil, 30)`.
---@param text any
---@param options any
---@return any text
---@return any options
function M.optional_text(text, options)
  local is_options = type(text) == "number" or type(text) == "table" and next(text) ~= nil
  if options == nil and is_options then return nil, text end
  return text, options
end

--- What is a call's own among its arguments.
---@param given table
---@return table extra for call.run
function M.extra(given)
  return { total = given.timeout, headers = given.headers }
end

return M
