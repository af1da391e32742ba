--- Optional modules: loads them, or says what to install. Raises any other error (a syntax error, Ctrl-C, no memory).
local M = {}

-- The first row that matches the missing module or its parent counts. Rocks of this project have no Debian package.
local ROWS = {
  { "devkit4ai.sandbox", rock = "devkit4ai-sandbox" },
  { "devkit4ai", rock = "devkit4ai" },
  { "argparse", rock = "argparse", debian = "lua-argparse" },
  { "cjson", rock = "lua-cjson", debian = "lua-cjson" },
  { "copas", rock = "copas", debian = "lua-copas" },
  { "cqueues", rock = "cqueues", debian = "lua-cqueues" },
  { "luasql", rock = "luasql-sqlite3", debian = "lua-sql-sqlite3" },
  { "luv", rock = "luv", debian = "lua-luv" },
  { "ngx", rock = "lua-resty-core", debian = "lua-resty-core" },
  { "openssl", rock = "luaossl", debian = "lua-luaossl" },
  { "redis", rock = "redis-lua", debian = "lua-redis" },
  { "socket", rock = "luasocket", debian = "lua-socket" },
  { "ssl", rock = "luasec", debian = "lua-sec" },
  { "zlib", rock = "lua-zlib", debian = "lua-zlib" },
}

local LUA = rawget(_G, "jit") and "LuaJIT" or _VERSION

local function row_of(module)
  for _, row in ipairs(ROWS) do
    if (module .. "."):sub(1, #row[1] + 1) == row[1] .. "." then return row end
  end
end

-- The missing module in an error of `require`. The compiled part of `cqueues` is `_cqueues`.
local function missing_module(reason)
  return type(reason) == "string" and reason:match("module '_?([^'\n]+)' not found:") or nil
end

--- Loads a module, if it is installed.
---@param module string
---@return any? module
---@return string? missing name of the missing module: this one, or one that it needs
function M.optional(module)
  local found, value = pcall(require, module)
  if found then return value end
  local missing = missing_module(value)
  if not missing then error(type(value) == "string" and value:gsub(":\n%s+", ": ") or value, 0) end
  return nil, missing
end

-- Adds a value to a list, once.
local function add(list, value)
  if value and not list[value] then list[#list + 1], list[value] = value, true end
end

--- The message about missing modules, with the commands that install them.
---@param who string the part of the library that needs them
---@param modules string[]
---@return string? message nil: all are installed
function M.missing_message(who, modules)
  local names, debian, rocks = {}, {}, {}
  for _, module in ipairs(modules) do
    local _, missing = M.optional(module)
    local row = missing and row_of(missing) or {}
    add(names, missing)
    add(debian, row.debian)
    add(rocks, row.rock)
  end
  if not names[1] then return nil end
  local message = ("%s needs %s, which %s does not find"):format(who, table.concat(names, ", "), LUA)
  if debian[1] then message = message .. "; on Debian and Ubuntu: apt-get install " .. table.concat(debian, " ") end
  if rocks[1] then message = message .. "; with LuaRocks: " .. table.concat(rocks, ", ") end
  return message
end

return M
