-- An invalid request is refused as soon as it is known to be invalid. After a bad chunk size the response waited for
-- bytes that no client sends.
local request_reader = require "devkit4ai.sandbox.http.request_reader"

local CHUNKED = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

-- What the server does with a request: its status, and whether it asked for more than came.
local function serve(bytes, step)
  local at, waits = 1, false
  local reader = request_reader.new(function()
    local piece = bytes:sub(at, at + step - 1)
    at = at + step
    if piece ~= "" then return piece end
    waits = true
  end, function() end)
  local request, status = reader:read_request()
  if request then
    local _
    _, status = request:read_all(1024)
    request:drain()
  end
  return status, waits
end

local BROKEN = { -- bytes -> status
  ["\22\3\1\0\165\1\0\0\161\3\3"] = 400, -- a TLS handshake
  ["get "] = 400, [" "] = 400, ["\n"] = 400, ["\rG"] = 400, ["{"] = 400, ["\r\n\0"] = 400,
  ["GET /health\r\n"] = 400, ["GET health of all\r\n"] = 400, ["PRI * HTTP/2.0\r\n"] = 505, ["GET / HTTP/1.1\n"] = 400,
  ["GET / HTTP/1.1\r\nHost: h\n"] = 400,
  [CHUNKED .. "zz\r\n"] = 400, [CHUNKED .. "z"] = 400, [CHUNKED .. "-1"] = 400, [CHUNKED .. "+5"] = 400,
  [CHUNKED .. "0x5"] = 400, [CHUNKED .. "5 5"] = 400, [CHUNKED .. "5\nhello\n0\n\n"] = 400, [CHUNKED .. "5\rx"] = 400,
  [CHUNKED .. "FFFFFFFFFFFFFFFFF\r\nhello"] = 400, [CHUNKED .. "FFFFFFFFFFFFF"] = 400, [CHUNKED .. "5;a\nb"] = 400,
  [CHUNKED .. "3\r\nhello"] = 400, [CHUNKED .. "3\r\nhel\n"] = 400, [CHUNKED .. "3\r\nhel\rx"] = 400,
  [CHUNKED .. "3\r\nhel\r\nzz"] = 400, [CHUNKED .. "0\r\nno name"] = 400, [CHUNKED .. "0\r\nA: b\n"] = 400,
  [CHUNKED .. "5;" .. ("x"):rep(5000)] = 400,
}

describe("the sandbox's HTTP reader", function()
  it("refuses invalid requests without more bytes", function()
    for bytes, wanted in pairs(BROKEN) do
      for _, step in ipairs { 1, #bytes } do
        local status, waits = serve(bytes, step)
        assert.equal(wanted, status, bytes:sub(1, 100))
        assert.is_false(waits, bytes:sub(1, 100))
      end
    end
  end)

  it("waits for the rest of requests that may be valid", function()
    for _, bytes in ipairs {
      "G", "\r", "\r\n", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\nHost: h\r", CHUNKED, CHUNKED .. "5", CHUNKED .. "5 ",
      CHUNKED .. "5;a=b", CHUNKED .. "5\r", CHUNKED .. "3\r\nhel", CHUNKED .. "3\r\nhel\r", CHUNKED .. "0\r\n",
      CHUNKED .. "0\r\nX-A", CHUNKED .. "0\r\nX-A: b\r",
    } do
      local _, waits = serve(bytes, #bytes)
      assert.is_true(waits, bytes)
    end
  end)

  it("closes the connection after an invalid body", function()
    local bytes = CHUNKED .. "zz\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"
    local reader = request_reader.new(function() return bytes end, function() end)
    local request = reader:read_request()
    request:read_all(1024)
    request:drain()
    assert.is_false(request.keep_alive)
  end)
end)
