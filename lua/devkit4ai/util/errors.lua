--- What a failure is: its kind, what is known of the request, and what to do next, in words.
local display = require "devkit4ai.util.display"
local locale = require "devkit4ai.util.locale"

local M = {}

---@class devkit4ai.Error why a call gave no value, for the program
---@field kind string the cause: config, file, invalid, too_large, network, timeout, tls, auth, forbidden, not_found, conflict, rate_limited, server, protocol, cancelled, failed
---@field outcome string what is known of the request: not_sent, refused, unknown
---@field message string for a person; tostring(err) and .. give it, too
---@field operation string? the operation's name, as the reference lists them
---@field status integer? of HTTP
---@field detail string? the server's own words
---@field fields table[]? of a 422: { loc, msg, type } each
---@field retry_after number? seconds to wait, as the server said; 60 after a 429 that names no time
---@field retryable boolean the same call may be made again unchanged, can't pay twice and may succeed
---@field attempts integer times it was sent or tried
---@field request_id string? where the server sends X-Request-ID
---@field generation_id string? the generation it is about
---@field option string? the option of `new` that is missing or can't be used
---@field key devkit4ai.Key? the new key of a rotation that was not completed
---@field generation_ids string[]? of a task, all or map: every generation that was created in it
---@field created table[]? of a task, all or map: the objects that were created in it (generations, projects, keys, accounts)
---@field results table<integer, any>? of all and map: the first value of each sibling that had finished, by its index
---@field cause any? the value that the program raised, where it is no text
local Error = {}
Error.__name = "devkit4ai.Error"

function Error:__tostring()
  return self.message
end

local private = setmetatable({}, { __mode = "k" }) -- error -> its fields whose names begin with "_"; pairs shows the others

function Error:__index(name)
  return private[self] and private[self][name]
end

function Error:__newindex(name, value)
  if name:sub(1, 1) ~= "_" then return rawset(self, name, value) end
  private[self] = private[self] or {}
  private[self][name] = value
end

function Error.__concat(a, b)
  return tostring(a) .. tostring(b)
end

-- The core's status names (src/core/status.h): the kind, what a person may do about it, whether a later try may go
-- better; hint: the name of advice for which the command has its own words.
local STATUSES = {
  memory = { "network", "give the process more memory", true },
  unsupported = { "config", "use libcurl 7.80 or newer, built with TLS and proxies" },
  url = { "config", "give base_url as https://host", hint = "base_url" },
  value = { "config", "set it again without that character" },
  empty_slot = { "config" },
  forked = { "config", "make a new client in the child process" },
  resources = { "network", "close what is not needed, or raise the limit of open files", true },
  file = { "file", "give the path of a file that can be read or written" },
  file_exists = { "file", "give another name, or { overwrite = true }", hint = "overwrite" },
  not_regular = { "file", "give another path; gen:bytes() gives the bytes without a file", hint = "another_path" },
  disk = { "file" },
  no_image = { "invalid", "give a JPEG, PNG or WebP picture" },
  image_cut = { "protocol", "try again; the server or a proxy cut it off", true },
  too_large = { "too_large", "give a smaller picture" },
  over_cap = { "protocol", "the answer is not what this API gives; look at base_url" },
  private_address = { "protocol", "the server names a picture that is not on the public network" },
  lookup = { "network", "look at the name in base_url and at the network", true },
  connect = { "network", "is the server running, and is base_url right?", true },
  proxy = {
    "network", "look at the option proxy, or at https_proxy, and at its user and password", hint = "proxy_login",
  },
  handshake = { "tls", "does base_url name a server that speaks TLS 1.2 or newer?", true },
  tls = { "tls", "if the server's certificate is your own, name its CA with the option ca_file", hint = "ca_file" },
  cut = { "network", nil, true },
  timeout = { "timeout", "try later, or give more time with the option timeout", true, hint = "timeout" },
  cancelled = { "cancelled" },
  protocol = { "protocol", "is base_url the API's address?", true },
}

-- What libcurl's words come to, by the core's status name; %s: where its words say more, they follow.
local PLAIN = {
  lookup = "this name is not known", connect = "no connection",
  cut = "the connection ended before the whole response had come", handshake = "no TLS connection: %s",
  tls = "no TLS connection: %s",
}

--- What failed, without libcurl's words where ours say as much.
---@param name string the core's status name
---@param text string libcurl's words
---@return string?
function M.plain(name, text)
  if not PLAIN[name] then return nil end
  local proxy, rest = text:match "^(the proxy %S+: )(.*)$"
  return (proxy or "") .. PLAIN[name]:gsub("%%s", function() return rest or text end)
end

-- HTTP's: the kind, whether the server refused it (then nothing was done), the advice, whether a later try may go better.
-- wire.md 4.3 and 7.
local ANSWERS = {
  [400] = { "invalid", true, "change what the server names" },
  [401] = { "auth", true, "log in again, and look at the token", hint = "log_in" },
  [402] = { "protocol", false, "the server wants a payment: do what its words say" },
  [403] = { "forbidden", true, "look at the keys, the role and whose project it is", hint = "check_keys" },
  [404] = { "not_found", true, "look at the id, and whether it belongs to this account" },
  [405] = { "protocol", true, "is base_url the API's address?" },
  [408] = { "timeout", false, "try later", true, hint = "later" },
  [409] = { "conflict", true, "it is there already" },
  [411] = { "protocol", true, "is base_url the API's address?" },
  [413] = { "too_large", true, "send less" },
  [415] = { "invalid", true, "change what the server names" },
  [422] = { "invalid", true, "change what the server names" },
  [429] = { "rate_limited", true, "wait before the next call", true },
}
-- Every other status, by its first digit.
local OTHERS = {
  [3] = { "protocol", false, "is base_url the API's address?", true },
  [4] = { "protocol", false, "do what the server's words say" },
  [5] = { "server", false, "try later", true, hint = "later" },
}
local STRANGE = { "protocol", false, "is base_url the API's address?" }

-- Where documents give two statuses for the same, the words tell: { words, the status that says it } (wire.md D22).
local MEANT = { [403] = { "not authenticated", 401 } }

--- The status that says what the server means.
---@param status integer of HTTP
---@param detail string? the server's words
---@param meant table<integer, table>? the operation's own rows
---@return integer status
function M.meant(status, detail, meant)
  local row = meant and meant[status] or MEANT[status]
  return row and detail and locale.lower(detail):find(row[1], 1, true) and row[2] or status
end

---@param status integer of HTTP
---@return string kind
---@return string outcome
---@return string advice
---@return boolean? transient
---@return string? hint the name of the advice
function M.of_status(status)
  local row = ANSWERS[status] or OTHERS[math.floor(status / 100)] or STRANGE
  return row[1], row[2] and "refused" or "unknown", row[3], row[4], row.hint
end

---@param name string the core's status name
---@return string kind
---@return string? advice
---@return boolean? transient
---@return string? hint the name of the advice
function M.of_core(name)
  local row = STATUSES[name]
  return row[1], row[2], row[3], row.hint
end

-- The message of its parts. The error keeps them for the command, which leaves out the call and has its own advice by hint.
local function join(fields)
  local parts = { fields.says and ("%s: %s"):format(fields.says, fields.what) or fields.what }
  parts[#parts + 1] = fields.consequence
  parts[#parts + 1] = fields.advice
  fields._parts = {
    what = fields.what, consequence = fields.consequence, advice = fields.advice, hint = fields.hint,
  }
  fields.says, fields.what, fields.consequence, fields.advice, fields.hint = nil, nil, nil, nil, nil
  return table.concat(parts, "; ")
end

--- The three results of a call that failed.
---@param fields table kind and outcome at least; message, or its parts: `what` failed, the call that `says` so, the `consequence`, the `advice` with its `hint`; `transient`: a later try may go better; `harmless`: a repeat can do no harm whatever became of it
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.give(fields)
  if fields.what then fields.message = join(fields) end
  fields.message = display.lines(fields.message) -- whoever made it: it may hold words of the server
  if fields.detail then fields.detail = display.text(fields.detail, math.huge) end
  fields.retryable = fields.transient == true and (fields.harmless == true or fields.outcome ~= "unknown")
  fields.transient, fields.harmless = nil, nil
  fields.attempts = fields.attempts or 0
  local parts = fields._parts
  fields._parts = nil
  local err = setmetatable(fields, Error)
  err._parts = parts
  return nil, err.message, err
end

---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == Error
end

--- The same for a value that is refused here, before anything goes out.
---@param kind string
---@param what string
---@param operation string?
---@param says string? the call, as the user knows it
function M.refuse(kind, what, operation, says)
  return M.give({ kind = kind, outcome = "not_sent", says = says, what = what, operation = operation })
end

local debug = rawget(_G, "debug") -- some hosts take it away
local getinfo = debug and debug.getinfo
local own = getinfo and getinfo(1, "S").source:match("^(.*)util/errors%.lua$") or "="

local PASSING = { network = true, timeout = true, rate_limited = true, server = true } -- kinds; a later try may fare better

--- The failure of a refresh on the way to a call, told as that call's own: others waited for the same refresh.
---@param err devkit4ai.Error of the refresh
---@param outcome string "not_sent" or "refused": what became of the call
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.on_the_way(err, outcome)
  local told = setmetatable({}, Error)
  for name, value in pairs(err) do told[name] = value end
  told.outcome, told.retryable, told._parts = outcome, PASSING[err.kind] == true, err._parts
  return nil, told.message, told
end

--- Raises a mistake of the program at the first line that is not ours; tail calls make counted levels wrong. Without the
--- debug library the message names no line.
---@param message string
function M.raise(message)
  local level = 2
  while getinfo do
    local info = getinfo(level, "Sl")
    if not info then break end
    if info.currentline > 0 and info.source:sub(1, #own) ~= own then
      return error(("%s:%d: devkit4ai: %s"):format(info.short_src, info.currentline, message), 0)
    end
    level = level + 1
  end
  return error("devkit4ai: " .. message, 0)
end

return M
