-- More generations at once than the server allows (wire.md 5.5): a refused one waits for one of our own to end.
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local poll_schedule = require "devkit4ai.generation.pacing.poll_schedule"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local IMAGE = { data = wire.image.png, filename = "a.png" }

-- A server that has room for LIMIT generations; one is done at its POLLS-th poll. A refusal names an hour.
local SCRIPT = [[
local running, created, polls = 0, 0, {}
local function id_of(n) return ("990e8400-e29b-41d4-a716-%012d"):format(n) end
return function(conn)
  local request = conn:read_request()
  while request do
    local id = request.target:match("([^/]+)/status$")
    if id then
      polls[id] = (polls[id] or 0) + 1
      if polls[id] == POLLS then running = running - 1 end
      FAULT
      conn:respond(200, { id = id, status = polls[id] >= POLLS and "completed" or "processing" })
    elseif running >= LIMIT then
      conn:respond(429, { detail = "Concurrent generation limit exceeded", retry_after = 3600 })
    else
      running, created = running + 1, created + 1
      conn:respond(200, { id = id_of(created), status = "pending" })
    end
    request = conn:read_request()
  end
end]]

describe("a 429 on a generation", function()
  local server, client, pause

  setup(function()
    pause = poll_schedule.pause
    poll_schedule.pause = function() return 0.001 end
  end)
  teardown(function() poll_schedule.pause = pause end)

  after_each(function()
    client:close()
    server:stop()
  end)

  local function start(settings, more)
    local parts = {
      LIMIT = tostring(settings.limit), POLLS = tostring(settings.polls or 3), FAULT = settings.fault or "",
    }
    server = raw.start { script = (SCRIPT:gsub("%u%u%u%u+", parts)) }
    client = assert(devkit4ai.new(wire.options(server.url, more)))
    return client
  end

  local function generate(options)
    local given = { images = { IMAGE }, prompt = "neon" }
    for name, value in pairs(options or {}) do given[name] = value end
    return client:generate(given)
  end

  local function count(pattern)
    local n = 0
    for _, request in ipairs(server:requests()) do
      if (request.method .. " " .. request.target):find(pattern) then n = n + 1 end
    end
    return n
  end

  it("waits until one of our own has ended, and is sent again then alone", function()
    start { limit = 1 }
    local first = assert(generate())
    local second = assert(generate())
    assert.are_not.equal(first.id, second.id)
    assert.equal("completed", first.status)
    assert.same({ 3, 3 }, { count "^POST", count "status$" }) -- made, refused, made
  end)

  it("lets many tasks through, as many at once as there is room for, and pays for each once", function()
    start { limit = 3 }
    local tasks = {}
    for i = 1, 12 do
      tasks[i] = devkit4ai.spawn(function()
        local gen = assert(generate())
        return assert(gen:wait()).id
      end)
    end
    local seen, total = {}, 0
    for i = 1, 12 do
      local id = tasks[i]:join()
      if not seen[id] then total = total + 1 end
      seen[id] = true
    end
    assert.equal(12, total)
    assert.is_true(count "^POST" <= 12 * 3, count "^POST" .. " orders")
  end)

  it("is returned with its time where none is under way", function()
    start { limit = 0 }
    local gen, _, err = generate()
    assert.is_nil(gen)
    assert.same({ "rate_limited", "refused", 3600, true, 1 },
      { err.kind, err.outcome, err.retry_after, err.retryable, err.attempts })
    assert.equal(1, #server:requests())
  end)

  it("is returned with its time where the deadline comes first, and nothing is paid for", function()
    start { limit = 1, polls = 1000000 }
    assert(generate())
    local gen, _, err = generate { timeout = 1 }
    assert.is_nil(gen)
    assert.same({ "rate_limited", "refused", "create_generation", 3600 },
      { err.kind, err.outcome, err.operation, err.retry_after })
    assert.equal(2, count "^POST")
  end)

  it("goes on over a look that gets lost", function()
    start { limit = 1, fault = [[if polls[id] < 3 then return conn:respond(503, "") end]] }
    assert(generate())
    assert(generate())
    assert.equal(3, count "^POST")
  end)

  it("gives up one of our own that the server does not know any more", function()
    start { limit = 1, fault = [[if polls[id] == 1 then
        running = 0
        return conn:respond(404, { detail = "Not Found" })
      end]] }
    assert(generate())
    local second, message = generate()
    assert.is_table(second, message)
  end)

  it("is ended by closing the client", function()
    start { limit = 1, polls = 1000000 }
    assert(generate())
    local task = devkit4ai.spawn(function() return select(3, generate()) end)
    repeat devkit4ai.update() until count "status$" >= 2
    client:close()
    local err = task:join()
    assert.same({ "rate_limited", "refused" }, { err.kind, err.outcome })
    assert.equal(2, count "^POST")
  end)

  it("waits for one that another run of the program ordered, while a caller waits for it", function()
    start { limit = 1 }
    local noted = assert(generate()).id
    local later = assert(devkit4ai.new(wire.options(server.url))) -- it has ordered nothing
    finally(function() later:close() end)
    local waiting = devkit4ai.spawn(function() return later:generation(noted):wait() end)
    repeat devkit4ai.update() until count "status$" == 1
    local gen = assert(later:generate { images = { IMAGE }, prompt = "neon" })
    assert.are_not.equal(noted, gen.id)
    assert.equal("completed", assert(waiting:join()).status)
    assert.equal(3, count "^POST") -- made, refused, made
  end)

  for title, wait in pairs {
    ["is over"] = function(gen) gen:wait { timeout = 0 } end,
    ["raised"] = function(gen)
      pcall(gen.wait, gen, { on_progress = function() error "no" end })
      collectgarbage()
      collectgarbage()
    end,
  } do
    it("waits for none where the wait for it " .. title, function()
      start { limit = 1, polls = 1000000 }
      local noted = assert(generate()).id
      local later = assert(devkit4ai.new(wire.options(server.url)))
      finally(function() later:close() end)
      wait(later:generation(noted))
      local gen, _, err = later:generate { images = { IMAGE }, prompt = "neon" }
      assert.is_nil(gen)
      assert.same({ "rate_limited", 1 }, { err.kind, count "status$" })
    end)
  end

  it("waits for nobody else's", function()
    start { limit = 1 }
    assert(generate())
    local other = assert(devkit4ai.new(wire.options(server.url)))
    local gen, _, err = other:generate { images = { IMAGE }, prompt = "neon" }
    assert.is_nil(gen)
    assert.equal("rate_limited", err.kind)
    assert.equal(0, count "status$")
    other:close()
  end)
end)
