--- Clients of this Lua state that have the same refresh token: a refresh by one of them is for all.
local M = {}

local WEAK_KEYS = { __mode = "k" }
-- The key of a refresh token -> the client that has it; if several clients have it, their group: a set.
local holders = setmetatable({}, { __mode = "v" })

--- The key of a client's refresh token, which does not show the token.
---@param client devkit4ai.Client
---@return string? key nil: it has none
function M.key(client)
  local tag = client._secrets:tag("refresh_token")
  return tag and tag .. client.base_url
end

local function is_client(holder)
  return holder._client == holder
end

--- Removes a client from the clients of its refresh token, before its token changes.
---@param client devkit4ai.Client
function M.leave(client)
  local key = M.key(client)
  if not key then return end
  if client._token_group then client._token_group[client] = nil end
  client._token_group = nil
  if holders[key] == client then holders[key] = nil end
end

--- Adds a client to the clients of its refresh token, after its token has changed.
---@param client devkit4ai.Client
function M.join(client)
  local key = M.key(client)
  if not key then return end
  local holder = holders[key]
  if not holder or holder == client then
    holders[key] = client
    return
  end
  local group = holder
  if is_client(holder) then
    group = setmetatable({ [holder] = true }, WEAK_KEYS)
    holder._token_group = group -- each member keeps the group alive
    holders[key] = group
  end
  group[client] = true
  client._token_group = group
end

--- The clients that have a refresh token, without closed ones.
---@param key string
---@return devkit4ai.Client[]
function M.clients(key)
  local holder, list = holders[key], {}
  if not holder then return list end
  for client in pairs(is_client(holder) and { [holder] = true } or holder) do
    if not client._closed then list[#list + 1] = client end
  end
  return list
end

return M
