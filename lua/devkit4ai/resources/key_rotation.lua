--- Key rotation: create a new key, let the program store it, use it, revoke the old key. After each failure at least one
--- key works, and an error after the creation has the new key.
local call = require "devkit4ai.request.call"
local context = require "devkit4ai.request.context"
local errors = require "devkit4ai.util.errors"
local key = require "devkit4ai.resources.key"
local waits = require "devkit4ai.loop.waits"
local time_limit = require "devkit4ai.request.time.time_limit"
local validate = require "devkit4ai.util.validate"

local M = {}

-- By type of key: the slot of the key in use, the operations, texts of messages. by_new: the new key sends the request that
-- revokes the old one, so a refusal may be about the new key.
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

-- Some documents show dots after a prefix (wire.md D03). They are no part of the key.
local function without_dots(prefix)
  return (type(prefix) == "string" and prefix or ""):gsub("%.+$", ""):gsub("\226\128\166$", "")
end

-- The part of a key that messages may show: eight characters, as the vendor shows.
local function shown(prefix)
  return without_dots(prefix):sub(1, 8)
end

-- The key in use: the only active key in the list that has its prefix. Or nil, why, advice and its hint.
local function find_key_in_use(kind, scope, list)
  local found
  for _, one in ipairs(list) do
    local prefix = without_dots(one.key_prefix)
    if one.is_active ~= false and prefix ~= "" and scope._secrets:begins(kind.slot, prefix) then
      if found then
        return nil, ("two keys begin like the key in use (%s)"):format(shown(prefix)),
          "revoke it yourself, by key:revoke()", kind.revoke_hint
      end
      found = one
    end
  end
  if found then return found end
  return nil, ("no active key in %s begins like the key in use"):format(kind.lists)
end

local function refuse(kind, cause, what, advice, hint)
  return waits.after_refusal(errors.fail {
    kind = cause, outcome = "not_sent", operation = kind.create, call_name = kind.call_name, what = what,
    consequence = "nothing was created", advice = advice, hint = hint,
  })
end

-- The new key exists, and the rotation is not complete. The error has the key. Its outcome is unknown, because a program
-- reads `refused` and `not_sent` as a call that changed nothing. parts: of the message, for the command
local function incomplete(made, err, message, parts)
  err.key, err.message, err.outcome, err._parts = made, message, "unknown", parts
  err.retryable = false -- the same call would create one more key
  return nil, message, err
end

-- No request can be made with the new key.
local function unusable_key(kind, made, why)
  local message = ("%s: the new key, which is in err.key, can't be used: %s; the old key stays in use")
    :format(kind.call_name, why)
  local _, _, err = errors.fail { kind = "protocol", outcome = "unknown", message = message, operation = kind.create }
  return incomplete(made, err, message, {
    what = "the new key can't be used: " .. why, consequence = "the old one stays in use",
  })
end

-- The program could not store the new key.
local function not_stored(kind, made, old, why)
  local message = ("%s: the function keep did not store the new key: %s; the old key (%s) is not revoked and stays in "
    .. "use; store the new key, which is in err.key, or revoke it with err.key:revoke()")
    :format(kind.call_name, why, shown(old.key_prefix))
  local cause = waits.is_cancelled() and "cancelled" or "file"
  local _, _, err = waits.keep_failure(errors.fail {
    kind = cause, outcome = "unknown", message = message, operation = kind.create,
  })
  return incomplete(made, err, message)
end

-- The old key could not be revoked.
local function not_revoked(kind, made, old, stays, message, err)
  local left = stays and "the server does not accept the new key yet, so the old one (%s) stays in use"
    or err.outcome == "unknown" and "the new key is in use; it is not known whether the old one (%s) is revoked"
    or "the new key is in use, and the old one (%s) was not revoked"
  left = left:format(shown(old.key_prefix))
  local advice = ("look in %s, and revoke the old one with key:revoke()"):format(kind.lists)
  return incomplete(made, err, ("%s; the key in err.key is new: keep it; %s: %s"):format(message, left, advice), {
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

-- Reads the results of pcall and the program's function. A function without a return value has stored the key.
local function was_stored(...)
  local ok, kept, why = ...
  if not ok then return false, text_of(kept) end
  if kept or select("#", ...) == 1 then return true end
  return false, why == nil and "it returned " .. tostring(kept) or text_of(why)
end

-- Calls the program's function. Returns true, or false and why the key is not stored.
local function store_key(keep, made)
  return was_stored(pcall(keep, made))
end

-- An error (Ctrl-C, a debug hook) ended a rotation that had created the new key. A text can't carry the key, so an error
-- object is raised.
local function ended(kind, made, old, value, text)
  local message = ("%s%s%s: an error ended the rotation; the key in err.key is new: keep it; it is not "
    .. "known whether the old one (%s) is revoked: look in %s, and revoke the old one with key:revoke()"):format(
    text, text:find("\n", 1, true) and "\n" or "; ", kind.call_name, shown(old.key_prefix), kind.lists)
  local _, _, err = errors.fail { kind = "cancelled", outcome = "unknown", operation = kind.revoke, message = message }
  err.cause = value
  incomplete(made, err, err.message)
  error(err, 0)
end

---@class devkit4ai.Rotation
---@field kind table of KINDS
---@field name "developer"|"project"
---@field scope devkit4ai.Scope the client, or a project
---@field options { keep: function?, timeout: number?, headers: table<string, string>? }
---@field use fun(text: string) replaces the old key in use, everywhere
---@field time_left fun(): number?
---@field old table? the key in use, from the list of keys
---@field made devkit4ai.Key? the new key
---@field is_usable boolean? requests can be made with the new key

-- The options of one of the calls.
local function step(rotation, what)
  return {
    total = rotation.time_left(), headers = rotation.options.headers,
    call_name = rotation.kind.call_name .. ", " .. what,
  }
end

-- Finds the key in use and creates the new key.
local function create_key(rotation, label)
  local kind, scope = rotation.kind, rotation.scope
  if not scope._secrets:has(kind.slot) then return refuse(kind, "config", "no key is in use", kind.none, kind.hint) end
  local list, message, err =
    call.run(scope, kind.list, { project_id = scope.id }, step(rotation, "looking for the key in use"))
  if not list then return nil, message, err end
  local old, why, advice, hint = find_key_in_use(kind, scope, list)
  if not old then return refuse(kind, "conflict", why, advice, hint) end
  local made
  local args = { project_id = scope.id, name = label }
  made, message, err = call.run(scope, kind.create, args, step(rotation, "creating the new key"))
  if not made then return nil, message, err end
  key.new(made, scope, rotation.name)
  rotation.made, rotation.old = made, old
  return true
end

-- Lets the program store the new key, revokes the old key with it, and uses it.
local function replace_key(rotation)
  local kind, scope, made, old = rotation.kind, rotation.scope, rotation.made, rotation.old
  local with_new, unusable = context.with_key(scope, kind.slot, made.key)
  if not with_new then return unusable_key(kind, made, unusable) end
  rotation.is_usable = true
  local kept, trouble = true, nil
  if rotation.options.keep then kept, trouble = store_key(rotation.options.keep, made) end
  trouble = trouble and with_new._secrets:mask(trouble)
  local revoked, message, err
  if kept and not scope._client._closed then
    revoked, message, err = key.revoke(with_new, rotation.name, old.id, step(rotation, "revoking the old key"))
  elseif kept then
    revoked, message, err = closed(kind)
  end
  with_new._secrets:close()
  if not kept then return not_stored(kind, made, old, trouble) end
  local stays = not revoked and kind.by_new and err.outcome == "refused"
    and (err.kind == "forbidden" or err.kind == "auth")
  if not stays and not scope._client._closed then rotation.use(made.key) end
  if revoked then return made end
  return not_revoked(kind, made, old, stays, message, err)
end

local function rotate(rotation, label)
  local created, message, err = create_key(rotation, label)
  if not created then return nil, message, err end
  return replace_key(rotation)
end

local OPTIONS = validate.schema { keep = { type = "function" } }

--- Rotates the key in use: checks the arguments of the public functions, and runs all steps.
---@param scope devkit4ai.Scope the client, or a project
---@param name "developer"|"project" the type of the key
---@param label string? the new key's name; may be left out before options
---@param options { keep: function?, timeout: number?, headers: table<string, string>? }? timeout: for all steps together
---@param use fun(text: string) replaces the old key in use, everywhere
---@return devkit4ai.Key? key the new one
---@return string? message
---@return devkit4ai.Error? err with the new key in err.key, where it was created
function M.rotate(scope, name, label, options, use)
  local call_name = KINDS[name].call_name
  label, options = validate.optional_text(label, options)
  validate.value(call_name .. ": name", { type = "string" }, label)
  options = validate.arguments(call_name, OPTIONS, options)
  local rotation = {
    kind = KINDS[name], name = name, scope = scope, options = options, use = use,
    time_left = time_limit.start(options.timeout),
  }
  return waits.protect(function(value, text)
    local made = rotation.made
    if not made then error(value, 0) end
    if rotation.is_usable and not scope._client._closed then use(made.key) end
    ended(rotation.kind, made, rotation.old, value, text)
  end, rotate, rotation, label)
end

return M
