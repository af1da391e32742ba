--- Client options: type, environment variable, default and validation of each.
local core = require "devkit4ai.core"
local validate = require "devkit4ai.util.validate"
local errors = require "devkit4ai.util.errors"
local limits = require "devkit4ai.api.limits"
local event_loop = require "devkit4ai.loop.host"
local locale = require "devkit4ai.util.locale"
local proxies = require "devkit4ai.request.proxy"

local M = {}

---@class devkit4ai.Options options of a client; each one overrides its environment variable
---@field base_url string? the address of the API; DEVKIT4AI_BASE_URL; default https://api.vibecoding.ad
---@field developer_key string? of the developer, ak_...; DEVKIT4AI_DEVELOPER_KEY
---@field project_id string? a UUID; DEVKIT4AI_PROJECT_ID
---@field project_key string? of the project, pk_...; DEVKIT4AI_PROJECT_KEY
---@field operator_key string? of a platform operator; DEVKIT4AI_OPERATOR_KEY
---@field access_token string? of an earlier login; DEVKIT4AI_JWT_TOKEN
---@field refresh_token string? of an earlier login
---@field role string? "developer" (the default), "end_user", "platform_operator"
---@field timeout devkit4ai.Timeout? the limits of each call
---@field retry devkit4ai.Retry? how often a call is tried again
---@field loop string? the event loop that the program runs in: "own" (scripts and games; the default), "luv", "cqueues", "copas"; nginx is detected; one for a Lua state: the first client chooses it
---@field store devkit4ai.Store? keeps the tokens for later programs
---@field on_event (fun(event: devkit4ai.Event))? called with each event of the client; an event has no secrets
---@field headers table<string, string>? more headers, such as traceparent; only the API gets them; they can't replace a header of the library
---@field ca_file string? a file of trusted root certificates, in place of the system's; CURL_CA_BUNDLE, SSL_CERT_FILE
---@field proxy string? [http://][user:password@]host:port; https_proxy, all_proxy (with no_proxy), also in upper case; not used for loopback addresses
---@field user_agent string? in place of devkit4ai-lua/VERSION
---@field allow_http boolean? allows plain http to another machine

---@class devkit4ai.Timeout the timeouts of a call, in seconds
---@field connect number? for DNS, connecting and TLS; default 10
---@field idle number? without any data; default 30; of generate, generate_anonymous and payments:change 120
---@field total number? for the whole call; default 120; those three have no total timeout, only their own `timeout`

---@class devkit4ai.Retry how often a failed call is tried again
---@field attempts integer? total tries of a call; default 3
---@field max_wait number? seconds; a longer wait that the server asks for is not slept: the call fails with err.retry_after; default 60

local UUID = "^" .. ("%x"):rep(8) .. ("%-" .. ("%x"):rep(4)):rep(3) .. "%-" .. ("%x"):rep(12) .. "$"

--- Whether a value is a UUID.
---@param text any
---@return boolean
function M.is_uuid(text)
  return type(text) == "string" and text:find(UUID) ~= nil
end

local PORTS = { http = "80", https = "443" }

--- The origin of a URL (scheme, host and port), for comparisons.
---@param url string http or https
---@return string
function M.origin(url)
  local scheme, host, port = locale.lower(url):match("^(https?)://([^/?#]-):?(%d*)%f[%z/?#]")
  if not scheme then return url end
  return ("%s://%s:%s"):format(scheme, host, port ~= "" and port or PORTS[scheme])
end

-- A host name counts as public: the core checks its address when it connects.
local function is_public(url)
  local host = proxies.host_of(url)
  return not proxies.is_loopback(host) and core.is_public(host) ~= false
end

local HTTPS = { advice = "use https, or { allow_http = true } if you must", hint = "https" }

-- The address without slashes at its end and without /api/v1, which some users add (wire.md 1.1).
local function check_address(url, options)
  local scheme, authority, path = url:match("^(https?)://([^/?#%c%s]+)([^?#%c%s]*)$")
  if not scheme then return nil, "it must look like https://host" end
  if authority:find("@", 1, true) then return nil, "it must not contain a user name or a password" end
  local host = authority:match("^(%[[%x:.]+%])") or authority:match("^([^:]+)")
  if not host or not authority:sub(#host + 1):find("^:?%d*$") then return nil, "its host is not valid" end
  if scheme == "http" and not options.allow_http and not proxies.is_loopback(proxies.host_of(url)) then
    return nil, "plain http sends keys unencrypted", HTTPS
  end
  return scheme .. "://" .. authority .. path:gsub("/+$", ""):gsub("/api/v1$", ""):gsub("/+$", "")
end

local function check_uuid(text)
  if M.is_uuid(text) then return text end
  return nil, "it must be a UUID"
end

local ROLES = { developer = true, end_user = true, platform_operator = true }

local function check_role(text)
  if ROLES[text] then return text end
  return nil, "it must be developer, end_user or platform_operator"
end

local function check_loop(name)
  if event_loop.exists(name) then return name end
  return nil, "it must be one of " .. event_loop.NAMES
end

local function check_user_agent(text)
  if text:find("^[ -~]+$") and not text:find("[{}]") then return text end
  return nil, "it must be printable ASCII without braces"
end

local OPTIONS = {
  base_url = {
    type = "string", env = "DEVKIT4AI_BASE_URL", default = "https://api.vibecoding.ad", check = check_address,
  },
  developer_key = { type = "string", env = "DEVKIT4AI_DEVELOPER_KEY", slot = "header" },
  project_id = {
    type = "string", env = "DEVKIT4AI_PROJECT_ID", slot = "shown", check = check_uuid, call = "pass its id",
  },
  project_key = {
    type = "string", env = "DEVKIT4AI_PROJECT_KEY", slot = "header", call = "create one with project:new_key",
  },
  operator_key = { type = "string", env = "DEVKIT4AI_OPERATOR_KEY", slot = "header" },
  access_token = { type = "string", env = "DEVKIT4AI_JWT_TOKEN", slot = "header", call = "call client:login first" },
  refresh_token = { type = "string", slot = "body", call = "call client:login first" },
  role = { type = "string", default = "developer", check = check_role },
  timeout = { type = "table" },
  retry = { type = "table" },
  loop = { type = "string", check = check_loop, fixed = true }, -- fixed: not a setting of the command, which is a script
  store = { type = "table" },
  on_event = { type = "function" },
  headers = { type = "table" },
  ca_file = { type = "string", env = { "CURL_CA_BUNDLE", "SSL_CERT_FILE" } },
  proxy = { type = "string" },
  user_agent = { type = "string", check = check_user_agent },
  allow_http = { type = "boolean" },
}

---@class devkit4ai.Setting an option whose value is a text, as the command stores it
---@field name string
---@field type string "string" or "boolean"
---@field env string[] names of environment variables
---@field default string?
---@field secret boolean

--- The options with a text as their value, sorted by name.
---@return devkit4ai.Setting[]
function M.settings()
  local list = {}
  for name, row in pairs(OPTIONS) do
    if (row.type == "string" or row.type == "boolean") and not row.fixed then
      list[#list + 1] = {
        name = name, type = row.type, env = type(row.env) == "table" and row.env or { row.env }, default = row.default,
        secret = row.slot ~= nil and row.slot ~= "shown",
      }
    end
  end
  table.sort(list, function(one, other) return one.name < other.name end)
  return list
end

local TIMEOUT = { connect = { type = "number" }, idle = { type = "number" }, total = { type = "number" } }

--- The timeouts of a call.
---@param what string name of the call
---@param given devkit4ai.Timeout?
---@param defaults devkit4ai.Timeout
---@return devkit4ai.Timeout? timeouts
---@return string? message
---@return devkit4ai.Error? err
function M.timeouts(what, given, defaults)
  local timeouts = {}
  given = validate.arguments(what .. ": timeout", TIMEOUT, given)
  for name in pairs(TIMEOUT) do
    local value = given[name] or defaults[name]
    if value and not (value > 0 and value < math.huge) then
      return errors.refuse("config", ("%s: timeout.%s must be a number of seconds above 0"):format(what, name))
    end
    timeouts[name] = value
  end
  return timeouts
end

local RETRY = { attempts = { type = "number" }, max_wait = { type = "number" } }

local function resolve_retry(given)
  given = validate.arguments("devkit4ai.new: retry", RETRY, given)
  local attempts, max_wait = given.attempts or limits.MAX_ATTEMPTS, given.max_wait or limits.MAX_RETRY_WAIT
  if not (attempts >= 1 and attempts < math.huge and attempts % 1 == 0) then
    return errors.refuse("config", "devkit4ai.new: retry.attempts must be a whole number from 1")
  end
  if not (max_wait >= 0 and max_wait < math.huge) then
    return errors.refuse("config", "devkit4ai.new: retry.max_wait must be a number of seconds from 0")
  end
  return { attempts = attempts, max_wait = max_wait }
end

-- Some hosts have no environment.
local function getenv(name)
  return os.getenv and os.getenv(name)
end

-- The address of a proxy; its login goes to a slot. Returns nil and why, if it can't be used.
local function read_proxy(text, secrets)
  local url, login = proxies.parse(text)
  if not url then return nil, login end
  if login then
    local set, _, why = secrets:set("proxy_login", login)
    if not set then return nil, "its login can't be used: " .. why end
    secrets:set("proxy_password", login:match(":(.*)$") or "", "body") -- masks it also without the user name
  end
  return url
end

-- The proxy of the option or the environment. An invalid one fails only the calls that need it.
local function resolve_proxy(given, base_url, secrets)
  local text, https_only, exempt, name = given, false, "", nil
  if text == nil then text, https_only, exempt, name = proxies.of_environment(getenv) end
  if not text or text == "" then return false end
  local proxy = { https_only = https_only, exempt = exempt }
  proxy.url, proxy.why = read_proxy(text, secrets)
  if proxy.why then
    local source = name and "environment variable " .. name or "option proxy"
    proxy.why = ("the %s is not a valid proxy: %s"):format(source, proxy.why)
  end
  local through, why = proxies.of(proxy, base_url)
  if why then return errors.refuse("config", why, nil, "devkit4ai.new") end
  if through and base_url:find("^http:") then
    return errors.fail({
      kind = "config", outcome = "not_sent", call_name = "devkit4ai.new",
      what = "a proxy can read keys in plain http",
      advice = "give base_url in https, or its host in no_proxy", hint = "https_for_proxy",
    })
  end
  return proxy
end

local LOG_LEVELS = { info = true, debug = true }

local function resolve_log()
  local level = getenv("DEVKIT4AI_LOG")
  if not level or level == "" or LOG_LEVELS[level] then return level end
  return errors.refuse("config", "the environment variable DEVKIT4AI_LOG must be info or debug", nil, "devkit4ai.new")
end

-- nginx hides the environment from its workers, unless nginx.conf has an env line.
local function environment_hint(name)
  return rawget(_G, "ngx") and (" (nginx shows it to workers only with `env %s;` in nginx.conf)"):format(name) or ""
end

--- Whether `devkit4ai.new` has such an option.
---@param name string
---@return boolean
function M.is_option(name)
  return OPTIONS[name] ~= nil
end

--- The advice for a missing option, for a message.
---@param slot string name of the option
---@return string
function M.missing_advice(slot)
  local row = OPTIONS[slot]
  local ways = { row.call }
  if row.env then
    ways[#ways + 1] = ("give the option %s or set %s"):format(slot, row.env) .. environment_hint(row.env)
  end
  return ("the %s is missing: %s"):format(slot, table.concat(ways, ", or "))
end

-- The first variable that is set: its value, and where it comes from.
local function from_environment(names)
  for _, name in ipairs(type(names) == "table" and names or { names }) do
    local value = getenv(name)
    if value and value ~= "" then return value, "environment variable " .. name end
  end
end

-- Options that depend on others, or are tables.
local function resolve_others(settings, given, secrets)
  local message, err
  settings.retry, message, err = resolve_retry(given.retry)
  if not settings.retry then return nil, message, err end
  settings.proxy, message, err = resolve_proxy(given.proxy, settings.base_url, secrets)
  if settings.proxy == nil then return nil, message, err end
  settings.log, message, err = resolve_log()
  if message then return nil, message, err end
  local why
  settings.lines = {}
  if given.headers then settings.lines, why = require("devkit4ai.request.headers").compile(given.headers, secrets) end
  if not settings.lines then return errors.refuse("config", "devkit4ai.new: " .. why) end
  settings.public = is_public(settings.base_url)
  return settings
end

-- source: "option NAME", or the environment variable
local function refuse(name, source, why, next_step)
  local _, message, err = errors.fail({
    kind = "config", outcome = "not_sent", option = name, call_name = "devkit4ai.new",
    what = ("the %s can't be used: %s"):format(source, why),
    advice = next_step and next_step.advice, hint = next_step and next_step.hint,
  })
  err._parts.what = why -- the command says where its value came from
  return nil, message, err
end

--- Resolves the options of a client from arguments, environment and defaults.
---@param given devkit4ai.Options?
---@param secrets userdata of the core; gets the secret options
---@return table? settings
---@return string? access_token for its expiry time; the message, if settings is nil
---@return devkit4ai.Error? err
function M.resolve(given, secrets)
  local settings, access_token = {}, nil
  given = validate.arguments("devkit4ai.new", OPTIONS, given)
  for name, row in pairs(OPTIONS) do
    local value, source = given[name], "option " .. name
    if value == nil and row.env then value, source = from_environment(row.env) end
    if value == nil then value = row.default end
    if value ~= nil and row.check then
      local checked, why, next_step = row.check(value, given)
      if not checked then return refuse(name, source, why, next_step) end
      value = checked
    end
    if value ~= nil and row.slot then
      local set, _, why = secrets:set(name, value, row.slot)
      if not set then return refuse(name, source, why) end
    end
    if not row.slot or row.slot == "shown" then settings[name] = value end
    if name == "access_token" then access_token = value end
  end
  local done, message, err = resolve_others(settings, given, secrets)
  if not done then return nil, message, err end
  return settings, access_token
end

return M
