--- Where result pictures lie: another origin, which asks for no credentials but for the signature in the link,
--- as the links of storage services do.
local hmac = require "openssl.hmac"
local rand = require "openssl.rand"
local encoding = require "devkit4ai.sandbox.util.encoding"
local errors = require "devkit4ai.sandbox.api.errors"

local M = {}
local Storage = {}
Storage.__index = Storage

---@param state table
---@param pictures { get: fun(self: table, seed: string): string }
---@param origin string
function M.new(state, pictures, origin)
  return setmetatable({ state = state, pictures = pictures, origin = origin, secret = rand.bytes(32) }, Storage)
end

function Storage:signature(id)
  return encoding.base64url(hmac.new(self.secret, "sha256"):final(id))
end

--- The address under which anyone who has it gets a generation's picture.
---@param generation devkit4ai.sandbox.Generation
---@return string
function Storage:link(generation)
  return ("%s/generations/%s.png?signature=%s"):format(self.origin, generation.id, self:signature(generation.id))
end

--- What every request here asks for.
---@return string
function Storage:operation() -- luacheck: no self
  return "picture"
end

--- Answers a request to the storage.
---@param request devkit4ai.sandbox.Request
---@return devkit4ai.sandbox.Answer
function Storage:answer(request)
  if request.method ~= "GET" and request.method ~= "HEAD" then
    return errors.answer(405, "Method Not Allowed", { "Allow: GET, HEAD" })
  end
  local id = request.path:match("^/generations/([%x%-]+)%.png$")
  local signature = ("&" .. request.query):match("&signature=([^&]*)")
  if not id or signature ~= self:signature(id) then return errors.answer(403, "Invalid signature") end
  local generation = self.state.generations:get(id) -- completed, else nobody had got the link
  if not generation then return errors.of("not_found") end
  return { status = 200, content_type = "image/png", body = self.pictures:get(generation.seed) }
end

return M
