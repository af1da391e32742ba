-- Fields of a wrong type, and URLs that libcurl would have accepted, reached code that expects a string.
local responses = require "devkit4ai.api.responses"
local devkit4ai = require "devkit4ai"
local json = require "devkit4ai.util.json"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"

describe("a generation with fields of a wrong type", function()
  it("has only a status and a URL that are strings", function()
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
    it(("sends no request to %q"):format(url), function()
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
  it("does not read NaN and Infinity as numbers, and rejects hexadecimal numbers", function()
    for _, text in ipairs { "[NaN]", "[Infinity]", "[-Infinity]" } do assert.same({}, json.decode_plain(text)) end
    assert.is_false((json.decode "[0x10]"))
  end)

  it("writes each number with its value", function()
    assert.equal('{"seed":99999999999999}', json.encode { seed = 99999999999999 })
    local text, why = json.encode { list = { { seed = 2 ^ 53 + 2 } } }
    assert.is_nil(text)
    assert.is_truthy(why:find("9007199254740994 is beyond 2^53", 1, true), why)
  end)
end)
