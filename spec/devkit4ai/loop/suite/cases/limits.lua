-- Timeouts. The server never goes on, so a slow machine changes nothing.
local ONCE = { attempts = 1 }

return {
  {
    name = "a call ends with its total timeout",
    server = [[return { ["/api/v1/auth/me"] = function(conn) conn:sleep(1000) end }]],
    run = function(t)
      local err = select(3, t:client({ timeout = { total = 0.2 }, retry = ONCE }):me())
      t:equal("timeout", err.kind)
      t:contains(err.message, "the time for the whole call is over")
    end,
    check = function(assert, seen) assert.equal(1, seen "/api/v1/auth/me") end,
  },
  {
    name = "a call ends with its idle timeout, in the middle of the response",
    server = [[return { ["/api/v1/auth/me"] = function(conn)
      conn:write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
      conn:sleep(1000)
    end }]],
    run = function(t)
      local client = t:client { timeout = { idle = 0.2 }, retry = ONCE }
      local err = t.devkit4ai.spawn(function() return select(3, client:me()) end):join()
      t:equal("timeout", err.kind)
      t:contains(err.message, "idle")
    end,
    check = function(assert, seen) assert.equal(1, seen "/api/v1/auth/me") end,
  },
  {
    name = "the timeout of one call leaves another one alone",
    server = [[return { ["/slow"] = function(conn) conn:sleep(1000) end, ["/late"] = function(conn)
      until_seen(conn, "/over")
      conn:respond(200, PROFILE)
    end, ["/over"] = function(conn) conn:respond(200, PROFILE) end }]],
    run = function(t)
      local client = t:client { retry = ONCE }
      local late = t.devkit4ai.spawn(function()
        return assert(client:request { method = "GET", path = "/late" }).status
      end)
      local err = select(3, client:request({ method = "GET", path = "/slow" }, { timeout = 0.2 }))
      t:equal("timeout", err.kind)
      t:ask "/over"
      t:equal(200, math.floor(late:join()))
    end,
  },
}
