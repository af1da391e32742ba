-- Tasks: spawn, all, map, sleep; thousands of them; errors in them.
local function traced(text) return rawget(_G, "debug") == nil or text:find("stack traceback:", 1, true) ~= nil end

return {
  {
    name = "spawn, all, map and sleep in the host's own coroutine",
    run = function(t)
      local devkit4ai, client = t.devkit4ai, t:client()
      local function email() return assert(client:me()).email end
      t:equal({ "a@example.com", 2 }, (assert(devkit4ai.all {
        email, function() devkit4ai.sleep(0.001) return 2 end,
      })))
      local results, failures = devkit4ai.map({ 1, 2, 3, 4 }, { concurrency = 2 }, function(n)
        if n == 3 then return nil, "not three" end
        return n .. email()
      end)
      t:equal("4a@example.com", results[4])
      t:equal(nil, results[3])
      t:contains(tostring(failures[3]), "not three")
      t:equal(true, devkit4ai.sleep(0.001))
      local a, b = devkit4ai.spawn(function(...) return ... end, 1, nil):join()
      t:equal(1, a)
      t:equal(nil, b)
    end,
  },
  {
    name = "ten thousand tasks sleep, and are joined",
    run = function(t)
      local devkit4ai, tasks, sum = t.devkit4ai, {}, 0
      t:client()
      for i = 1, 10000 do
        tasks[i] = devkit4ai.spawn(function()
          devkit4ai.sleep(0.05 + i % 7 / 1000)
          return i
        end)
      end
      for i = 1, 10000 do sum = sum + tasks[i]:join() end
      t:equal(50005000, math.floor(sum))
    end,
  },
  {
    name = "hundreds of calls at once",
    run = function(t)
      local client, tasks = t:client(), {}
      for i = 1, 300 do tasks[i] = t.devkit4ai.spawn(function() return assert(client:me()).email end) end
      for i = 1, 300 do t:equal("a@example.com", tasks[i]:join()) end
      client:close()
    end,
    check = function(assert, seen) assert.equal(300, seen "/api/v1/auth/me") end,
  },
  {
    name = "an error in a task is raised in join, with its traceback",
    in_main = true,
    run = function(t)
      local message, value
      t.host.run(function()
        local function raise_it() error "the reason" end
        t:client()
        local task = t.devkit4ai.spawn(function()
          t.devkit4ai.sleep(0.001)
          raise_it()
        end)
        while not task.done do t.host.pause(0.001) end
        message, value = select(2, pcall(task.join, task)), task
      end)
      t:contains(message, "the reason")
      t:contains(message, "raise_it")
      t:equal(true, traced(message))
      t:equal(true, value.done)
    end,
  },
  {
    name = "an error in a task that nobody joins is reported, and stops nothing else",
    run = function(t)
      local client = t:client()
      t.devkit4ai.spawn(function() error "not joined" end)
      t:equal("a@example.com", assert(client:me()).email)
      for _ = 1, 3 do
        collectgarbage()
        t.host.pause(0.001)
      end
    end,
    check = function(assert, _, ended)
      assert.is_truthy(ended.err:find("devkit4ai: a task failed: .-not joined"), ended.err)
      assert.is_nil(ended.err:find("not joined.*not joined"))
    end,
  },
  {
    name = "a task that computes for long delays the others, and they go on",
    run = function(t)
      local client, sum = t:client(), 0
      local call = t.devkit4ai.spawn(function() return assert(client:me()).email end)
      local busy = t.devkit4ai.spawn(function() for i = 1, 3e6 do sum = sum + i % 3 end end)
      busy:join()
      t:equal("a@example.com", call:join())
    end,
  },
  {
    name = "garbage is collected at any moment",
    run = function(t)
      local tasks = {}
      local function collect() collectgarbage("step") end
      local client = t:client()
      for i = 1, 4 do
        tasks[i] = t.devkit4ai.spawn(function()
          debug.sethook(collect, "", 100) -- a hook of its coroutine; of all, in LuaJIT
          for _ = 1, 3 do assert(client:me()) end
          t.devkit4ai.sleep(0.001)
          debug.sethook()
          return i
        end)
      end
      for i = 1, 4 do t:equal(i, tasks[i]:join()) end
      debug.sethook()
      client:close()
    end,
    check = function(assert, seen) assert.equal(12, seen "/api/v1/auth/me") end,
  },
}
