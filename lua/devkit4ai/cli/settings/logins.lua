--- The stored logins, for display: account, place and end. No token leaves this file.
local core = require "devkit4ai.core"
local json = require "devkit4ai.util.json"
local jwt = require "devkit4ai.auth.jwt"
local settings_file = require "devkit4ai.cli.settings.file"

local M = {}

-- The key of an account's e-mail address in the store.
local function email_key(account) return "email " .. account end

--- Stores the e-mail address of an account.
---@param store devkit4ai.Store
---@param account string
---@param email string
function M.save_email(store, account, email)
  store.set(email_key(account), email)
end

--- Removes the e-mail address of an account.
---@param store devkit4ai.Store
---@param account string
function M.remove_email(store, account)
  store.set(email_key(account), nil)
end

--- The path of the store.
---@return string? nil: the environment names no folder
function M.path()
  local folder = settings_file.folder()
  return folder and folder .. "/sessions.json"
end

-- A login ends with its refresh token.
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
  local values = content and json.decode_plain(content)
  for _, text in pairs(type(values) == "table" and values or {}) do
    local record = type(text) == "string" and json.decode_plain(text)
    if type(record) == "table" and record.access_token then
      local base_url, role, project_id = tostring(record.place):match "^(%S+) (%S+) ?(%S*)"
      logins[#logins + 1] = {
        who = values[email_key(record.account)] or record.account, base_url = base_url, role = role,
        project_id = project_id ~= "-" and project_id ~= "" and project_id or nil, ends = end_of(record),
      }
    end
  end
  local function sort_key(login) return ("%s %s %s"):format(login.base_url, login.role, login.who) end
  table.sort(logins, function(one, other) return sort_key(one) < sort_key(other) end)
  return logins
end

return M
