-- The validation of uploads (wire.md 5.1).
local helper = require "spec.devkit4ai.sandbox.helper"

local unpack = table.unpack or unpack -- luacheck: ignore (5.1 and LuaJIT)
local MIB = 1024 * 1024
local JPEG, PNG, WEBP = "\255\216\255\224", "\137PNG\r\n\26\n", "RIFF\4\0\0\0WEBP"
local PROMPT = 'instructions={"prompt": "x"}'

describe("an upload to the sandbox", function()
  local box, developer
  local files = {}

  setup(function()
    box = helper.start()
    developer = helper.developer(box)
  end)
  teardown(function()
    helper.stop_all()
    for _, path in ipairs(files) do os.remove(path) end
  end)

  -- curl's form argument for an image with this content.
  local function image(content)
    local path = helper.file(content)
    files[#files + 1] = path
    return "example_images=@" .. path
  end

  local function padded(magic, size)
    return magic .. ("\0"):rep(size - #magic)
  end

  local function instructions_of(length) -- in code points, most of two bytes
    return '{"prompt": "' .. ("ü"):rep(length - 14) .. '"}'
  end

  local function send(images, text, owner)
    local arguments = {}
    for _, one in ipairs(images) do
      arguments[#arguments + 1] = "-F"
      arguments[#arguments + 1] = one
    end
    if text then
      arguments[#arguments + 1] = "--form-string"
      arguments[#arguments + 1] = text
    end
    return helper.generate(owner or developer, unpack(arguments))
  end

  local function refused(status, detail, answer)
    assert.same(detail, answer.detail)
    assert.equal(status, answer.status)
  end

  local function missing(...)
    return { { loc = { "body", ... }, msg = "field required", type = "value_error.missing" } }
  end

  it("accepts JPEG, PNG and WebP by their first bytes, under any file name", function()
    for _, magic in ipairs { JPEG, PNG, WEBP } do
      assert.equal(200, send({ image(padded(magic, 64)) .. ";filename=picture.gif;type=text/plain" }, PROMPT).status)
    end
  end)

  it("refuses GIF, text, an empty file, and half a signature (E40)", function()
    for _, content in ipairs { "GIF89a" .. ("\0"):rep(64), "hello", "", "\255\216", "RIFF\4\0\0\0WAVE" } do
      refused(422, "Invalid file format. Supported formats: JPEG, PNG, WebP",
        send({ image(content) .. ";type=image/png" }, PROMPT))
    end
  end)

  it("accepts five images, not six (E38)", function()
    local one = "example_images=@" .. helper.PNG
    assert.equal(200, send({ one, one, one, one, one }, PROMPT).status)
    refused(422, "Maximum 5 example images allowed", send({ one, one, one, one, one, one }, PROMPT))
  end)

  it("accepts 10 MiB, and not a byte more (E39)", function()
    assert.equal(200, send({ image(padded(PNG, 10 * MIB)) }, PROMPT).status)
    refused(413, "File size exceeds maximum allowed size of 10MB", send({ image(padded(PNG, 10 * MIB + 1)) }, PROMPT))
  end)

  it("accepts five images of 10 MiB, and refuses a larger body (E39)", function()
    local large = image(padded(JPEG, 10 * MIB))
    assert.equal(200, send({ large, large, large, large, large }, PROMPT).status)
    refused(413, "File size exceeds maximum allowed size of 10MB",
      send({ large, large, large, large, large, large, large }, PROMPT))
  end)

  it("needs images in the right part, and instructions (E37)", function()
    refused(422, missing "example_images", send({}, PROMPT))
    refused(422, missing("example_images"), send({ "files=@" .. helper.PNG }, PROMPT))
    refused(422, missing("example_images"), send({ "example_images=text" }, PROMPT))
    refused(422, missing("instructions"), send({ "example_images=@" .. helper.PNG }))
    refused(422, missing("instructions"), send({ "example_images=@" .. helper.PNG, "instructions=@" .. helper.PNG }))
    local neither = helper.generate(developer, "-d", "{}")
    assert.equal(422, neither.status)
    assert.equal(2, #neither.detail)
  end)

  it("needs instructions that are a JSON object with a prompt (E41)", function()
    local one = { "example_images=@" .. helper.PNG }
    local broken = { { loc = { "body", "instructions" }, msg = "Invalid JSON format", type = "value_error.json" } }
    for _, text in ipairs { "a city", "[1]", '"x"', '{"prompt": ', "null", '{"prompt": "\255"}' } do
      refused(422, broken, send(one, "instructions=" .. text))
    end
    refused(422, missing("instructions", "prompt"), send(one, 'instructions={"style": "neon"}'))
    assert.equal(422, send(one, 'instructions={"prompt": 5}').status)
    assert.equal(422, send(one, 'instructions={"prompt": ""}').status)
  end)

  it("accepts 1 to 1,000 code points of instructions (E42)", function()
    local one = { "example_images=@" .. helper.PNG }
    assert.equal(200, send(one, "instructions=" .. instructions_of(1000)).status)
    for _, text in ipairs { instructions_of(1001), "", '{"prompt": "' .. ("x"):rep(100000) .. '"}' } do
      refused(422, "Instructions must be between 1 and 1000 characters", send(one, "instructions=" .. text))
    end
  end)

  it("returns the instructions as they were sent", function()
    local text = '{ "prompt":"a; \\"b\\" \\u00e4 ü",\t"style": [1, null] }'
    local answer = send({ "example_images=@" .. helper.PNG }, "instructions=" .. text)
    assert.equal(text, helper.wait(developer, answer.json.id).json.instructions)
  end)

  it("may be chunked, have its parts in any order, and wait for 100 Continue", function()
    local form = { "--form-string", PROMPT, "-F", image(padded(PNG, 3 * MIB)), "-F", "other=x" }
    for _, header in ipairs { "Transfer-Encoding: chunked", "Expect: 100-continue", "Expect:" } do
      assert.equal(200, helper.generate(developer, "-H", header, unpack(form)).status)
    end
  end)

  it("without a token is refused before its body is sent, if it waits for 100 Continue", function()
    local answer = helper.shell("curl -si -m 20 -w '%{size_upload}' -H 'Expect: 100-continue' -F x=y -F "
      .. helper.quote(image(padded(PNG, 3 * MIB))) .. " " .. box.url .. "/api/v1/generation/generate-v2")
    assert.truthy(answer:find("^HTTP/1.1 401"))
    assert.falsy(answer:find("100 Continue", 1, true))
    assert.truthy(answer:find("credentials\"}0$"))
  end)

  it("that is refused leaves the connection usable", function()
    local url = box.url .. "/api/v1/generation/generate-v2"
    local answer = helper.shell(("curl -s -H Expect: -F %s %s --next -s -w '%%{num_connects}' %s"):format(
      helper.quote(image(padded(PNG, MIB))), url, box.url .. "/api/v1/auth/me"))
    assert.equal('{"detail":"Could not validate credentials"}{"detail":"Could not validate credentials"}0', answer)
  end)

  it("with [fail: reason] in the prompt fails, for that reason", function()
    local one = { "example_images=@" .. helper.PNG }
    local answer = send(one, 'instructions={"prompt": "a city [fail: too dark]"}')
    assert.equal(200, answer.status)
    local ended = helper.wait(developer, answer.json.id).json
    assert.equal("failed", ended.status)
    assert.equal("too dark", ended.error)
    answer = send(one, 'instructions={"prompt": "[fail]"}')
    assert.equal("The image could not be generated", helper.wait(developer, answer.json.id).json.error)
  end)

  describe("gives an image", function()
    local function image_url(text, ...)
      local answer = send({ ... }, text)
      return helper.wait(developer, answer.json.id).json.result_image_url
    end

    it("that is the same for the same prompt and images only", function()
      local a, b = "example_images=@" .. helper.PNG, "example_images=@" .. helper.PNG2
      local first = helper.curl(image_url(PROMPT, a, b)).body
      local elsewhere = helper.developer(helper.start()) -- with an empty cache
      local again = send({ a, b }, PROMPT, elsewhere)
      -- is_true: a failure must not print the images
      assert.is_true(first == helper.curl(helper.wait(elsewhere, again.json.id).json.result_image_url).body)
      assert.is_true(first ~= helper.curl(image_url(PROMPT, b, a)).body)
      assert.is_true(first ~= helper.curl(image_url('instructions={"prompt": "y"}', a, b)).body)
      assert.is_true(#first < 1.5 * MIB)
    end)

    it("to everyone with the signed link, without credentials", function()
      local url = image_url(PROMPT, "example_images=@" .. helper.PNG)
      assert.equal(200, helper.curl(url).status)
      assert.equal(403, helper.curl((url:gsub("%?.*", ""))).status)
      assert.equal(403, helper.curl((url:gsub("signature=.*", "signature="))).status)
      assert.equal(403, helper.curl(url .. "A").status)
      local other = image_url(PROMPT, "example_images=@" .. helper.PNG)
      assert.equal(403, helper.curl((url:gsub("%?.*", "")) .. other:match("%?.*")).status)
      assert.equal(405, helper.curl("-X", "POST", url).status)
    end)
  end)
end)
