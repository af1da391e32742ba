-- The session store in a shared dict of nginx.
if not rawget(_G, "jit") then return end -- nginx runs LuaJIT alone

local nginx = require "spec.support.servers.nginx"
local tokens = require "spec.support.servers.token_server"

local server

after_each(function()
  if server then server:stop { signal = "TERM", expected = { "." } } end
  server = nil
end)

local function run(code, http)
  server = nginx.start { server = "location / { content_by_lua_block { " .. code .. " } }", http = http }
  local body = server:get("/")
  server:stop()
  return body
end

describe("a store in a shared dict of nginx", function()
  local DICT = "lua_shared_dict sessions 1m;"

  it("returns the last value, removes a key with a nil value, and keeps locks apart from values", function()
    assert.equal("nil true one true two true nil true true\n", run([[
      local store = require("devkit4ai.store.nginx").new "sessions"
      local unlock = store.lock("key", 10)
      ngx.say(table.concat({ tostring(store.get "key"), tostring(store.set("key", "one")), store.get "key",
        tostring(store.set("key", "two")), store.get "key", tostring(store.set("key", nil)), tostring(store.get "key"),
        tostring(store.set("key", nil)), tostring(unlock ~= nil) }, " "))]], DICT))
  end)

  it("gives the lock of each key to one holder at a time, and frees it when its lease ends", function()
    assert.equal("false true true false true false\n", run([[
      local one, two = require("devkit4ai.store.nginx").new "sessions", require("devkit4ai.store.nginx").new "sessions"
      local function has(unlock) return tostring(unlock ~= nil) end
      local said = {}
      local unlock = one.lock("key", 10)
      said[1] = has(two.lock("key", 10))
      said[2] = has(two.lock("other", 10))
      unlock()
      local dead = two.lock("key", 0.001)
      said[3] = has(dead)
      local again
      repeat
        again = one.lock("key", 10)
        ngx.sleep(0.001)
      until again
      dead()
      said[4] = has(two.lock("key", 10))
      again()
      said[5], said[6] = has(two.lock("key", 10)), has(one.lock("key", 10))
      ngx.say(table.concat(said, " "))]], DICT))
  end)

  it("is in use beside other values, and throws none of them out when it is full", function()
    local body = run([[
      local store, dict = require("devkit4ai.store.nginx").new "sessions", ngx.shared.sessions
      dict:set("mine", "1")
      local count, why = 0
      repeat
        count = count + 1
        local done, reason = store.set("key" .. count, ("x"):rep(1000))
        why = reason
      until not done or count > 1000
      ngx.say(why, dict:get("mine"), store.get("key1"):sub(1, 1))
      ngx.say(select(2, pcall(store.lock, ("k"):rep(2000), 10)))]], "lua_shared_dict sessions 64k;")
    local full = "the shared dict sessions is full: make it larger in nginx.conf: lua_shared_dict sessions 10m;"
    assert.equal(full .. "1x\ndevkit4ai.store.nginx: " .. full .. "\n", body)
  end)

  it("gives the space of sessions that are of no more use to new ones, also behind an older one that stays", function()
    assert.equal("true yes nil\n", run([[
      local store, dict = require("devkit4ai.store.nginx").new "sessions", ngx.shared.sessions
      store.set("stays", "yes")
      local count = 0
      while store.set("key" .. count + 1, ("x"):rep(1000), 0.1) do count = count + 1 end
      repeat ngx.sleep(0.01) until not dict:get("key" .. count)
      local all = count > 10
      for i = 1, count do all = all and store.set("new" .. i, ("x"):rep(1000)) end
      ngx.say(tostring(all), " ", store.get "stays", " ", tostring(store.get "key1"))]],
      "lua_shared_dict sessions 64k;"))
  end)

  it("needs the name of a dict that nginx.conf has", function()
    local body = run [[
      local new = require("devkit4ai.store.nginx").new
      for _, name in ipairs { 7, "", "none" } do ngx.say(tostring(select(2, pcall(function() new(name) end)))) end]]
    assert.truthy(body:find("devkit4ai.store.nginx: new needs the name of a shared dict\n", 1, true), body)
    assert.truthy(body:find("devkit4ai.store.nginx: there is no shared dict none; add a line to `http` in nginx.conf: "
      .. "lua_shared_dict none 1m;\n", 1, true), body)
    local ok, why = pcall(require("devkit4ai.store.nginx").new, "none")
    assert.is_false(ok)
    assert.truthy(why:find("this program does not run in nginx", 1, true))
  end)
end)

describe("four workers with one shared store", function()
  it("refresh once for all of them and their successors, also after the worker that refreshed was killed", function()
    local api = tokens.start { jwt = true, life = 2, refresh = "issued = issued + 5000" } -- a login brings tokens for 2 to 3 s
    server = nginx.start { workers = 4,
      http = ([[
        lua_shared_dict sessions 1m;
        lua_shared_dict state 1m;
        init_by_lua_block {
          devkit4ai = require "devkit4ai"
          client = assert(devkit4ai.new { base_url = "%s", developer_key = "ak_abc", store =
            require("devkit4ai.store.nginx").new "sessions" })
        }
        init_worker_by_lua_block {
          ngx.timer.at(0, function()
            while not ngx.shared.state:get("begun") do ngx.sleep(0.005) end
            local me, message = client:me()
            ngx.log(ngx.ERR, "<", me and me.email or message, ">")
            ngx.shared.state:incr("done", 1, 0)
          end)
        }]]):format(api.url),
      server = [[
        location = /login { content_by_lua_block {
          assert(client:login("dev@example.com", "SecurePass123"))
          ngx.sleep(3.1)
          ngx.shared.state:set("begun", true)
        } }
        location = /done { content_by_lua_block { ngx.say(tostring(ngx.shared.state:get("done"))) } }]],
    }
    local function wait_for(count)
      nginx.wait(count .. " workers", function() return server:get("/done") == count .. "\n" end)
    end
    server:get("/login")
    wait_for(4)
    assert.equal("login, refresh refresh-1" .. (", me"):rep(4), tokens.seen(api))
    local workers = server:workers()
    for _, pid in ipairs(workers) do server:signal("KILL", pid) end
    wait_for(8)
    assert.equal("login, refresh refresh-1" .. (", me"):rep(8), tokens.seen(api))
    assert.equal(8, select(2, server:log():gsub("<dev@example.com>", "")))
    server:stop { expected = { "exited on signal 9" } }
    api:stop()
  end)
end)
