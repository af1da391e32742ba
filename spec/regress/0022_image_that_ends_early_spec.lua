-- An image that ended early was saved as complete. A body without a length looks complete when a server dies, and a server
-- with only a part of the image sends the length of the part. Now the end marker of the format decides.
local child = require "spec.support.process.child"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local LACK = { png = "no IEND", jpeg = "no EOI marker", webp = "its header says more" }

-- Sends a part of the image this many times, then the complete image.
local SCRIPT = [[
  local image, short, times, has_length = %q, %d, %d, %s
  local n = 0
  return function(conn)
    local request = conn:read_request()
    while request do
      n = n + 1
      local bytes = n <= times and image:sub(1, short) or image
      if has_length then
        conn:respond(200, bytes)
      else
        conn:write("HTTP/1.0 200 OK\r\nContent-Type: image/png\r\n\r\n" .. bytes)
        conn:close()
        return
      end
      request = conn:read_request()
    end
  end
]]

local ALWAYS = 1000

describe("an image that ends early", function()
  local folder, server, client

  before_each(function() folder = child.folder() end)

  after_each(function()
    client:close()
    server:stop()
    child.remove(folder)
  end)

  local function serve(kind, short, times, has_length)
    local image = wire.image[kind]
    server = raw.start { script = SCRIPT:format(image, short, times, tostring(has_length)) }
    client = assert(devkit4ai.new(wire.options(server.url)))
    local gen = client:generation(ID)
    gen.image_url = server.url .. "/image?signature=MARKER"
    return gen, image
  end

  local function refused(message, err, short, lack)
    assert.same({ "protocol", "get_picture", ID, 3, true },
      { err.kind, err.operation, err.generation_id, err.attempts, err.retryable })
    assert.is_truthy(message:find(("the image ended early (%d bytes, %s)"):format(short, lack), 1, true), message)
    assert.is_truthy(message:find("try again", 1, true), message)
    assert.equal(3, #server:requests())
    assert.same({}, child.list(folder))
  end

  for kind, lack in pairs(LACK) do
    for _, has_length in ipairs { true, false } do
      local short = #wire.image[kind] - 1
      local how = kind .. (has_length and ", with a length" or ", without a length")

      it("is not saved: " .. how, function()
        local gen = serve(kind, short, ALWAYS, has_length)
        local saved, message, err = gen:save(folder .. "/a.png")
        assert.is_nil(saved)
        refused(message, err, short, lack)
      end)

      it("is not returned as bytes: " .. how, function()
        local gen = serve(kind, short, ALWAYS, has_length)
        local bytes, message, err = gen:bytes()
        assert.is_nil(bytes)
        assert.is_nil(err.detail)
        refused(message, err, short, lack)
      end)

      it("is fetched again, and saved when it is complete: " .. how, function()
        local gen, image = serve(kind, short, 2, has_length)
        assert.equal(folder .. "/a.png", assert(gen:save(folder .. "/a.png")))
        assert.equal(image, child.read(folder .. "/a.png"))
        assert.same({ "a.png" }, child.list(folder))
        assert.equal(3, #server:requests())
      end)
    end
  end
end)
