-- gen:wait: polls by the guide's schedule, with short pauses in this spec, until a deadline.
local devkit4ai = require "devkit4ai"
local poll_schedule = require "devkit4ai.generation.pacing.poll_schedule"
local raw = require "spec.support.servers.raw"
local waits = require "devkit4ai.loop.waits"
local suggestions = require "devkit4ai.util.errors.suggestions"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"

describe("gen:wait", function()
  local server, client, pause

  setup(function()
    pause = poll_schedule.pause
    poll_schedule.pause = function() return 0.001 end -- poll_schedule_spec tests the schedule
  end)
  teardown(function() poll_schedule.pause = pause end)

  after_each(function()
    client:close()
    server:stop()
  end)

  -- A generation whose nth status request is answered by the nth step; the last step repeats.
  local function serve(...)
    local steps = {}
    for i, step in ipairs { ... } do steps[i] = ("[%d] = function(conn, ok) %s end"):format(i, step) end
    server = raw.start { script = ([[
      local steps, polls = { %s }, 0
      local function ok(conn, fields)
        fields.id = "%s"
        conn:respond(200, fields)
      end
      return function(conn)
        while conn:read_request() do
          polls = polls + 1
          steps[math.min(polls, #steps)](conn, ok)
        end
      end
    ]]):format(table.concat(steps, ", "), ID) }
    client = devkit4ai.new(wire.options(server.url))
    return client:project(wire.sample.project_id):generation(ID)
  end

  local PENDING, PROCESSING = [[ok(conn, { status = "pending" })]], [[ok(conn, { status = "processing" })]]
  local COMPLETED = [[ok(conn, { status = "completed", result_image_url = "http://p" })]]

  it("polls until it is completed, and returns the generation itself", function()
    local gen = serve(PENDING, PROCESSING, COMPLETED)
    local seen = {}
    local done = assert(gen:wait { on_progress = function(it) seen[#seen + 1] = it.status end })
    assert.equal(gen, done)
    assert.equal("http://p", gen.image_url)
    assert.same({ "pending", "processing", "completed" }, seen)
    assert.equal(3, #server:requests())
  end)

  it("polls at once", function()
    local gen = serve(COMPLETED)
    assert(gen:wait())
    assert.equal(1, #server:requests())
  end)

  it("treats an unknown status as unfinished", function()
    assert(serve([[ok(conn, { status = "queued" })]], COMPLETED):wait())
  end)

  it("reports a failed generation with the server's reason", function()
    local gen = serve(PENDING, [[ok(conn, { status = "failed", error = "no GPU left" })]])
    local done, message, err = gen:wait()
    assert.is_nil(done)
    assert.same({ "failed", ID, "no GPU left", false, "get_generation_status" },
      { err.kind, err.generation_id, err.detail, err.retryable, err.operation })
    assert.is_truthy(message:find(ID, 1, true))
    assert.is_truthy(message:find("no GPU left", 1, true))
  end)

  it("reports a failed generation without a reason", function()
    local _, message, err = serve([[ok(conn, { status = "failed" })]]):wait()
    assert.equal("failed", err.kind)
    assert.is_truthy(message:find("no reason", 1, true))
  end)

  for name, step in pairs {
    ["502"] = [[conn:respond(502, "<html>")]],
    ["503 with a time"] = [[conn:respond(503, "", { ["Retry-After"] = "0.001" })]],
    ["429"] = [[conn:respond(429, { detail = "later", retry_after = 0.001 })]],
    ["a cut"] = [[conn:close() conn.read_request = function() end]],
    ["408"] = [[conn:respond(408, "")]],
  } do
    it("continues after a failed poll: " .. name, function()
      local gen = serve(PENDING, step, COMPLETED)
      assert.equal("completed", assert(gen:wait()).status)
      assert.equal(3, #server:requests())
    end)
  end

  for status, kind in pairs { [403] = "forbidden", [404] = "not_found", [422] = "invalid" } do
    it("ends after a poll that is answered with " .. status, function()
      local gen = serve(PENDING, ("conn:respond(%d, { detail = 'no' })"):format(status))
      local _, message, err = gen:wait()
      assert.same({ kind, "refused", ID }, { err.kind, err.outcome, err.generation_id })
      assert.equal(1, (message:find("gen:wait: ", 1, true)))
      assert.equal(2, #server:requests())
    end)
  end

  it("ends at its deadline, names the id and the next step, and never says to send it again", function()
    local gen = serve(PROCESSING)
    local ahead, now, sleep, short = 0, waits.now, waits.sleep, poll_schedule.pause -- only sleeps take time here
    finally(function() waits.now, waits.sleep, poll_schedule.pause = now, sleep, short end)
    waits.now = function() return ahead end
    waits.sleep = function(seconds, owner)
      ahead = ahead + seconds
      return sleep(0, owner)
    end
    poll_schedule.pause = function() return 10 end
    local done, message, err = gen:wait { timeout = 25 }
    assert.is_nil(done)
    assert.same({ "timeout", "unknown", ID, "get_generation_status", true },
      { err.kind, err.outcome, err.generation_id, err.operation, err.retryable })
    for _, fragment in ipairs { ID, "processing", "still finish", "paid for",
      ('client:project("%s"):generation("%s"):wait()'):format(wire.sample.project_id, ID) } do
      assert.is_truthy(message:find(fragment, 1, true), message)
    end
    for _, word in ipairs { "again", "anew", "generate {", "retry" } do
      assert.is_nil(message:lower():find(word, 1, true), message)
    end
    assert.equal("processing", gen.status) -- and it can be waited for anew
  end)

  it("continues with the line in the message", function()
    local gen = serve(PENDING, PENDING, COMPLETED)
    local _, message = gen:wait { timeout = 0 }
    local line = message:match("go on waiting with (.*)$")
    local load_text = loadstring or load -- luacheck: ignore 113
    local again = assert(load_text("local client = ... return " .. line))
    assert.equal("completed", again(client).status)
  end)

  it("passes its interval to the schedule", function()
    local gen, first = serve(PENDING, COMPLETED), nil
    poll_schedule.pause = function(_, interval)
      first = interval
      return 0.001
    end
    assert(gen:wait { interval = 2 })
    assert.equal(2, first)
  end)

  it("refuses bad times", function()
    local gen = serve(PENDING)
    for _, options in ipairs { { timeout = -1 }, { timeout = 0 / 0 }, { interval = 0 } } do
      assert.equal("config", select(3, gen:wait(options)).kind)
    end
    assert.equal(0, #server:requests())
  end)

  it("polls once if its timeout is 0", function()
    local gen = serve(PENDING)
    assert.equal("timeout", select(3, gen:wait { timeout = 0 }).kind)
    assert.equal(1, #server:requests())
  end)

  it("limits a single poll to its own deadline", function()
    local gen = serve("conn:sleep(1000)")
    local _, message, err = gen:wait { timeout = 0.5 }
    assert.equal("timeout", err.kind)
    assert.is_truthy(message:find("the time for the whole call is over", 1, true), message) -- not the client's idle limit
    assert.is_truthy(message:find("go on waiting with", 1, true))
  end)

  it("raises an error of on_progress, with the line that continues", function()
    local gen = serve(PENDING)
    local ok, why = pcall(gen.wait, gen, { on_progress = function() error("stop it", 0) end })
    assert.is_false(ok)
    assert.equal(1, (why:find("stop it; ", 1, true)), why)
    assert.is_truthy(why:find(suggestions.wait(gen), 1, true), why)
  end)

  it("ends when the client is closed", function()
    local gen = serve(PENDING)
    local short = poll_schedule.pause
    poll_schedule.pause = function() return 1000 end
    local looked
    local task = devkit4ai.spawn(function()
      return select(2, gen:wait { on_progress = function() looked = true end })
    end)
    while not looked do waits.sleep(0.01, server) end
    poll_schedule.pause = short
    client:close()
    local message = task:join()
    assert.is_truthy(message:find("the client was closed; the generation " .. ID, 1, true), message)
  end)
end)
