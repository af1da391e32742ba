--- Rows of files: images that go up, a picture that comes down.
local M = {}

local CURL_LUAS = { "lua5.1", "luajit" } -- of the Luas, what Debian builds its Lua-cURL for

local function upload(title, kit, shared, url, roots, ratio, memory)
  local cells = { { name = "raw libcurl, curl_mime_filedata",
    measure = kit.command(kit.twin("upload", url, shared.upload_head, roots, shared.images)) } }
  kit.each(cells, kit.LUAS, function(lua)
    return { name = "this client, " .. lua, ratio = ratio, memory = memory,
      measure = kit.command(kit.lua(lua, "client.lua", "upload", url, roots, shared.images)) }
  end)
  kit.each_with(cells, "Lua-cURL", "curl", CURL_LUAS, function(lua)
    return { name = (roots == "-" and "Lua-cURL, " or "Lua-cURL (GnuTLS), ") .. lua,
      measure = kit.command(kit.lua(lua, "lua_curl.lua", "upload", url, shared.upload_head, roots, shared.images)) }
  end)
  kit.show(title, "ms each", cells)
end

function M.R4(kit, shared, start_server)
  upload("R4: 5 x 10 MiB from files, plain", kit, shared, start_server("", kit.pin), "-", 1.0, 1.2)
  -- one root alone: the row is about the upload, and the system's roots would drown it
  upload("R4: the same over TLS 1.3", kit, shared, start_server(shared.tls, kit.pin), shared.certificate, 0.9, 2.3)
end

function M.R8(kit, shared, start_server)
  local url, file = start_server("", kit.pin), shared.picture
  local cells = { { name = "raw libcurl, its defaults, no fsync",
    measure = kit.command(kit.twin("download", url, shared.me_head, file)) } }
  kit.each(cells, kit.LUAS, function(lua)
    return { name = "this client, fsync and rename, " .. lua, ratio = 0.75, memory = 0.4,
      measure = kit.command(kit.lua(lua, "client.lua", "download", url, file)) }
  end)
  kit.show("R8: a picture of 5 MB into a file", "ms each", cells)
end

return M
