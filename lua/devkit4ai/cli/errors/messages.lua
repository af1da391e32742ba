--- Messages of the library's errors, for a user of the command: advice as command lines, not as Lua.
local config = require "devkit4ai.config"
local exit_codes = require "devkit4ai.cli.errors.exit_codes"

local M = {}

--- Advice, by the hint that the library's error has.
M.ADVICE = {
  another_path = "give another path",
  base_url = "give --base-url https://host",
  ca_file = "if the server's certificate is your own, give its CA with --ca-file",
  check_keys = "check the keys, the role and the project in `devkit4ai config`",
  fresh_url = "the image URL has expired, or the image is deleted; the command below asks for a fresh URL",
  https = "use https, or run `devkit4ai config --set allow_http=true` if you must",
  https_for_proxy = "give an https address with --base-url, or list its host in no_proxy",
  later = "try again later",
  log_in = "sign in with `devkit4ai login`",
  make_project_key = "create one with `devkit4ai keys --new NAME --save`",
  overwrite = "give another name, or --overwrite",
  proxy = "check the proxy in `devkit4ai config` or in https_proxy, and the address of the API",
  proxy_login = "check the proxy in `devkit4ai config` or in https_proxy, and its user and password",
  readable_store = "make it readable, or sign in with `devkit4ai login`",
  revoke_developer_key = "find it with `devkit4ai keys --developer`, and revoke it with `devkit4ai keys --developer "
    .. "--revoke ID`",
  revoke_project_key = "find it with `devkit4ai keys`, and revoke it with `devkit4ai keys --revoke ID`",
  same_folder = "the folder has to be the same: its journal has what is paid for",
  set_developer_key = "run `devkit4ai config --set developer_key`, or set DEVKIT4AI_DEVELOPER_KEY",
  timeout = "try again later",
  wait_first = "run `devkit4ai wait` with its id first",
}

--- What may have become of a request without a known outcome, by operation.
M.CONSEQUENCES = {
  create_api_key = "a new key may exist now: look for it in `devkit4ai keys` before you make another",
  create_developer_key = "a new key may exist now: look for it in `devkit4ai keys --developer`, and revoke it, before "
    .. "you make another",
  create_project = "the project may exist now: look for its name in `devkit4ai projects` before you make another",
  revoke_api_key = "the key may be revoked now: look for it in `devkit4ai keys`",
  revoke_developer_key = "the key may be revoked now: look for it in `devkit4ai keys --developer`",
}

--- What to do about a missing option of the client; the other options are set with `devkit4ai config`.
M.MISSING = {
  access_token = "run `devkit4ai login`", refresh_token = "run `devkit4ai login`",
  project_key = "create one with `devkit4ai keys --new NAME --save`",
}

-- Advice to repeat a call. It is left out where the call may be paid for: a repeat may be billed again.
local REPEAT = { later = true, timeout = true }

local function env_of(option)
  for _, row in ipairs(config.settings()) do
    if row.name == option then return row.env[1] end
  end
end

local function missing_key(err)
  local steps = { M.MISSING[err.option] or ("run `devkit4ai config --set %s`"):format(err.option) }
  local variable = env_of(err.option)
  if variable then steps[2] = "set " .. variable end
  local consequence = err._parts.consequence and "; " .. err._parts.consequence or ""
  return ("the %s is missing%s: %s"):format(err.option, consequence, table.concat(steps, ", or "))
end

local REFUSED_KEY = "`devkit4ai config` shows where the key comes from; make another, or set it with `devkit4ai config "
  .. "--set`"

local function advice_of(err, has_recovery)
  local parts = err._parts
  if exit_codes.is_key_refused(err) then return REFUSED_KEY end
  if has_recovery and REPEAT[parts.hint] then return nil end
  return parts.advice and (M.ADVICE[parts.hint] or parts.advice)
end

--- The message of a failure.
---@param message string
---@param err table?
---@param has_recovery boolean? generation/recovery.lua adds what became of the request
---@return string
function M.text(message, err, has_recovery)
  local parts = err and err._parts
  if not parts or message ~= err.message then return message end -- a message of the command itself
  if exit_codes.is_key_missing(err) then return missing_key(err) end
  local text = { parts.what }
  if parts.consequence and not has_recovery then
    text[2] = err.outcome == "unknown" and M.CONSEQUENCES[err.operation] or parts.consequence
  end
  text[#text + 1] = advice_of(err, has_recovery)
  return table.concat(text, "; ")
end

return M
