-- devkit4ai.all and devkit4ai.map: many tasks that one caller waits for.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local waits = require "devkit4ai.loop.waits"
local wire = require "spec.support.calls.wire"

local function sleep(seconds) waits.sleep(seconds) end

local function order(client)
  return client:generate { images = { { data = wire.image.jpeg, filename = "a.jpg" } }, prompt = "neon" }
end

-- A check in the main program, and in a task.
local function in_both(what, check)
  it(what, check)
  it(what .. ", in a task", function() devkit4ai.spawn(check):join() end)
end

describe("devkit4ai.all", function()
  in_both("gives each one's first value, in the list's order", function()
    assert.same({ 1, "b", false }, devkit4ai.all {
      function() sleep(0.01) return 1, "second" end, function() return "b" end, function() return false end,
    })
    assert.same({}, devkit4ai.all {})
    local results = devkit4ai.all { function() end, function() return nil end, function() return 3 end }
    assert.same({ nil, nil, 3 }, { results[1], results[2], results[3] })
  end)

  in_both("gives the first failure, in time, and cancels the others", function()
    local over, err, failed = nil, {}, false
    local results = { devkit4ai.all {
      function() over = waits.sleep(1000) end,
      function()
        sleep(0.005)
        failed = true
        return nil, "no luck", err
      end,
      function()
        repeat sleep(0.001) until failed
        return nil, "later", {}
      end,
    } }
    assert.is_nil(results[1])
    assert.equal("no luck", results[2])
    assert.equal(err, results[3])
    assert.is_false(over)
  end)

  it("raises the first error again, with its traceback, and cancels the others", function()
    local over
    local function at_fault() error("my mistake") end
    local ok, why = pcall(devkit4ai.all, {
      function() over = waits.sleep(1000) end, function() sleep(0) at_fault() end,
    })
    assert.is_false(ok)
    assert.is_truthy(why:find("my mistake", 1, true))
    assert.is_truthy(why:find("at_fault", 1, true))
    assert.is_false(over)
  end)

  it("says what was cut, if that may be paid for", function()
    local server = raw.start { script = "return function(conn) conn:read_request() conn:sleep(1000) end" }
    local client = devkit4ai.new(wire.options(server.url))
    finally(function() client:close() server:stop() end)
    local _, message = devkit4ai.all {
      function() return order(client) end,
      function()
        while #server:requests() < 1 do sleep(0.005) end
        return nil, "changed my mind"
      end,
    }
    assert.equal(1, (message:find("changed my mind; before this error: ", 1, true)), message)
    assert.is_truthy(message:find("may be running and paid for", 1, true), message)
    assert.equal(1, #server:requests())
  end)

  it("ends with the task that waits, with what that cut", function()
    local server = raw.start { script = "return function(conn) conn:read_request() conn:sleep(1000) end" }
    local client = devkit4ai.new(wire.options(server.url))
    finally(function() client:close() server:stop() end)
    local inside, begun = nil, 0
    local task = devkit4ai.spawn(function()
      inside = { devkit4ai.all {
        function() return order(client) end,
        function() begun = begun + 1 sleep(1000) begun = begun + 1 end,
      } }
    end)
    while #server:requests() < 1 do sleep(0.005) end
    local _, _, err = task:cancel():join()
    assert.equal(2, begun) -- the other one went on to its end
    assert.same({ "cancelled", "unknown" }, { inside[3].kind, inside[3].outcome })
    assert.same({ "cancelled", "unknown", "create_generation" }, { err.kind, err.outcome, err.operation })
  end)

  it("wants functions", function()
    for _, bad in ipairs { { {}, "x" }, { 7 } } do
      assert.is_false((pcall(devkit4ai.all, { bad[1], bad[2] })))
    end
    assert.is_false((pcall(devkit4ai.all, nil)))
  end)

  it("whose own task joins who waits for it is told, not left to wait for ever", function()
    local outer, why
    outer = devkit4ai.spawn(function()
      return devkit4ai.all { function() return outer:join() end }
    end)
    why = select(2, pcall(outer.join, outer))
    assert.is_truthy(why:find("wait for ever", 1, true), why)
  end)
end)

describe("devkit4ai.map", function()
  in_both("gives results in order and failures apart", function()
    local failure = { kind = "invalid" }
    local results, failures = devkit4ai.map({ 30, 10, 20, 5 }, { concurrency = 4 }, function(item, i)
      sleep(item / 1000)
      if i == 2 then return nil, "not that one", failure end
      return item * 2, "second"
    end)
    assert.same({ 60, nil, 40, 10 }, { results[1], results[2], results[3], results[4] })
    assert.same({ [2] = failure }, failures)
    assert.equal(failure, failures[2])
  end)

  for width, given in pairs { [3] = { concurrency = 3 }, [8] = false } do
    it("never has more than " .. width .. " under way, and reaches it", function()
      local list, now, most = {}, 0, 0
      for i = 1, 20 do list[i] = i end
      local results = devkit4ai.map(list, given or nil, function(item)
        now = now + 1
        most = math.max(most, now)
        repeat sleep(0.001) until most >= width
        now = now - 1
        return item
      end)
      assert.same(list, results)
      assert.equal(width, most)
    end)
  end

  it("makes an err of what an item raised or said without one", function()
    local function at_fault() error "my mistake" end
    local results, failures = devkit4ai.map({ 1, 2, 3 }, nil, function(_, i)
      if i == 1 then at_fault() end
      if i == 2 then return nil, "just words", 2 end
      return "fine"
    end)
    assert.same({ nil, nil, "fine" }, { results[1], results[2], results[3] })
    assert.same({ "failed", "unknown", false }, { failures[1].kind, failures[1].outcome, failures[1].retryable })
    assert.is_truthy(tostring(failures[1]):find("my mistake.*at_fault"), failures[1].message)
    assert.same({ "failed", "just words" }, { failures[2].kind, failures[2].message })
    assert.is_nil(failures[3])
  end)

  it("tells what an item raised to its caller alone", function()
    local ended = child.run [[
      local devkit4ai = require "devkit4ai"
      local _, failures = devkit4ai.map({ 1 }, nil, function() error "in the list" end)
      print(failures[1].message:match "in the list")
      failures = nil
      collectgarbage() collectgarbage()
    ]]
    assert.same({ "in the list\n", "" }, { ended.out, ended.err })
  end)

  it("of nothing is nothing", function()
    assert.same({ {}, {} }, { devkit4ai.map({}, { concurrency = 2 }, function() error "called" end) })
  end)

  it("ends with the task that waits: what has not begun never does", function()
    local begun, inside = 0, nil
    local task = devkit4ai.spawn(function()
      inside = { devkit4ai.map({ 1, 2, 3, 4 }, { concurrency = 2 }, function()
        begun = begun + 1
        return waits.sleep(1000)
      end) }
    end)
    sleep(0.001)
    assert.equal("cancelled", select(3, task:cancel():join()).kind)
    assert.equal(2, begun)
    assert.is_nil(inside[1])
    assert.equal("cancelled", inside[3].kind)
  end)

  it("holds no more than it has under way", function()
    local list, weak = {}, setmetatable({}, { __mode = "k" })
    for i = 1, 200 do list[i] = i end
    local most = 0
    devkit4ai.map(list, { concurrency = 2 }, function(item)
      weak[{}] = true
      if item % 50 == 0 then
        collectgarbage()
        collectgarbage()
        local count = 0
        for _ in pairs(weak) do count = count + 1 end
        most = math.max(most, count)
      end
      sleep(0)
    end)
    assert.is_true(most <= 4, tostring(most))
  end)

  it("wants a list, a function and a whole number", function()
    for _, bad in ipairs {
      { nil, nil, print }, { {}, nil, nil }, { {}, { concurrency = 0 }, print }, { {}, { concurrency = 1.5 }, print },
      { {}, { concurrency = "2" }, print }, { {}, { width = 2 }, print },
    } do
      local ok, why = pcall(devkit4ai.map, bad[1], bad[2], bad[3])
      assert.is_false(ok)
      assert.is_truthy(why:find("devkit4ai.map", 1, true), why)
    end
  end)
end)
