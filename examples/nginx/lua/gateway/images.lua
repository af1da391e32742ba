--- Uploads. nginx streams a body to a file, and the gateway renames that file: no byte passes through Lua. The image then
--- waits in run/ for its generation, at most KEEP seconds.
local accounts = require "gateway.accounts"
local failures = require "gateway.failures"

local M = {}
local KEEP = 900 -- seconds
local MOST = 5 -- images for one generation
local GONE = "An image is no longer here. Send it again."
local uploads = ngx.shared.uploads -- the owner of each image by its id, and a list of all images with their times

--- The folder of temporary files.
M.FOLDER = ngx.config.prefix() .. "run/"

--- The type of an image, such as "image/png", by its first bytes.
function M.type_of(path)
  local file = assert(io.open(path, "rb"))
  local head = file:read(12) or ""
  file:close()
  return head:find("^\137PNG\r\n\26\n") and "image/png" or head:find("^\255\216\255") and "image/jpeg"
    or head:find("^RIFF....WEBP") and "image/webp"
end

--- POST /api/images: the body is one image.
function M.upload(_, session)
  accounts.count(session, "images")
  ngx.req.read_body()
  local path, id = ngx.req.get_body_file(), accounts.random_id()
  local kind = path and M.type_of(path)
  if not kind or kind ~= ngx.var.content_type then failures.refuse(415, "This is no JPEG, PNG or WebP image.") end
  uploads:set(id, session.user_id, KEEP)
  uploads:rpush("all", ngx.now() .. " " .. id)
  assert(os.rename(path, M.FOLDER .. id))
  return { id = id }
end

--- Takes a user's uploads for one generation: the paths of their files, which the caller removes. A second request with
--- the same uploads fails, also in another worker (`add`), so a double click does not pay twice.
function M.take(session, ids)
  local paths = {}
  for i, id in ipairs(ids) do
    local is_own = uploads:get(tostring(id)) == session.user_id
    paths[i] = is_own and M.FOLDER .. id or failures.refuse(410, GONE)
  end
  if #paths < 1 or #paths > MOST then failures.refuse(422, ("Give 1 to %d images."):format(MOST)) end
  for _, id in ipairs(ids) do if not uploads:add("taken " .. id, 1, KEEP) then failures.refuse(410, GONE) end end
  return paths
end

--- Removes the uploads that no generation took, the oldest first.
function M.clean_up()
  for entry in function() return uploads:lpop "all" end do
    local time, id = entry:match("^(%S+) (%x+)$")
    if time + KEEP > ngx.now() then return uploads:lpush("all", entry) end
    os.remove(M.FOLDER .. id)
  end
end

return M
