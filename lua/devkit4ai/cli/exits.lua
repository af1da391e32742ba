--- How a failure ends the command: its exit code, and its message in the words of the shell.
local core = require "devkit4ai.core"
local config = require "devkit4ai.config"
local operations = require "devkit4ai.api.operations"
local retry = require "devkit4ai.request.retry"

local M = { DONE = 0, FAILED = 1, WRONG_USE = 2, NOT_SIGNED_IN = 4, INTERRUPTED = 130, READER_GONE = 141 }

--- Every exit code with its meaning, as `devkit4ai help exit-codes`, the man page and docs/command.md show it.
M.MEANINGS = {
  { 0, "done" },
  { 1, "failed: the server refused it, or the network, the disk or the settings file failed; nothing is paid for" },
  { 2, "wrong use: an option, a setting, an id, a prompt, an image or the file of `--out` is refused here; nothing was "
    .. "sent" },
  { 4, "not signed in: a token or key is missing, or the server refused it; nothing is paid for" },
  { 5, "the server limits the rate: `error.retry_after` says for how long; nothing is paid for" },
  { 6, "nobody knows whether it was done, and it may be paid for: look before you send it again" },
  { 7, "the time is up; nothing is paid for" },
  { 8, "the generation was accepted and is paid for, but is not finished or not saved: run the printed command" },
  { 9, "the generation failed on the server: it has ended, and there is nothing to continue" },
  { 129, "SIGHUP; nothing is paid for" },
  { 130, "Ctrl-C (SIGINT); nothing is paid for" },
  { 141, "the reader of standard output has gone, as `head` does; nothing is lost" },
  { 143, "SIGTERM; nothing is paid for" },
}

-- Whether nobody knows what became of a request that may not be repeated. A login that is repeated does no harm either.
local function is_in_doubt(err)
  local row = err.operation and operations[err.operation] -- a name that was called, so its rows are loaded
  if err.outcome ~= "unknown" or not row then return false end
  return not retry.is_harmless(row.repeats) and row.answer ~= "tokens"
end

--- Whether nothing was sent for want of a key or token.
---@param err devkit4ai.Error
---@return boolean
function M.lacks_key(err)
  return err.kind == "config" and err.operation ~= nil and err.option ~= nil
end

-- Whether the server refused a key: the API answers 403 for that, and for much else.
local function is_refused_key(err)
  return err.kind == "forbidden" and err.detail ~= nil and err.detail:lower():find "%f[%a]keys?%f[%A]" ~= nil
end

local function needs_key(err)
  return err.kind == "auth" or M.lacks_key(err) or is_refused_key(err)
end

-- Whether a file that the user named for a call was refused: an image.
local function is_of_a_call(err) return err.operation ~= nil end

-- 128 and the signal's number, as shells have it.
local function of_the_signal()
  local number = core.stopped()
  return number and 128 + number or M.INTERRUPTED
end

-- The first row that fits: first what is paid for, or may be, then the kind. MEANINGS tells the same.
local ROWS = {
  { 8, fits = function(err) return err.unfinished end },
  { 9, kind = "failed", fits = function(err) return err.generation_id end },
  { 6, fits = is_in_doubt },
  { of_the_signal, kind = "cancelled" },
  { M.NOT_SIGNED_IN, fits = needs_key },
  { 5, kind = "rate_limited" },
  { 7, kind = "timeout" },
  { M.WRONG_USE, kind = "invalid", outcome = "not_sent" },
  { M.WRONG_USE, kind = "too_large", outcome = "not_sent" },
  { M.WRONG_USE, kind = "config", outcome = "not_sent" },
  { M.WRONG_USE, kind = "file", outcome = "not_sent", fits = is_of_a_call },
}

--- The exit code of a failure.
---@param err devkit4ai.Error?
---@return integer
function M.code(err)
  for _, row in ipairs(err and ROWS or {}) do
    local same = (not row.kind or row.kind == err.kind) and (not row.outcome or row.outcome == err.outcome)
    if same and (not row.fits or row.fits(err)) then return type(row[1]) == "function" and row[1]() or row[1] end
  end
  return err and err.exit_code or M.FAILED
end

-- ---- messages ----

-- The library speaks to programs: { its words, the same for a shell }. Without the second, they are left out.
local WORDS = {
  { "log in again, and look at the token", "sign in with `devkit4ai login`" },
  { "log in again with client:login", "sign in with `devkit4ai login`" },
  { "log in with client:login", "sign in with `devkit4ai login`" },
  { "call client:login first", "sign in with `devkit4ai login`" },
  { "look at the keys, the role and whose project it is",
    "look at `devkit4ai config`: the keys, the role, the project" },
  { "give another name, or { overwrite = true }", "give another name, or --overwrite" },
  { "use https, or { allow_http = true } if you must",
    "use https, or run `devkit4ai config --set allow_http=true` if you must" },
  { "name its CA with the option ca_file", "name its CA with --ca-file" },
  { "look at the option proxy, or at https_proxy, and at its user and password", "look at the proxy in `devkit4ai "
    .. "config`, or at https_proxy, and at its user and password" },
  { "option proxy", "setting proxy" },
  { "try later, or give more time with the option timeout", "try later" },
  { "give base_url in https", "give an https address with --base-url" },
  { "give base_url as https://host", "give --base-url https://host" },
  { ": call gen:wait() first", ": run `devkit4ai wait` with its id first" },
  { "make one with project:new_key, or tell which it is with project:use_key",
    "make one with `devkit4ai keys --new NAME --save`" },
  { "make one with project:new_key", "make one with `devkit4ai keys --new NAME --save`" },
  { "give the option developer_key or set DEVKIT4AI_DEVELOPER_KEY",
    "run `devkit4ai config --set developer_key`, or set DEVKIT4AI_DEVELOPER_KEY" },
  { "client:developer_keys()", "`devkit4ai keys --developer`" }, { "project:keys()", "`devkit4ai keys`" },
  { "client:projects()", "`devkit4ai projects`" },
  { "revoke it yourself, by key:revoke()", "revoke it with `devkit4ai keys --revoke ID`" },
  { "which is in err.key, ", "" }, { "the key in err.key is new", "the key above is new" },
  { "or revoke it with err.key:revoke()", "or revoke it with `devkit4ai keys --revoke ID`" },
  { "revoke the old one with key:revoke()", "revoke the old one with `devkit4ai keys --revoke ID`" },
  { ": gen:refresh() asks for a fresh URL", "; the line below asks for a fresh URL" },
  { "look without since", "look without --since" },
  { "; gen:bytes() gives the bytes without a file", "" },
}

-- The call that a message begins with, and lines of Lua at its end, in whose place the command has one of its own.
local CALLS = {
  { "^[%a.]+:[%w_]+: ", "" },
  { "^images%[(%d+)%]: ", "image %1: " }, { "^devkit4ai%.new: ", "" }, { "; this line looks for it: .*$", "" },
  { "; go on [%l ]*with .*$", "" }, { "client:project: ", "" },
}

local function replace(text, words, otherwise)
  local first, last = text:find(words, 1, true)
  if not first then return text end
  return replace(text:sub(1, first - 1) .. otherwise .. text:sub(last + 1), words, otherwise)
end

local function in_shell(message)
  for _, row in ipairs(WORDS) do message = replace(message, row[1], row[2]) end
  for _, row in ipairs(CALLS) do message = message:gsub(row[1], row[2]) end
  return message
end

-- What to do where an option of the client is missing.
local WAYS = {
  access_token = "run `devkit4ai login`", refresh_token = "run `devkit4ai login`",
  project_key = "make one with `devkit4ai keys --new NAME --save`",
}

local function missing(err)
  local ways = { WAYS[err.option] or ("run `devkit4ai config --set %s`"):format(err.option) }
  for _, row in ipairs(config.settings()) do
    if row.name == err.option and row.env[1] then ways[2] = "set " .. row.env[1] end
  end
  local sent = err._parts.consequence and "; " .. err._parts.consequence or ""
  return ("the %s is missing%s: %s"):format(err.option, sent, table.concat(ways, ", or "))
end

-- What to do about what the server refused, where the library's advice is too little.
local function advice_of(err)
  if is_refused_key(err) then
    return "`devkit4ai config` shows where the key comes from; make another, or set it with `devkit4ai config --set`"
  end
  return err._parts.advice
end

--- A message in the words of the shell.
---@param message string
---@param err table?
---@param ordered boolean? order.lua tells what became of the request
---@return string
function M.words(message, err, ordered)
  local parts = err and err._parts
  local whole = parts and (message == parts.message or ordered and message == err.message)
  if not whole then return in_shell(message) end
  if M.lacks_key(err) then return missing(err) end
  if err.option then return in_shell(message) end
  local words = { parts.what }
  local advice = advice_of(err)
  if not ordered then words[#words + 1] = parts.consequence end
  if not (ordered and advice == "try later") then words[#words + 1] = advice end -- a repeat may pay again
  return in_shell(table.concat(words, "; "))
end

--- What was made can't be shown: no program may take that for a request that was not sent.
---@param shell devkit4ai.cli.Shell
---@param message string
---@param command string? the line that undoes it
---@return nil
---@return string message
---@return table err
function M.unseen(shell, message, command)
  shell.told = true -- why standard output takes nothing
  return nil, message, { kind = "file", outcome = "unknown", message = message, command = command }
end

--- A failure of the command's own.
---@param kind string as err.kind
---@param message string
---@param code integer? the exit code, where the kind has another
---@return nil
---@return string message
---@return table err
function M.fail(kind, message, code)
  return nil, message, { kind = kind, outcome = "not_sent", message = message, exit_code = code }
end

return M
