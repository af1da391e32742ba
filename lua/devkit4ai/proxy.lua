--- Which proxy a request goes through: the option's, else the environment's https_proxy or all_proxy.
local M = {}

local SCHEMES = { http = true, https = true, socks5 = true, socks5h = true }

--- Text without the percent escapes of URLs.
---@param text string
---@return string
function M.percent_decoded(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

--- Takes a proxy's address apart.
---@param text string [http://][user:password@]host[:port]
---@return string? url without user and password
---@return string? login "user:password"; why not, where url is nil
function M.parse(text)
  local scheme, rest = text:match("^(%a[%w+.-]*)://(.*)$")
  scheme, rest = (scheme or "http"):lower(), (rest or text):gsub("/$", "")
  if not SCHEMES[scheme] then return nil, "it must look like http://host:port" end
  local login, place = rest:match("^(.*)@([^@]*)$")
  place = place or rest
  local readable = place:find("^[%w.-]+:?%d*$") or place:find("^%[[%x:.]+%]:?%d*$")
  if not readable then return nil, "its host can't be read" end
  return scheme .. "://" .. place, login and M.percent_decoded(login) or nil
end

--- The host of an address, in lower case, an IPv6 one without its brackets.
---@param url string
---@return string
function M.host_of(url)
  local authority = url:match("^https?://([^/?#]+)") or ""
  return (authority:match("^%[([^%]]*)%]") or authority:match("^[^:]*")):lower()
end

--- Whether it is this machine, by its name.
---@param host string
---@return boolean
function M.is_loopback(host)
  return host == "localhost" or host == "::1" or host:find("%.localhost$") ~= nil
    or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

-- "example.com" stands for itself and what ends in ".example.com"
local function is_exempt(host, list)
  for entry in list:gmatch("[^%s,]+") do
    entry = entry:lower():gsub("^%*?%.", ""):gsub(":%d+$", "")
    if entry == "*" or host == entry or host:sub(-#entry - 1) == "." .. entry then return true end
  end
  return false
end

---@class devkit4ai.Proxy
---@field url string
---@field https_only boolean it is the environment's https_proxy
---@field exempt string the environment's no_proxy; an option has none

--- What the environment says, in the spelling of curl: lower case first. http_proxy does not count: no request with a key
--- in it goes out in plain http through a proxy.
---@param getenv fun(name: string): string?
---@return string? text the address, user and password included
---@return boolean https_only
---@return string exempt
function M.of_environment(getenv)
  local function value(name)
    local text = getenv(name) or getenv(name:upper())
    return text ~= "" and text or nil
  end
  local https = value("https_proxy")
  return https or value("all_proxy"), https ~= nil, value("no_proxy") or ""
end

--- The proxy for an address; loopback never goes through one.
---@param proxy devkit4ai.Proxy?
---@param url string
---@return string? url
function M.of(proxy, url)
  if not proxy or (proxy.https_only and not url:find("^https:")) then return nil end
  local host = M.host_of(url)
  if M.is_loopback(host) or is_exempt(host, proxy.exempt) then return nil end
  return proxy.url
end

return M
