--- What of a request may be shown: of a secret its first characters, at most eight, and never more than a quarter.
local M = {}

local HEADERS = {
  authorization = true, ["proxy-authorization"] = true, cookie = true, ["x-developer-key"] = true,
  ["x-api-key"] = true, ["x-operator-key"] = true, ["stripe-signature"] = true,
}

-- Names of members and parameters: password, access_token, developer_key, api_key, test_webhook_secret, signature ...
local function is_secret(name)
  name = name:lower()
  return name == "key" or name:find("password") or name:find("token$") or name:find("_key$") or name:find("secret")
    or name == "signature"
end

local function mask(value)
  local shown = math.min(8, math.floor(#value / 4))
  while shown > 0 and value:find("^[\128-\191]", shown + 1) do shown = shown - 1 end -- no part of a character
  return value:sub(1, shown) .. "..."
end

--- Headers by lower-case name.
---@param headers table<string, string>
---@return table<string, string>
function M.headers(headers)
  local shown = {}
  for name, value in pairs(headers) do
    if HEADERS[name] then
      local scheme, rest = value:match("^(%a+ +)(.*)$")
      value = scheme and scheme .. mask(rest) or mask(value)
    end
    shown[name] = value
  end
  return shown
end

--- A query, or a body of a form, as it was sent.
---@param text string
---@return string
function M.parameters(text)
  return (text:gsub("([^&=]+)=([^&]*)", function(name, value)
    if is_secret(name) then return name .. "=" .. mask(value) end
  end))
end

--- What replaces a string or number of a JSON text; nil: it may be shown.
---@param value string
---@param name string under which it stands
---@return string?
function M.member(value, name)
  return is_secret(name) and mask(value) or nil
end

return M
