-- The connection to Redis: what it says about each kind of server that can't hold a queue, and that no secret shows.
local certificate = require "spec.support.servers.certificate"
local child = require "spec.support.process.child"
local queues = require "devkit4ai.batch.queue"
local free_port = require "spec.support.servers.free_port"
local redis_servers = require "spec.support.servers.redis"

-- The start of a server on loopback: prints its port, and takes one client.
local LISTEN = [[
local server = require("socket").tcp()
server:bind("127.0.0.1", 0)
server:listen()
local _, port = server:getsockname()
io.stdout:write(port, "\n")
io.stdout:flush()
local client = server:accept()
]]

local HTTP = LISTEN .. [[
client:receive "*l"
client:send "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
client:close()
]]

-- Answers as Redis 5.0 does, of which no package exists any more.
local REDIS_5 = LISTEN .. [[
local INFO = "# Server\r\nredis_version:5.0.14\r\nrun_id:aa\r\nrole:master\r\n"
while true do
  local count = client:receive "*l"
  if not count then break end
  local words = {}
  for i = 1, tonumber(count:sub(2)) do
    local length = tonumber(client:receive("*l"):sub(2))
    words[i] = client:receive(length)
    client:receive(2)
  end
  if words[1] == "PING" then client:send "+PONG\r\n"
  elseif words[1] == "INFO" then client:send(("$%d\r\n%s\r\n"):format(#INFO, INFO))
  elseif words[1] == "COMMAND" then client:send "*1\r\n*-1\r\n"
  else client:send("-ERR unknown command `" .. words[1] .. "`\r\n") end
end
]]

-- Starts such a server. Gives its address, and a function that waits for its end.
local function serve(program)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(program)
  file:close()
  local pipe = assert(io.popen("exec timeout 60 " .. child.interpreter() .. " " .. path))
  return "redis://127.0.0.1:" .. pipe:read "*l", function()
    pipe:close()
    os.remove(path)
  end
end

describe("the connection to Redis", function()
  teardown(redis_servers.stop_all)

  local function fails(url, kind, ...)
    local queue, message, err = queues.open(url)
    assert.is_nil(queue)
    assert.equal(kind, err.kind, message)
    assert.equal("not_sent", err.outcome)
    for _, text in ipairs { ... } do assert.truthy(message:find(text, 1, true), message) end
    return message
  end

  it("refuses a URL without showing what is in it", function()
    for _, url in ipairs { "http://host", "redis://", "redis://user:GEHEIM@", "redis://:GEHEIM@h:99999", "redis://h/x",
      "redis://:GEHEIM@h?x=GEHEIM", "unix://", "GEHEIM@h", "redis://user@h", "redis://a:GEHEIM@h:x",
      "redis://:GEHEIM@h/99999999999999999999", "redis://:GEHEIM@h?db=99999999999" } do
      assert.is_nil(fails(url, "config"):find("GEHEIM", 1, true))
    end
  end)

  it("runs commands and scripts on a unix socket, and says what is not durable", function()
    local server = redis_servers.start()
    local queue, warning = assert(queues.open(server.url))
    assert.is_nil(warning)
    assert.equal("a\r\n\0b", queue.redis:command("ECHO", "a\r\n\0b"))
    assert.is_nil(queue.redis:command("GET", "nothing"))
    server:cli "config set appendfsync everysec"
    assert.truthy(select(2, queues.open(server.url)):find("appendfsync is everysec", 1, true))
    server:cli "config set appendonly no"
    assert.truthy(select(2, queues.open(server.url)):find("appendonly is no", 1, true))
    server:cli "config set maxmemory-policy allkeys-lru"
    fails(server.url, "config", "maxmemory-policy is allkeys-lru", "noeviction")
  end)

  it("connects again after a restart, and loads its scripts again", function()
    local server = redis_servers.start()
    local queue = assert(assert(queues.open(server.url)):create {})
    assert.equal(1, queue:add { { name = "a.png", digest = "d" } })
    server:kill()
    local _, message, err = queue:counts()
    assert.equal("network", err.kind, message)
    assert.is_true(err.retryable)
    server:run()
    assert.equal(1, queue:add { { name = "b.png", digest = "d" } })
    assert.equal(2, queue:counts().open)
  end)

  it("sends nothing after a restart of a server that may have forgotten steps", function()
    local server = redis_servers.start { "appendfsync everysec" }
    local queue = assert(assert(queues.open(server.url)):create {})
    assert.equal(1, queue:add { { name = "a.png", digest = "d" } })
    -- with everysec, Redis keeps a write back while it syncs another one
    repeat until server:cli("info persistence"):find "aof_buffer_length:0\r?\n"
    server:kill()
    server:run()
    local function refuses()
      local _, message, err = queue:claim("one", 60, 1, 5)
      assert.equal("config", err.kind)
      assert.is_false(err.retryable)
      assert.truthy(message:find("was restarted since, and may have forgotten steps: appendfsync is everysec", 1, true))
    end
    refuses()
    refuses()
    local _, _, err = assert(queues.open(server.url)):open {} -- a new worker
    assert.equal("config", err.kind)
    server:cli "hdel 'devkit4ai:{batch}:batch' process" -- a person has compared the account (docs/batch-queue.md)
    assert.equal(1, #assert(assert(queues.open(server.url)):open {}):claim("one", 60, 1, 5))
    server:cli "config set appendfsync always"
    server:cli "config set no-appendfsync-on-rewrite yes"
    assert.truthy(select(2, queues.open(server.url)):find("no-appendfsync-on-rewrite is yes", 1, true))
  end)

  it("sends nothing when a replica has taken the place of the server", function()
    local port = free_port()
    local server = redis_servers.start { "port " .. port }
    local replica = redis_servers.start { "replicaof 127.0.0.1 " .. port }
    local queue = assert(assert(queues.open(server.url)):create {})
    assert.equal(1, queue:add { { name = "a.png", digest = "d" } })
    replica:until_it_has "devkit4ai:{batch}:batch"
    server:kill()
    replica:cli "replicaof no one"
    os.execute(("ln -s %s %s"):format(replica.socket, server.socket)) -- as an address that moves
    local _, message, err = queue:claim("one", 60, 1, 5)
    assert.equal("config", err.kind, message)
    assert.truthy(message:find("it was a replica", 1, true))
  end)

  it("names a wrong or missing password, and a user, and shows none of them", function()
    local port = free_port()
    redis_servers.start { "port " .. port, "requirepass GEHEIM", "user worker on >WORT%40 ~* +@all",
      "user weak on >WEAK ~* +ping +info",
      "user narrow on >NARROW ~devkit4ai:* +@hash +@stream +@sortedset +@scripting +@connection +info +time +exists "
        .. "+command|info" } -- as in docs/batch-queue.md
    local host = ("127.0.0.1:%d"):format(port)
    assert(queues.open("redis://:GEHEIM@" .. host))
    local queue = assert(queues.open(("valkey://worker:WORT%%2540@%s/3?db=4"):format(host)))
    assert.equal("queue valkey://" .. host .. "/4", tostring(queue.redis))
    for name in pairs(queue.redis) do assert.equal("shown", name) end
    local narrow = assert(assert(queues.open(("redis://narrow:NARROW@%s"):format(host))):create {})
    assert.equal(1, narrow:add { { name = "a.png", digest = "d" } })
    assert.equal(1, #narrow:claim("one", 60, 1, 5))
    assert.is_true((narrow:record("one", "a.png", "sending", "r1", {})))
    assert.is_nil(fails("redis://" .. host, "auth", "NOAUTH", "password into the URL"):find("GEHEIM", 1, true))
    assert.is_nil(fails(("redis://worker:FALSCH@%s"):format(host), "auth", "WRONGPASS"):find("FALSCH", 1, true))
    local weak = assert(queues.open(("redis://weak:WEAK@%s"):format(host)))
    assert.equal("forbidden", select(3, weak:create {}).kind)
    fails("redis://:GEHEIM@" .. host .. "/99", "server", "DB index")
  end)

  it("shows no login that an answer to AUTH repeats", function()
    local port = free_port()
    redis_servers.start { "port " .. port, "rename-command AUTH \"\"" }
    for _, login in ipairs { ":GEHEIM", "GEHEIM:GEHEIM" } do
      local url = ("redis://%s@127.0.0.1:%d"):format(login, port)
      local message = fails(url, "auth", "it answers ERR to the login (AUTH)")
      assert.is_nil(message:find("GEHEIM", 1, true), message)
    end
  end)

  it("waits for a server that stands still once, also for several commands", function()
    local server = redis_servers.start()
    local queue = assert(queues.open(server.url))
    local unix, connections = require "socket.unix", 0
    local stream = unix.stream
    unix.stream = function()
      connections = connections + 1
      return stream()
    end
    finally(function()
      unix.stream = stream
      server:signal "CONT"
    end)
    server:signal "STOP"
    queue.redis:on_connect(function() return queue.redis:command "PING" end)
    for _ = 1, 5 do
      local _, message, err = queue:counts()
      assert.equal("network", err.kind, message)
    end
    assert.equal(1, connections)
  end)

  it("says that a server has no XAUTOCLAIM, is a replica, or is not Redis", function()
    local old = redis_servers.start { "rename-command XAUTOCLAIM \"\"" }
    fails(old.url, "config", "has no XAUTOCLAIM", "Redis 6.2 or later")
    local replica = redis_servers.start { "replicaof 127.0.0.1 1" }
    fails(replica.url, "config", "read-only replica")
    local url, finish = serve(HTTP)
    fails(url, "protocol", "is not Redis")
    finish()
    url, finish = serve(REDIS_5)
    fails(url, "config", "version 5.0.14 has no XAUTOCLAIM", "Redis 6.2 or later")
    finish()
    fails("redis://127.0.0.1:1", "network")
    fails("unix:///nowhere/s", "network")
  end)

  it("checks the certificate of TLS, and the name in it", function()
    local port, folder = free_port(), child.folder()
    local made, key = certificate.new()
    local function write(name, text)
      local file = assert(io.open(folder .. "/" .. name, "w"))
      file:write(text)
      file:close()
    end
    write("ca", made:toPEM())
    write("key", key:toPEM "private")
    redis_servers.start { "tls-port " .. port, ("tls-cert-file %s/ca"):format(folder), "tls-auth-clients no",
      ("tls-key-file %s/key"):format(folder), "requirepass GEHEIM" }
    local form = "rediss://:GEHEIM@%s:%d?ca_file=" .. folder .. "/ca"
    assert(assert(queues.open(form:format("localhost", port))):create {})
    fails(form:format("127.0.0.2", port), "network", "certificate is for another host")
    fails(("rediss://:GEHEIM@localhost:%d"):format(port), "network", "TLS handshake failed", "ca_file")
    fails(("redis://:GEHEIM@localhost:%d"):format(port), "network")
    child.remove(folder)
  end)
end)
