--- The user's own header lines: on top of ours, never in their place.
local locale = require "devkit4ai.util.locale"

local M = {}

-- Ours: credentials, and what makes the message what it is (in lower case).
local OURS = {}
for name in ([[authorization proxy-authorization cookie x-user-role x-developer-key x-project-id x-api-key
  x-operator-key stripe-signature user-agent host content-type content-length transfer-encoding connection expect te
  trailer upgrade accept-encoding]]):gmatch("%S+") do OURS[name] = true end

local HIDDEN = 8 -- characters; a shorter value is no secret, and would hide its like in every message

local function name_of(line)
  return locale.lower(line:match("^[^:;]*"))
end

--- Puts the values into slots, and gives the lines that name them: so a value can't break a line, and a key among them is
--- masked like ours.
---@param given table<string, string>
---@param secrets userdata core.secrets', of whoever sends them
---@param before string[]? lines that come first, but for those of the same name
---@return string[]? lines
---@return string? why what is wrong with them
function M.compile(given, secrets, before)
  local names, lines, anew = {}, {}, {}
  for name, value in pairs(given) do
    if type(name) ~= "string" or type(value) ~= "string" then return nil, "headers must be strings by name" end
    if not name:find("^[A-Za-z0-9!#$%%&'*+.^_`|~-]+$") then
      return nil, ("a name of %d bytes can't be a header's name"):format(#name)
    end
    if OURS[locale.lower(name)] then return nil, ("the header %s is this library's own"):format(name) end
    names[#names + 1], anew[locale.lower(name)] = name, true
  end
  for _, line in ipairs(before or {}) do
    if not anew[name_of(line)] then lines[#lines + 1] = line end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = given[name]
    local set, _, why = secrets:set("header " .. name, value, #value < HIDDEN and "shown" or "header")
    if not set then return nil, ("the header %s can't be used: %s"):format(name, why) end
    lines[#lines + 1] = value ~= "" and ("%s: {header %s}"):format(name, name) or name .. ";" -- libcurl's sign for none
  end
  return lines
end

return M
