-- The HTTP request parser: it reads the same requests, however the bytes are split.
local request_reader = require "devkit4ai.sandbox.http.request_reader"

local LIMIT = 1024

-- A reader of pieces, and what it sends.
local function reader_of(pieces)
  local at, said = 0, {}
  local reader = request_reader.new(function()
    at = at + 1
    return pieces[at]
  end, function(bytes) said[#said + 1] = bytes end)
  return reader, said
end

-- The requests in pieces, as texts; an error is the last one.
local function read_all(pieces)
  local reader, found = reader_of(pieces), {}
  while true do
    local request, status = reader:read_request()
    if not request then
      found[#found + 1] = status and "error " .. status
      return found
    end
    local body, broken = request:read_all(LIMIT)
    found[#found + 1] = ("%s %s ?%s a=%s %s"):format(request.method, request.path, request.query,
      tostring(request.headers.a), body or "error " .. broken)
    if not body then return found end
  end
end

describe("the sandbox's HTTP reader", function()
  local PIPELINE = "POST /one?x=1 HTTP/1.1\r\nHost: h\r\nA: 1\r\nContent-Length: 5\r\n\r\nhello"
    .. "POST /two HTTP/1.1\r\nhost:h\r\na:\t 2 \t\r\nA:3\r\nTransfer-Encoding: Chunked\r\n\r\n"
    .. "4\r\nwiki\r\n6;ext=1\r\npedia \r\nA \r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
    .. "\r\nGET http://h:1/three HTTP/1.1\r\nHost: h\r\n\r\n"
  local READ = { "POST /one ?x=1 a=1 hello", "POST /two ? a=2, 3 wikipedia 0123456789", "GET /three ? a=nil " }

  it("reads pipelined requests, lengths and chunks", function()
    assert.same(READ, read_all { PIPELINE })
  end)

  it("reads the same however the bytes are split", function()
    for cut = 1, #PIPELINE - 1 do
      assert.same(READ, read_all { PIPELINE:sub(1, cut), PIPELINE:sub(cut + 1) })
    end
    local bytes = {}
    for i = 1, #PIPELINE do bytes[i] = PIPELINE:sub(i, i) end
    assert.same(READ, read_all(bytes))
  end)

  it("tells whether a connection stays open", function()
    for head, stays in pairs {
      ["GET / HTTP/1.1\r\nHost: h\r\n\r\n"] = true,
      ["GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n"] = false,
      ["GET / HTTP/1.0\r\n\r\n"] = false,
    } do
      assert.equal(stays, reader_of({ head }):read_request().keep_alive)
    end
  end)

  it("sends 100 Continue once, when the body is read and has not come", function()
    local head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n"
    local reader, said = reader_of { head, "o", "k" }
    local request = reader:read_request()
    assert.same({}, said)
    assert.equal("ok", request:read_all(LIMIT))
    assert.same({ "HTTP/1.1 100 Continue\r\n\r\n" }, said)
    reader, said = reader_of { head .. "ok" }
    assert.equal("ok", reader:read_request():read_all(LIMIT))
    assert.same({}, said)
  end)

  it("refuses malformed requests", function()
    for text, status in pairs {
      ["GET\r\n\r\n"] = 400,
      ["get / HTTP/1.1\r\nHost: h\r\n\r\n"] = 400,
      ["GET nothing HTTP/1.1\r\nHost: h\r\n\r\n"] = 400,
      ["GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"] = 400,
      ["GET / HTTP/2.0\r\nHost: h\r\n\r\n"] = 505,
      ["GET / HTTP/1.1\r\n\r\n"] = 400,
      ["GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n"] = 400,
      ["GET / HTTP/1.1\nHost: h\n\n"] = 400,
      ["GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n"] = 400,
      ["GET / HTTP/1.1\r\nHost: h\r\nA : x\r\n\r\n"] = 400,
      ["GET / HTTP/1.1\r\nHost: h\r\nA: x\r\n folded\r\n\r\n"] = 400,
      ["GET / HTTP/1.1\r\nHost: h\r\nA: \0\r\n\r\n"] = 400,
      ["GET / HTTP/1.1\r\nHost: h\r\nA: x\rB: y\r\n\r\n"] = 400,
      ["POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"] = 400,
      ["POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"] = 400,
      ["POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"] = 400,
      ["POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"] = 501,
      ["GET / HTTP/1.1\r\nHost: h\r\n"] = 400,
      ["GET / HTTP/1.1\r\nHost: h\r\nA: " .. ("x"):rep(request_reader.HEAD_LIMIT) .. "\r\n\r\n"] = 431,
    } do
      assert.same({ "error " .. status }, read_all { text }, text:sub(1, 80))
    end
  end)

  it("refuses a body that is cut, malformed or too long", function()
    local chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    local sized = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: "
    for text, status in pairs {
      [sized .. "5\r\n\r\nhell"] = 400,
      [sized .. LIMIT + 1 .. "\r\n\r\n"] = 413,
      [chunked .. "4\r\nwiki\r\n"] = 400,
      [chunked .. "x\r\nwiki\r\n0\r\n\r\n"] = 400,
      [chunked .. "-1\r\nwiki\r\n0\r\n\r\n"] = 400,
      [chunked .. "4\r\nwikipedia\r\n0\r\n\r\n"] = 400,
      [chunked .. "ffffffffffffffff\r\n"] = 400,
      [chunked .. "4;" .. ("x"):rep(10000)] = 400,
      [chunked .. ("100\r\n" .. ("x"):rep(256) .. "\r\n"):rep(5) .. "0\r\n\r\n"] = 413,
    } do
      assert.same({ "POST / ? a=nil error " .. status }, read_all { text }, text:sub(1, 100))
    end
  end)

  it("drains an unread body, so that the next request can be read", function()
    local reader = reader_of { PIPELINE }
    for _, path in ipairs { "/one", "/two", "/three" } do
      local request = reader:read_request()
      assert.equal(path, request.path)
      assert.is_true(request:drain())
    end
    assert.is_nil((reader:read_request()))
  end)
end)
