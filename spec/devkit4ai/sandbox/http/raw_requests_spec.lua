-- Requests that curl can't send, over a raw socket.
local helper = require "spec.devkit4ai.sandbox.helper"

local ME = "GET /api/v1/auth/me HTTP/1.1\r\nHost: h\r\n"

describe("the sandbox's HTTP connection", function()
  if not pcall(require, "cqueues.socket") then
    pending "needs cqueues for raw sockets"
    return
  end

  local box, developer
  setup(function()
    box = helper.start()
    developer = helper.developer(box)
  end)
  teardown(helper.stop_all)

  local function token(name)
    return ME .. (name or "Authorization") .. ": Bearer " .. developer.access_token .. "\r\n\r\n"
  end

  it("accepts header names in any case", function()
    for _, name in ipairs { "authorization", "AUTHORIZATION", "aUTHORIZATION" } do
      assert.equal(200, helper.raw(box, token(name)).status)
    end
  end)

  it("gets the responses of pipelined requests in their order", function()
    local text = helper.raw(box, token() .. ME .. "\r\n" .. token()).text
    local statuses = {}
    for status in text:gmatch("HTTP/1%.1 (%d+)") do statuses[#statuses + 1] = status end
    assert.same({ "200", "401", "200" }, statuses)
  end)

  it("stays open, unless the client asks otherwise or uses HTTP/1.0", function()
    local connection = helper.connect(box.url)
    connection:send(ME .. "\r\n")
    assert.equal("HTTP/1.1 401 Unauthorized\r\n", connection:line())
    connection:send(token())
    local rest = connection:finish()
    assert.truthy(rest:find("HTTP/1.1 200 OK", 1, true))
    assert.falsy(rest:find("Connection: close", 1, true))
    for _, head in ipairs { ME .. "Connection: close\r\n\r\n", "GET /api/v1/auth/me HTTP/1.0\r\n\r\n" } do
      assert.equal("close", helper.raw(box, head).headers.connection)
    end
  end)

  it("gets 400 for a malformed request, and the sandbox continues", function()
    for _, bytes in ipairs { "\0\1\2\r\n\r\n", "GET / HTTP/1.1\nHost: h\n\n", "GET / HTTP/1.1\r\nHost\r\n\r\n" } do
      local answer = helper.raw(box, bytes)
      assert.equal(400, answer.status)
      assert.equal("close", answer.headers.connection)
      assert.is_string(answer.detail)
    end
    assert.equal(200, helper.raw(box, token()).status)
  end)

  it("gets the whole response while the client still sends", function()
    local answer = helper.raw(box, "GET / HTTP/1.1\r\nA: " .. ("x"):rep(2000000))
    assert.equal(431, answer.status)
    answer = helper.raw(box, "POST /nothing HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n"
      .. ("x"):rep(5000000))
    assert.equal(404, answer.status)
    assert.equal("close", answer.headers.connection)
  end)

  it("can end in the middle of a request", function()
    for _, bytes in ipairs { "GET", ME, "POST /api/v1/auth/login HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{" } do
      helper.raw(box, bytes)
    end
    assert.equal(200, helper.raw(box, token()).status)
  end)

  it("gets no body for HEAD", function()
    local answer = helper.raw(box, "HEAD /api/v1/auth/me HTTP/1.1\r\nHost: h\r\n\r\n")
    assert.equal(405, answer.status)
    assert.equal("", answer.body)
  end)

  it("gets a response while an image is drawn", function()
    local started = helper.generate(developer, "-F", "example_images=@" .. helper.PNG,
      "--form-string", 'instructions={"prompt": "nobody asked for this one before"}')
    local url = helper.wait(developer, started.json.id).json.result_image_url
    local drawn, other = helper.connect(url), helper.connect(box.url)
    drawn:send("GET " .. url:match("//[^/]+(.*)") .. " HTTP/1.1\r\nHost: h\r\n\r\n")
    for _ = 1, 3 do
      other:send(ME .. "\r\n")
      repeat local line = other:line() until line == "\r\n"
    end
    assert.is_true(drawn:silent())
    assert.truthy(drawn:finish():find("HTTP/1.1 200 OK", 1, true))
    other:finish()
  end)

  it("gets 400 for multipart that is malformed or cut", function()
    local head = "POST /api/v1/generation/generate-v2 HTTP/1.1\r\nHost: h\r\n"
      .. "Content-Type: multipart/form-data; boundary=XX\r\n"
    for name, value in pairs(helper.end_user_headers(developer)) do
      head = head .. name:lower() .. ": " .. value .. "\r\n"
    end
    local function send(body)
      return helper.raw(box, head .. "Content-Length: " .. #body .. "\r\n\r\n" .. body)
    end
    local text = '--XX\r\nContent-Disposition: form-data; name="instructions"\r\n\r\n{"prompt": "x"}\r\n'
    local image = '--XX\r\nContent-Disposition: form-data; name="example_images"; filename="a"\r\n\r\n\255\216\255\r\n'
    assert.equal(200, send(text .. image .. "--XX--\r\n").status)
    for _, body in ipairs {
      "", text, text .. image, text .. image .. "--XX", text .. "--XX9\r\n" .. image .. "--XX--",
    } do
      local answer = send(body)
      assert.equal(400, answer.status)
      assert.equal("There was an error parsing the body", answer.detail)
    end
  end)

  it("gets 100 Continue when it asks for it", function()
    local body = '{"email": "' .. helper.email() .. '", "password": "WrongPass123"}'
    local connection = helper.connect(box.url)
    connection:send("POST /api/v1/auth/login HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
      .. "Content-Length: " .. #body .. "\r\n\r\n")
    assert.equal("HTTP/1.1 100 Continue\r\n", connection:line())
    connection:send(body)
    assert.truthy(connection:finish():find("HTTP/1.1 401 Unauthorized", 1, true))
  end)
end)
