--- What of an answer may be shown: its text without secrets, those that are new in it among them.
local core = require "devkit4ai.core"
local json = require "devkit4ai.json"

local M = {}

local LOOKED_THROUGH = 65536 -- bytes; far more than is ever shown, and than any secret has

--- The secrets that an answer is masked with. To be closed, where they are others than the call's.
---@param secrets userdata the call's
---@param given table<string, string> new ones, by name, as json.decode gives them
---@return userdata
function M.with(secrets, given)
  if next(given) == nil then return secrets end
  local all = core.secrets(secrets)
  for name, value in next, given do all:set("new " .. name, value, "body") end
  return all
end

local UNQUOTED = { ['\\"'] = '"', ["\\\\"] = "\\", ["\\/"] = "/" }

--- The first bytes of an answer's text. JSON may stand in it as a text of JSON, so escapes are taken off once. Each text of
--- it is masked apart as well: one may end in the middle of a secret.
---@param secrets userdata
---@param text string
---@param shown integer bytes; cut last, lest the cut leave a part of a secret
---@return string
function M.text(secrets, text, shown)
  text = secrets:mask(json.hide(text:sub(1, LOOKED_THROUGH)))
  text = secrets:mask(json.hide((text:gsub('\\["\\/]', UNQUOTED))))
  return (text:sub(1, shown):gsub('[^"]+', function(part) return secrets:mask(part) end))
end

--- Hides secrets in a decoded answer, in place: a server may repeat them where no name tells.
---@param secrets userdata
---@param value table
function M.values(secrets, value)
  for key, item in next, value do
    local kind = type(item)
    if type(key) == "string" and secrets:shows(key) then value[key] = nil
    elseif kind == "string" then value[key] = secrets:mask(item)
    elseif kind == "table" then M.values(secrets, item) end
  end
end

return M
