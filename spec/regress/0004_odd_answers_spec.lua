-- Fields of an odd type, and addresses that libcurl would have taken, came through to where a string was expected.
local responses = require "devkit4ai.api.responses"
local devkit4ai = require "devkit4ai"
local json = require "devkit4ai.util.json"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"

describe("a generation of odd fields", function()
  it("has no status and no address that is no text", function()
    for _, odd in ipairs { true, 5, {} } do
      local gen = assert(responses.generation({ id = ID, status = odd, result_image_url = odd }))
      assert.equal("pending", gen.status)
      assert.is_nil(gen.image_url)
    end
  end)
end)

describe("gen:bytes", function()
  for _, url in ipairs {
    "http://name:word@127.0.0.1:1/a.png", "http://name@127.0.0.1:1", "ftp://127.0.0.1/a.png", "file:///etc/hostname",
    "http://", "http://127.0.0.1:1/a\0.png",
  } do
    it(("asks nobody at %q"):format(url), function()
      local server = wire.server { ["GET /api/v1/generation/generations-v2/" .. ID .. "/status"] =
        { 200, { id = ID, status = "completed", result_image_url = url } } }
      local client = devkit4ai.new(wire.options(server.url))
      local bytes, message, err = client:generation(ID):bytes()
      assert.is_nil(bytes)
      assert.same({ "protocol", "not_sent" }, { err.kind, err.outcome })
      assert.is_nil(message:find("word", 1, true))
      client:close()
      server:stop()
    end)
  end
end)

describe("json", function()
  it("takes NaN and Infinity for no number, and a hexadecimal number for no JSON", function()
    for _, text in ipairs { "[NaN]", "[Infinity]", "[-Infinity]" } do assert.same({}, json.decode_plain(text)) end
    assert.is_false((json.decode "[0x10]"))
  end)

  it("writes no other number than it was given", function()
    assert.equal('{"seed":99999999999999}', json.encode { seed = 99999999999999 })
    local text, why = json.encode { list = { { seed = 2 ^ 53 + 2 } } }
    assert.is_nil(text)
    assert.is_truthy(why:find("9007199254740994 is beyond 2^53", 1, true), why)
  end)
end)
