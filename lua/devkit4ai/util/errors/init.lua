--- Errors of calls: the error object, the kind of each failure, and advice for the user.
local display = require "devkit4ai.util.display"
local locale = require "devkit4ai.util.locale"

local M = {}

---@class devkit4ai.Error the reason why a call failed, for the program
---@field kind string the cause: config, file, invalid, too_large, network, timeout, tls, auth, forbidden, not_found, conflict, rate_limited, server, protocol, cancelled, failed
---@field outcome string the result of the request on the server: not_sent, refused, unknown
---@field message string for a person; tostring(err) and .. also give it
---@field operation string? the name of the operation, as the reference lists it
---@field status integer? the HTTP status
---@field detail string? the message of the server
---@field fields table[]? of a 422: a list of { loc, msg, type }
---@field retry_after number? seconds to wait, as the server said; 60 after a 429 that names no time
---@field retryable boolean you can repeat the same call: it can't be billed twice and may succeed
---@field attempts integer number of tries
---@field request_id string? the X-Request-ID of the response
---@field generation_id string? the generation that the call was for
---@field option string? the option of `new` that is missing or can't be used
---@field key devkit4ai.Key? the new key of a rotation that did not finish
---@field generation_ids string[]? of a task, all or map: every generation that it created
---@field created table[]? of a task, all or map: the objects that it created (generations, projects, keys, accounts)
---@field results table<integer, any>? of all and map: the first value of each finished function, by its index
---@field cause any? the value that the program raised, if it is not a string
local Error = {}

local function text_of(err)
  return err.message
end

local function concat(a, b)
  return tostring(a) .. tostring(b)
end

-- Creates an error. Fields whose names begin with "_" are private: pairs and cjson show the others.
local function new(fields, parts)
  local private = { _parts = parts }
  local function assign(err, name, value)
    if name:sub(1, 1) == "_" then private[name] = value else rawset(err, name, value) end
  end
  return setmetatable(fields, {
    class = Error, __name = "devkit4ai.Error", __index = private, __newindex = assign, __tostring = text_of,
    __concat = concat,
  })
end

-- Status name of the core (src/core/base/status.h) -> kind, advice, whether a later try may succeed.
local CORE_STATUSES = {
  memory = { "network", "give the process more memory", true },
  unsupported = { "config", "use libcurl 7.80 or newer, built with TLS and proxies" },
  url = { "config", "give base_url as https://host", hint = "base_url" },
  value = { "config", "set it again without that character" },
  empty_slot = { "config" },
  forked = { "config", "create a new client in the child process" },
  resources = { "network", "close unused files and sockets, or raise the limit of open files", true },
  file = { "file", "give the path of a file that can be read or written" },
  file_exists = { "file", "give another name, or { overwrite = true }", hint = "overwrite" },
  not_regular = { "file", "give another path; gen:bytes() gives the bytes without a file", hint = "another_path" },
  disk = { "file" },
  no_image = { "invalid", "give a JPEG, PNG or WebP image" },
  image_cut = { "protocol", "try again: the server or a proxy closed the connection early", true },
  too_large = { "too_large", "give a smaller image" },
  over_cap = { "protocol", "the API sends no response of this size; check base_url" },
  private_address = { "protocol", "the server gave an image URL that is not on the public network" },
  lookup = { "network", "check the host name in base_url, and the network", true },
  connect = { "network", "check that the server runs, and that base_url is correct", true },
  proxy = {
    "network", "check the option proxy or https_proxy, and the user and password in it", hint = "proxy_login",
  },
  handshake = { "tls", "check that the server in base_url supports TLS 1.2 or newer", true },
  tls = { "tls", "if you issued the server's certificate, give its CA with the option ca_file", hint = "ca_file" },
  cut = { "network", nil, true },
  timeout = { "timeout", "try again later, or pass a larger timeout", true, hint = "timeout" },
  cancelled = { "cancelled" },
  protocol = { "protocol", "check that base_url is the address of the API", true },
}

-- Status name of the core -> reason in plain words; %s: the text of libcurl, where it says more.
local REASONS = {
  lookup = "unknown host name", connect = "no connection",
  cut = "the connection ended before the response was complete", handshake = "no TLS connection: %s",
  tls = "no TLS connection: %s",
}

--- The reason of a network failure in plain words.
---@param name string status name of the core
---@param text string text of libcurl
---@return string? reason nil: only the text of libcurl says it
function M.plain_reason(name, text)
  if not REASONS[name] then return nil end
  local proxy, rest = text:match "^(the proxy %S+: )(.*)$"
  return (proxy or "") .. REASONS[name]:gsub("%%s", function() return rest or text end)
end

-- HTTP status -> kind, whether the server refused the request (so did nothing), advice, whether a later try may succeed
-- (wire.md 4.3 and 7).
local STATUSES = {
  [400] = { "invalid", true, "correct the fields that the server names" },
  [401] = { "auth", true, "log in again, and check the token", hint = "log_in" },
  [402] = { "protocol", false, "the server asks for a payment: see its message" },
  [403] = { "forbidden", true, "check the keys, the role and the owner of the project", hint = "check_keys" },
  [404] = { "not_found", true, "check the id, and that it belongs to this account" },
  [405] = { "protocol", true, "check that base_url is the address of the API" },
  [408] = { "timeout", false, "try again later", true, hint = "later" },
  [409] = { "conflict", true, "it already exists" },
  [411] = { "protocol", true, "check that base_url is the address of the API" },
  [413] = { "too_large", true, "send less" },
  [415] = { "invalid", true, "correct the fields that the server names" },
  [422] = { "invalid", true, "correct the fields that the server names" },
  [429] = { "rate_limited", true, "wait before the next call", true },
}
-- Every other status, by its first digit.
local STATUS_CLASSES = {
  [3] = { "protocol", false, "check that base_url is the address of the API", true },
  [4] = { "protocol", false, "see the message of the server" },
  [5] = { "server", false, "try again later", true, hint = "later" },
}
local UNKNOWN_STATUS = { "protocol", false, "check that base_url is the address of the API" }

-- A status that the documents use for two things: the words of the message tell which status is meant (wire.md D22).
local CORRECTIONS = { [403] = { words = "not authenticated", status = 401 } }

--- The status that the server means.
---@param status integer HTTP status
---@param detail string? message of the server
---@param corrections table<integer, { words: string, status: integer }>? of the operation
---@return integer status
function M.corrected_status(status, detail, corrections)
  local row = corrections and corrections[status] or CORRECTIONS[status]
  return row and detail and locale.lower(detail):find(row.words, 1, true) and row.status or status
end

--- The kind of an HTTP error.
---@param status integer HTTP status
---@return string kind
---@return string outcome
---@return string advice
---@return boolean? transient
---@return string? hint the name of the advice
function M.classify_status(status)
  local row = STATUSES[status] or STATUS_CLASSES[math.floor(status / 100)] or UNKNOWN_STATUS
  return row[1], row[2] and "refused" or "unknown", row[3], row[4], row.hint
end

--- The kind of a failure in the core.
---@param name string status name of the core
---@return string kind
---@return string? advice
---@return boolean? transient
---@return string? hint the name of the advice
function M.classify_core_status(name)
  local row = CORE_STATUSES[name]
  return row[1], row[2], row[3], row.hint
end

-- Joins a message from its parts. The error keeps them for the command, which has its own advice by hint.
local function join(fields)
  local parts = { fields.call_name and ("%s: %s"):format(fields.call_name, fields.what) or fields.what }
  parts[#parts + 1] = fields.consequence
  parts[#parts + 1] = fields.advice
  fields._parts = {
    what = fields.what, consequence = fields.consequence, advice = fields.advice, hint = fields.hint,
  }
  fields.call_name, fields.what, fields.consequence, fields.advice, fields.hint = nil, nil, nil, nil, nil
  return table.concat(parts, "; ")
end

--- The three results of a call that failed.
---@param fields table at least kind and outcome; message, or its parts: `what` failed, `call_name`, `consequence`, `advice` with its `hint`; `transient`: a later try may succeed; `harmless`: a repeat does no harm, whatever the outcome
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.fail(fields)
  if fields.what then fields.message = join(fields) end
  fields.message = display.lines(fields.message) -- it may hold text of the server
  if fields.detail then fields.detail = display.text(fields.detail, math.huge) end
  fields.retryable = fields.transient == true and (fields.harmless == true or fields.outcome ~= "unknown")
  fields.transient, fields.harmless = nil, nil
  fields.attempts = fields.attempts or 0
  local parts = fields._parts
  fields._parts = nil
  return nil, fields.message, new(fields, parts)
end

--- Whether a value is an error of this library.
---@param value any
---@return boolean
function M.is(value)
  local metatable = type(value) == "table" and getmetatable(value)
  return type(metatable) == "table" and rawget(metatable, "class") == Error
end

--- The three results of a call that is refused before anything is sent.
---@param kind string
---@param what string
---@param operation string?
---@param call_name string? as the user knows it
function M.refuse(kind, what, operation, call_name)
  return M.fail({ kind = kind, outcome = "not_sent", call_name = call_name, what = what, operation = operation })
end

local debug = rawget(_G, "debug") -- absent in some hosts
local getinfo = debug and debug.getinfo
local own_folder = getinfo and getinfo(1, "S").source:match("^(.*)util/errors/init%.lua$") or "="

local TRANSIENT = { network = true, timeout = true, rate_limited = true, server = true } -- kinds

--- The error of a call whose token refresh failed. A copy, because several calls may wait for one refresh.
---@param err devkit4ai.Error of the refresh
---@param outcome string of the call: "not_sent" or "refused"
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.from_refresh(err, outcome)
  local copy = new({}, err._parts)
  for name, value in pairs(err) do copy[name] = value end
  copy.outcome, copy.retryable = outcome, TRANSIENT[err.kind] == true
  return nil, copy.message, copy
end

--- Raises an error of the program at the first line outside this library: tail calls make fixed levels wrong. Without the
--- debug library, the message names no line.
---@param message string
function M.raise(message)
  local level = 2
  while getinfo do
    local info = getinfo(level, "Sl")
    if not info then break end
    if info.currentline > 0 and info.source:sub(1, #own_folder) ~= own_folder then
      return error(("%s:%d: devkit4ai: %s"):format(info.short_src, info.currentline, message), 0)
    end
    level = level + 1
  end
  return error("devkit4ai: " .. message, 0)
end

return M
