-- devkit4ai.all, map and a task that ended by an error named one of several open generations, or none; their err was
-- retryable, and a loop built on that paid again.
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local unpack = table.unpack or unpack -- luacheck: ignore 113

local function id(n) return ("990e8400-e29b-41d4-a716-44665544%04d"):format(n) end

-- Each order is a generation whose id has the figure of its prompt; one whose prompt has "hang" is never answered. All else is refused.
local SERVER = [[
  return function(conn)
    local request = conn:read_request()
    while request do
      if request.method == "POST" then
        local id = ("990e8400-e29b-41d4-a716-44665544%04d"):format(request.body:match('"prompt": *"[%a ]*(%d)"') or 1)
        if request.body:find("hang", 1, true) then conn:sleep(1000) end
        conn:respond(200, { id = id, status = "pending" })
      else
        conn:respond(429, { detail = "slow down" }, { ["Retry-After"] = "3600" })
      end
      request = conn:read_request()
    end
  end]]

describe("an error that ends a group of tasks", function()
  local server, client, answered
  before_each(function()
    answered = 0
    server = raw.start { script = SERVER }
    client = devkit4ai.new(wire.options(server.url))
  end)
  after_each(function()
    client:close()
    server:stop()
  end)

  local function order(prompt)
    local gen, message, err = client:generate {
      images = { { data = wire.image.png, filename = "a.png" } }, prompt = prompt,
    }
    answered = answered + 1
    return gen, message, err
  end
  local function until_answered(count)
    while answered < count do devkit4ai.sleep(0.005) end
  end

  local function line(n) return ('client:generation("%s"):wait()'):format(id(n)) end
  local function find(prompt) return ('client:find_generation { instructions = "%s", since = '):format(prompt) end

  local function posts()
    local count = 0
    for _, request in ipairs(server:requests()) do
      if request.method == "POST" then count = count + 1 end
    end
    return count
  end
  local function until_posts(count)
    while posts() < count do devkit4ai.sleep(0.005) end
  end

  local function assert_names(message, ...)
    for _, text in ipairs { ... } do
      local at, to = message:find(text, 1, true)
      assert.is_truthy(at, text .. " is not in " .. message)
      assert.is_nil(message:find(text, to + 1, true), "twice: " .. text)
    end
  end

  local function assert_err(message, err, kind, ids)
    assert.same({ message, message }, { err.message, tostring(err) })
    assert.same({ kind, "unknown", false }, { err.kind, err.outcome, err.retryable })
    local sorted = { unpack(err.generation_ids or {}) }
    table.sort(sorted)
    assert.same({ ids, (err.generation_ids or {})[1] }, { sorted, err.generation_id })
  end

  local function scopes(what, check)
    it(what, check)
    it(what .. ", in a task", function()
      local task = devkit4ai.spawn(check)
      task:join()
    end)
  end

  scopes("all: each generation, each open order, the results of those that had finished", function()
    local results, message, err = devkit4ai.all {
      function() return assert(order "1").id end,
      function() return (assert(order "2")) end,
      function() return order "hang 3" end,
      function() return order "hang 4" end,
      function()
        until_posts(4)
        until_answered(2)
        return client:me()
      end,
    }
    assert.is_nil(results)
    assert_err(message, err, "rate_limited", { id(1), id(2) })
    assert_names(message, line(1), line(2), find "hang 3", find "hang 4", "slow down")
    assert.equal(id(1), err.results[1])
    assert.equal(id(2), err.results[2].id)
    assert.is_nil(err.results[3])
    assert.same(err.generation_ids, { err.created[1].id, err.created[2].id })
    assert.equal(4, posts())
  end)

  it("all: a string that one raises names them, too", function()
    local ok, why = pcall(devkit4ai.all, {
      function() return order "1" end, function() until_answered(1) error "boom" end,
    })
    assert.is_false(ok)
    assert_names(why, line(1))
    assert.matches("boom", why)
  end)

  it("all: another raised value is the cause of an error that names them", function()
    local value = { code = 7 }
    local ok, err = pcall(devkit4ai.all, {
      function() return order "1" end, function() until_answered(1) error(value) end,
    })
    assert.is_false(ok)
    assert.equal(value, err.cause)
    assert_err(err.message, err, "failed", { id(1) })
    assert_names(err.message, line(1))
  end)

  it("all: the failure stays unchanged without created generations, except for the results", function()
    local results, message, err = devkit4ai.all { function() return 7 end, function() return client:me() end }
    assert.is_nil(results)
    assert.same({ "rate_limited", "refused", true }, { err.kind, err.outcome, err.retryable })
    assert.same({ message, 7 }, { tostring(err), err.results[1] })
    local own = {}
    assert.same({ nil, "words", own }, { devkit4ai.all { function() return nil, "words", own end } })
  end)

  it("map: failures carry the generation of their item, and are not retryable", function()
    local results, failures = devkit4ai.map({ "1", "2", "3" }, nil, function(prompt, i)
      until_posts(i - 1)
      local gen = assert(order(prompt))
      until_posts(3)
      if i == 1 then return gen end
      if i == 2 then return client:me() end
      error "no use for it"
    end)
    assert.equal(id(1), results[1].id)
    assert_err(failures[2].message, failures[2], "rate_limited", { id(2) })
    assert_names(failures[2].message, line(2))
    assert_err(failures[3].message, failures[3], "failed", { id(3) })
    assert_names(failures[3].message, line(3))
    assert.matches("no use for it", failures[3].message)
  end)

  it("a task that fails after joins names the generations of the joined tasks", function()
    local task = devkit4ai.spawn(function()
      assert(devkit4ai.all { function() return order "1" end })
      assert(devkit4ai.map({ "2" }, nil, order))
      assert(devkit4ai.spawn(function() return order "3" end):join())
      return client:me()
    end)
    local value, message, err = task:join()
    assert.is_nil(value)
    assert_err(message, err, "rate_limited", { id(1), id(2), id(3) })
    assert_names(message, line(1), line(2), line(3))
  end)

  it("a cancelled map names each generation and each unknown outcome, and has the results", function()
    local inside
    local task = devkit4ai.spawn(function()
      inside = { devkit4ai.map({ "1", "hang 2", "hang 3" }, nil, function(prompt, i)
        until_posts(i - 1)
        return order(prompt)
      end) }
      return inside[1], inside[2], inside[3]
    end)
    until_posts(3)
    until_answered(1)
    local value, message, err = task:cancel():join()
    assert.is_nil(value)
    for _, each in ipairs { { inside[2], inside[3] }, { message, err } } do
      assert_err(each[1], each[2], "cancelled", { id(1) })
      assert_names(each[1], line(1), find "hang 2", find "hang 3")
      assert.equal(id(1), each[2].results[1].id)
    end
  end)

  it("a task that raises: a string has the line, another value becomes the cause", function()
    local ok, why = pcall(function()
      return devkit4ai.spawn(function()
        assert(order "1")
        error "boom"
      end):join()
    end)
    assert.is_false(ok)
    assert_names(why, line(1))
    local value, err = { code = 7 }
    ok, err = pcall(function()
      return devkit4ai.spawn(function()
        assert(order "2")
        error(value)
      end):join()
    end)
    assert.is_false(ok)
    assert.equal(value, err.cause)
    assert_err(err.message, err, "failed", { id(2) })
  end)

  it("client:request to the create path is named, too", function()
    local task = devkit4ai.spawn(function()
      assert(client:request { method = "POST", path = "/api/v1/generation/generate-v2", json = { prompt = "1" } })
      return client:me()
    end)
    local _, message, err = task:join()
    assert_err(message, err, "rate_limited", { id(1) })
    assert_names(message, line(1))
  end)

  it("a loop built on err.retryable pays once", function()
    local tries, err = 0
    repeat
      tries = tries + 1
      err = select(3, devkit4ai.all {
        function() return order "1" end, function() until_answered(1) return client:me() end,
      })
    until not err or not err.retryable or tries == 3
    assert.equal(1, posts())
  end)
end)
