-- The functions of the adapter: park and wake.
local function adapter(t)
  t:client()
  local loop = require "devkit4ai.loop.host"
  assert(loop.usable()) -- as before each wait of the library
  return loop
end

return {
  {
    name = "a wake before the park counts, once",
    run = function(t)
      local loop, slot = adapter(t), {}
      loop.wake(slot)
      loop.wake(slot)
      t:equal(true, loop.park(slot, math.huge))
      t:equal(false, loop.park(slot, 0.001))
      t.devkit4ai.spawn(function()
        loop.wake(slot)
        t:equal(true, loop.park(slot, math.huge))
        t:equal(false, loop.park(slot, 0))
      end):join()
    end,
  },
  {
    name = "park says whether it was woken, and does not end before its time",
    run = function(t)
      local loop, slot = adapter(t), {}
      local now = require("devkit4ai.loop.waits").now
      local began = now()
      t:equal(false, loop.park(slot, 0.02))
      t:equal(true, now() - began >= 0.02)
      t.devkit4ai.spawn(function() loop.wake(slot) end)
      t:equal(true, loop.park(slot, 1000))
      local other = {}
      local task = t.devkit4ai.spawn(function() return loop.park(other, math.huge), loop.park(other, 0.001) end)
      t.devkit4ai.sleep(0.001)
      loop.wake(other)
      local woken, late = task:join()
      t:equal("true false", tostring(woken) .. " " .. tostring(late))
    end,
  },
  {
    name = "a thousand slots are woken in any order, each once",
    run = function(t)
      local loop, slots, woken, count = adapter(t), {}, {}, 0
      for i = 1, 1000 do
        slots[i] = {}
        t.devkit4ai.spawn(function()
          if loop.park(slots[i], i % 2 == 0 and 1000 or math.huge) then
            woken[i] = (woken[i] or 0) + 1
            count = count + 1
          end
        end)
      end
      t.devkit4ai.sleep(0.001)
      for i = 1, 1000 do loop.wake(slots[i * 7 % 1000 + 1]) end -- 7 and 1000 have no common divisor
      while count < 1000 do t.devkit4ai.sleep(0.001) end
      for i = 1, 1000 do t:equal(1, woken[i]) end
    end,
  },
  {
    name = "a resume by somebody else is no wake",
    except = { own = "a task that somebody resumes ends; see task_spec", nginx = "nginx refuses the resume" },
    run = function(t)
      local loop, slot, co, woken = adapter(t), {}, nil, nil
      local wait = t:beside(function()
        co = coroutine.running()
        woken = loop.park(slot, math.huge)
      end)
      while not co do t.host.pause(0.001) end
      coroutine.resume(co)
      coroutine.resume(co, true)
      t.host.pause(0.001)
      t:equal(nil, woken)
      loop.wake(slot)
      wait()
      t:equal(true, woken)
    end,
  },
}
