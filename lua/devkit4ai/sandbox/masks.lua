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
  return value:sub(1, math.min(8, math.floor(#value / 4))) .. "..."
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

--- A decoded JSON value; the one given stays as it is.
---@param value any
---@param name string? under which it stands
---@return any
function M.value(value, name)
  if type(value) == "table" then
    local shown = setmetatable({}, getmetatable(value))
    for key, item in pairs(value) do shown[key] = M.value(item, type(key) == "string" and key or name) end
    return shown
  end
  if type(value) == "string" and name and is_secret(name) then return mask(value) end
  return value
end

return M
