--- Outbox of the emails with verification tokens. Nothing is sent (wire.md 3.3); a test reads the tokens here.
local encoding = require "devkit4ai.sandbox.util.encoding"

local M = {}

---@class devkit4ai.sandbox.Outbox
---@field private _now fun(): number
---@field private _records devkit4ai.sandbox.Records
---@field private _emails devkit4ai.sandbox.Email[]
---@field private _last table<string, devkit4ai.sandbox.Email>  by user id
local Outbox = {}
Outbox.__index = Outbox

local TOKEN_LIFETIME = 24 * 3600 -- seconds

---@class devkit4ai.sandbox.Email
---@field user_id string
---@field email string
---@field sent_at number  Unix time
---@field token string
---@field is_used boolean

---@param now fun(): number Unix time
---@param records devkit4ai.sandbox.Records
---@return devkit4ai.sandbox.Outbox
function M.new(now, records)
  local self = setmetatable({ _now = now, _records = records, _emails = {}, _last = {} }, Outbox)
  for _, email in records:each "email" do self:_add(email) end
  return self
end

function Outbox:_add(email)
  self._last[email.user_id] = email
  self._emails[#self._emails + 1] = email
end

--- Sends a new verification token to an account. The token before it becomes invalid.
---@param user devkit4ai.sandbox.User
function Outbox:send_token(user)
  local email = {
    user_id = user.id, email = user.email, sent_at = self._now(), token = encoding.random_secret(), is_used = false,
  }
  self:_add(email)
  self._records:put("email", email.token, email)
end

--- Uses a verification token.
---@param user devkit4ai.sandbox.User
---@param token string
---@return boolean valid false: not the last one sent, used before, or expired
function Outbox:redeem_token(user, token)
  local email = self._last[user.id]
  if not email or email.is_used or email.token ~= token or self._now() >= email.sent_at + TOKEN_LIFETIME then
    return false
  end
  email.is_used = true
  self._records:put("email", email.token, email)
  return true
end

--- Every email, oldest first.
---@return devkit4ai.sandbox.Email[]
function Outbox:list()
  return self._emails
end

return M
