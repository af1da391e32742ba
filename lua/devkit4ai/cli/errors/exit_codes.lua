--- Exit codes of the command.
local core = require "devkit4ai.core"
local operations = require "devkit4ai.api.operations"
local retry = require "devkit4ai.request.retry"

local M = {
  DONE = 0, FAILED = 1, WRONG_USE = 2, NOT_SIGNED_IN = 4, UNKNOWN = 6, FAILED_THERE = 9, INTERRUPTED = 130,
  READER_GONE = 141,
}

--- Each exit code with its meaning, for `devkit4ai help exit-codes`, the man page and docs/command.md.
M.MEANINGS = {
  { 0, "done" },
  { 1, "failed: the server refused it, or the network, the disk, the settings file or standard output failed; nothing "
    .. "is paid for, unless the message names the saved image" },
  { 2, "wrong use: an option, a setting, an id, a prompt, an image or the file of `--out` is refused here; nothing was "
    .. "sent" },
  { 4, "not signed in: a token or key is missing, or the server refused it; nothing is paid for" },
  { 5, "the server limits the rate: `error.retry_after` says for how long; nothing is paid for" },
  { 6, "the outcome is unknown, and something may be paid for: check before you send it again" },
  { 7, "timed out; nothing is paid for" },
  { 8, "the generation was accepted and is paid for, but is not finished or not saved: run the printed command" },
  { 9, "the generation failed on the server: it has ended, and there is nothing to continue" },
  { 129, "SIGHUP; nothing is paid for" },
  { 130, "Ctrl-C (SIGINT); nothing is paid for" },
  { 141, "the reader of standard output has closed the pipe, as `head` does; nothing is lost" },
  { 143, "SIGTERM; nothing is paid for" },
}

-- Whether the outcome of a request that must not be repeated is unknown. A repeated login does no harm.
local function is_in_doubt(err)
  local row = err.operation and operations.get(err.operation)
  if err.outcome ~= "unknown" or not row then return false end
  return not retry.is_harmless(row.retry_class) and row.response ~= "tokens"
end

--- Whether nothing was sent because a key or token is missing.
---@param err devkit4ai.Error
---@return boolean
function M.is_key_missing(err)
  return err.kind == "config" and err.operation ~= nil and err.option ~= nil
end

--- Whether the server refused a key. The API answers 403 then, as for much else, so its words decide.
---@param err devkit4ai.Error
---@return boolean
function M.is_key_refused(err)
  return err.kind == "forbidden" and err.detail ~= nil and err.detail:lower():find "%f[%a]keys?%f[%A]" ~= nil
end

local function needs_key(err)
  return err.kind == "auth" or M.is_key_missing(err) or M.is_key_refused(err)
end

-- Whether the refused file is an argument of a call: an image. The settings file belongs to no call.
local function has_operation(err) return err.operation ~= nil end

-- 128 and the signal's number, as shells have it.
local function signal_code()
  local number = core.stopped()
  return number and 128 + number or M.INTERRUPTED
end

-- The first row that matches counts: first what is or may be paid for, then the kind. MEANINGS says the same.
local ROWS = {
  { 8, when = function(err) return err.unfinished end },
  { 9, kind = "failed", when = function(err) return err.generation_id end },
  { 6, when = is_in_doubt },
  { signal_code, kind = "cancelled" },
  { M.NOT_SIGNED_IN, when = needs_key },
  { 5, kind = "rate_limited" },
  { 7, kind = "timeout" },
  { M.WRONG_USE, kind = "invalid", outcome = "not_sent" },
  { M.WRONG_USE, kind = "too_large", outcome = "not_sent" },
  { M.WRONG_USE, kind = "config", outcome = "not_sent" },
  { M.WRONG_USE, kind = "file", outcome = "not_sent", when = has_operation },
}

--- The exit code of a failure.
---@param err devkit4ai.Error?
---@return integer
function M.of(err)
  for _, row in ipairs(err and ROWS or {}) do
    local matches = (not row.kind or row.kind == err.kind) and (not row.outcome or row.outcome == err.outcome)
    if matches and (not row.when or row.when(err)) then return type(row[1]) == "function" and row[1]() or row[1] end
  end
  return err and err.exit_code or M.FAILED
end

return M
