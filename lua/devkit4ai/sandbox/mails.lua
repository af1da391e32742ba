--- The mails that would bring verification tokens (wire.md 3.3: the documents say that none are sent yet), kept for a
--- test to read.
local encoding = require "devkit4ai.sandbox.encoding"

local M = {}
local Mails = {}
Mails.__index = Mails

local LIFE = 24 * 3600 -- seconds a token is good for

---@class devkit4ai.sandbox.Mail
---@field user_id string
---@field email string
---@field sent number  Unix time
---@field token string

---@param clock fun(): number Unix time
function M.new(clock)
  return setmetatable({ clock = clock, sent = {}, open_for = {} }, Mails)
end

--- Sends an account a new token, which ends the one before.
---@param user devkit4ai.sandbox.User
function Mails:send(user)
  local mail = { user_id = user.id, email = user.email, sent = self.clock(), token = encoding.random_text() }
  self.open_for[user.id] = mail
  self.sent[#self.sent + 1] = mail
end

--- Whether a text is the token that an account was sent last, not used and not too old; used up now if it is.
---@param user devkit4ai.sandbox.User
---@param token string
---@return boolean
function Mails:open(user, token)
  local mail = self.open_for[user.id]
  if not mail or mail.token ~= token or self.clock() >= mail.sent + LIFE then return false end
  self.open_for[user.id] = nil
  return true
end

return M
