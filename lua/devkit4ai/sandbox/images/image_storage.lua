--- The image storage: the second port, which serves result images to the holders of signed links.
local encoding = require "devkit4ai.sandbox.util.encoding"
local responses = require "devkit4ai.sandbox.http.response"

local M = {}

---@class devkit4ai.sandbox.ImageStorage: devkit4ai.sandbox.Service
---@field private _generations devkit4ai.sandbox.Generations
---@field private _links devkit4ai.sandbox.ImageLinks
---@field private _cache devkit4ai.sandbox.ImageCache
local ImageStorage = {}
ImageStorage.__index = ImageStorage

M.OPERATION = "picture" -- the name of every request to this port, for faults and the journal

---@param state devkit4ai.sandbox.State
---@param cache devkit4ai.sandbox.ImageCache
---@return devkit4ai.sandbox.ImageStorage
function M.new(state, cache)
  return setmetatable({ _generations = state.generations, _links = state.image_links, _cache = cache }, ImageStorage)
end

---@param request devkit4ai.sandbox.Request
---@return string operation
---@return devkit4ai.sandbox.Request call
function ImageStorage:match(request) -- luacheck: no self
  return M.OPERATION, request
end

--- Serves an image.
---@param request devkit4ai.sandbox.Request
---@return devkit4ai.sandbox.Response
function ImageStorage:handle(request)
  if request.method ~= "GET" and request.method ~= "HEAD" then
    return responses.detail(405, "Method Not Allowed", { "Allow: GET, HEAD" })
  end
  local id = self._links:verify(request.path, request.query)
  if not id then return responses.detail(403, "Invalid signature") end
  local generation = self._generations:get(id) -- it is completed, since no link was shown before
  if not generation then return responses.detail(404, "Not Found") end
  local seed = encoding.base64url_decode(generation.seed)
  return { status = 200, content_type = "image/png", body = self._cache:get(seed) }
end

return M
