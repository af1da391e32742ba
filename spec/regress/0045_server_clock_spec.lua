-- Dates in a response were compared with the local clock, which may be wrong. They are relative to the response's Date.
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local raw = require "spec.support.servers.raw"
local waits = require "devkit4ai.loop.waits"
local server_clock = require "devkit4ai.request.time.server_clock"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local DAY = 86400
local CLOCKS = {
  ["right"] = 0, ["a minute behind"] = -60, ["a day ahead"] = DAY, ["25 years behind"] = -25 * 365 * DAY,
}

local server, client
after_each(function()
  client:close()
  server:stop()
end)

-- Each response: a status, and headers made of `now`, the server's own time.
local function serve(ahead, status, headers)
  server = raw.start { script = ([[
    local function date(time) return os.date("!%a, %d %b %Y %H:%M:%S GMT", time) end
    return function(conn)
      while conn:read_request() do
        local now = os.time() + AHEAD
        conn:respond(STATUS, { id = "990e8400-e29b-41d4-a716-446655440004", status = "completed" }, { HEADERS })
      end
    end]]):gsub("%u%u%u+", { AHEAD = tostring(ahead), STATUS = tostring(status), HEADERS = headers }) }
  client = assert(devkit4ai.new(wire.options(server.url, { retry = { max_wait = 0 } })))
end

describe("the time to wait", function()
  for name, ahead in pairs(CLOCKS) do
    for what, row in pairs {
      ["a Retry-After date"] = { 429, [[Date = date(now), ["Retry-After"] = date(now + 7)]], 7 },
      ["a Retry-After date of a 503"] = { 503, [[Date = date(now), ["Retry-After"] = date(now + 7)]], 7 },
      ["a Retry-After date that is over"] = { 429, [[Date = date(now), ["Retry-After"] = date(now - 7)]], 0 },
      ["a reset"] = { 429, [[Date = date(now), ["X-RateLimit-Reset"] = tostring(now + 30)]], 30 },
      ["a reset after a day"] = { 429, [[Date = date(now), ["X-RateLimit-Reset"] = tostring(now + 90000)]], 60 },
      ["seconds"] = { 429, [[Date = date(now), ["Retry-After"] = "7"]], 7 },
    } do
      it(("is correct for %s, if the server's clock is %s"):format(what, name), function()
        serve(ahead, row[1], row[2])
        local value, _, err = client:me()
        assert.is_nil(value)
        assert.equal(row[3], err.retry_after)
      end)
    end
  end

  it("uses the local clock if the response has no valid Date", function()
    serve(0, 429, [[Date = "soon", ["Retry-After"] = date(now + 3000)]])
    local _, _, err = client:me()
    assert.is_true(err.retry_after > 2900 and err.retry_after <= 3000, err.retry_after)
  end)
end)

describe("the pace of waits", function()
  for name, ahead in pairs(CLOCKS) do
    it("slows before a limit that resets in a minute, if the server's clock is " .. name, function()
      serve(ahead, 200, [[Date = date(now), ["X-RateLimit-Limit"] = "100", ["X-RateLimit-Remaining"] = "6",
        ["X-RateLimit-Reset"] = tostring(now + 60)]])
      local now, sleep, slept = waits.now, waits.sleep, 0
      finally(function() waits.now, waits.sleep = now, sleep end)
      local began = now()
      waits.now = function() return began + slept end
      waits.sleep = function(seconds, owner)
        slept = slept + seconds
        return sleep(0, owner)
      end
      for _ = 1, 3 do assert(client:generation(ID):wait()) end
      assert.is_true(slept > 9 and slept < 11, slept) -- the third: a tenth of a minute behind the second
    end)
  end
end)

describe("server_clock", function()
  before_each(function() serve(0, 200, "") end) -- for after_each

  it("is the response's Date, in each format of HTTP, or the default", function()
    for date, time in pairs {
      ["Sun, 06 Nov 1994 08:49:37 GMT"] = 784111777, ["Sunday, 06-Nov-94 08:49:37 GMT"] = 784111777,
      ["Sun Nov  6 08:49:37 1994"] = 784111777, ["yesterday"] = 5, [""] = 5,
    } do
      assert.equal(time, server_clock.of("HTTP/1.1 200 OK\r\nDate: " .. date .. "\r\n\r\n", 5))
    end
    assert.equal(5, server_clock.of("HTTP/1.1 200 OK\r\n\r\n", 5))
  end)
end)
