--- The proxy of a request: the option's, else the environment's https_proxy or all_proxy.
local lazy = require "devkit4ai.util.lazy"
local locale = require "devkit4ai.util.locale"
local no_proxy = lazy.module "devkit4ai.request.proxy.no_proxy"

local M = {}

local SCHEMES = { -- curl's; socks is socks4
  http = true, https = true, socks = true, socks4 = true, socks4a = true, socks5 = true, socks5h = true,
}

--- Text without the percent escapes of URLs.
---@param text string
---@return string
function M.percent_decoded(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

--- Parses a proxy's address.
---@param text string [http://][user:password@]host[:port]
---@return string? url without user and password
---@return string? login "user:password"; if url is nil, the reason
function M.parse(text)
  local scheme, rest = text:match("^([A-Za-z][A-Za-z0-9+.-]*)://(.*)$")
  scheme, rest = locale.lower(scheme or "http"), (rest or text):gsub("/$", "")
  if not SCHEMES[scheme] then
    return nil, "its scheme must be http, https, socks4, socks4a, socks5 or socks5h, as in http://host:port"
  end
  local login, place = rest:match("^(.*)@([^@]*)$")
  place = place or rest
  local readable = place:find("^[A-Za-z0-9_.-]+:?%d*$") or place:find("^%[[%x:.]+%]:?%d*$")
  if not readable then return nil, "its host can't be read" end
  return scheme .. "://" .. place, login and M.percent_decoded(login) or nil
end

--- The host of an address, in lower case, an IPv6 one without its brackets.
---@param url string
---@return string
function M.host_of(url)
  local authority = url:match("^https?://([^/?#]+)") or ""
  return locale.lower(authority:match("^%[([^%]]*)%]") or authority:match("^[^:]*"))
end

--- Whether a host name means this machine.
---@param host string
---@return boolean
function M.is_loopback(host)
  return host == "localhost" or host == "::1" or host:find("%.localhost$") ~= nil
    or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

---@class devkit4ai.Proxy
---@field url string? nil: the user's proxy can't be used
---@field why string? the reason
---@field https_only boolean it is the environment's https_proxy
---@field exempt string the environment's no_proxy; empty for the option `proxy`

--- The environment's proxy. As in curl, lower-case names come first. http_proxy does not count, because no request with a
--- key is sent over plain http through a proxy.
---@param getenv fun(name: string): string?
---@return string? text the address, user and password included
---@return boolean https_only
---@return string exempt
---@return string? name of the variable
function M.of_environment(getenv)
  local function value(name)
    for _, spelling in ipairs { name, locale.upper(name) } do
      local text = getenv(spelling)
      if text then return text ~= "" and text or nil, spelling end
    end
  end
  local text, name = value("https_proxy")
  local https_only = text ~= nil
  if not text then text, name = value("all_proxy") end
  return text, https_only, value("no_proxy") or "", text and name
end

--- The proxy for a URL. Loopback has none.
---@param proxy devkit4ai.Proxy?
---@param url string
---@return string? url
---@return string? why the proxy of this URL can't be used
function M.of(proxy, url)
  if not proxy or (proxy.https_only and not url:find("^https:")) then return nil end
  local host = M.host_of(url)
  if M.is_loopback(host) or no_proxy.contains(url, host, proxy.exempt) then return nil end
  return proxy.url, proxy.why
end

return M
