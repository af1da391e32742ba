--- What of an answer may be shown: its text without secrets, those that are new in it among them.
local core = require "devkit4ai.core"
local json = require "devkit4ai.util.json"

local M = {}

local LOOKED_THROUGH = 65536 -- bytes; far more than is ever shown, and than any secret has

-- The call's secrets with those that are new in its answer, by name, as json.decode gives them.
local function with(secrets, given)
  local all = core.secrets(secrets)
  for name, value in next, given do all:set("new " .. name, value, "body") end
  return all
end

local UNQUOTED = { ['\\"'] = '"', ["\\\\"] = "\\", ["\\/"] = "/" }

--- The first bytes of an answer's text. JSON may stand in it as a text of JSON, so escapes are taken off once. Each text of
--- it is masked apart as well: one may end in the middle of a secret.
---@param secrets userdata the call's
---@param text string
---@param shown integer bytes; cut last, lest the cut leave a part of a secret
---@return string
function M.text(secrets, text, shown)
  local _, _, given = json.decode(text)
  local all = with(secrets, given)
  text = all:mask(json.hide(text:sub(1, LOOKED_THROUGH)))
  text = all:mask(json.hide((text:gsub('\\["\\/]', UNQUOTED))))
  text = text:sub(1, shown):gsub('[^"]+', function(part) return all:mask(part) end)
  all:close()
  return text
end

local function hide(secrets, value)
  for key, item in next, value do
    local kind = type(item)
    if type(key) == "string" and secrets:shows(key) then value[key] = nil
    elseif kind == "string" then value[key] = secrets:mask(item)
    elseif kind == "table" then hide(secrets, item) end
  end
end

--- Hides secrets in a decoded answer, in place: a server may repeat them where no name tells.
---@param secrets userdata the call's
---@param given table<string, string> new ones, as json.decode gives them
---@param value table
function M.values(secrets, given, value)
  local all = with(secrets, given)
  hide(all, value)
  all:close()
end

return M
