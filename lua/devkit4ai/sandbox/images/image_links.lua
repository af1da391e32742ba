--- Signed links to result images: whoever has the link can fetch the image, without credentials.
local hmac = require "openssl.hmac"
local encoding = require "devkit4ai.sandbox.util.encoding"

local M = {}

---@class devkit4ai.sandbox.ImageLinks
---@field private _origin string
---@field private _secret string
local ImageLinks = {}
ImageLinks.__index = ImageLinks

---@param origin string of the image storage
---@param secret string
---@return devkit4ai.sandbox.ImageLinks
function M.new(origin, secret)
  return setmetatable({ _origin = origin, _secret = secret }, ImageLinks)
end

function ImageLinks:_sign(id)
  return encoding.base64url_encode(hmac.new(self._secret, "sha256"):final(id))
end

--- The link to a generation's image.
---@param generation devkit4ai.sandbox.Generation
---@return string
function ImageLinks:url(generation)
  return ("%s/generations/%s.png?signature=%s"):format(self._origin, generation.id, self:_sign(generation.id))
end

--- The generation that a link is for.
---@param path string
---@param query string
---@return string? id nil: no link, or a wrong signature
function ImageLinks:verify(path, query)
  local id = path:match("^/generations/([%x%-]+)%.png$")
  local signature = ("&" .. query):match("&signature=([^&]*)")
  return id and signature == self:_sign(id) and id or nil
end

return M
