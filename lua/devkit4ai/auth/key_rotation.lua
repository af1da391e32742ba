--- Key rotation: create a new key, let the program store it, use it, revoke the old key. After each failure at least one key
--- works, and an error that comes after the creation carries the new key.
local call = require "devkit4ai.request.call"
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local key = require "devkit4ai.resources.key"
local waits = require "devkit4ai.loop.waits"
local time_limit = require "devkit4ai.request.time_limit"

local M = {}

-- By what is rotated: the slot of the key in use, the operations, the words of the message. by_new: the new key is what the
-- old one is revoked with, so a refusal may be of the new one.
local KINDS = {
  developer = {
    by_new = true, slot = "developer_key", list = "list_developer_keys", create = "create_developer_key",
    revoke = "revoke_developer_key", call_name = "client:rotate_developer_key", lists = "client:developer_keys()",
    none = "give the option developer_key or set DEVKIT4AI_DEVELOPER_KEY", hint = "set_developer_key",
    revoke_hint = "revoke_developer_key",
  },
  project = {
    slot = "project_key", list = "list_api_keys", create = "create_api_key", revoke = "revoke_api_key",
    call_name = "project:rotate_key", lists = "project:keys()",
    none = "create one with project:new_key, or tell which it is with project:use_key", hint = "make_project_key",
    revoke_hint = "revoke_project_key",
  },
}

-- What the documents show behind a prefix (wire.md D03) is no part of the key.
local function bare(prefix)
  return (type(prefix) == "string" and prefix or ""):gsub("%.+$", ""):gsub("\226\128\166$", "")
end

-- What may be shown of a key: the vendor's own eight characters.
local function shown(prefix)
  return bare(prefix):sub(1, 8)
end

-- The one active key of the list that may be the one in use; or nil and why.
local function find_used(kind, scope, list)
  local found
  for _, one in ipairs(list) do
    local prefix = bare(one.key_prefix)
    if one.is_active ~= false and prefix ~= "" and scope._secrets:begins(kind.slot, prefix) then
      if found then
        return nil, ("two keys begin like the one in use (%s)"):format(shown(prefix)),
          "revoke it yourself, by key:revoke()", kind.revoke_hint
      end
      found = one
    end
  end
  if found then return found end
  return nil, ("no active key in %s begins like the one in use"):format(kind.lists)
end

local function refuse(kind, cause, what, advice, hint)
  return waits.after_refusal(errors.fail {
    kind = cause, outcome = "not_sent", operation = kind.create, call_name = kind.call_name, what = what,
    consequence = "nothing was made", advice = advice, hint = hint,
  })
end

-- The scope, with another key in the place of the one in use; nil and why, where no header can carry it.
local function with_key(kind, scope, text)
  local secrets = core.secrets(scope._secrets)
  local set, _, why = secrets:set(kind.slot, text)
  if not set then return nil, why end
  return { id = scope.id, _client = scope._client, _secrets = secrets, _prepared = {} }
end

-- The new key exists, and the rotation is not complete. The error carries the key. Its outcome is unknown, since a program
-- takes `refused` and `not_sent` for a call that changed nothing. parts: of the message, for the command
local function half_done(made, err, message, parts)
  err.key, err.message, err.outcome, err._parts = made, message, "unknown", parts
  err.retryable = false -- the same call would create one more key
  return nil, message, err
end

-- No request can be made with the new key.
local function useless(kind, made, why)
  local message = ("%s: the new key, which is in err.key, can't be used: %s; the old one stays in use")
    :format(kind.call_name, why)
  local _, _, err = errors.fail { kind = "protocol", outcome = "unknown", message = message, operation = kind.create }
  return half_done(made, err, message, {
    what = "the new key can't be used: " .. why, consequence = "the old one stays in use",
  })
end

-- The program could not store the new key.
local function not_kept(kind, made, old, why)
  local message = ("%s: the function keep did not store the new key: %s; the old key (%s) is not revoked and stays in "
    .. "use; store the new key, which is in err.key, or revoke it with err.key:revoke()")
    :format(kind.call_name, why, shown(old.key_prefix))
  local cause = waits.is_cancelled() and "cancelled" or "file"
  local _, _, err = waits.keep_failure(errors.fail {
    kind = cause, outcome = "unknown", message = message, operation = kind.create,
  })
  return half_done(made, err, message)
end

-- The old key could not be revoked.
local function not_revoked(kind, made, old, stays, message, err)
  local left = stays and "the server does not take the new key yet, so the old one (%s) stays in use"
    or err.outcome == "unknown" and "the new key is in use; whether the old one (%s) is revoked, nobody knows"
    or "the new key is in use, and the old one (%s) was not revoked"
  left = left:format(shown(old.key_prefix))
  local advice = ("look in %s, and revoke the old one with key:revoke()"):format(kind.lists)
  return half_done(made, err, ("%s; the key in err.key is new: keep it; %s: %s"):format(message, left, advice), {
    what = err._parts and err._parts.what or message, consequence = left, advice = advice, hint = kind.revoke_hint,
  })
end

local function closed(kind)
  return waits.keep_failure(errors.fail {
    kind = "cancelled", outcome = "not_sent", operation = kind.revoke,
    message = kind.call_name .. ", revoking the old key: the client was closed",
  })
end

local function text_of(value)
  local ok, text = pcall(tostring, value) -- an object's __tostring may raise
  return ok and type(text) == "string" and text or "it gave a reason without text"
end

-- What the program's function gave, behind pcall's result. A function without a return value has stored the key.
local function judge(...)
  local ok, kept, why = ...
  if not ok then return false, text_of(kept) end
  if kept or select("#", ...) == 1 then return true end
  return false, why == nil and "it returned " .. tostring(kept) or text_of(why)
end

-- Calls the program's function. Gives true, or false and why the key is not stored.
local function keep_key(keep, made)
  return judge(pcall(keep, made))
end

-- An error (Ctrl-C, a debug hook) ended a rotation that had created the new key. A text can't carry the key, so an error
-- object is raised.
local function ended(kind, made, old, value, text)
  local message = ("%s%s%s: an error ended the rotation; the key in err.key is new: keep it; whether "
    .. "the old one (%s) is revoked, nobody knows: look in %s, and revoke the old one with key:revoke()"):format(
    text, text:find("\n", 1, true) and "\n" or "; ", kind.call_name, shown(old.key_prefix), kind.lists)
  local _, _, err = errors.fail { kind = "cancelled", outcome = "unknown", operation = kind.revoke, message = message }
  err.cause = value
  half_done(made, err, err.message)
  error(err, 0)
end

-- Rotates the key in use. state: gets the new key, the old one, and whether requests can be made with the new one.
local function rotate(scope, name, label, options, use, state)
  local kind = KINDS[name]
  local left = time_limit.start(options.timeout)
  local function step(what)
    return { total = left(), headers = options.headers, call_name = kind.call_name .. ", " .. what }
  end
  if not scope._secrets:has(kind.slot) then return refuse(kind, "config", "no key is in use", kind.none, kind.hint) end
  local list, message, err = call.run(scope, kind.list, { project_id = scope.id }, step "looking for the key in use")
  if not list then return nil, message, err end
  local old, why, advice, hint = find_used(kind, scope, list)
  if not old then return refuse(kind, "conflict", why, advice, hint) end
  local made
  made, message, err = call.run(scope, kind.create, { project_id = scope.id, name = label }, step "making the new key")
  if not made then return nil, message, err end
  key.new(made, scope, name)
  state.made, state.old = made, old
  local with_new, unusable = with_key(kind, scope, made.key)
  if not with_new then return useless(kind, made, unusable) end
  state.fits = true
  local kept, trouble = true, nil
  if options.keep then kept, trouble = keep_key(options.keep, made) end
  trouble = trouble and with_new._secrets:mask(trouble)
  local revoked
  if kept and not scope._client._closed then
    revoked, message, err = key.revoke(with_new, name, old.id, step "revoking the old key")
  elseif kept then
    revoked, message, err = closed(kind)
  end
  with_new._secrets:close()
  if not kept then return not_kept(kind, made, old, trouble) end
  local stays = not revoked and kind.by_new and err.outcome == "refused"
    and (err.kind == "forbidden" or err.kind == "auth")
  if not stays and not scope._client._closed then use(made.key) end
  if revoked then return made end
  return not_revoked(kind, made, old, stays, message, err)
end

--- Rotates the key in use.
---@param scope devkit4ai.Scope the client, or a project
---@param name "developer"|"project" whose key
---@param label string? the new key's name
---@param options { keep: function?, timeout: number?, headers: table<string, string>? } timeout: for all steps together
---@param use fun(text: string) takes the new key into use, wherever the old one is
---@return devkit4ai.Key? key the new one
---@return string? message
---@return devkit4ai.Error? err with the new key in err.key, where it was created
function M.rotate(scope, name, label, options, use)
  local state = {}
  return waits.protect(function(value, text)
    if not state.made then error(value, 0) end
    if state.fits and not scope._client._closed then use(state.made.key) end
    ended(KINDS[name], state.made, state.old, value, text)
  end, rotate, scope, name, label, options, use, state)
end

return M
