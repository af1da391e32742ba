-- Modules that are loaded at their first use.
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"

local ANSWERS = [[return function(conn)
  local request = conn:read_request()
  while request do
    local tokens = request.target:find("login") and "login" or nil
    conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000", access_token = tokens })
    request = conn:read_request()
  end
end]]

-- `stop_loading()`: from now on, no file of a module can be opened, as in a process without a free descriptor.
local PROGRAM = [[
  local devkit4ai = require "devkit4ai"
  local url, closed = arg[1], arg[2]
  local function new(address)
    return assert(devkit4ai.new { base_url = address, access_token = "t", retry = { attempts = 1 } })
  end
  local function stop_loading()
    local searchers = package.searchers or package.loaders
    for i = #searchers, 2, -1 do searchers[i] = nil end
  end
  local other = new(closed)
  local function print_failure()
    local value, _, err = other:me()
    print(value, err.kind, err.outcome)
  end
]]

describe("modules that are loaded at their first use", function()
  local server, closed
  setup(function()
    server = raw.start { script = ANSWERS }
    closed = "http://127.0.0.1:" .. raw.port_closed()
  end)
  teardown(function() server:stop() end)

  local function printed_by(code)
    local ended = child.run(PROGRAM .. code, { args = { server.url, closed } })
    assert.equal(0, ended.code, ended.err)
    return ended.out
  end

  it("are not loaded by a first call that only reads", function()
    assert.equal("auth.session\tnil\nloop.task\tnil\nutil.redact\tnil\nrequest.failures\tnil\n", (printed_by [[
      assert(new(url):me())
      for _, name in ipairs { "auth.session", "loop.task", "util.redact", "request.failures" } do
        print(name, package.loaded["devkit4ai." .. name])
      end
    ]]))
  end)

  it("are loaded by the second call, which may fail when the process can't open a file", function()
    assert.equal("nil\tnetwork\tnot_sent\n", (printed_by [[
      local client = new(url)
      assert(client:me())
      assert(client:me())
      stop_loading()
      print_failure()
    ]]))
  end)

  it("are loaded by the first call, before it is sent, if it changes something", function()
    assert.equal("nil\tnetwork\tnot_sent\n", (printed_by [[
      assert(new(url):login("dev@example.com", "SecurePass123"))
      stop_loading()
      print_failure()
    ]]))
  end)

  it("can be loaded after a time without a free descriptor", function()
    assert.equal("fails\nnil\tnetwork\tnot_sent\n", (printed_by [[
      local client = new(url)
      assert(client:me())
      local searchers, copy = package.searchers or package.loaders, {}
      for i, searcher in ipairs(searchers) do copy[i] = searcher end
      stop_loading()
      assert(client:me())
      print(pcall(other.me, other) and "works" or "fails")
      for i, searcher in ipairs(copy) do searchers[i] = searcher end
      print_failure()
    ]]))
  end)
end)
