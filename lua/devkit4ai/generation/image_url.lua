--- The URL of a result image, read as a browser reads it.
local core = require "devkit4ai.core"

local M = {}

-- http or https, without a user and password: libcurl would send these as a credential.
local function is_absolute(url)
  local authority = url:match("^[Hh][Tt][Tt][Pp][Ss]?://([^/?#]+)[^%s%c\128-\255]*$")
  return authority and not authority:find("[@%s%c\\\128-\255]")
end

--- The absolute URL. A relative one is resolved against the API's address. Line feeds, tabs and outer spaces are removed. A
--- valid URL stays as it is: its signature covers these bytes.
---@param base_url string the API's
---@param text string? as the server sent it
---@return string? url nil: it can't be used
function M.resolve(base_url, text)
  text = (text or ""):gsub("[\t\r\n]", ""):match("^[%z\1-\32]*(.-)[%z\1-\32]*$")
  if text == "" then return nil end
  if is_absolute(text) then return text end
  text = text:gsub("^[^?#]+", function(path) return (path:gsub("\\", "/")) end)
  return core.resolve(base_url .. "/", (text:gsub(" ", "%%20"))) -- libcurl would write + in a query
end

return M
