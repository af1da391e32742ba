-- devkit4ai.sleep and task.done; the message, err.message and tostring(err) of devkit4ai.all were different texts.
local devkit4ai = require "devkit4ai"
local waits = require "devkit4ai.loop.waits"

local function took(fn)
  local started = waits.now()
  fn()
  return waits.now() - started
end

describe("devkit4ai.sleep", function()
  it("waits in a script, in a task, and in a coroutine of the program's own", function()
    for _, run in ipairs {
      function(fn) fn() end,
      function(fn) devkit4ai.spawn(fn):join() end,
      function(fn) coroutine.wrap(fn)() end,
    } do
      local slept
      assert.is_true(took(function() run(function() slept = { devkit4ai.sleep(0.02) } end) end) >= 0.02)
      assert.same({ true }, slept)
    end
  end)

  it("lets other tasks run", function()
    local order = {}
    local function note(name, seconds)
      return devkit4ai.spawn(function()
        devkit4ai.sleep(seconds)
        order[#order + 1] = name
      end)
    end
    local last = note("c", 0.4) -- far from the others: a busy machine pauses between spawns
    note("a", 0)
    note("b", 0.01)
    last:join()
    assert.same({ "a", "b", "c" }, order)
  end)

  it("of zero or negative time lets other tasks run", function()
    for _, seconds in ipairs { 0, -1, -1e308, -math.huge } do
      assert.is_true(devkit4ai.sleep(seconds))
      assert.is_true((devkit4ai.spawn(function() return devkit4ai.sleep(seconds) end):join()))
    end
  end)

  it("returns nil, message, err if its task is cancelled during or before it", function()
    local results = {}
    local task = devkit4ai.spawn(function()
      results[1] = { devkit4ai.sleep(1e308) }
      results[2] = { devkit4ai.sleep(math.huge) }
      return "its own value"
    end)
    devkit4ai.sleep(0.001)
    assert.equal("its own value", (task:cancel():join()))
    for i = 1, 2 do
      local message, err = results[i][2], results[i][3]
      assert.is_nil(results[i][1])
      assert.same({ "cancelled", "not_sent", message, message }, { err.kind, err.outcome, err.message, tostring(err) })
    end
  end)

  it("raises at the caller's line without a number", function()
    for _, bad in ipairs { "1", {}, 0 / 0, false } do
      local ok, why = pcall(function() devkit4ai.sleep(bad) end)
      assert.is_false(ok)
      assert.matches("0032_sleep_and_done_spec.lua:%d+: devkit4ai: devkit4ai.sleep: seconds", why)
    end
    assert.is_false((pcall(devkit4ai.sleep)))
  end)

  it("raises in a coroutine inside a task", function()
    local why = devkit4ai.spawn(function()
      return select(2, coroutine.resume(coroutine.create(function()
        local slept = devkit4ai.sleep(0)
        return slept
      end)))
    end):join()
    assert.matches("0032_sleep_and_done_spec.lua:%d+: devkit4ai: .*inside a task", why)
  end)
end)

describe("task.done", function()
  it("is false until the task ends, in whatever way", function()
    local ends = {
      function() return 1 end, function() end, function() return nil, "message" end, function() error "x" end,
      function() error() end,
    }
    for _, fn in ipairs(ends) do
      local task = devkit4ai.spawn(fn)
      assert.is_false(task.done)
      devkit4ai.spawn(function() end):join()
      assert.is_true(task.done)
      pcall(task.join, task)
      assert.is_true(task.done)
    end
    local task = devkit4ai.spawn(function() devkit4ai.sleep(1000) end)
    devkit4ai.sleep(0.001)
    task:cancel()
    assert.is_false(task.done) -- it ends in its next turn
    task:join()
    assert.is_true(task.done)
    assert.is_true(devkit4ai.spawn(function() end):cancel().done) -- it never began
  end)
end)

describe("a join that waits when its task is cancelled", function()
  it("returns the other task's results, if that ended first", function()
    local other, task
    other = devkit4ai.spawn(function()
      devkit4ai.sleep(0.005)
      return "done"
    end)
    task = devkit4ai.spawn(function() return other:join() end)
    devkit4ai.sleep(0.001)
    other._ended = function() task:cancel() end -- as the other one ends, before the task's turn
    assert.equal("done", (task:join()))
  end)
end)
