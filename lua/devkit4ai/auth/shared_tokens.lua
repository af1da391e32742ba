--- Which clients of this Lua state hold the same refresh token: a renewal by one of them is one for all.
local M = {}

local WEAK = { __mode = "k" }
local holders = setmetatable({}, { __mode = "v" }) -- a token's key -> the client that holds it; where several do, their set

--- What a client's refresh token is known by; it does not show it.
---@param client devkit4ai.Client
---@return string? key nil: it has none
function M.key(client)
  local tag = client._secrets:tag("refresh_token")
  return tag and tag .. client.base_url
end

-- A set of clients is no client.
local function is_client(holder)
  return holder._client == holder
end

--- To be called before a client's refresh token changes.
---@param client devkit4ai.Client
function M.leave(client)
  local key = M.key(client)
  if not key then return end
  if client._twins then client._twins[client] = nil end
  client._twins = nil
  if holders[key] == client then holders[key] = nil end
end

--- To be called after a client's refresh token has changed.
---@param client devkit4ai.Client
function M.join(client)
  local key = M.key(client)
  if not key then return end
  local holder = holders[key]
  if not holder or holder == client then
    holders[key] = client
    return
  end
  if is_client(holder) then
    holder._twins = setmetatable({ [holder] = true }, WEAK) -- kept by each that is in it
    holder = holder._twins
    holders[key] = holder
  end
  holder[client] = true
  client._twins = holder
end

--- The clients that hold the token, but closed ones.
---@param key string
---@return devkit4ai.Client[]
function M.of(key)
  local holder, list = holders[key], {}
  if not holder then return list end
  for client in pairs(is_client(holder) and { [holder] = true } or holder) do
    if not client._closed then list[#list + 1] = client end
  end
  return list
end

return M
