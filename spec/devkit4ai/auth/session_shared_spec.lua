-- Clients of one program with the same refresh token: it is valid once, so one refresh is for all.
local devkit4ai = require "devkit4ai"
local waits = require "devkit4ai.loop.waits"
local token_server = require "spec.support.servers.token_server"
local shared_tokens = require "devkit4ai.auth.shared_tokens"

local server
local seen = token_server.seen

local function serve(options)
  server = token_server.start(options)
  return server
end

after_each(function() server:stop() end)

local function new(refresh_token)
  return assert(devkit4ai.new { base_url = server.url, access_token = "ended",
    refresh_token = refresh_token or "refresh-0" })
end

local function refreshes()
  return select(2, seen(server):gsub("refresh ", ""))
end

-- Lets tasks run until the server sees a refresh.
local function wait_for_refresh()
  while refreshes() == 0 do waits.sleep(0.01) end
end

describe("clients with the same refresh token", function()
  it("share one refresh, and all use its tokens", function()
    serve { refresh = "conn:hold()" }
    local clients, tasks = {}, {}
    for i = 1, 4 do
      clients[i] = new()
      tasks[i] = devkit4ai.spawn(function() return assert(clients[i]:me()).email end)
    end
    wait_for_refresh()
    server:release()
    for i = 1, 4 do assert.equal("someone", tasks[i]:join()) end
    assert.equal(1, refreshes())
    for i = 1, 4 do assert(clients[i]:me()) end
    assert.equal(1, refreshes())
    for i = 1, 4 do clients[i]:close() end
  end)

  it("get the new tokens also if they did not ask", function()
    serve()
    local leader, idle = new(), new()
    assert(leader:refresh_token())
    assert(leader:refresh_token())
    assert(idle:me())
    assert.equal("refresh refresh-0, refresh refresh-1, me", seen(server))
    assert(idle:refresh_token())
    assert(leader:me())
    assert.equal("refresh refresh-0, refresh refresh-1, me, refresh refresh-2, me", seen(server))
    leader:close()
    idle:close()
  end)

  it("are all logged out by one refusal", function()
    serve { refresh = "conn:sleep(0.05) account = nil" }
    local one, two = new(), new()
    local task = devkit4ai.spawn(function() return select(3, one:me()).kind end)
    assert.equal("auth", select(3, two:me()).kind)
    assert.equal("auth", task:join())
    assert.equal("config", select(3, one:me()).kind)
    assert.equal("config", select(3, two:me()).kind)
    assert.equal(1, refreshes())
    one:close()
    two:close()
  end)

  local UNTIL_A_LOGIN = "while issued == 0 do conn:sleep(0.005) end "

  it("share the refresh of one that is closed during it", function()
    serve { refresh = UNTIL_A_LOGIN }
    local leader, follower, idle = new(), new(), new()
    local lead = devkit4ai.spawn(function() return select(3, leader:refresh_token()).kind end)
    wait_for_refresh()
    local follow = devkit4ai.spawn(function() return follower:refresh_token() end)
    waits.sleep(0.02)
    assert.equal(1, refreshes())
    leader:close()
    assert.equal("cancelled", lead:join()) -- before the answer comes
    assert.is_false(leader._secrets:has("refresh_token"))
    local other = assert(devkit4ai.new { base_url = server.url })
    assert(other:login("else@example.com", "x"))
    other:close()
    assert.equal(follower, follow:join())
    assert(idle:me()) -- which did not ask
    assert.equal("refresh refresh-0, login, me", seen(server))
    follower:close()
    idle:close()
  end)

  it("share it over its retry, with the headers of its client", function()
    local raw = require "spec.support.servers.raw"
    server = raw.start { script = [[
      local n, go = 0, false
      return function(conn)
        local request = conn:read_request()
        while request do
          if request.target:find "refresh$" then
            n = n + 1
            local status = n == 1 and 503 or 200
            while not go do conn:sleep(0.005) end
            conn:respond(status, { access_token = "new", refresh_token = "newer" })
          else
            go = true
            conn:respond(200, {})
          end
          request = conn:read_request()
        end
      end]] }
    local quick = require "spec.support.calls.no_retry_pauses"
    local leader = assert(quick.new { base_url = server.url, access_token = "ended", refresh_token = "refresh-0",
      headers = { ["X-Trace"] = "a-long-value-of-the-user" } })
    local follower = new()
    local lead = devkit4ai.spawn(function() return leader:refresh_token() end)
    wait_for_refresh()
    local follow = devkit4ai.spawn(function() return follower:refresh_token() end)
    waits.sleep(0.02)
    leader:close()
    lead:join()
    follower:health() -- lets the server answer
    assert.equal(follower, follow:join())
    local sent = {}
    for _, request in ipairs(server:requests()) do
      local token = request.body:match('"refresh_token":"([^"]*)"')
      if token then sent[#sent + 1] = { token, request.head:match("X%-Trace: ([^\r]*)") } end
    end
    assert.same({ { "refresh-0", "a-long-value-of-the-user" }, { "refresh-0", "a-long-value-of-the-user" } }, sent)
    follower:close()
  end)

  it("cancel the refresh when the last one is closed, and a new client makes its own", function()
    serve { refresh = "if issued == 0 and not first then first, valid[sent] = true, account conn:sleep(1000) end" }
    local one, two = new(), new()
    local tasks = {}
    for i, client in ipairs { one, two } do
      tasks[i] = devkit4ai.spawn(function() return select(3, client:refresh_token()).kind end)
    end
    wait_for_refresh()
    one:close()
    assert.equal("cancelled", tasks[1]:join())
    two:close()
    assert.equal("cancelled", tasks[2]:join())
    local later = new()
    assert(later:me())
    assert.equal("refresh refresh-0, me, refresh refresh-0, me", seen(server))
    later:close()
  end)

  it("repeat a refresh with their own token if the client has logged in again during it", function()
    serve { keep = true, refresh = [[if not first then
        first, valid[sent] = true, account
        ]] .. UNTIL_A_LOGIN .. [[
        return conn:close()
      end]] }
    local quick = require "spec.support.calls.no_retry_pauses"
    local leader = assert(quick.new { base_url = server.url, access_token = "ended", refresh_token = "refresh-0" })
    local follower = new()
    local lead = devkit4ai.spawn(function() return leader:refresh_token() end)
    wait_for_refresh()
    assert(leader:login("else@example.com", "x"))
    lead:join()
    assert.equal("else@example.com", assert(leader:me()).email)
    assert.equal("someone", assert(follower:me()).email)
    assert(leader:refresh_token()) -- with the login's, which is still good
    assert.equal("refresh refresh-0, login, refresh refresh-0, me, me, refresh refresh-1", seen(server))
    leader:close()
    follower:close()
  end)

  it("do not hang if the task that asked first is cancelled: its refresh continues for the others", function()
    serve { refresh = "conn:hold()" }
    local client = new()
    local first = devkit4ai.spawn(function() return client:me() end)
    wait_for_refresh()
    local second = devkit4ai.spawn(function() return assert(client:me()).email end)
    first:cancel()
    assert.equal("cancelled", select(3, first:join()).kind)
    server:release()
    assert.equal("someone", second:join())
    assert.equal(1, refreshes())
    client:close()
  end)

  it("get the new tokens also if the client that refreshes has logged out during it", function()
    serve { refresh = "conn:hold()" }
    local leader, follower = new(), new()
    local lead = devkit4ai.spawn(function() return leader:refresh_token() end)
    wait_for_refresh()
    assert.is_true(leader:logout())
    server:release()
    lead:join()
    assert.equal("config", select(3, leader:me()).kind)
    assert(follower:me())
    assert.equal("refresh refresh-0, me", seen(server))
    leader:close()
    follower:close()
  end)

  it("get them also if that client has logged in as another user, and it keeps the login's", function()
    serve { refresh = UNTIL_A_LOGIN, keep = true }
    local leader, follower = new(), new()
    local lead = devkit4ai.spawn(function() return leader:refresh_token() end)
    wait_for_refresh()
    assert(leader:login("else@example.com", "x"))
    lead:join()
    assert.equal("else@example.com", assert(leader:me()).email)
    assert.equal("someone", assert(follower:me()).email)
    leader:close()
    follower:close()
  end)

  it("are not shared with another base URL", function()
    serve()
    local one = new()
    local two = assert(devkit4ai.new { base_url = server.url:gsub("127.0.0.1", "localhost"), access_token = "ended",
      refresh_token = "refresh-0" })
    assert(one:refresh_token())
    assert.equal("auth", select(3, two:refresh_token()).kind) -- it was good once
    assert.equal(2, refreshes())
    one:close()
    two:close()
  end)

  it("keep no client alive", function()
    serve()
    local probe = setmetatable({}, { __mode = "k" })
    local stays = new()
    for _ = 1, 10 do probe[new()] = true end
    for _ = 1, 10 do probe[new("other")] = true end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(probe))
    assert.equal(1, #shared_tokens.clients(shared_tokens.key(stays)))
    assert(stays:refresh_token())
    stays:close()
  end)
end)
