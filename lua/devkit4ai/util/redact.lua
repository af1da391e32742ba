--- Redaction of secrets: known ones, new ones of a response, values with secret names, and the queries of URLs.
local core = require "devkit4ai.core"
local json = require "devkit4ai.util.json"
local locale = require "devkit4ai.util.locale"

local M = {}

-- ---- by name ----

-- In names in lower case, without "_" and "-".
local PARTS = { "secret", "password", "passwd", "passphrase", "privatekey" }
local ENDINGS = {
  "token", "key", "pwd", "otp", "authorization", "cookie", "credential", "credentials", "signature", "sig", "jwt",
}

--- Whether a field with this name holds a secret: api_key, verification_token, clientSecret, Set-Cookie.
---@param name any
---@return boolean
function M.is_secret_name(name)
  if type(name) ~= "string" then return false end
  name = locale.lower(name):gsub("[_-]", "")
  for _, part in ipairs(PARTS) do
    if name:find(part, 1, true) then return true end
  end
  for _, ending in ipairs(ENDINGS) do
    if name:sub(-#ending) == ending then return true end
  end
  return false
end

local function hide_value(before, name)
  if M.is_secret_name(name) then return before .. "***" end
end

local function hide_query(word)
  local _, scheme_end = word:find("%a:\\?/\\?/")
  if not scheme_end then return nil end
  local query = word:find("[?#]", scheme_end)
  if query then word = word:sub(1, query) .. "***" end
  return word:sub(1, scheme_end) .. word:sub(scheme_end + 1):gsub("^[^/?#@]*:[^/?#]*@", "***@")
end

--- A text in which *** replaces the query and the login of each URL: they may hold a signature or a password.
---@param text string
---@return string
function M.urls(text)
  if not text:find("/", 1, true) then return text end -- most request ids, of each poll
  return (text:gsub("[^%s\"'<>]+", hide_query))
end

local ESCAPES, UNESCAPES = { ["\\\\"] = "\1", ['\\"'] = "\2" }, { ["\1"] = "\\\\", ["\2"] = '\\"' }

--- The text of a response, which need not be valid JSON, in which *** replaces each value with a secret name and the query
--- of each URL.
---@param text string
---@return string
function M.named_values(text)
  text = text:gsub('\\["\\]', ESCAPES) -- so that each quote begins or ends a string
  text = text:gsub('("([^"]*)"%s*:%s*")[^"]*', hide_value)
    :gsub('("[^"]*[uU][rR][lL]"%s*:%s*"[^"?#]*[?#])[^"]*', "%1***")
    :gsub('("([^"]*)"%s*:%s*)%[[^%]]*%]?', hide_value):gsub('("([^"]*)"%s*:%s*){[^}]*}?', hide_value)
    :gsub('("([^"]*)"%s*:%s*)[^"%s%[{][^,}]*', hide_value)
  return (M.urls(text):gsub("[\1\2]", UNESCAPES))
end

-- ---- by value ----

local MAX_INPUT = 65536 -- bytes; longer than any excerpt and any secret

-- The secrets of the call and the new ones of its response, as json.decode returns them.
local function with_new(secrets, found)
  local all = core.secrets(secrets)
  for name, value in next, found do all:set("new " .. name, value, "body") end
  return all
end

local UNQUOTED = { ['\\"'] = '"', ["\\\\"] = "\\", ["\\/"] = "/" }

--- An excerpt of a response. A string in it may be JSON itself, so escapes are removed once. Each string is also masked on
--- its own, because one may end in the middle of a secret.
---@param secrets userdata of the call
---@param text string
---@param max_bytes integer the cut comes last, so that it leaves no part of a secret
---@return string
function M.text(secrets, text, max_bytes)
  local _, _, found = json.decode(text)
  local all = with_new(secrets, found)
  text = all:mask(M.named_values(text:sub(1, MAX_INPUT)))
  text = all:mask(M.named_values((text:gsub('\\["\\/]', UNQUOTED))))
  text = text:sub(1, max_bytes):gsub('[^"]+', function(part) return all:mask(part) end)
  all:close()
  return text
end

local function mask_values(secrets, value)
  for key, item in next, value do
    local kind = type(item)
    if type(key) == "string" and secrets:shows(key) then value[key] = nil
    elseif kind == "string" then value[key] = secrets:mask(item)
    elseif kind == "table" then mask_values(secrets, item) end
  end
end

--- Masks secrets in a decoded response, in place: a server may repeat them under any name.
---@param secrets userdata of the call
---@param found table<string, string> new ones, as json.decode returns them
---@param value table
function M.values(secrets, found, value)
  local all = with_new(secrets, found)
  mask_values(all, value)
  all:close()
end

return M
