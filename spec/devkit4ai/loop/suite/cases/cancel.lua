-- task:cancel() and client:close() end what others wait for.
local wire = require "spec.support.calls.wire"

local HANGS = [[return { ["/api/v1/auth/me"] = function(conn) conn:sleep(1000) end }]]
local IMAGE = { data = wire.image.jpeg .. ("x"):rep(8 * 1024 * 1024), filename = "a.jpg" }

return {
  {
    name = "task:cancel() ends a call that the server has",
    server = HANGS,
    run = function(t)
      local client = t:client()
      local task = t.devkit4ai.spawn(function() return client:me() end)
      t:until_seen "/api/v1/auth/me"
      local value, message, err = task:cancel():join()
      t:equal(nil, value)
      t:contains(message, "the task was cancelled")
      t:equal("cancelled", err.kind)
    end,
    check = function(assert, seen) assert.equal(1, seen "/api/v1/auth/me") end,
  },
  {
    name = "task:cancel() ends a sleep, and a task that has not begun never runs",
    run = function(t)
      local devkit4ai, has_run = t.devkit4ai, false
      t:client()
      local sleeper = devkit4ai.spawn(function() return devkit4ai.sleep(1000) end)
      devkit4ai.sleep(0.001)
      local late = devkit4ai.spawn(function() has_run = true end):cancel()
      t:equal("cancelled", select(3, sleeper:cancel():join()).kind)
      t:equal("cancelled", select(3, late:join()).kind)
      devkit4ai.sleep(0.001)
      t:equal(false, has_run)
    end,
  },
  {
    name = "the first failure of all() ends the other calls",
    server = HANGS,
    run = function(t)
      local client = t:client()
      local value, message = t.devkit4ai.all {
        function() return client:me() end,
        function()
          t:until_seen "/api/v1/auth/me"
          return nil, "no more"
        end,
      }
      t:equal(nil, value)
      t:contains(message, "no more")
    end,
  },
  {
    name = "client:close() ends the calls and the waits of other coroutines",
    server = HANGS,
    run = function(t)
      local client, kinds = t:client(), {}
      local waits = {}
      for i = 1, 3 do
        local task = t.devkit4ai.spawn(function() kinds[i] = select(3, client:me()).kind end)
        waits[i] = function() task:join() end
      end
      if not t.host.blocks then
        waits[4] = t:beside(function() kinds[4] = select(3, client:me()).kind end)
      end
      t:until_seen("/api/v1/auth/me", #waits)
      client:close()
      for i = 1, #waits do
        waits[i]()
        t:equal("cancelled", kinds[i])
      end
    end,
  },
  {
    name = "client:close() in the middle of an upload says that it may be paid for",
    valgrind = true,
    server = [[return { ["head /api/v1/generation/generate-v2"] = function(conn)
      conn:read(1)
      conn:sleep(1000)
    end }]],
    run = function(t)
      local client = t:client()
      local task = t.devkit4ai.spawn(function() return client:generate { images = { IMAGE }, prompt = "neon" } end)
      t:until_seen "/api/v1/generation/generate-v2"
      client:close()
      local _, message, err = task:join()
      t:equal("cancelled unknown", err.kind .. " " .. err.outcome)
      t:contains(message, "may be running and paid for")
    end,
    check = function(assert, seen) assert.equal(1, seen "/api/v1/generation/generate-v2") end,
  },
  {
    name = "a refresh goes on when its first caller is cancelled",
    server = [[return {
      ["/api/v1/auth/me"] = function(conn, request)
        local is_new = request.head:find("Bearer new", 1, true)
        conn:respond(is_new and 200 or 401, is_new and PROFILE or { detail = "Could not validate credentials" })
      end,
      ["/api/v1/auth/refresh"] = function(conn)
        until_seen(conn, "/cancelled")
        conn:respond(200, { access_token = "new", refresh_token = "next" })
      end,
      ["/cancelled"] = function(conn) conn:respond(200, PROFILE) end,
    }]],
    run = function(t)
      local client = t:client()
      local first = t.devkit4ai.spawn(function() return client:me() end)
      t:until_seen "/api/v1/auth/refresh"
      local second = t.devkit4ai.spawn(function() return assert(client:me()).email end)
      t:until_seen("/api/v1/auth/me", 2)
      t:equal("cancelled", select(3, first:cancel():join()).kind)
      t:ask "/cancelled"
      t:equal("a@example.com", second:join())
    end,
    check = function(assert, seen) assert.equal(1, seen "/api/v1/auth/refresh") end,
  },
}
