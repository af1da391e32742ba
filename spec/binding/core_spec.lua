-- The core's Lua module by itself: its small functions, what next gives on request, and secrets' tags.
local child = require "spec.support.process.child"
local core = require "devkit4ai.core"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local PATIENCE = 20 -- seconds

describe("core", function()
  it("reads times of HTTP", function()
    assert.equal(784111777, core.date "Sun, 06 Nov 1994 08:49:37 GMT")
    assert.is_nil(core.date "soon")
    assert.is_nil(core.date "Sun, 06 Nov 1994 08:49:37 GMT\0")
    assert.same({ 0, 120 }, { core.delay("0", 1), core.delay("120", 1) })
    assert.equal(7, core.delay("Thu, 01 Jan 1970 00:00:08 GMT", 1))
    for _, text in ipairs { "-1", "1e9", "soon", "", "5\0" } do assert.is_nil(core.delay(text, 1)) end
    assert.is_true(core.delay(("9"):rep(1000), 1) > 1e9)
  end)

  it("tells public addresses from private ones and from names", function()
    assert.is_true(core.is_public "8.8.8.8")
    assert.is_true(core.is_public "[2606:4700::1111]")
    for _, host in ipairs { "127.0.0.1", "[::1]", "::ffff:10.0.0.1", "169.254.169.254" } do
      assert.is_false(core.is_public(host))
    end
    for _, host in ipairs { "localhost", "127.1", "0x7f000001", "", "8.8.8.8\0" } do
      assert.is_nil(core.is_public(host))
    end
  end)

  it("resolves a redirect's target", function()
    assert.equal("https://api.test/b", core.resolve("https://api.test/a", "/b#c"))
    for _, location in ipairs { "", "file:///etc/passwd", "http://user@host/", "/a\0b" } do
      assert.is_nil(core.resolve("https://api.test/a", location))
    end
  end)

  it("lists the names in a folder, without itself and its parent", function()
    local folder = child.folder()
    for _, name in ipairs { "b", ".a", "c d\n" } do assert(io.open(folder .. "/" .. name, "wb")):close() end
    local names = core.list(folder)
    table.sort(names)
    assert.same({ ".a", "b", "c d\n" }, names)
    assert.same({ nil, "file", folder .. "/b: Not a directory" }, { core.list(folder .. "/b") })
    assert.same({ nil, "file", folder .. "/x: No such file or directory" }, { core.list(folder .. "/x") })
    assert.is_nil(core.list "")
    child.remove(folder)
    assert.is_nil(core.list(folder))
  end)

  it("checks a file as an upload does", function()
    local folder = child.folder()
    local path = folder .. "/a"
    local file = assert(io.open(path, "wb"))
    file:write(wire.image.png)
    file:close()
    assert.is_true(core.check_image(path, #wire.image.png))
    local _, status, text = core.check_image(path, #wire.image.png - 1)
    assert.same({ "too_large", true }, { status, text:find("the limit is " .. #wire.image.png - 1, 1, true) ~= nil })
    assert.same({ nil, "file", folder .. ": it is a folder, not a file" }, { core.check_image(folder, 1000) })
    local pipe = folder .. "/pipe"
    os.execute(("mkfifo '%s'"):format(pipe))
    assert.same({ nil, "file", pipe .. ": it is not a regular file" }, { core.check_image(pipe, 1000) })
    child.remove(folder)
  end)

  it("raises what is no text", function()
    for _, name in ipairs { "date", "delay", "is_public", "resolve" } do
      assert.has_error(function() core[name](nil, 1) end)
    end
    assert.has_error(function() core.delay("1") end)
  end)
end)

describe("secrets", function()
  it("tell whether one of them shows", function()
    local parent = core.secrets()
    local secrets = core.secrets(parent)
    assert(parent:set("key", "MARKER-1"))
    assert(secrets:set("word", 'MARKER "2"', "body"))
    assert(secrets:set("project", "MARKER-3", "shown"))
    assert.is_true(secrets:shows('{"key":"MARKER-1"}'))
    assert.is_true(secrets:shows([[{"word":"MARKER \"2\""}]]))
    assert.is_true(secrets:shows('MARKER "2"'))
    assert.is_false(secrets:shows('{"project":"MARKER-3","key":"MARKER-"}'))
    assert.is_false(parent:shows('MARKER "2"'))
  end)

  it("have tags that tell values apart and show nothing", function()
    local one, other = core.secrets(), core.secrets()
    assert(one:set("key", "MARKER-1"))
    assert(other:set("key", "MARKER-1"))
    assert.matches("^%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x$", one:tag "key")
    assert.equal(one:tag "key", other:tag "key")
    assert(other:set("key", "MARKER-2"))
    assert.not_equal(one:tag "key", other:tag "key")
    assert.is_nil(one:tag "none")
    other:wipe()
    assert.is_nil(other:tag "key")
  end)

  it("have other tags in another process", function()
    local script = [[
      local secrets = require("devkit4ai.core").secrets()
      secrets:set("key", "MARKER")
      io.write(secrets:tag "key")
    ]]
    assert.not_equal(child.run(script).out, child.run(script).out)
  end)
end)

describe("engine:next", function()
  local server, engine
  setup(function()
    server = raw.start { tls = true, script = [[return function(conn)
      while conn:read_request() do conn:respond(200, "{}") end
    end]] }
  end)
  teardown(function() server:stop() end)
  before_each(function() engine = core.engine() end)
  after_each(function() engine:close() end)

  -- What next gives, and how many values.
  local function exchange(fields)
    local request = { method = "GET", url = server.url, ca_file = server.ca_file, headers = core.headers {} }
    for name, value in pairs(fields) do request[name] = value end
    assert(engine:submit(core.request(request), core.secrets()))
    local ends = core.now() + PATIENCE
    while core.now() < ends do
      local count, values = (function(...) return select("#", ...), { ... } end)(engine:next(1))
      if count > 0 then return values, count end
    end
    error("no answer came")
  end

  it("gives the head of a GET that succeeds only where it is asked for", function()
    assert.is_nil((exchange {})[5])
    assert.equal("application/json", core.header(exchange({ head = true })[5], "content-type"))
  end)

  it("gives six values, and the times as a seventh where they are asked for", function()
    local _, count = exchange {}
    assert.equal(6, count)
    local values
    values, count = exchange { times = true, once = true }
    local times = values[7]
    assert.equal(7, count)
    assert.is_true(0 < times.lookup and times.lookup <= times.connect and times.connect <= times.tls)
    assert.is_true(times.tls <= times.first_byte and times.first_byte <= times.total)
  end)

  it("leaves out the times of steps that were not", function()
    exchange {}
    local times = exchange({ times = true })[7] -- on the kept connection
    assert.is_nil(times.lookup or times.connect or times.tls)
    assert.is_true(times.first_byte <= times.total)
    times = exchange({ times = true, url = "https://127.0.0.1:" .. raw.port_closed() })[7]
    assert.is_nil(times.connect or times.tls or times.first_byte)
    assert.is_true(times.lookup <= times.total)
  end)

  it("tells an address that is not public by its own name", function()
    local trouble = exchange({ public = true })[6]
    assert.same({ "private_address", "connect", "not_sent" }, { trouble.name, trouble.step, trouble.fate })
  end)
end)
