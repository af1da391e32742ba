-- gen:save and gen:bytes: the complete image or nothing.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local LARGE = 300000 -- bytes of the large picture

-- A server with a completed generation; PICTURE answers the request for its image.
local SCRIPT = [[
  local jpeg = "\255\216\255\208" .. ("x"):rep(300000 - 6) .. "\255\217"
  return function(conn)
    local request = conn:read_request()
    while request do
      if request.target:find("/status", 1, true) then
        local url = "http://" .. request.head:match("\r\nHost: ([^\r\n]+)") .. "/picture.jpg?signature=MARKER"
        conn:respond(200, { id = "ID", status = "completed", result_image_url = url })
      else
        PICTURE
      end
      request = conn:read_request()
    end
  end
]]

describe("gen:save", function()
  local folder, server, client, gen

  before_each(function() folder = child.folder() end)

  after_each(function()
    if client then client:close() end
    if server then server:stop() end
    client, server = nil, nil
    child.remove(folder)
  end)

  local function serve(picture)
    server = raw.start { script = (SCRIPT:gsub("%f[%u]%u%u%u*%f[%U]", { ID = ID, PICTURE = picture })) }
    client = devkit4ai.new(wire.options(server.url))
    gen = client:generation(ID)
  end

  local function read(name)
    local file = assert(io.open(folder .. "/" .. name, "rb"))
    local bytes = file:read("*a")
    file:close()
    return bytes
  end

  local function write(name, bytes)
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(bytes)
    file:close()
  end

  -- The call fails, and the folder does not change.
  local function fails(path, options, kind, ...)
    local before = child.list(folder)
    local saved, message, err = gen:save(path, options)
    assert.is_nil(saved)
    assert.same({ kind, "get_picture", ID }, { err.kind, err.operation, err.generation_id })
    assert.equal(1, (message:find("gen:save: ", 1, true)))
    assert.is_nil(message:find("MARKER", 1, true)) -- the signature of a URL is not shown
    for _, fragment in ipairs { ... } do assert.is_truthy(message:find(fragment, 1, true), message) end
    assert.same(before, child.list(folder))
    return err
  end

  it("returns the path of a complete file", function()
    serve "conn:respond(200, jpeg)"
    assert.equal(folder .. "/a.jpg", assert(gen:save(folder .. "/a.jpg")))
    assert.equal(LARGE, #read "a.jpg")
    assert.same({ "a.jpg" }, child.list(folder))
  end)

  it("sends no credential with the request for the image", function()
    serve "conn:respond(200, jpeg)"
    assert(gen:save(folder .. "/a.jpg"))
    local request = server:requests()[2]
    assert.equal("GET /picture.jpg?signature=MARKER HTTP/1.1", wire.head(request))
  end)

  it("refuses a name that exists, and keeps that file", function()
    serve "conn:respond(200, jpeg)"
    write("a.jpg", "mine")
    fails(folder .. "/a.jpg", nil, "file", "a.jpg: it exists already", "{ overwrite = true }")
    assert.equal("mine", read "a.jpg")
  end)

  it("overwrites if overwrite is set, the whole file at once", function()
    serve "conn:respond(200, jpeg)"
    write("a.jpg", "mine")
    assert(gen:save(folder .. "/a.jpg", { overwrite = true }))
    assert.equal(LARGE, #read "a.jpg")
    assert.same({ "a.jpg" }, child.list(folder))
  end)

  it("refuses a folder that is missing, and names it", function()
    serve "conn:respond(200, jpeg)"
    fails(folder .. "/missing/a.jpg", nil, "file", folder .. "/missing/a.jpg: No such file or directory")
  end)

  it("refuses a folder as the file", function()
    serve "conn:respond(200, jpeg)"
    fails(folder, nil, "file", "it is a folder", ID .. ".png")
    fails(folder, { overwrite = true }, "file", folder)
  end)

  it("leaves no part of a download that was cut, and keeps the old file", function()
    serve [[conn:write("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" .. jpeg:sub(1, 200000)) conn:close() return]]
    local err = fails(folder .. "/a.jpg", nil, "network", "(body, after ")
    assert.is_true(err.retryable)
    write("a.jpg", "mine")
    fails(folder .. "/a.jpg", { overwrite = true }, "network")
    assert.equal("mine", read "a.jpg")
  end)

  it("leaves no part of a download that is not an image", function()
    serve [[conn:respond(200, "<html>" .. ("x"):rep(1000))]]
    fails(folder .. "/a.jpg", nil, "protocol", "not a JPEG, PNG or WebP image")
  end)

  it("leaves no file of an empty download", function()
    serve [[conn:respond(200, "")]]
    fails(folder .. "/a.jpg", nil, "protocol", "not a JPEG, PNG or WebP image")
  end)

  it("leaves no part of a download above 64 MiB", function()
    serve [[conn:write("HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n" .. jpeg)
      while conn:write(("x"):rep(1024 * 1024)) do end return]]
    fails(folder .. "/a.jpg", nil, "protocol", "more than 67108864 bytes")
  end)

  it("reports an image that is gone, and leaves no file of the response", function()
    serve [[conn:respond(404, { detail = "Not Found" })]]
    fails(folder .. "/a.jpg", nil, "not_found", "404")
  end)

  it("reports a generation that is not done, and what to do", function()
    server = wire.server { ["GET /api/v1/generation/generations-v2/" .. ID .. "/status"] =
      { 200, { id = ID, status = "processing" } } }
    client = devkit4ai.new(wire.options(server.url))
    gen = client:generation(ID)
    fails(folder .. "/a.jpg", nil, "invalid", ID, "no image yet (processing)", "call gen:wait() first")
  end)

  it("opens no local file through a URL", function()
    server = wire.server { ["GET /api/v1/generation/generations-v2/" .. ID .. "/status"] =
      { 200, { id = ID, status = "completed", result_image_url = "file:///etc/hostname" } } }
    client = devkit4ai.new(wire.options(server.url))
    gen = client:generation(ID)
    fails(folder .. "/a.jpg", nil, "protocol", "no image URL that can be used (a text that is not a URL)")
  end)

  it("reports a file-size limit (ulimit -f), and leaves no file", function()
    serve "conn:respond(200, jpeg)"
    local ended = child.run([[
      local client = require("devkit4ai").new { base_url = arg[1], access_token = "t", developer_key = "d",
        project_id = "550e8400-e29b-41d4-a716-446655440000", project_key = "p" }
      local saved, message, err = client:generation(arg[3]):save(arg[2] .. "/a.jpg")
      print(saved, err.kind, message)
    ]], { args = { server.url, folder, ID }, before = "ulimit -f 100" })
    assert.equal(0, ended.code, ended.err)
    local expected = "nil\tfile\tgen:save: " .. folder .. "/a.jpg: the process may not write so large a file "
      .. "(File too large): raise its limit (ulimit -f); "
    assert.equal(expected, ended.out:sub(1, #expected))
    assert.same({}, child.list(folder))
  end)

  it("leaves no file if the client is closed meanwhile", function()
    serve [[conn:write("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" .. jpeg:sub(1, 1000)) conn:sleep(1000)]]
    local task = devkit4ai.spawn(function() return select(3, gen:save(folder .. "/a.jpg")).kind end)
    while #server:requests() < 2 do require("devkit4ai.loop.waits").sleep(0.01) end
    client:close()
    assert.equal("cancelled", task:join())
    assert.same({}, child.list(folder))
  end)
end)

describe("gen:bytes", function()
  local server, client

  local function serve(picture)
    server = raw.start { script = (SCRIPT:gsub("%f[%u]%u%u%u*%f[%U]", { ID = ID, PICTURE = picture })) }
    client = devkit4ai.new(wire.options(server.url))
    return client:generation(ID)
  end

  after_each(function()
    client:close()
    server:stop()
  end)

  for kind, bytes in pairs(wire.image) do
    it("returns the bytes of a " .. kind .. ", and the kind", function()
      local gen = serve(("conn:respond(200, %q)"):format(bytes))
      local got, what = gen:bytes()
      assert.equal(bytes, got)
      assert.equal(kind, what)
    end)
  end

  it("refuses a response that is not an image", function()
    local bytes, message, err = serve([[conn:respond(200, "<html>")]]):bytes()
    assert.is_nil(bytes)
    assert.same({ "protocol", ID }, { err.kind, err.generation_id })
    assert.is_truthy(message:find("not a JPEG, PNG or WebP image", 1, true))
    assert.equal(1, (message:find("gen:bytes: ", 1, true)), message)
  end)
end)
