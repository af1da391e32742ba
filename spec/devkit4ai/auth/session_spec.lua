-- Tokens that expire: one refresh and one retry, counted at the server.
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "550e8400-e29b-41d4-a716-446655440000"

-- A server with one valid token at a time. A refresh gives the next one: token-1, token-2, ...
-- REFRESH: what the server does with a refresh; GOOD: whether it accepts a token. Both are Lua code.
local SCRIPT = [[
  local refreshes = 0
  return function(conn)
    local request = conn:read_request()
    while request do
      local token = request.head:match("Authorization: Bearer ([^\r\n]*)")
      if request.target == "/api/v1/auth/refresh" then
        refreshes = refreshes + 1
        REFRESH
      elseif request.target == "/api/v1/auth/login" then
        conn:respond(200, { access_token = "token-0", refresh_token = "refresh-0" })
      elseif GOOD then
        conn:respond(200, { id = "ID", taken = token:reverse() }) -- by itself it would be masked
      else
        conn:respond(401, { detail = "Could not validate credentials" })
      end
      request = conn:read_request()
    end
  end
]]

local GIVE = [[conn:respond(200, { access_token = "token-" .. refreshes, refresh_token = "refresh-" .. refreshes })]]

local function start(refresh, good)
  return raw.start { script = (SCRIPT:gsub("%f[%u]%u%u%u*%f[%U]", { REFRESH = refresh, ID = ID,
    GOOD = good or [[token == "token-" .. refreshes]] })) }
end

local function new(server, more)
  local options = { base_url = server.url, access_token = "expired", refresh_token = "refresh-0" }
  for name, value in pairs(more or {}) do options[name] = value end
  return assert(devkit4ai.new(options))
end

-- "me expired, refresh refresh-0, me token-1": the requests at the server, in order.
local function seen(server)
  local list = {}
  for i, request in ipairs(server:requests()) do
    local what = request.target:match("[^/]+$")
    local token = wire.header(request, "Authorization")
    list[i] = what .. " " .. (token and token:match("^Bearer (.*)$")
      or request.body:match('"refresh_token":"([^"]*)"') or "")
  end
  return table.concat(list, ", ")
end

-- The token that a call was made with.
local function taken(...)
  return assert(...).raw.taken:reverse()
end

-- A token that expires in so many seconds.
local function token(seconds)
  local base64 = io.popen(("printf '{\"exp\":%d}' | base64 -w0 | tr '+/' '-_' | tr -d ="):format(os.time() + seconds))
  local payload = base64:read("*a")
  base64:close()
  return "head." .. payload .. ".signature"
end

describe("a token that the server refuses", function()
  local server
  local function serve(...)
    server = start(...)
    return server
  end
  after_each(function() server:stop() end)

  it("is refreshed once, and the call is sent again", function()
    local client = new(serve(GIVE))
    assert(client:me())
    assert.equal("me expired, refresh refresh-0, me token-1", seen(server))
    client:close()
  end)

  it("is refreshed with the newest refresh token", function()
    local client = new(serve(GIVE))
    assert(client:me())
    assert(client:refresh_token())
    assert(client:me())
    assert.equal("me expired, refresh refresh-0, me token-1, refresh refresh-1, me token-2", seen(server))
    client:close()
  end)

  for form, answer in pairs { absent = "", null = ", refresh_token = require('cjson').null",
    empty = ', refresh_token = ""' } do
    it("is refreshed with the old refresh token if the new one is " .. form, function()
      local client = new(serve("conn:respond(200, { access_token = 'token-' .. refreshes" .. answer .. " })"))
      assert(client:refresh_token())
      assert(client:refresh_token())
      assert.equal("refresh refresh-0, refresh refresh-0", seen(server))
      client:close()
    end)
  end

  it("is refreshed at most once, and the second 401 is final", function()
    local client = new(serve(GIVE, "false"))
    local user, message, err = client:me()
    assert.is_nil(user)
    assert.same({ "auth", "refused", 401, "get_me", false, 2 },
      { err.kind, err.outcome, err.status, err.operation, err.retryable, err.attempts })
    assert.is_truthy(message:find("log in again", 1, true))
    assert.equal("me expired, refresh refresh-0, me token-1", seen(server))
    client:close()
  end)

  it("makes no further refresh while the new token is young, if a bad key is the cause (D51)", function()
    local client = new(serve(GIVE, "false"))
    for _ = 1, 3 do assert.equal("auth", select(3, client:me()).kind) end
    assert.equal("me expired, refresh refresh-0, me token-1, me token-1, me token-1", seen(server))
    local waits = require "devkit4ai.loop.waits"
    local now = waits.now
    finally(function() waits.now = now end)
    waits.now = function() return now() + 300 end
    assert.equal("auth", select(3, client:me()).kind)
    assert.equal("me expired, refresh refresh-0, me token-1, me token-1, me token-1, "
      .. "me token-1, refresh refresh-1, me token-2", seen(server))
    client:close()
  end)

  it("is refreshed again if the last new one was accepted at first", function()
    local client = new(serve(GIVE .. " good = refreshes", [[good and token == "token-" .. refreshes]]))
    for i = 1, 3 do
      assert(client:me())
      client._secrets:set("access_token", "ended-" .. i)
    end
    assert.equal(3, select(2, seen(server):gsub("refresh ", "")))
    client:close()
  end)

  it("is the error of the call without a refresh token", function()
    local client = assert(devkit4ai.new { base_url = serve(GIVE).url, access_token = "expired" })
    local _, message, err = client:me()
    assert.same({ "auth", "refused", 401, 1 }, { err.kind, err.outcome, err.status, err.attempts })
    assert.is_truthy(message:find("Could not validate credentials; log in again", 1, true))
    assert.equal("me expired", seen(server))
    client:close()
  end)

  for _, status in ipairs { 401, 403, 422 } do
    it("ends the session if the refresh is refused with " .. status, function()
      local client = new(serve(("conn:respond(%d, { detail = 'no' })"):format(status)))
      local _, message, err = client:me()
      assert.same({ "auth", "refused", "refresh_token" }, { err.kind, err.outcome, err.operation })
      assert.is_truthy(message:find("the session is over", 1, true))
      assert.is_truthy(message:find("log in again with client:login", 1, true))
      _, message, err = client:me() -- the next call sends nothing
      assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
      assert.is_truthy(message:find("call client:login first", 1, true))
      assert.equal("me expired, refresh refresh-0", seen(server))
      assert(client:login("dev@example.com", "x"))
      client:close()
    end)
  end

  it("is an error if the refresh is lost twice, and the session continues", function()
    local client = new(serve("if refreshes < 3 then conn:close() return end " .. GIVE))
    local _, _, err = client:me()
    assert.same({ "network", "refused", "refresh_token", 2 }, { err.kind, err.outcome, err.operation, err.attempts })
    assert(client:me())
    client:close()
  end)

  it("is an error if the refresh brings no token", function()
    local client = new(serve("conn:respond(200, '{}')"))
    local _, message, err = client:me()
    assert.same({ "protocol", "refused", "refresh_token" }, { err.kind, err.outcome, err.operation })
    assert.is_truthy(message:find("it has no access_token", 1, true))
    client:close()
  end)

  it("is an error if no header can hold the new token", function()
    local client = new(serve([[conn:respond(200, { access_token = "MARKER\r\nX-Evil: 1" })]]))
    local _, message, err = client:me()
    assert.same({ "protocol", "refused" }, { err.kind, err.outcome })
    assert.is_nil(message:find("MARKER", 1, true))
    client:close()
  end)

  -- Lets the server answer when it has a refresh; by then each task has had its turn.
  local function release()
    while not seen(server):find("refresh ", 1, true) do require("devkit4ai.loop.waits").sleep(0.01) end
    server:release()
  end

  it("is refreshed once for all tasks that use it together", function()
    local client = new(serve("conn:hold() " .. GIVE))
    local tasks = {}
    for i = 1, 5 do tasks[i] = devkit4ai.spawn(function() return taken(client:me()) end) end
    release()
    for i = 1, 5 do assert.equal("token-1", tasks[i]:join()) end
    local refreshes = select(2, seen(server):gsub("refresh ", ""))
    assert.equal(1, refreshes)
    client:close()
  end)

  it("is refused once for all tasks that use it together", function()
    local client = new(serve("conn:hold() conn:respond(401, { detail = 'no' })"))
    local tasks = {}
    for i = 1, 5 do
      tasks[i] = devkit4ai.spawn(function() return select(3, client:me()).kind end)
    end
    release()
    for i = 1, 5 do assert.equal("auth", tasks[i]:join()) end
    assert.equal(1, select(2, seen(server):gsub("refresh ", "")))
    client:close()
  end)
end)

describe("a token near its end", function()
  local server
  before_each(function() server = start(GIVE, "true") end)
  after_each(function() server:stop() end)

  it("is refreshed before the call is sent", function()
    local client = new(server, { access_token = token(2) })
    local due = client._session.refresh_at - require("devkit4ai.core").now()
    assert.is_true(due <= 1) -- a token of 2 s is renewed after 1
    client._session.refresh_at = 0 -- now
    assert(client:me())
    assert.equal("refresh refresh-0, me token-1", seen(server))
    client:close()
  end)

  it("has five minutes left when it is refreshed", function()
    local core = require "devkit4ai.core"
    local before = core.now()
    local client = new(server, { access_token = token(1800) })
    local due, ends, after = client._session.refresh_at, client._session.expires_at, core.now()
    assert.is_true(due >= before + 1500 - 2 and due <= after + 1500 + 2) -- a token's end is a whole second
    assert.is_true(ends >= before + 1800 - 2 and ends <= after + 1800 + 2)
    client:close()
  end)

  it("is refreshed once for all tasks", function()
    local client = new(server)
    client._session.refresh_at = 0
    local tasks = {}
    for i = 1, 5 do tasks[i] = devkit4ai.spawn(function() return taken(client:me()) end) end
    for i = 1, 5 do assert.equal("token-1", tasks[i]:join()) end
    assert.equal(1, select(2, seen(server):gsub("refresh ", "")))
    client:close()
  end)
end)

describe("a token near its end whose refresh is lost", function()
  it("is used further while it is valid", function()
    local server = start("do conn:close() return end", "true")
    finally(function() server:stop() end)
    local client = new(server)
    client._session.refresh_at = 0
    assert.equal("expired", taken(client:me()))
    client:close()
  end)
end)

describe("a refresh that takes longer than the call's timeout", function()
  it("ends the call at its own timeout, with nothing sent", function()
    local server = start("conn:sleep(1000)", "true")
    finally(function() server:stop() end)
    local client = new(server)
    client._session.refresh_at = 0
    local account, message, err = client:me { timeout = 1 }
    assert.is_nil(account)
    assert.same({ "timeout", "not_sent" }, { err.kind, err.outcome })
    assert.is_truthy(message:find("pass a larger `timeout`", 1, true))
    assert.equal("refresh refresh-0", seen(server))
    client:close()
  end)
end)

describe("a client with a refresh token alone", function()
  it("gets its first access token with it", function()
    local server = start(GIVE)
    finally(function() server:stop() end)
    local client = assert(devkit4ai.new { base_url = server.url, refresh_token = "refresh-0" })
    assert(client:me())
    assert.equal("refresh refresh-0, me token-1", seen(server))
    client:close()
  end)
end)

describe("closing a client during a refresh", function()
  it("cancels the calls that wait for it", function()
    local server = start("conn:sleep(1000)", "true")
    finally(function() server:stop() end)
    local client = new(server)
    client._session.refresh_at = 0
    local task = devkit4ai.spawn(function() return select(3, client:me()).kind end)
    while #server:requests() == 0 do require("devkit4ai.loop.waits").sleep(0.01) end
    client:close()
    assert.equal("cancelled", task:join())
  end)
end)

describe("client:refresh_token without a refresh token", function()
  it("sends nothing and says what to do", function()
    local client = assert(devkit4ai.new { base_url = "http://127.0.0.1:1", access_token = "t" })
    local done, message, err = client:refresh_token()
    assert.is_nil(done)
    assert.same({ "config", "not_sent", 0 }, { err.kind, err.outcome, err.attempts })
    assert.is_truthy(message:find("client:login", 1, true))
    client:close()
  end)
end)
