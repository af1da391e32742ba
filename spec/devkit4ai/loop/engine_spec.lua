-- The engine's transfer records: a script's call uses the record of the call before it.
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local USER = "550e8400-e29b-41d4-a716-446655440000"
local GENERATION = "990e8400-e29b-41d4-a716-446655440004"

-- Reads an upload after it has answered a GET that came during the upload.
local SERVER = ([[
  local uploading, answered = false, false
  return function(conn)
    local head = conn:read_head()
    while head do
      local is_upload = head:find("^POST") ~= nil
      uploading = uploading or is_upload
      while is_upload and not answered do conn:sleep(0.01) end
      if not conn:read_body() then return end
      conn:respond(200, { id = is_upload and "%s" or "%s" })
      answered = uploading
      head = conn:read_head()
    end
  end
]]):format(GENERATION, USER)

describe("a call inside another call of a script", function()
  it("has a response of its own, and so have the calls around it", function()
    local server = raw.start { script = SERVER }
    local client = devkit4ai.new(wire.options(server.url))
    finally(function() client:close() server:stop() end)
    local image = { data = wire.image.png .. ("x"):rep(8 * 1024 * 1024), filename = "x.png" }
    local inside = {}
    local function on_upload()
      if #inside < 3 then inside[#inside + 1] = assert(client:me()).id end
    end
    assert.equal(USER, assert(client:me()).id)
    assert.equal(GENERATION, assert(client:generate { images = { image }, prompt = "neon", on_upload = on_upload }).id)
    assert.equal(USER, assert(client:me()).id)
    assert.is_true(#inside > 0)
    for _, id in ipairs(inside) do assert.equal(USER, id) end
  end)
end)
