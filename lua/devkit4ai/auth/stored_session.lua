--- What of a client's session stands in the user's store. The store may fail, lie or raise: then the session goes on
--- without it, and what it gives is taken only where it is whole and of the same account.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local json = require "devkit4ai.util.json"
local waits = require "devkit4ai.loop.waits"
local jwt = require "devkit4ai.auth.jwt"
local events = require "devkit4ai.request.events"

local M = {}

M.PAUSE = 1 / 10 -- seconds between two tries of a store that is busy
local PATIENCE = 2 -- seconds for all tries of a busy store; a writer's turn takes milliseconds, more on a busy disk

local told = setmetatable({}, { __mode = "k" }) -- stores whose failure was written to standard error

---@class devkit4ai.Kept a client's side of its store
---@field store devkit4ai.Store
---@field place string base URL, role and an end user's project: the key of the record that names the last login's account
---@field account string? whose tokens the client has; nil: none, or it can't be told
---@field resumes boolean? without an account, the client takes that of the last login
---@field seen string? what is known of the record that the store had last, without showing it
---@field trouble string? why the store could not be read the last time

--- Checks the option `store`, and gives the client its side of it.
---@param client devkit4ai.Client
---@param store devkit4ai.Store
---@return devkit4ai.Kept
function M.new(client, store)
  for _, name in ipairs { "get", "set", "lock" } do
    if type(store[name]) ~= "function" then
      errors.raise("devkit4ai.new: the store must have the functions get, set and lock; it has no " .. name)
    end
  end
  local project = client.role == "end_user" and client._project_id -- a developer's login is for all projects
  return { store = store, place = ("%s %s %s"):format(client.base_url, client.role, project or "-") }
end

local function text_of(why)
  local ok, text = pcall(tostring, why) -- an object's __tostring may raise
  return ok and type(text) == "string" and text or "it gave a reason without text"
end

-- Calls one of the store's functions; one that raises has failed.
local function ask(fn, ...)
  local ok, value, why = pcall(fn, ...)
  if not ok then return nil, text_of(value) end
  return value, why
end

--- Whether the store can keep a session, where it can tell.
---@param store devkit4ai.Store
---@return boolean? fine
---@return string? why
function M.check(store)
  if type(store.can_write) ~= "function" then return true end
  local fine, why = ask(store.can_write)
  if fine then return true end
  return nil, why ~= nil and text_of(why) or "its function can_write did not say why"
end

--- The key of the client's own record; nil: its account can't be told, and nothing of it is kept.
---@param kept devkit4ai.Kept
---@return string?
function M.key(kept)
  return kept.account and kept.place .. " " .. kept.account
end

-- A record of this place; nil: there is none, or rubbish.
local function read(kept, key)
  local text, why = ask(kept.store.get, key)
  kept.trouble = text == nil and why ~= nil and text_of(why) or nil
  if type(text) ~= "string" then return nil end
  local record = json.decode_plain(text)
  if type(record) ~= "table" or record.place ~= kept.place then return nil end
  return record
end

-- Sets a value. Tries again through the loop while the store is busy. value(): the text, nil to forget the key; false: the
-- write is not needed any more.
local function write(client, key, value, seconds)
  local store, started = client._kept.store, waits.now()
  local ends = started + math.min(PATIENCE, seconds or PATIENCE)
  local done, why
  repeat
    local text = value()
    if text == false then return true end
    done, why = ask(store.set, key, text)
    if done == true then return true end
  until why ~= "busy" or waits.now() >= ends or not waits.is_possible() or not waits.sleep(M.PAUSE, client)
  if why == "busy" then return nil, ("another program was writing it for %.1f s"):format(waits.now() - started) end
  return nil, why ~= nil and text_of(why) or "its function set did not say why"
end

-- Tells that the store failed: by an event, or where nobody listens once on standard error.
local function tell(client, why)
  local message = "the store did not keep the session: " .. why
  local store = client._kept.store
  if events.emit(client, { type = "refresh", message = message }) or told[store] then return end
  told[store] = true
  io.stderr:write("devkit4ai: ", client._secrets:mask(message), "\n")
end

-- What tells two pairs of tokens apart without showing them.
local function mark_of(secrets)
  return (secrets:tag("access_token") or "-") .. (secrets:tag("refresh_token") or "-")
end

-- The same of a record; nil: its tokens can't be used.
local function mark_of_record(record)
  if type(record.access_token) ~= "string" or record.access_token == "" then return nil end
  if type(record.refresh_token) ~= "string" or record.refresh_token == "" then record.refresh_token = nil end
  local scratch = core.secrets()
  local set = scratch:set("access_token", record.access_token)
  if record.refresh_token then scratch:set("refresh_token", record.refresh_token, "body") end
  local mark = set and mark_of(scratch)
  scratch:close()
  return mark
end

--- The account's record, where it holds other tokens than the client, which the client has not seen before.
---@param client devkit4ai.Client
---@param refused boolean? the client's own were refused, so that any other will do
---@return { access_token: string, refresh_token: string?, left: number }? record left: seconds that the token is good for
function M.newer(client, refused)
  local kept = client._kept
  local key = M.key(kept)
  local record = key and read(kept, key)
  local mark = record and record.account == kept.account and mark_of_record(record)
  if not mark or mark == mark_of(client._secrets) or (mark == kept.seen and not refused) then return nil end
  kept.seen = mark
  local ends = type(record.ends) == "number" and record.ends
  record.left = ends and jwt.left(ends, os.time()) or jwt.life(record.access_token, os.time())
  return record
end

--- The account of the last login at this place.
---@param kept devkit4ai.Kept
---@return string?
function M.last_account(kept)
  local pointer = read(kept, kept.place)
  return pointer and type(pointer.account) == "string" and pointer.account or nil
end

--- The client's tokens have come to the record by somebody else's hand.
---@param client devkit4ai.Client
function M.note(client)
  client._kept.seen = mark_of(client._secrets)
end

--- What tells a client's tokens apart from others, without showing them.
---@param client devkit4ai.Client
---@return string
function M.mark(client)
  return mark_of(client._secrets)
end

--- Writes the client's record, unless the client gets other tokens meanwhile. A store that fails keeps what it had, and the
--- client its tokens; an event says so.
---@param client devkit4ai.Client
---@param life number seconds that the access token is good for
---@param seconds number? for a busy store
---@return boolean? written
function M.write(client, life, seconds)
  local kept = client._kept
  local key, mark = M.key(kept), mark_of(client._secrets)
  if not key then return end
  local frame = json.encode { place = kept.place, account = kept.account, ends = math.floor(os.time() + life) }
  local done, why = write(client, key, function()
    if client._closed or mark_of(client._secrets) ~= mark then return false end
    return client._secrets:json(frame, "access_token", "refresh_token")
  end, seconds)
  if not done then tell(client, why) end
  if done and mark_of(client._secrets) == mark then kept.seen = mark end
  return done
end

--- Notes whose login was the last at this place.
---@param client devkit4ai.Client
---@param seconds number? for a busy store
function M.point(client, seconds)
  local kept = client._kept
  local account = kept.account
  local text = account and json.encode { place = kept.place, account = account }
  if not text then return end
  local done, why = write(client, kept.place, function() return kept.account == account and text end, seconds)
  if not done then tell(client, why) end
end

--- Takes the client's record out of the store, where these tokens still stand in it.
---@param client devkit4ai.Client
---@param mark string of the tokens
function M.drop(client, mark)
  local kept = client._kept
  local key = M.key(kept)
  if not key then return end
  local done, why = write(client, key, function()
    local record = read(kept, key)
    if not record or mark_of_record(record) ~= mark then return false end
  end)
  if not done then tell(client, why) end
end

--- Empties the store of the client's account.
---@param client devkit4ai.Client
---@return boolean? done
---@return string? why
function M.forget(client)
  local kept = client._kept
  local account, key = kept.account, M.key(kept)
  kept.account, kept.seen = nil, nil
  local function nothing()
    if kept.account then return false end -- a login came meanwhile
  end
  local done, why = true, nil
  if key then done, why = write(client, key, nothing) end
  if done and account and M.last_account(kept) == account then done, why = write(client, kept.place, nothing) end
  return done, why
end

--- Tries to take the lock of the client's record.
---@param kept devkit4ai.Kept
---@param lease number seconds
---@return function? unlock
---@return boolean? busy somebody else has it; neither: there is none to be had
function M.lock(kept, lease)
  local key = M.key(kept)
  if not key then return nil, false end
  local ok, unlock = pcall(kept.store.lock, key, lease)
  if type(unlock) == "function" and ok then return unlock end
  return nil, ok and (unlock == nil or unlock == false)
end

return M
