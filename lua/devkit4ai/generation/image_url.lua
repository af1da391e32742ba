--- The URL of a result image, read as a browser reads it.
local core = require "devkit4ai.core"

local M = {}

-- http or https, without a user and password, which would go out as a credential
local function is_absolute(url)
  local authority = url:match("^[Hh][Tt][Tt][Pp][Ss]?://([^/?#]+)[^%s%c\128-\255]*$")
  return authority and not authority:find("[@%s%c\\\128-\255]")
end

--- The URL that is fetched. It is relative to the API. Line feeds, tabs, and blanks at its ends do not count. One that is right
--- is left as it is: its signature is of these bytes.
---@param base_url string the API's
---@param text string? as the server sent it
---@return string? url nil: it can't be used
function M.read(base_url, text)
  text = (text or ""):gsub("[\t\r\n]", ""):match("^[%z\1-\32]*(.-)[%z\1-\32]*$")
  if text == "" then return nil end
  if is_absolute(text) then return text end
  text = text:gsub("^[^?#]+", function(path) return (path:gsub("\\", "/")) end)
  return core.resolve(base_url .. "/", (text:gsub(" ", "%%20"))) -- libcurl would write + in a query
end

return M
