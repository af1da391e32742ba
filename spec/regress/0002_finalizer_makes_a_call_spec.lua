-- A finalizer made a call while another call read its response. It got that response, and read freed memory.
local child = require "spec.support.process.child"
local wire = require "spec.support.calls.wire"

local ME = { id = "550e8400-e29b-41d4-a716-446655440000", email = ("x"):rep(3000) }

-- A process of its own, so that a collector that is always at work has little to do.
local SCRIPT = [[
  if jit then jit.off() end -- compiled code under a collector that never rests can run for minutes
  local devkit4ai = require "devkit4ai"
  local client = devkit4ai.new { base_url = arg[1], access_token = "token" }

  -- calls fn when what it made is collected
  local function when_collected(fn)
    if not newproxy then return setmetatable({}, { __gc = fn }) end
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = fn
  end

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
  local is_55 = _VERSION == "Lua 5.5" -- which has other names for them
  collectgarbage(is_55 and "param" or "setpause", is_55 and "pause" or 0, 0)
  collectgarbage(is_55 and "param" or "setstepmul", is_55 and "stepmul" or 400, 400)
  collectgarbage()
  for _ = 1, 60 do assert(#assert(client:me()).email == 3000) end
  local me = { method = "GET", path = "/api/v1/auth/me", on_upload = print }
  for _ = 1, 60 do assert(#assert(client:request(me)).json.email == 3000) end -- one that waits in a slot
  over = true
  print(calls > 0)
]]

describe("client:me", function()
  it("can be called by a finalizer at any time", function()
    local server = wire.server { ["GET /api/v1/auth/me"] = { 200, ME } }
    finally(function() server:stop() end)
    local ended = child.run(SCRIPT, { args = { server.url } })
    assert.same({ 0, "true\n" }, { ended.code, ended.out }, ended.err)
  end)
end)
