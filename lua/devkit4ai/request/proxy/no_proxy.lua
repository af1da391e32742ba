--- The environment's no_proxy, by curl's rules: names, addresses and networks that need no proxy.
local locale = require "devkit4ai.util.locale"

local M = {}

local function octets_of(text)
  local octets = { text:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$") }
  for i, octet in ipairs(octets) do
    octets[i] = tonumber(octet)
    if octets[i] > 255 or octet:find("^0%d") then return nil end
  end
  return octets[1] and octets
end

-- Appends the bytes of "a:b:c", whose last group may be an IPv4 address. false: the text is no such address.
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

-- The bytes of an address, without brackets and zone. nil: it is a name.
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

-- An entry for an address is an address or a network. As in curl, a network of 0 bits means all bits.
local function covers(entry, address)
  local text, bits = entry:match("^(.-)/(%d+)$")
  local network = bytes_of((text or entry):match("^%[(.*)%]$") or text or entry)
  if not network then return false end
  bits = tonumber(bits) or 0
  return same_network(address, network, bits > 0 and bits or #network * 8)
end

-- An entry for a name: "example.com" and ".example.com" mean that name and each name that ends in ".example.com".
local function names(entry, host)
  entry = entry:gsub("^%*%.", ""):gsub("^%.", ""):gsub("%.$", "")
  return entry == "*" or entry ~= "" and (host == entry or host:sub(-#entry - 1) == "." .. entry)
end

local PORTS = { http = "80", https = "443" }

-- An entry without its port. false: it is for another port.
local function without_port(entry, port)
  local rest, its = entry:match("^(%[.*%]):(%d+)$")
  if not rest then rest, its = entry:match("^([^:]*):(%d+)$") end
  if not its then return entry end
  return its == port and rest
end

--- Whether a list of names, addresses and networks, separated by spaces or commas, contains the host of a URL.
---@param url string
---@param host string of the URL, in lower case, without brackets
---@param list string
---@return boolean
function M.contains(url, host, list)
  local scheme, authority = url:match("^(https?)://([^/?#]+)")
  local port = authority and (authority:match(":(%d+)$") or PORTS[scheme])
  local address = bytes_of(host)
  host = host:gsub("%.$", "")
  for item in list:gmatch("[^ \t\r\n,]+") do
    local entry = without_port(locale.lower(item), port)
    if entry and (entry == "*" or address and covers(entry, address) or not address and names(entry, host)) then
      return true
    end
  end
  return false
end

return M
