--- How a failure ends the command: its exit code, and its message in the words of the shell.
local M = { DONE = 0, FAILED = 1, WRONG_USE = 2, NOT_SIGNED_IN = 4, INTERRUPTED = 130 }

--- Every exit code with its meaning, as `devkit4ai help exit-codes`, the man page and docs/command.md show it.
M.MEANINGS = {
  { 0, "done" },
  { 1, "failed: the server refused it, or a file or a setting can't be used; nothing is paid for" },
  { 2, "wrong use: an option, id, prompt or image that is refused here; nothing was sent" },
  { 4, "not signed in: a token or key is missing, or the server refused it" },
  { 5, "the server limits the rate: `error.retry_after` says for how long" },
  { 6, "nobody knows whether it was done, and it may be paid for: look before you send it again" },
  { 7, "the time is up; nothing is paid for" },
  { 8, "the generation was accepted and is paid for, but is not finished or not saved: run the printed command" },
  { 9, "the generation failed on the server: it has ended, and there is nothing to continue" },
  { 130, "Ctrl-C, SIGTERM or SIGHUP; nothing is paid for" },
}

-- Whether nobody knows what became of a request that may have changed something.
local function is_in_doubt(err)
  local operation = err.operation or "get_"
  return err.outcome == "unknown" and not operation:find("^get_") and not operation:find("^list_")
end

--- Whether nothing was sent for want of a key or token.
---@param err devkit4ai.Error
---@return boolean
function M.lacks_key(err)
  return err.kind == "config" and err.operation ~= nil and err.message:find(" is missing", 1, true) ~= nil
end

--- Whether a login would help.
---@param err devkit4ai.Error
---@return boolean
function M.needs_login(err)
  return err.kind == "auth" or M.lacks_key(err)
end

-- The first row that fits: first what is paid for, or may be, then the kind. docs/command.md shows the same.
local ROWS = {
  { 8, fits = function(err) return err.unfinished end },
  { 9, kind = "failed", fits = function(err) return err.generation_id end },
  { 6, fits = is_in_doubt },
  { M.INTERRUPTED, kind = "cancelled" },
  { M.NOT_SIGNED_IN, fits = M.needs_login },
  { 5, kind = "rate_limited" },
  { 7, kind = "timeout" },
  { M.WRONG_USE, kind = "invalid", outcome = "not_sent" },
  { M.WRONG_USE, kind = "too_large", outcome = "not_sent" },
}

--- The exit code of a failure.
---@param err devkit4ai.Error?
---@return integer
function M.code(err)
  for _, row in ipairs(err and ROWS or {}) do
    local same = (not row.kind or row.kind == err.kind) and (not row.outcome or row.outcome == err.outcome)
    if same and (not row.fits or row.fits(err)) then return row[1] end
  end
  return M.FAILED
end

-- The library speaks to programs; here its words for them are left out, or said as a shell has them.
local WORDS = {
  { "^[%a.]+:[%w_]+: ", "" }, { "^devkit4ai%.new: ", "" }, { "; this line looks for it: .*$", "" },
  { "; go on [%l ]*with .*$", "" }, { ": call gen:wait%(%) first", "" },
  { "call client:login first", "sign in with `devkit4ai login`" },
  { "log in again with client:login", "sign in with `devkit4ai login`" },
  { "make one with project:new_key", "make one with `devkit4ai keys --new NAME --save`" },
  { "{ overwrite = true }", "--overwrite" }, { "give the option [%w_]+ or set", "set" },
  { "the option ca_file", "--ca-file" }, { "client:project: ", "" },
}

--- A message in the words of the shell.
---@param message string
---@return string
function M.words(message)
  for _, row in ipairs(WORDS) do message = message:gsub(row[1], row[2]) end
  return message
end

--- A failure of the command's own.
---@param kind string as err.kind
---@param message string
---@return nil
---@return string message
---@return table err
function M.fail(kind, message)
  return nil, message, { kind = kind, outcome = "not_sent", message = message }
end

return M
