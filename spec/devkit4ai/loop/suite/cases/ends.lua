-- The end of the loop, of the process and of clients: calls in progress are ended, and nothing is left.
local child = require "spec.support.process.child"

local AT_ONCE = 4 -- calls of the last case
local KEPT = AT_ONCE + 4 -- connections that the engine may keep: as many as ran at once, and 4; it need not have them yet
local HANGS = [[return { ["/api/v1/auth/me"] = function(conn) conn:sleep(1000) end }]]

-- How many descriptors this process has. Not by another process, which would have some of them for a moment.
local function count_descriptors()
  local count = 0
  for number = 0, 400 do
    local file = io.open("/proc/self/fdinfo/" .. number)
    if file then
      file:close()
      count = count + 1
    end
  end
  return count
end

local function count_threads()
  return tonumber(child.read("/proc/self/status"):match("Threads:%s*(%d+)"))
end

return {
  {
    name = "a call in progress when the loop ends comes back as cancelled when it runs again",
    in_main = true, except = { own = "its loop is the program itself", nginx = "its loop ends with the process" },
    server = HANGS,
    run = function(t)
      local client, kind, is_seen, sleeps = nil, nil, false, nil
      t.host.run(function()
        client = t:client()
        t.host.start(function() kind = select(3, client:me()).kind end)
        t.host.start(function() sleeps = t.devkit4ai.sleep(0.001) end)
        t:until_seen "/api/v1/auth/me"
        is_seen = true
      end, function() return is_seen end)
      t:equal(nil, kind)
      client:close()
      t._control:close()
      t.host.run()
      t:equal("cancelled", kind)
      t:equal(true, sleeps)
    end,
  },
  {
    name = "the process ends while calls are in progress",
    valgrind = true,
    in_main = true, except = { nginx = "a worker ends when its requests have ended" },
    server = HANGS,
    run = function(t)
      local is_seen = false
      t.host.run(function()
        local client = t:client()
        for _ = 1, 3 do t.devkit4ai.spawn(function() client:me() end) end
        t:until_seen("/api/v1/auth/me", 3)
        is_seen = true
      end, function() return is_seen end)
    end,
  },
  {
    name = "no descriptor and no thread is left",
    server = [[return {
      ["/hang"] = function(conn) conn:sleep(1000) end, ["/lost"] = function(conn) conn:reset() return false end,
    }]],
    run = function(t)
      local devkit4ai = t.devkit4ai
      local function use()
        local client = t:client { retry = { attempts = 1 } }
        local function get(path) return client:request { method = "GET", path = path } end
        devkit4ai.map({ 1, 2, 3, 4 }, { concurrency = AT_ONCE }, function() return client:me() end)
        t:equal("network", select(3, get "/lost").kind)
        local task = devkit4ai.spawn(function() return get "/hang" end)
        t.host.pause(0.001)
        task:cancel():join()
        client:close()
        collectgarbage()
        collectgarbage()
      end
      for _ = 1, 3 do use() end
      local threads, most = count_threads(), count_descriptors() + KEPT
      for _ = 1, 20 do use() end
      t:equal(threads, count_threads())
      for _ = 1, 1000 do -- libcurl closes a cancelled connection in its own time
        if count_descriptors() <= most then return end
        t.host.pause(0.01)
      end
      error(("%d descriptors, at most %d were expected"):format(count_descriptors(), most))
    end,
  },
}
