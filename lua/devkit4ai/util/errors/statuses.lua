--- Statuses of HTTP and of the core: the kind of each failure, and advice for the user.
local locale = require "devkit4ai.util.locale"

local M = {}

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

return M
