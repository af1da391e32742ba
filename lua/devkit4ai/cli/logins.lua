--- The logins in the file of sessions, for people: who, where, until when. No token leaves this file.
local core = require "devkit4ai.core"
local file = require "devkit4ai.cli.settings_file"
local json = require "devkit4ai.util.json"
local jwt = require "devkit4ai.auth.jwt"

local M = {}

-- The key under which the file has an account's e-mail address.
local function key_of(account) return "email " .. account end

--- Notes whose the account of the last login is.
---@param store devkit4ai.Store
---@param account string
---@param email string
function M.note(store, account, email)
  store.set(key_of(account), email)
end

--- Takes that note away again.
---@param store devkit4ai.Store
---@param account string
function M.forget(store, account)
  store.set(key_of(account), nil)
end

--- The path of the file.
---@return string? nil: there is no place for it
function M.path()
  local folder = file.folder()
  return folder and folder .. "/sessions.json"
end

-- A login lasts as long as its refresh token.
local function end_of(record)
  local ends = jwt.ends(record.refresh_token or "") or record.ends
  return type(ends) == "number" and os.date("!%Y-%m-%dT%H:%M:%SZ", ends) or nil
end

---@class devkit4ai.cli.Login
---@field who string the e-mail address, else the account's id
---@field base_url string
---@field role string
---@field project_id string?
---@field ends string? when the login ends, by the server's clock

--- Every login.
---@return devkit4ai.cli.Login[]
function M.list()
  local path, logins = M.path(), {}
  local content = path and core.load(path)
  local values = content and json.plain(content)
  for _, text in pairs(type(values) == "table" and values or {}) do
    local record = type(text) == "string" and json.plain(text)
    if type(record) == "table" and record.access_token then
      local base_url, role, project_id = tostring(record.place):match "^(%S+) (%S+) ?(%S*)"
      logins[#logins + 1] = {
        who = values[key_of(record.account)] or record.account, base_url = base_url, role = role,
        project_id = project_id ~= "-" and project_id ~= "" and project_id or nil, ends = end_of(record),
      }
    end
  end
  local function rank(login) return ("%s %s %s"):format(login.base_url, login.role, login.who) end
  table.sort(logins, function(one, other) return rank(one) < rank(other) end)
  return logins
end

return M
