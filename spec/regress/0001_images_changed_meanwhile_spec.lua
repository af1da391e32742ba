-- The bytes of an image were the caller's string. When the caller removed them from its table during the upload, they were
-- collected, and the upload read freed memory.
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local SCRIPT = ([[
  return function(conn)
    conn:read_head()
    conn:sleep(0.3)
    local request = conn:read_body()
    if request then conn:respond(200, { id = "ID", message = tostring(#(request.body:match("x+end") or "")) }) end
  end
]]):gsub("ID", ID)

describe("project:generate", function()
  it("sends the given bytes, even if the tables change meanwhile", function()
    local server = raw.start { script = SCRIPT }
    local client = devkit4ai.new(wire.options(server.url))
    local filling = 0
    local image = { data = wire.image.png .. ("x"):rep(4 * 1024 * 1024) .. "end", filename = "x.png" }
    local images = { image }
    local gen = assert(client:generate { images = images, prompt = "neon", on_upload = function()
      image.data, images[1], filling = nil, nil, filling + 1
      collectgarbage()
      collectgarbage()
      image.filler = ("y"):rep(4 * 1024 * 1024 + filling) -- where the bytes were
    end })
    assert.equal(ID, gen.id)
    assert.is_true(filling > 0)
    assert.equal(tostring(4 * 1024 * 1024 + 3), gen.message)
    client:close()
    server:stop()
  end)

  local client = devkit4ai.new(wire.options "http://127.0.0.1:1")

  for name, images in pairs {
    ["a list with a hole"] = { "a.jpg", nil, "b.jpg" }, ["not a list"] = { path = "a.jpg" },
    ["a list with another field"] = { "a.jpg", main = "b.jpg" },
  } do
    it("raises at the caller's line for " .. name, function()
      local ok, why = pcall(client.generate, client, { images = images, prompt = "neon" })
      assert.is_false(ok)
      assert.is_truthy(why:find("images[", 1, true) and why:find("string or table expected, got nil", 1, true), why)
    end)
  end

  for name, image in pairs {
    ["a path with a NUL"] = "a.jpg\0.png", ["a name with a NUL"] = { data = wire.image.png, filename = "a\0.png" },
    ["an empty name"] = { data = wire.image.png, filename = "" },
    ["a folder's name"] = { data = wire.image.png, filename = "a/" },
  } do
    it("refuses " .. name .. " and sends nothing", function()
      local gen, message, err = client:generate { images = { image }, prompt = "neon" }
      assert.is_nil(gen)
      assert.same({ "invalid", "not_sent" }, { err.kind, err.outcome })
      assert.is_truthy(message:find("is not a file name", 1, true), message)
    end)
  end
end)
