-- Reload, quit and a killed worker under the load of wrk: each request that a worker took has its answer.
if not rawget(_G, "jit") then return end -- nginx runs LuaJIT alone

local clients = require "spec.support.servers.nginx_clients"
local nginx = require "spec.support.servers.nginx"
local programs = require "spec.support.process.programs"

describe("nginx under load", function()
  local it = programs.it_with(it, pending, "wrk")
  local api, server, wrk
  -- the last two: at the first timer of a worker that ends
  local EXPECTED = { "exited on signal 9", "open socket #%-2 left", "aborting" }

  before_each(function()
    api = clients.api()
    server = clients.start(api, {
      workers = 2,
      http = [[
        lua_shared_dict count 1m;
        exit_worker_by_lua_block {
          local count = ngx.shared.count
          ngx.log(ngx.ERR, "<begun ", count:get "begun" or 0, ", answered ", count:get "200" or 0, ">")
        }]],
      server = [[
        location = /load {
          content_by_lua_block {
            ngx.shared.count:incr("begun", 1, 0)
            local me, message = client:me()
            if not me then ngx.log(ngx.ERR, "<failed ", message, ">") end
            ngx.status = me and 200 or 500
            ngx.say "x"
          }
          log_by_lua_block { ngx.shared.count:incr(tostring(ngx.status), 1, 0) }
        }
        location = /count { content_by_lua_block {
          local count = ngx.shared.count
          for _, name in ipairs(count:get_keys()) do ngx.print(name, "=", count:get(name), " ") end
        } }
        location = /idle { content_by_lua_block {
          local count = ngx.shared.count
          while count:get "begun" ~= (count:get "200" or 0) + (count:get "500" or 0) do ngx.sleep(0.01) end
        } }]],
    })
  end)
  after_each(function()
    if wrk then wrk:close() end
    wrk = nil
    api:stop()
    server:stop { signal = "TERM", expected = EXPECTED }
  end)

  -- Starts wrk. A new connection for each request: on one that is open, a client's next request and nginx's end of the
  -- connection may cross, without any Lua.
  local function load(seconds)
    wrk = assert(io.popen(("wrk -t1 -c16 -d%ds -H 'Connection: close' %s/load"):format(seconds, server.url)))
    nginx.wait("the load", function() return (tonumber(server:get("/count"):match "200=(%d+)") or 0) > 50 end)
  end

  local function words_of_wrk()
    local words = wrk:read "*a"
    wrk:close()
    wrk = nil
    return words
  end

  it("loses no request by three reloads", function()
    load(4)
    for _ = 1, 3 do server:reload() end
    local words = words_of_wrk()
    server:get "/idle"
    assert.is_true(tonumber(words:match "(%d+) requests in") > 50, words)
    assert.falsy(words:find "errors" or words:find "Non%-2xx", words)
    assert.falsy(server:get("/count"):find "500=")
    assert.falsy(server:log():find("<failed", 1, true))
  end)

  it("answers each request that it took before quit", function()
    load(2)
    server:stop { signal = "QUIT", expected = EXPECTED }
    local words = words_of_wrk()
    assert.falsy(words:find "Non%-2xx", words)
    local begun, answered = server:log():match ".*<begun (%d+), answered (%d+)>" -- of the last worker
    assert.equal(begun, answered)
    assert.is_true(tonumber(begun) > 50)
    assert.falsy(server:log():find("<failed", 1, true))
  end)

  it("goes on with its other workers when a signal killed one", function()
    load(2)
    server:signal("KILL", server:workers()[1])
    local words = words_of_wrk()
    assert.falsy(words:find "Non%-2xx", words)
    assert.falsy(server:log():find("<failed", 1, true))
    assert.equal("a@example.com\n", server:get "/me")
  end)
end)
