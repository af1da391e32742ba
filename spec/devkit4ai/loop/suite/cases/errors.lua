-- Mistakes of the program: clear errors, nothing sent, and other coroutines go on.
return {
  {
    name = "a call, a task and a sleep in the main chunk raise, and say how to start a coroutine",
    in_main = true, except = { own = "there the main chunk waits", nginx = "its handlers are coroutines" },
    run = function(t)
      local client = t:client()
      for _, call in ipairs {
        function() client:me() end, function() t.devkit4ai.sleep(0) end,
        function() t.devkit4ai.spawn(function() end) end, function() t.devkit4ai.all { function() end } end,
      } do
        local ok, message = pcall(call)
        t:equal(false, ok)
        t:contains(message, "errors.lua") -- the line of the caller
        t:contains(message, "the loop " .. t.host.name)
        t:contains(message, "coroutine")
      end
      client:close()
    end,
    check = function(assert, seen) assert.equal(0, seen "/api/v1/auth/me") end,
  },
  {
    name = "a second loop in one Lua state raises",
    run = function(t)
      local other = t.host.name == "own" and "cqueues" or "own"
      t:client()
      local ok, message = pcall(t.devkit4ai.new, { loop = other })
      t:equal(false, ok)
      t:contains(message, ("uses %q since its first client or task; it can't use %q too"):format(t.host.name, other))
    end,
  },
  {
    name = "update() is refused where the host runs the tasks",
    except = { own = "there it runs a frame" },
    run = function(t)
      t:client()
      local ok, message = pcall(t.devkit4ai.update)
      t:equal(false, ok)
      t:contains(message, ("the loop %q runs the tasks by itself"):format(t.host.name))
    end,
  },
  {
    name = "a call inside a sort raises before anything is sent",
    run = function(t)
      local client = t:client()
      local ok, message = t.devkit4ai.spawn(function()
        return pcall(table.sort, { 2, 1, 3 }, function(a, b)
          client:me()
          return a < b
        end)
      end):join()
      t:equal(false, ok)
      local is_lua52 = _VERSION == "Lua 5.2" and t.host.blocks -- there the loop can't know it, and Lua has its own words
      t:contains(message, is_lua52 and "attempt to yield across a C-call boundary" or "can't wait inside")
    end,
    check = function(assert, seen) assert.equal(0, seen "/api/v1/auth/me") end,
  },
  {
    name = "a call in a coroutine inside a task raises before anything is sent",
    except = { nginx = "its coroutines wait anywhere" },
    run = function(t)
      local client = t:client()
      local ok, message = t.devkit4ai.spawn(function()
        return coroutine.resume(coroutine.create(function() return client:me() end))
      end):join()
      t:equal(false, ok)
      t:contains(message, "devkit4ai.spawn")
    end,
    check = function(assert, seen) assert.equal(0, seen "/api/v1/auth/me") end,
  },
  {
    name = "an error in the program's own coroutine reaches the program, and the others go on",
    in_main = true, except = { own = "it has no coroutines of its own", nginx = "the error ends the request" },
    server = [[return { ["/fails"] = function(conn)
      until_seen(conn, "/api/v1/auth/me")
      conn:respond(200, PROFILE)
    end }]],
    run = function(t)
      local email
      local ok, message = pcall(t.host.run, function()
        local client = t:client()
        t.host.start(function() email = assert(client:me()).email end)
        assert(client:request { method = "GET", path = "/fails" })
        error "the program's own"
      end)
      t:equal(false, ok)
      t:contains(message, "the program's own")
      t.host.run()
      t:equal("a@example.com", email)
    end,
  },
}
