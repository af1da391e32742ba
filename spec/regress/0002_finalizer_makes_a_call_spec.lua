-- A finalizer that made a call while another call's answer was being taken over got that answer: freed memory was read.
local devkit4ai = require "devkit4ai"
local wire = require "spec.support.wire"

local ME = { id = "550e8400-e29b-41d4-a716-446655440000", email = ("x"):rep(3000) }

-- calls fn when what it made is collected
local function when_collected(fn)
  if not newproxy then return setmetatable({}, { __gc = fn }) end -- luacheck: ignore 113
  local proxy = newproxy(true) -- luacheck: ignore 113
  getmetatable(proxy).__gc = fn
end

describe("client:me", function()
  local server, client

  before_each(function()
    server = wire.server { ["GET /api/v1/auth/me"] = { 200, ME } }
    client = devkit4ai.new(wire.options(server.url))
  end)

  after_each(function()
    client:close()
    server:stop()
  end)

  it("can be called by a finalizer, whenever that runs", function()
    local calls, inside, over = 0, false, false
    local function trap()
      when_collected(function()
        if over then return end
        trap()
        if inside then return end
        inside = true
        calls = calls + (client:me() and 1 or 0)
        inside = false
      end)
    end
    for _ = 1, 5 do trap() end
    local pause, speed = collectgarbage("setpause", 0), collectgarbage("setstepmul", 400) -- always at work
    collectgarbage()
    for _ = 1, 300 do assert.equal(ME.email, assert(client:me()).email) end
    collectgarbage("setpause", pause)
    collectgarbage("setstepmul", speed)
    over = true
    assert.is_true(calls > 0)
  end)
end)
