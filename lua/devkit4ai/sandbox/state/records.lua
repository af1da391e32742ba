--- The records of a state: what a later process needs to continue from it. With a data folder they are in an SQLite
--- database, and a response is sent only when all records that it may depend on are on the disk. Without one they are not
--- kept, and all methods do nothing.
local cjson = require("cjson").new()
local condition = require "cqueues.condition"
local cqueues = require "cqueues"
local dependencies = require "devkit4ai.util.dependencies"
local json = require "devkit4ai.sandbox.util.json"

local M = {}

---@class devkit4ai.sandbox.Records
---@field private _path string  of the database
---@field private _connection table  of LuaSQL
---@field private _found table<string, { id: string, record: table }[]>  by kind: what an earlier process left, oldest first
---@field private _changes { kind: string, id: string, record: table }[]  that are not in the database, oldest first
---@field private _is_changed table<table, boolean>  the records of _changes
---@field private _write { finished: table, ok: boolean?, problem: string? }?  the write that begins next
local Records = {}
Records.__index = Records

M.FILE_NAME = "sandbox.sqlite3"

local VERSION = 1 -- of the table and the records in it
local LOCK_TIME = 2000 -- milliseconds to wait for the end of a process that was killed

-- The sandbox has the database to itself. Each commit is one sync of the write-ahead log.
local SETTINGS = { "PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL" }

local CREATE = {
  "BEGIN IMMEDIATE",
  "CREATE TABLE record (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL, "
    .. "UNIQUE (kind, id))",
  "PRAGMA user_version=" .. VERSION,
  "COMMIT",
}

-- A record keeps its number, and so its place in the order, when it changes.
local PUT = "INSERT INTO record (kind, id, json) VALUES %s ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json"

-- Runs a statement and gives all rows, each a list of values; or nil and the reason.
local function query(connection, statement)
  local result, why = connection:execute(statement)
  if not result then return nil, (why:gsub("^LuaSQL: ", "")) end
  local rows = {}
  if type(result) == "number" then return rows end
  local row = result:fetch {}
  while row do
    rows[#rows + 1] = row
    row = result:fetch {}
  end
  result:close()
  return rows
end

local function run_all(connection, statements)
  for _, statement in ipairs(statements) do
    local rows, why = query(connection, statement)
    if not rows then return nil, why end
  end
  return true
end

-- The version of the records in a database; 0: it is new.
local function version_of(connection)
  local rows, why = query(connection, "PRAGMA user_version")
  if not rows then return nil, why end
  return tonumber(rows[1][1])
end

-- All records by kind, oldest first.
local function read(connection)
  local rows, why = query(connection, "SELECT kind, id, json FROM record ORDER BY number")
  if not rows then return nil, why end
  local found = {}
  for _, row in ipairs(rows) do
    local list = found[row[1]] or {}
    found[row[1]] = list
    list[#list + 1] = { id = row[2], record = json.to_integers(cjson.decode(row[3])) }
  end
  return found
end

-- Prepares a database that was opened, and reads it.
local function prepare(connection)
  local done, why = run_all(connection, SETTINGS)
  local version
  if done then version, why = version_of(connection) end
  if not version then return nil, why end
  if version == 0 then
    done, why = run_all(connection, CREATE)
    if not done then return nil, why end
  elseif version ~= VERSION then
    return nil, ("it has records of version %d, and this sandbox has version %d: give another folder"):format(version,
      VERSION)
  end
  return read(connection)
end

--- Opens the records in a folder.
---@param folder string it exists
---@return devkit4ai.sandbox.Records?
---@return string? reason
function M.open(folder)
  local missing = dependencies.missing_message("the option data", { "luasql.sqlite3" })
  if missing then return nil, missing end
  local path = folder:gsub("([^/])$", "%1/") .. M.FILE_NAME
  local file, why = io.open(path, "ab") -- gives the system's reason, which SQLite does not
  if not file then return nil, why end
  file:close()
  local connection, found
  connection, why = require("luasql.sqlite3").sqlite3():connect(path, LOCK_TIME)
  if connection then found, why = prepare(connection) end
  if not found then
    if why:find "locked" then why = "another sandbox uses it: stop it, or give another folder" end
    return nil, ("%s: %s"):format(path, (why:gsub("^LuaSQL: ", "")))
  end
  return setmetatable({
    _path = path, _connection = connection, _found = found, _changes = {}, _is_changed = {},
  }, Records)
end

--- Iterates over what an earlier process left, oldest first.
---@param kind string
---@return fun(): string?, table? next the id and the record; the caller owns the record
function Records:each(kind)
  local i, list = 0, self._found[kind] or {}
  return function()
    i = i + 1
    if list[i] then return list[i].id, list[i].record end
  end
end

--- Finds what an earlier process left.
---@param kind string
---@param id string
---@return table? record
function Records:find(kind, id)
  for found, record in self:each(kind) do
    if found == id then return record end
  end
end

--- Notes that a record is new or has changed. The next write has what it is then.
---@param kind string
---@param id string unique in the kind
---@param record table of values that JSON has
function Records:put(kind, id, record)
  if self._is_changed[record] then return end
  self._is_changed[record] = true
  self._changes[#self._changes + 1] = { kind = kind, id = id, record = record }
end

local function quote(text)
  return "'" .. text:gsub("'", "''") .. "'"
end

--- Writes the changes. They are on the disk when it returns true; otherwise the next write tries them again.
---@return boolean ok
---@return string? problem
function Records:write()
  local values = {}
  for i, change in ipairs(self._changes) do
    values[i] = ("(%s, %s, %s)"):format(quote(change.kind), quote(change.id), quote(json.encode_any(change.record, {})))
  end
  if not values[1] then return true end
  local done, why = query(self._connection, PUT:format(table.concat(values, ", ")))
  if not done then return false, ("%s: %s"):format(self._path, why) end
  self._changes, self._is_changed = {}, {}
  return true
end

--- Waits until all changes are on the disk. Coroutines that do so at the same moment share one write.
---@return boolean ok
---@return string? problem
function Records:commit()
  local write = self._write
  if not write and not self._changes[1] then return true end
  if write then
    while write.ok == nil do write.finished:wait() end
    return write.ok, write.problem
  end
  write = { finished = condition.new() }
  self._write = write
  cqueues.sleep(0) -- other coroutines that are ready add their changes
  self._write = nil
  write.ok, write.problem = self:write()
  write.finished:signal()
  return write.ok, write.problem
end

local Nowhere = {}
Nowhere.__index = Nowhere

function Nowhere:each() return function() end end -- luacheck: no self
function Nowhere:find() end -- luacheck: no self
function Nowhere:put() end -- luacheck: no self
function Nowhere:write() return true end -- luacheck: no self
function Nowhere:commit() return true end -- luacheck: no self

--- Records that are not kept.
---@return devkit4ai.sandbox.Records
function M.none()
  return setmetatable({}, Nowhere)
end

return M
