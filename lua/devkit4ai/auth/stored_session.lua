--- The session record in the user's store: read, write, lock. A store may fail, raise, or give anything: the session then
--- continues without it, and takes only a complete record of the same account.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local events = require "devkit4ai.request.events"
local json = require "devkit4ai.util.json"
local log = require "devkit4ai.util.log"
local jwt = require "devkit4ai.auth.jwt"
local waits = require "devkit4ai.loop.waits"

local M = {}

local PAUSE = 1 / 10 -- seconds between two tries of a busy store
local PATIENCE = 2 -- seconds for all tries of a busy store; another program writes for milliseconds, longer on a busy disk
local KEPT = 30 * 86400 -- seconds since its last write, for which a record is of use

local reported = setmetatable({}, { __mode = "k" }) -- stores whose failure was written to standard error

---@class devkit4ai.StoredSession a client's view of its store
---@field store devkit4ai.Store
---@field place string base URL, role and an end user's project; also the key of the record that names the last login's account
---@field account string? of the client's tokens; nil: there are none, or it is not known
---@field resumes boolean? without an account, the client takes the last login's
---@field seen string? fingerprint of the tokens that the store had when the client last read or wrote its record
---@field trouble string? why the store could not be read the last time
local StoredSession = {}
StoredSession.__index = StoredSession
StoredSession.PAUSE = PAUSE

--- Checks the option `store`, and makes the client's view of it.
---@param client devkit4ai.Client
---@param store devkit4ai.Store
---@return devkit4ai.StoredSession
function M.new(client, store)
  for _, name in ipairs { "get", "set", "lock" } do
    if type(store[name]) ~= "function" then
      errors.raise("devkit4ai.new: the store must have the functions get, set and lock; it has no " .. name)
    end
  end
  local project = client.role == "end_user" and client._project_id -- a developer's login is for all projects
  local place = ("%s %s %s"):format(client.base_url, client.role, project or "-")
  return setmetatable({ store = store, place = place }, StoredSession)
end

local function text_of(why)
  local ok, text = pcall(tostring, why) -- an object's __tostring may raise
  return ok and type(text) == "string" and text or "it gave a reason without text"
end

-- Calls a function of the store. One that raises has failed.
local function protected(fn, ...)
  local ok, value, why = pcall(fn, ...)
  if not ok then return nil, text_of(value) end
  return value, why
end

--- Whether the store can keep a session, if it can tell.
---@return boolean? fine
---@return string? why
function StoredSession:check()
  local can_write = self.store.can_write
  if type(can_write) ~= "function" then return true end
  local fine, why = protected(can_write)
  if fine then return true end
  return nil, why ~= nil and text_of(why) or "its function can_write did not say why"
end

--- The key of the client's own record. nil: its account is not known, and nothing of it is stored.
---@return string?
function StoredSession:key()
  return self.account and self.place .. " " .. self.account
end

-- The record of this place under a key. nil: there is none, or it is no such record.
local function read(stored, key)
  local text, why = protected(stored.store.get, key)
  stored.trouble = text == nil and why ~= nil and text_of(why) or nil
  if type(text) ~= "string" then return nil end
  local record = json.decode_plain(text)
  if type(record) ~= "table" or record.place ~= stored.place then return nil end
  return record
end

-- Sets a value, and tries again through the loop while the store is busy. value(): the text, and the seconds that it is of use;
-- nil removes the key; false: the write is no longer needed.
local function write(stored, client, key, value, seconds)
  local store, started = stored.store, waits.now()
  local deadline = started + math.min(PATIENCE, seconds or PATIENCE)
  local done, why
  repeat
    local text, kept = value()
    if text == false then return true end
    done, why = protected(store.set, key, text, kept)
    if done == true then return true end
  until why ~= "busy" or waits.now() >= deadline or not waits.is_possible() or not waits.sleep(PAUSE, client)
  if why == "busy" then return nil, ("another program was writing it for %.1f s"):format(waits.now() - started) end
  return nil, why ~= nil and text_of(why) or "its function set did not say why"
end

-- Reports that the store failed: by an event, or without a listener once on standard error.
local function report_failure(stored, client, why)
  local message, store = "the store did not keep the session: " .. why, stored.store
  if events.emit(client, { type = "refresh", message = message }) or reported[store] then return end
  reported[store] = true
  log.write(client._secrets:mask(message), true)
end

-- A text that differs for different tokens and does not show them.
local function fingerprint_of(secrets)
  return (secrets:tag("access_token") or "-") .. (secrets:tag("refresh_token") or "-")
end

-- The fingerprint of a record's tokens. nil: they can't be used.
local function fingerprint_of_record(record)
  if type(record.access_token) ~= "string" or record.access_token == "" then return nil end
  if type(record.refresh_token) ~= "string" or record.refresh_token == "" then record.refresh_token = nil end
  local secrets = core.secrets()
  local set = secrets:set("access_token", record.access_token)
  if record.refresh_token then secrets:set("refresh_token", record.refresh_token, "body") end
  local fingerprint = set and fingerprint_of(secrets)
  secrets:close()
  return fingerprint
end

--- The account's record, if it has tokens that the client neither has nor has seen before.
---@param client devkit4ai.Client
---@param refused boolean? the server refused the client's own tokens, so tokens that it has seen count as well
---@return { access_token: string, refresh_token: string?, left: number }? record left: seconds that the access token is valid
function StoredSession:newer(client, refused)
  local key = self:key()
  local record = key and read(self, key)
  local fingerprint = record and record.account == self.account and fingerprint_of_record(record)
  if not fingerprint or fingerprint == fingerprint_of(client._secrets) then return nil end
  if fingerprint == self.seen and not refused then return nil end
  self.seen = fingerprint
  local expires = type(record.ends) == "number" and record.ends
  record.left = expires and jwt.left(expires, os.time()) or jwt.life(record.access_token, os.time())
  return record
end

--- The account of the last login at this place.
---@return string?
function StoredSession:last_account()
  local record = read(self, self.place)
  return record and type(record.account) == "string" and record.account or nil
end

--- The fingerprint of a client's tokens.
---@param client devkit4ai.Client
---@return string
function StoredSession:fingerprint(client) -- luacheck: ignore 212
  return fingerprint_of(client._secrets)
end

--- Notes that another client has written the client's tokens to its record.
---@param client devkit4ai.Client
function StoredSession:mark_seen(client)
  self.seen = fingerprint_of(client._secrets)
end

-- How long a record is of use: until its refresh token ends, if that can be read.
local function kept_seconds(secrets)
  local token = json.decode_plain(secrets:json("{}", "refresh_token")).refresh_token
  local left = token and (jwt.expires(token) or 0) - os.time() or 0
  return left > 0 and math.min(left, KEPT) or KEPT
end

--- Writes the client's record, unless the client gets other tokens meanwhile. If the store fails, it keeps what it had, the
--- client keeps its tokens, and an event reports it.
---@param client devkit4ai.Client
---@param life number seconds that the access token is valid
---@param seconds number? time limit for a busy store
---@return boolean? written
function StoredSession:write(client, life, seconds)
  local key, fingerprint = self:key(), fingerprint_of(client._secrets)
  if not key then return end
  local frame = json.encode { place = self.place, account = self.account, ends = math.floor(os.time() + life) }
  local done, why = write(self, client, key, function()
    if client._closed or fingerprint_of(client._secrets) ~= fingerprint then return false end
    return client._secrets:json(frame, "access_token", "refresh_token"), kept_seconds(client._secrets)
  end, seconds)
  if not done then report_failure(self, client, why) end
  if done and fingerprint_of(client._secrets) == fingerprint then self.seen = fingerprint end
  return done
end

--- Writes the account of the last login at this place.
---@param client devkit4ai.Client
---@param seconds number? time limit for a busy store
function StoredSession:write_last_account(client, seconds)
  local account = self.account
  local text = account and json.encode { place = self.place, account = account }
  if not text then return end
  local done, why = write(self, client, self.place, function() return self.account == account and text end, seconds)
  if not done then report_failure(self, client, why) end
end

--- Removes the client's record, if it still has the tokens of the fingerprint.
---@param client devkit4ai.Client
---@param fingerprint string of the tokens
function StoredSession:remove(client, fingerprint)
  local key = self:key()
  if not key then return end
  local done, why = write(self, client, key, function()
    local record = read(self, key)
    if not record or fingerprint_of_record(record) ~= fingerprint then return false end
  end)
  if not done then report_failure(self, client, why) end
end

--- Removes the records of the client's account.
---@param client devkit4ai.Client
---@return boolean? done
---@return string? why
function StoredSession:clear(client)
  local account, key = self.account, self:key()
  self.account, self.seen = nil, nil
  local function removed()
    if self.account then return false end -- a login came while the store was busy
  end
  local done, why = true, nil
  if key then done, why = write(self, client, key, removed) end
  if done and account and self:last_account() == account then
    done, why = write(self, client, self.place, removed)
  end
  return done, why
end

--- Tries to take the lock of the client's record.
---@param lease number seconds
---@return function? unlock
---@return boolean? is_busy another program has the lock; if neither: the store gives no lock
function StoredSession:lock(lease)
  local key = self:key()
  if not key then return nil, false end
  local ok, unlock = pcall(self.store.lock, key, lease)
  if type(unlock) == "function" and ok then return unlock end
  return nil, ok and (unlock == nil or unlock == false)
end

return M
