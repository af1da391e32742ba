--- Tables of arguments, held against rows: a wrong type or an unknown name raises at the caller's line.
local errors = require "devkit4ai.errors"

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

--- Raises unless every name in given has a row and every value its type.
---@param what string how the user knows the call: "project:generate"
---@param rows table<string, { type: string, required: boolean? }>
---@param given table?
---@return table given an empty one where it was nil
function M.arguments(what, rows, given)
  if given == nil then given = {} end
  if type(given) ~= "table" then errors.raise(("%s: table expected, got %s"):format(what, type(given))) end
  for name in pairs(given) do
    if not rows[name] then
      errors.raise(("%s: unknown option %s; known are %s"):format(what, M.shown(name), known(rows)))
    end
  end
  for name, row in pairs(rows) do M.value(what .. ": " .. name, row, given[name]) end
  return given
end

local OWN = { timeout = { type = "number" }, headers = { type = "table" } }

--- Rows for a call whose arguments are a table: those of the operation, and every call's own.
---@param rows table<string, { type: string, required: boolean? }>
---@return table rows the same table
function M.rows(rows)
  for name, row in pairs(OWN) do rows[name] = row end
  return rows
end

---@class devkit4ai.Own what every call takes, in its table of arguments or in a last table
---@field timeout number? seconds for the whole call, repeats, pauses and refreshes included; it binds generate, too
---@field headers table<string, string>? lines of your own for the API, on top of the client's

--- The last table of a call that takes no table of arguments.
---@param what string how the user knows the call: "client:me"
---@param options devkit4ai.Own?
---@return table? extra for call.run
function M.own(what, options)
  if options == nil then return nil end
  return M.extra(M.arguments(what, OWN, options))
end

--- What is a call's own among its arguments.
---@param given table
---@return table extra for call.run
function M.extra(given)
  return { total = given.timeout, headers = given.headers }
end

return M
