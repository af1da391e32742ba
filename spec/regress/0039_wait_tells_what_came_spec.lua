-- gen:wait: its message at the deadline has the last failure; a 404 right after the creation is a failed poll; the letter case of
-- a status does not matter; X-Request-ID is kept.
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local poll_schedule = require "devkit4ai.generation.pacing.poll_schedule"
local raw = require "spec.support.servers.raw"
local waits = require "devkit4ai.loop.waits"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local IMAGE = { data = wire.image.png, filename = "a.png" }

describe("gen:wait", function()
  local server, client, pause, events

  setup(function()
    pause = poll_schedule.pause
    poll_schedule.pause = function() return 0.001 end
  end)
  teardown(function() poll_schedule.pause = pause end)

  -- ...: Lua for each status request; the last one repeats; a create request is answered with ID
  local function start(...)
    local steps = {}
    for i, step in ipairs { ... } do steps[i] = ("function(conn) %s end"):format(step) end
    server = raw.start { script = ([[
      local ID, polls = "%s", 0
      local steps = { %s }
      return function(conn)
        local request = conn:read_request()
        while request do
          if request.method == "POST" then
            conn:respond(200, { id = ID, status = "pending" }, { ["X-Request-ID"] = "order-1" })
          else
            polls = polls + 1
            steps[math.min(polls, #steps)](conn)
          end
          request = conn:read_request()
        end
      end]]):format(ID, table.concat(steps, ", ")) }
    events = {}
    client = assert(devkit4ai.new(wire.options(server.url, {
      on_event = function(event) events[#events + 1] = event end,
    })))
  end

  after_each(function()
    client:close()
    server:stop()
  end)

  -- A wait in which only sleeps take time, so that each poll has its answer.
  local function wait_out(gen)
    local ahead, now, sleep, short = 0, waits.now, waits.sleep, poll_schedule.pause
    finally(function() waits.now, waits.sleep, poll_schedule.pause = now, sleep, short end)
    waits.now = function() return ahead end
    waits.sleep = function(seconds, owner)
      ahead = ahead + seconds
      return sleep(0, owner)
    end
    poll_schedule.pause = function() return 10 end
    return gen:wait { timeout = 35 }
  end

  local function order() return assert(client:generate { images = { IMAGE }, prompt = "neon" }) end
  local OK = "conn:respond(200, { id = ID, status = 'completed' })"
  local EARLY = "conn:respond(404, { detail = 'Generation not found' })"

  for what, case in pairs {
    ["a proxy's page"] = { "conn:respond(200, '<html>')", "it is not JSON" },
    ["a 502"] = { "conn:respond(502, '<html>')", "the server answered 502" },
    ["nothing"] = { "conn:reset() conn.read_request = function() end", "127.0.0.1:" },
    ["another id"] = { "conn:respond(200, { id = 'x', status = 'completed' })", "it is about another id: x" },
  } do
    it("reports the failure in place of a status: " .. what, function()
      start(case[1])
      local gen, message, err = wait_out(client:generation(ID))
      assert.is_nil(gen)
      assert.equal("timeout", err.kind)
      local last = "the last status request failed: "
      for _, fragment in ipairs { "no status was received", last, case[2], "paid for", "go on waiting" } do
        assert.is_truthy(message:find(fragment, 1, true), message)
      end
      assert.is_falsy(message:find("no answer yet", 1, true), message)
    end)
  end

  it("reports the status before the last failed poll", function()
    start("conn:respond(200, { id = ID, status = 'processing' })", "conn:respond(502, '')")
    local message = select(2, wait_out(client:generation(ID)))
    local text = "(processing; the last status request failed: the server answered 502"
    assert.is_truthy(message:find(text, 1, true), message)
  end)

  it("does not report a failed poll before a successful one", function()
    start("conn:respond(502, '')", "conn:respond(200, { id = ID, status = 'processing' })")
    local message = select(2, wait_out(client:generation(ID)))
    assert.is_truthy(message:find("is not done (processing). ", 1, true), message)
  end)

  it("continues after a 404 right after the creation", function()
    start(EARLY, EARLY, OK)
    assert.equal("completed", assert(order():wait()).status)
  end)

  it("ends after a 404 of a generation that it did not create, or that was created long ago", function()
    start(EARLY)
    local _, message, err = client:generation(ID):wait()
    assert.same({ "not_found", false }, { err.kind, err.retryable })
    assert.is_truthy(message:find("if the generation " .. ID .. " was created, it is paid for", 1, true), message)
    local gen = order()
    gen._created_at = waits.now() - 31
    _, message, err = gen:wait()
    assert.same({ "not_found", false, ID }, { err.kind, err.retryable, err.generation_id })
    assert.is_truthy(message:find("the generation " .. ID .. " is paid for; go on waiting with ", 1, true), message)
  end)

  it("has a refresh and a save which say that the generation may appear in some seconds", function()
    start(EARLY)
    local gen = order()
    for _, call in ipairs { gen.refresh, gen.bytes } do
      local _, message, err = call(gen)
      assert.same({ "not_found", true }, { err.kind, err.retryable })
      assert.is_truthy(message:find("may appear in some seconds", 1, true), message)
    end
  end)

  for _, status in ipairs { "COMPLETED", "Completed" } do
    it("treats " .. status .. " as completed", function()
      start(("conn:respond(200, { id = ID, status = '%s' })"):format(status))
      assert.equal("completed", assert(client:generation(ID):wait()).status)
    end)
  end

  it("treats FAILED as failed", function()
    start("conn:respond(200, { id = ID, status = 'FAILED', error = 'no GPU' })")
    assert.equal("failed", select(3, client:generation(ID):wait()).kind)
  end)

  it("keeps the X-Request-ID of the last response, and reports it in events", function()
    start("conn:respond(200, { id = ID, status = 'completed' }, { ['X-Request-ID'] = 'look-1' })")
    local gen = order()
    assert.equal("order-1", gen.request_id)
    assert.equal("look-1", assert(gen:wait()).request_id)
    local told = {}
    for _, event in ipairs(events) do
      if event.type == "answer" then told[#told + 1] = event.request_id end
    end
    assert.same({ "order-1", "look-1" }, told)
  end)

  it("sets request_id also without on_event", function()
    start("conn:respond(200, { id = ID, status = 'completed' }, { ['X-Request-ID'] = 'look-1' })")
    local quiet = assert(devkit4ai.new(wire.options(server.url)))
    assert.equal("order-1", assert(quiet:generate { images = { IMAGE }, prompt = "neon" }).request_id)
    assert.equal("look-1", assert(quiet:generation(ID):refresh()).request_id)
    quiet:close()
  end)
end)
