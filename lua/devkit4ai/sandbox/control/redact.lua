--- Redaction of secrets: at most the first eight characters stay, and never more than a quarter.
local M = {}

local SECRET_HEADERS = {
  authorization = true, ["proxy-authorization"] = true, cookie = true, ["x-developer-key"] = true,
  ["x-api-key"] = true, ["x-operator-key"] = true, ["stripe-signature"] = true,
}

-- Whether a field of this name is a secret: password, access_token, api_key, test_webhook_secret, signature ...
local function is_secret(name)
  name = name:lower()
  return name == "key" or name:find("password") or name:find("token$") or name:find("_key$") or name:find("secret")
    or name == "signature"
end

local function redact(value)
  local shown = math.min(8, math.floor(#value / 4))
  while shown > 0 and value:find("^[\128-\191]", shown + 1) do shown = shown - 1 end -- never a part of a character
  return value:sub(1, shown) .. "..."
end

--- Redacts the secret headers.
---@param headers table<string, string> by lower-case name
---@return table<string, string>
function M.headers(headers)
  local shown = {}
  for name, value in pairs(headers) do
    if SECRET_HEADERS[name] then
      local scheme, rest = value:match("^(%a+ +)(.*)$")
      value = scheme and scheme .. redact(rest) or redact(value)
    end
    shown[name] = value
  end
  return shown
end

--- Redacts the secret values of a query string.
---@param text string
---@return string
function M.query_string(text)
  return (text:gsub("([^&=]+)=([^&]*)", function(name, value)
    if is_secret(name) then return name .. "=" .. redact(value) end
  end))
end

--- What replaces a string or number of a JSON text.
---@param value string
---@param name string under which it is
---@return string? redacted nil: the value is not a secret
function M.json_value(value, name)
  return is_secret(name) and redact(value) or nil
end

return M
