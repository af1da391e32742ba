--- The user's own header lines: added to the library's, never in their place.
local locale = require "devkit4ai.util.locale"

local M = {}

-- The library's own: credentials, and the headers of the message format (in lower case).
local RESERVED = {}
for name in ([[authorization proxy-authorization cookie x-user-role x-developer-key x-project-id x-api-key
  x-operator-key stripe-signature user-agent host content-type content-length transfer-encoding connection expect te
  trailer upgrade accept-encoding]]):gmatch("%S+") do RESERVED[name] = true end

local HIDDEN = 8 -- characters; a shorter value is no secret, and masking it would hide ordinary words

local function name_of(line)
  return locale.lower(line:match("^[^:;]*"))
end

--- Puts the values into slots and returns lines that name the slots. So a value can't break a line, and a key among them is
--- masked.
---@param given table<string, string>
---@param secrets userdata core.secrets', of the client or the call that sends them
---@param before string[]? lines that come first; a given header replaces the line with its name
---@return string[]? lines
---@return string? why the headers can't be used
function M.compile(given, secrets, before)
  local names, lines, replaced = {}, {}, {}
  for name, value in pairs(given) do
    if type(name) ~= "string" or type(value) ~= "string" then return nil, "headers must be strings by name" end
    if not name:find("^[A-Za-z0-9!#$%%&'*+.^_`|~-]+$") then
      return nil, ("a text of %d bytes can't be the name of a header"):format(#name)
    end
    if RESERVED[locale.lower(name)] then return nil, ("the header %s is this library's own"):format(name) end
    names[#names + 1], replaced[locale.lower(name)] = name, true
  end
  for _, line in ipairs(before or {}) do
    if not replaced[name_of(line)] then lines[#lines + 1] = line end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = given[name]
    local set, _, why = secrets:set("header " .. name, value, #value < HIDDEN and "shown" or "header")
    if not set then return nil, ("the header %s can't be used: %s"):format(name, why) end
    lines[#lines + 1] = value ~= "" and ("%s: {header %s}"):format(name, name) or name .. ";" -- libcurl's form of an empty header
  end
  return lines
end

return M
