--- A store in a file that its owner alone can read; programs that name the same file share their sessions.
---
--- The file is replaced whole or not at all. What is no store's file is refused by can_write, and else taken for an empty one.
--- A lock is a file beside it that stands there while somebody holds it, and is free when that one dies.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local json = require "devkit4ai.util.json"

local M = {}

-- Told once a store, since the sessions in it are gone.
local function tell_damaged(path)
  io.stderr:write("devkit4ai: ", path, " holds no sessions that can be read; remove it, and log in again\n")
end

local function decode(text)
  local values = json.plain(text)
  if type(values) ~= "table" then return nil end
  for key, value in pairs(values) do
    if type(key) ~= "string" or type(value) ~= "string" then return nil end
  end
  return values
end

-- 32 bits, to name a key's lock; two keys that share one take turns
local function hash(key)
  local sum = 5381
  for i = 1, #key do sum = (sum * 33 + key:byte(i)) % 2 ^ 32 end
  return ("%08x"):format(sum)
end

-- The name of a lock beside the file. A name that would be too long for a file system is replaced by its hash.
local LONGEST = 255 -- bytes
local function lock_path(path, ending)
  local folder, name = path:match("^(.-)([^/]*)$")
  if #name + #ending > LONGEST then name = "devkit4ai-" .. hash(name) end
  return folder .. name .. ending
end

-- Takes a lock beside the file itself: programs that name it by different links take turns, too.
local function lock_beside(path, ending)
  local target, status, why = core.target(path)
  if not target then return nil, status, why end
  return core.lock(lock_path(target, ending))
end

--- A store in the file of that name, which is made at the first login (mode 0600). `devkit4ai.new` and `client:login` fail with
--- kind `file` where the file can't be written, others can read it, it holds something else, or it is a symbolic link that leads
--- to nothing.
--- ```lua
--- local shared = { base_url = sandbox.url, store = require("devkit4ai.store.file").new("sessions.json") }
--- assert(assert(devkit4ai.new(shared)):login("dev@example.com", "SecurePass123"))
--- shared.store = require("devkit4ai.store.file").new("sessions.json") -- as another program would
--- print(assert(devkit4ai.new(shared)):me().email) --> dev@example.com
--- ```
---@param path string of the file; its folder must be there
---@return devkit4ai.Store store
function M.new(path)
  if type(path) ~= "string" or path == "" then errors.raise("devkit4ai.store.file: new wants the path of a file") end
  local told = false
  local store = {}

  local function read()
    local text, _, why = core.load(path)
    if text == nil then return nil, why end
    if not text or text == "" then return {} end
    local values = decode(text)
    if not values and not told then
      told = true
      tell_damaged(path)
    end
    return values or {}
  end

  local function write(key, value)
    local values, why = read()
    if not values then return nil, why end
    if values[key] == value then return true end
    values[key] = value
    local text, trouble = json.encode(values)
    if not text then return nil, trouble end
    local done, _, reason = core.save(path, text)
    return done, reason
  end

  function store.get(key)
    local values, why = read()
    if not values then return nil, why end
    return values[key]
  end

  function store.set(key, value)
    if value == nil and core.load(path) == false then return true end -- no file, nothing to forget
    local turn, _, why = lock_beside(path, ".lock")
    if not turn then return nil, why or "busy" end -- another program is writing it
    local done
    done, why = write(key, value)
    turn:release()
    return done, why
  end

  function store.lock(key)
    local lock, _, why = lock_beside(path, (".%s.lock"):format(hash(key)))
    if lock == nil then error("devkit4ai.store.file: " .. why, 0) end
    return lock and function() lock:release() end
  end

  function store.can_write()
    local text, _, trouble = core.load(path)
    if text == nil then return nil, trouble end
    if text and text ~= "" and not decode(text) then
      return nil, path .. ": it holds something else than sessions; give another path, or remove that file"
    end
    local fine, _, why = core.check_save(path)
    return fine, why
  end

  return store
end

return M
