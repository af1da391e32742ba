--- Which proxy a request goes through: the option's, else the environment's https_proxy or all_proxy.
local locale = require "devkit4ai.util.locale"

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

--- Takes a proxy's address apart.
---@param text string [http://][user:password@]host[:port]
---@return string? url without user and password
---@return string? login "user:password"; why not, where url is nil
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

--- Whether it is this machine, by its name.
---@param host string
---@return boolean
function M.is_loopback(host)
  return host == "localhost" or host == "::1" or host:find("%.localhost$") ~= nil
    or host:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

-- ---- no_proxy, as curl reads it ----

local function octets_of(text)
  local octets = { text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
  for i, octet in ipairs(octets) do
    octets[i] = tonumber(octet)
    if octets[i] > 255 or octet:find("^0%d") then return nil end
  end
  return octets[1] and octets
end

-- Appends the bytes of "a:b:c", whose last group may be an IPv4 address; false: it can't be read.
local function append_groups(bytes, text)
  local rest = text == "" and "" or text .. ":"
  while rest ~= "" do
    local group, behind = rest:match("^([^:]*):(.*)$")
    local octets = behind == "" and octets_of(group)
    if octets then
      for _, octet in ipairs(octets) do bytes[#bytes + 1] = octet end
    elseif group:find("^%x%x?%x?%x?$") then
      local number = tonumber(group, 16)
      bytes[#bytes + 1] = math.floor(number / 256)
      bytes[#bytes + 1] = number % 256
    else
      return false
    end
    rest = behind
  end
  return true
end

local function bytes_of_ipv6(text)
  local bytes, back = {}, {}
  local before, behind = text:match("^(.-)::(.*)$")
  if not append_groups(bytes, before or text) or not append_groups(back, behind or "") then return nil end
  local missing = 16 - #bytes - #back
  if missing < 0 or (missing > 0) ~= (before ~= nil) then return nil end
  for _ = 1, missing do bytes[#bytes + 1] = 0 end
  for _, byte in ipairs(back) do bytes[#bytes + 1] = byte end
  return bytes
end

-- The bytes of an address, without brackets and zone; nil: it is a name.
local function bytes_of(text)
  if text:find(":", 1, true) then return bytes_of_ipv6((text:gsub("%%.*$", ""))) end
  return octets_of(text)
end

-- Whether two addresses begin with the same bits.
local function same_network(address, network, bits)
  if #address ~= #network or bits > #address * 8 then return false end
  for i = 1, #address do
    local left = bits - (i - 1) * 8
    local unit = left >= 8 and 1 or left <= 0 and 256 or 2 ^ (8 - left)
    if math.floor(address[i] / unit) ~= math.floor(network[i] / unit) then return false end
  end
  return true
end

-- An entry for an address: one address, or a network. curl takes 0 bits for all of them.
local function covers(entry, address)
  local text, bits = entry:match("^(.-)/(%d+)$")
  local network = bytes_of((text or entry):match("^%[(.*)%]$") or text or entry)
  if not network then return false end
  bits = tonumber(bits) or 0
  return same_network(address, network, bits > 0 and bits or #network * 8)
end

-- An entry for a name: "example.com" and ".example.com" stand for themselves and for what ends in ".example.com".
local function names(entry, host)
  entry = entry:gsub("^%*%.", ""):gsub("^%.", ""):gsub("%.$", "")
  return entry == "*" or entry ~= "" and (host == entry or host:sub(-#entry - 1) == "." .. entry)
end

local PORTS = { http = "80", https = "443" }

-- Takes the port off an entry; false: it is for another one.
local function without_port(entry, port)
  local rest, its = entry:match("^(%[.*%]):(%d+)$")
  if not rest then rest, its = entry:match("^([^:]*):(%d+)$") end
  if not its then return entry end
  return its == port and rest
end

-- Whether a list of names, addresses and networks, with blanks or commas between them, has the host of an address.
local function is_exempt(url, host, list)
  local scheme, authority = url:match("^(https?)://([^/?#]+)")
  local port = authority and (authority:match(":(%d+)$") or PORTS[scheme])
  local address = bytes_of(host)
  host = host:gsub("%.$", "")
  for entry in list:gmatch("[^ \t\r\n,]+") do
    entry = without_port(locale.lower(entry), port)
    if entry and (entry == "*" or address and covers(entry, address) or not address and names(entry, host)) then
      return true
    end
  end
  return false
end

---@class devkit4ai.Proxy
---@field url string? nil: what the user gave can't be used
---@field why string? why not
---@field https_only boolean it is the environment's https_proxy
---@field exempt string the environment's no_proxy; an option has none

--- What the environment says, in the spelling of curl: lower case first. http_proxy does not count: no request with a key
--- in it goes out in plain http through a proxy.
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

--- The proxy for an address; loopback never goes through one.
---@param proxy devkit4ai.Proxy?
---@param url string
---@return string? url
---@return string? why the one that the address needs can't be used
function M.of(proxy, url)
  if not proxy or (proxy.https_only and not url:find("^https:")) then return nil end
  local host = M.host_of(url)
  if M.is_loopback(host) or is_exempt(url, host, proxy.exempt) then return nil end
  return proxy.url, proxy.why
end

return M
