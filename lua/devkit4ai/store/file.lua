--- Session store in a file that only its owner can read; programs with the same file share their sessions.
---
--- A write replaces the file completely or not at all. can_write rejects a file that is not a store; other functions treat it
--- as empty. A lock is a file beside it, which exists while a program holds the lock; the lock ends with that program.
local core = require "devkit4ai.core"
local limits = require "devkit4ai.api.limits"
local errors = require "devkit4ai.util.errors"
local json = require "devkit4ai.util.json"
local log = require "devkit4ai.util.log"
local system = require "devkit4ai.util.system"

local M = {}

local FOLDER_AND_NAME = "^(.-)([^" .. system.SEPARATORS .. "]*)$"

-- Called once per store: the sessions in the file are lost.
local function warn_unreadable(path)
  log.write(path .. " has no readable sessions; remove the file, and log in again", true)
end

local function decode(text)
  local values = json.decode_plain(text)
  if type(values) ~= "table" then return nil end
  for key, value in pairs(values) do
    if type(key) ~= "string" or type(value) ~= "string" then return nil end
  end
  return values
end

-- 32 bits, for the name of a key's lock file. Two keys with the same hash share a lock, which does no harm.
local function hash(key)
  local sum = 5381
  for i = 1, #key do sum = (sum * 33 + key:byte(i)) % 2 ^ 32 end
  return ("%08x"):format(sum)
end

-- The path of a lock file beside the store. A name that is too long for the file system is replaced by its hash.
local function lock_path(path, ending)
  local folder, name = path:match(FOLDER_AND_NAME)
  if #name + #ending > limits.MAX_FILE_NAME then name = "devkit4ai-" .. hash(name) end
  return folder .. name .. ending
end

-- Takes a lock beside the target of links, so that programs with different links to one file share the lock.
local function lock_beside(path, ending)
  local target, status, why = core.target(path)
  if not target then return nil, status, why end
  return core.lock(lock_path(target, ending))
end

--- Creates a store in a file. The first login creates the file (mode 0600). `devkit4ai.new` and `client:login` fail with kind
--- `file` if the file can't be written, other users can read it, it is not a store, or it is a broken symbolic link.
--- ```lua
--- local shared = { base_url = sandbox.url, store = require("devkit4ai.store.file").new("sessions.json") }
--- assert(assert(devkit4ai.new(shared)):login("dev@example.com", "SecurePass123"))
--- shared.store = require("devkit4ai.store.file").new("sessions.json") -- in another program
--- print(assert(devkit4ai.new(shared)):me().email) --> dev@example.com
--- ```
---@param path string of the file; its folder must exist
---@return devkit4ai.Store store
function M.new(path)
  if type(path) ~= "string" or path == "" then errors.raise("devkit4ai.store.file: new needs the path of a file") end
  local warned = false
  local store = {}

  local function read()
    local text, _, why = core.load(path)
    if text == nil then return nil, why end
    if not text or text == "" then return {} end
    local values = decode(text)
    if not values and not warned then
      warned = true
      warn_unreadable(path)
    end
    return values or {}
  end

  local function write(key, value)
    local values, why = read()
    if not values then return nil, why end
    if values[key] == value then return true end
    values[key] = value
    local text, reason = json.encode(values)
    if not text then return nil, reason end
    local done, _, save_reason = core.save(path, text)
    return done, save_reason
  end

  function store.get(key)
    local values, why = read()
    if not values then return nil, why end
    return values[key]
  end

  function store.set(key, value)
    if value == nil and core.load(path) == false then return true end -- no file: nothing to remove
    local lock, _, why = lock_beside(path, ".lock")
    if not lock then return nil, why or "busy" end -- another program writes the file
    local done
    done, why = write(key, value)
    lock:release()
    return done, why
  end

  function store.lock(key)
    local lock, _, why = lock_beside(path, (".%s.lock"):format(hash(key)))
    if lock == nil then error("devkit4ai.store.file: " .. why, 0) end
    return lock and function() lock:release() end
  end

  function store.can_write()
    local text, _, reason = core.load(path)
    if text == nil then return nil, reason end
    if text and text ~= "" and not decode(text) then
      return nil, path .. ": it is not a store of sessions; give another path, or remove that file"
    end
    local writable, _, why = core.check_save(path)
    return writable, why
  end

  return store
end

return M
