-- Values of other JSON writers made the rest of a response unusable: NaN (Python), null in the place of a list (Go),
-- an escape that JSON does not have, a deep field; blanks around a status; a URL with "\" or UTF-8.
local devkit4ai = require "devkit4ai"
local json = require "devkit4ai.util.json"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "00000001-2222-4333-8444-555555555555"

describe("json.decode", function()
  for text, value in pairs {
    ['{"a":NaN,"b":1}'] = { b = 1 }, ['{"a":-Infinity , "b":Infinity}'] = {}, ["[1, NaN,-NaN,NaN]"] = { 1 },
    ['["x: NaN, [NaN]",NaN,"Infinity"]'] = { "x: NaN, [NaN]", "Infinity" },
    ['["a\\"b:NaN",NaN]'] = { 'a"b:NaN' },
    ['["a\\x41\\\\y\\/\\\'"]'] = { "a\\x41\\y/\\'" }, [" \239\187\191\n\239\187\191[1]"] = { 1 },
  } do
    it(("reads %q"):format(text), function() assert.same(value, json.decode_plain(text)) end)
  end

  it("refuses invalid JSON", function()
    for _, text in ipairs { "NaN", "Infinity", "[NaNa]", "[xNaN]", "[1 NaN]", "{NaN:1}", [=[["\x41]=], "[\\x]" } do
      assert.is_false((json.decode(text)), text)
    end
  end)

  it("is fast for a hostile text", function()
    for _, text in ipairs { ":", "\"", ":NaN", "\\x", ": ", ("a"):rep(100) .. "\"", " " } do
      json.decode("[" .. text:rep(1e5))
    end
  end)
end)

describe("a response", function()
  local server, client

  local function serve(body)
    server = raw.start { script = ([[
      return function(conn)
        local request = conn:read_request()
        while request do
          local body = (%q):gsub("URL", request.head:match("Host: ([^\r]+)"))
          if request.target:find("^/api") then conn:respond(200, body) else conn:respond(200, %q) end
          request = conn:read_request()
        end
      end]]):format(body, wire.image.png) }
    client = devkit4ai.new(wire.options(server.url, { retry = { attempts = 1 } }))
    return client
  end

  after_each(function()
    client:close()
    server:stop()
  end)

  for what, odd in pairs {
    ["NaN"] = '"score":NaN', ["\\x41"] = '"x":"\\x41"',
    ["a deep field"] = '"meta":' .. ("["):rep(500) .. ("]"):rep(500),
  } do
    it("with " .. what .. " in one item has all items", function()
      local body = ('{"generations":[{"id":"%s"},{"id":"x",%s}],"total":2}'):format(ID, odd)
      assert.equal(2, #assert(serve(body):public_generations():all()))
    end)
  end

  it("with null in place of a list is an empty list if the total is 0", function()
    assert.same({}, assert(serve('{"generations":null,"total":0,"page":1}'):public_generations():all()))
    client:close()
    server:stop()
    local _, _, err = serve('{"generations":null,"total":5,"page":1}'):public_generations():all()
    assert.equal("protocol", err.kind)
  end)

  for _, status in ipairs { " completed ", "Completed\\n", "COMPLETED\\u0000" } do
    it(("with the status %q ends a wait"):format(status), function()
      local gen = serve(('{"id":"%s","status":"%s"}'):format(ID, status)):generation(ID)
      assert.equal("completed", assert(gen:wait { timeout = 60 }).status)
    end)
  end

  it("with an empty failure reason has no reason", function()
    local _, message, err = serve(('{"id":"%s","status":"failed","error":""}'):format(ID)):generation(ID):wait()
    assert.is_nil(err.detail)
    assert.matches("failed: the server gives no reason", message, 1, true)
  end)

  for url, target in pairs {
    ["http://URL\\a.png"] = "/a.png", ["http://URL/\195\164.png"] = "/%c3%a4.png",
    ["http://URL/a.png?n=\195\164&sig=a%2Fb"] = "/a.png?n=%c3%a4&sig=a%2Fb",
  } do
    it("with the image URL " .. url .. " gets the image as a browser does", function()
      local body = ('{"id":"%s","status":"completed","image_url":"","result_image_url":"%s"}'):format(
        ID, (url:gsub("\\", "\\\\")))
      local gen = serve(body):generation(ID)
      assert(gen:wait { timeout = 60 })
      assert.equal(wire.image.png, (assert(gen:bytes())))
      local requests = server:requests()
      assert.equal(target, requests[#requests].target)
    end)
  end

  it("with a reset date has a time to wait, relative to its own Date", function()
    server = raw.start { script = [[
      return function(conn)
        conn:read_request()
        conn:respond(429, "{}", { Date = "Sun, 06 Nov 1994 08:49:37 GMT",
          ["X-RateLimit-Reset"] = "Sun, 06 Nov 1994 08:50:07 GMT" })
      end]] }
    client = devkit4ai.new(wire.options(server.url, { retry = { attempts = 1 } }))
    assert.equal(30, select(3, client:me()).retry_after)
  end)
end)
