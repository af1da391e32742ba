--- Rows of files: uploads of images, and the download of one.
local M = {}

local CURL_LUAS = { "lua5.1", "luajit" } -- of the Luas, what Debian builds its Lua-cURL for

local function upload(title, harness, shared, url, roots, ratio, memory)
  local cells = { { name = "raw libcurl, curl_mime_filedata",
    measure = harness.command(harness.raw_libcurl("upload", url, shared.upload_head, roots, shared.images)) } }
  harness.each(cells, harness.LUAS, function(lua)
    return { name = "this client, " .. lua, ratio = ratio, memory = memory,
      measure = harness.command(harness.lua(lua, "client.lua", "upload", url, roots, shared.images)) }
  end)
  harness.each_with(cells, "Lua-cURL", "curl", CURL_LUAS, function(lua)
    return { name = (roots == "-" and "Lua-cURL, " or "Lua-cURL (GnuTLS), ") .. lua,
      measure = harness.command(harness.lua(lua, "peers/lua_curl.lua", "upload", url, shared.upload_head, roots,
        shared.images)) }
  end)
  harness.show(title, "ms each", cells)
end

function M.R4(harness, shared, start_server)
  upload("R4: 5 x 10 MiB from files, plain", harness, shared, start_server("", harness.pin), "-", 1.0, 1.2)
  -- one root alone: the row is about the upload, and the system's roots would drown it
  upload("R4: the same over TLS 1.3", harness, shared, start_server(shared.tls, harness.pin), shared.certificate,
    0.9, 2.3)
end

function M.R8(harness, shared, start_server)
  local url, file = start_server("", harness.pin), shared.download_path
  local cells = { { name = "raw libcurl, its defaults, no fsync",
    measure = harness.command(harness.raw_libcurl("download", url, shared.me_head, file)) } }
  harness.each(cells, harness.LUAS, function(lua)
    return { name = "this client, fsync and rename, " .. lua, ratio = 0.75, memory = 0.4,
      measure = harness.command(harness.lua(lua, "client.lua", "download", url, file)) }
  end)
  harness.show("R8: an image of 5 MB into a file", "ms each", cells)
end

return M
