-- Operation x failure (wire.md 7): how many requests arrive at the server, and the error of the call.
local cjson = require "cjson"
local child = require "spec.support.process.child"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local every_call = require "spec.support.calls.every_call"
local failure_run = require "spec.support.calls.failure_run"
local failure_table = require "spec.support.calls.failure_table"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local all = {}
for name in pairs(require("devkit4ai.api.operations").all()) do
  if not every_call.without_method[name] then all[#all + 1] = name end
end
table.sort(all)

-- All operations on one Lua; on the others some of each class, with the most different requests.
local operations = _VERSION == "Lua 5.4" and all or {
  "create_generation", "delete_generation", "get_me", "get_picture", "list_generations", "login", "refresh_token",
  "register", "revoke_developer_key", "update_project", "update_subscription", "validate_stripe_credentials",
}

-- In its own process, for a library that is loaded before all others, so that the name is unknown elsewhere.
local function run_in_child(index)
  local ended = child.run([[
    local failure_table, run = require "spec.support.calls.failure_table", require "spec.support.calls.failure_run"
    local failure, operations = failure_table.FAILURES[tonumber(arg[1])], { (table.unpack or unpack)(arg, 2) }
    print(require "cjson".encode(run.run(failure, operations)))
  ]], { args = { tostring(index), (table.unpack or unpack)(operations) }, preload = "slow_getaddrinfo", -- luacheck: ignore 113
    env = { SLOW_RESOLVE_NAME = "slow.test" } })
  assert(ended.code == 0, ended.err)
  return cjson.decode(ended.out)
end

describe("the table of failures", function()
  it("has every operation of the client", function()
    for _, name in ipairs(all) do
      assert.is_string(failure_table.OPERATIONS[name], name .. " has no class in spec/support/calls/failure_table.lua")
      assert.is_true(failure_run.knows(name), name .. " has no call in spec/support/calls/failure_run.lua")
    end
  end)

  it("has no operation that the client does not have", function()
    local rows = require "devkit4ai.api.operations"
    for name in pairs(failure_table.OPERATIONS) do assert.is_table(rows.get(name), name) end
  end)

  it("is the one in docs/retries.md, as tools/retries-table writes it", function()
    local text = assert(io.open("docs/retries.md", "rb")):read("*a")
    assert.is_truthy(text:find("<!-- table -->\n\n" .. failure_table.markdown() .. "\n<!-- /table -->", 1, true),
      "run tools/retries-table")
  end)
end)

for index, failure in ipairs(failure_table.FAILURES) do
  describe(failure.title .. ":", function()
    local results

    setup(function()
      results = failure.unknown_name and run_in_child(index) or failure_run.run(failure, operations)
    end)

    for _, operation in ipairs(operations) do
      local expected, again = failure_table.expected(operation, failure)
      local says = ("%s is sent %d times, %s, %s"):format(operation, expected.requests, expected.kind,
        expected.outcome or "done")
      it(says, function()
        local result = results[operation]
        local found = {}
        for name in pairs(expected) do found[name] = result[name] end
        if found.requests == expected.requests + again then found.requests = expected.requests end
        assert.same(expected, found, result.message)
      end)
    end
  end)
end

-- A server that gives each request the next of its answers, and repeats the last one.
local function serve(...)
  local steps = {}
  for i, step in ipairs { ... } do steps[i] = ("function(conn) %s end"):format(step) end
  return raw.start { script = ([[
    local steps, n = { %s }, 0
    return function(conn)
      while conn:read_request() do
        n = n + 1
        steps[math.min(n, #steps)](conn)
      end
    end]]):format(table.concat(steps, ", ")) }
end

local function targets(server)
  local list = {}
  for i, request in ipairs(server:requests()) do list[i] = request.target:match("[^/]*$") end
  return table.concat(list, " ")
end

local IMAGE = { data = wire.image.png, filename = "a.png" }
local OOPS, DENIED = [[conn:respond(500, "{}")]], [[conn:respond(401, { detail = "no" })]]
local TOKENS = [[conn:respond(200, { access_token = "another.access.token" })]]

describe("a creating call whose tokens could not be refreshed", function()
  local server, client

  local function generate(access_token)
    local options = wire.options(server.url)
    options.access_token = access_token
    client = assert(devkit4ai.new(options))
    return client:generate { images = { IMAGE }, prompt = "neon", timeout = 10 }
  end

  after_each(function()
    client:close()
    server:stop()
  end)

  it("is not sent if the refresh before it fails, whatever the outcome of the refresh", function()
    server = serve(OOPS)
    local gen, _, err = generate()
    assert.is_nil(gen)
    assert.same({ "refresh_token", "server", "not_sent", true },
      { err.operation, err.kind, err.outcome, err.retryable })
    assert.equal("refresh refresh", targets(server))
  end)

  it("is refused if the refresh after a 401 fails, whatever the outcome of the refresh", function()
    server = serve(DENIED, OOPS)
    local gen, _, err = generate "an.access.token"
    assert.is_nil(gen)
    assert.same({ "refresh_token", "server", "refused", true }, { err.operation, err.kind, err.outcome, err.retryable })
    assert.equal("generate-v2 refresh refresh", targets(server))
  end)

  it("is refused if the refresh is refused", function()
    server = serve(DENIED)
    local gen, message, err = generate "an.access.token"
    assert.is_nil(gen)
    assert.same({ "auth", "refused", false }, { err.kind, err.outcome, err.retryable })
    assert.is_truthy(message:find("log in again", 1, true))
  end)

  it("has its own outcome, also if others waited for the same refresh", function()
    server = serve(DENIED, DENIED, OOPS)
    client = assert(devkit4ai.new(wire.options(server.url)))
    local tasks, errs = {}, {}
    for i = 1, 2 do
      tasks[i] = devkit4ai.spawn(function()
        return select(3, client:generate { images = { IMAGE }, prompt = "neon" })
      end)
    end
    for i = 1, 2 do errs[i] = tasks[i]:join() end
    assert.are_not.equal(errs[1], errs[2])
  end)
end)

describe("a call of several attempts", function()
  local server, client

  local function new(...)
    server = serve(...)
    client = assert(devkit4ai.new(wire.options(server.url)))
    return client
  end

  after_each(function()
    client:close()
    server:stop()
  end)

  it("has an unknown outcome if one of them may have been done", function()
    local done, _, err = new("conn:reset() conn.read_request = function() end",
      [[conn:respond(429, { detail = "later", retry_after = 3600 })]]):refresh_token()
    assert.is_nil(done)
    assert.same({ "rate_limited", "unknown", 2, 3600, false },
      { err.kind, err.outcome, err.attempts, err.retry_after, err.retryable })
  end)

  it("may succeed in the end", function()
    assert(new(OOPS, OOPS, [[conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" })]]):me())
    assert.equal(3, #server:requests())
  end)

  it("makes one refresh in all, and three attempts", function()
    local user, _, err = new(OOPS, DENIED, TOKENS, OOPS, OOPS):me()
    assert.is_nil(user)
    assert.same({ "server", 3 }, { err.kind, err.attempts })
    assert.equal("me me refresh me", targets(server))
  end)
end)
