-- A task whose loop repeats a call that is refused at once (a missing file, an empty prompt, a key that is
-- missing) blocked the frame forever, and a cancel could not end it.
local devkit4ai = require "devkit4ai"
local wire = require "spec.support.calls.wire"

local MOST = 100000 -- instructions of a frame; a loop that never waits runs into it
local IMAGE = { data = wire.image.png, filename = "a.png" }

local client = assert(devkit4ai.new(wire.options "http://127.0.0.1:9"))
local keyless = assert(devkit4ai.new { base_url = "http://127.0.0.1:9" })
local gen = client:generation "990e8400-e29b-41d4-a716-446655440004"

local CALLS = {
  ["generate with a missing file"] = function()
    return client:generate { images = { "/not/there.png" }, prompt = "neon" }
  end,
  ["generate with an empty prompt"] = function()
    return client:generate { images = { IMAGE }, prompt = "" }
  end,
  ["generate_anonymous with no image"] = function()
    return client:generate_anonymous { images = {}, prompt = "neon" }
  end,
  ["a call with a header that can't be sent"] = function() return client:me { headers = { ["a\n"] = "x" } } end,
  ["a call whose token is missing"] = function() return keyless:me() end,
  ["client:request with another method"] = function() return client:request { method = "BREW", path = "/" } end,
  ["find_generation with an invalid since"] = function()
    return client:find_generation { instructions = "neon", since = -1 }
  end,
  ["gen:wait with an interval of 0"] = function() return gen:wait { interval = 0 } end,
  ["gen:save with an empty name"] = function() return gen:save "" end,
  ["a rotation without a key"] = function() return keyless:rotate_developer_key "n" end,
}

describe("a task's loop does not block the frame, and a cancel ends it, if it repeats", function()
  local loops, frames = {}, 0

  -- All loops run beside each other: a task that was cancelled is ended after a second or two.
  setup(function()
    for what, call in pairs(CALLS) do
      local loop = { calls = 0 }
      loop.task = devkit4ai.spawn(function()
        local at = -1
        debug.sethook(function()
          if at == frames then error(("%s has run %d instructions in one frame"):format(what, MOST), 0) end
          at = frames
        end, "", MOST)
        repeat loop.calls = loop.calls + 1 until call()
      end)
      loops[what] = loop
    end
    local alive
    repeat
      frames, alive = frames + 1, false
      devkit4ai.update()
      devkit4ai.sleep(0.001)
      for _, loop in pairs(loops) do
        if frames == 20 then loop.task:cancel() end
        alive = alive or not loop.task.done
      end
    until not alive
    debug.sethook() -- LuaJIT has one hook for all coroutines
  end)

  for what in pairs(CALLS) do
    it(what, function()
      local loop = loops[what]
      local value, message, err = loop.task:join()
      assert.is_nil(value)
      assert.equal("cancelled", err.kind, message)
      assert.is_true(loop.calls > 1, loop.calls)
    end)
  end
end)
