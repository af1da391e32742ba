-- A system without root certificates: the message names the folder or the file, and says what to do. One Lua: the text is of C.
if _VERSION ~= "Lua 5.4" then return end

local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"

local SERVER = [[return function(conn) while conn:read_request() do conn:respond(200, "{}") end end]]

describe("a call where the system has", function()
  local server, folder
  setup(function()
    server = raw.start { script = SERVER, tls = true }
    folder = child.folder()
  end)
  teardown(function()
    server:stop()
    child.remove(folder)
  end)

  -- The error of a call with a libcurl that has this file and folder of root certificates.
  local function call_with(file, directory)
    local ended = child.run([[
      local devkit4ai = require "devkit4ai"
      local client = devkit4ai.new { base_url = ..., access_token = "t", developer_key = "d" }
      local _, message, err = client:me()
      print(err.kind, message)
    ]], { preload = "other_libcurl", args = { server.url },
      env = { OTHER_LIBCURL_CAINFO = file, OTHER_LIBCURL_CAPATH = directory } })
    assert.equal(0, ended.code, ended.err)
    return ended.out
  end

  local function says(said, ...)
    assert.matches("^tls\t", said)
    for _, fragment in ipairs { ... } do assert.is_truthy(said:find(fragment, 1, true), said) end
    assert.equal(0, #server:requests())
  end

  it("an empty folder of root certificates names the folder, and what to do", function()
    says(call_with("", folder), "the folder " .. folder .. " has no certificates",
      "install the package ca-certificates, or set ca_file")
  end)

  it("no file of them names the file, and what to do", function()
    says(call_with(folder .. "/roots.crt", ""), "none: " .. folder .. "/roots.crt can't be read",
      "install the package ca-certificates, or set ca_file")
  end)
end)
