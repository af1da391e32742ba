-- task:cancel() in both gears: what a task waits for ends at once, and join says what may have been done.
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local HANGS = "return function(conn) conn:read_head() conn:read(1) conn:sleep(1000) end"
local ACCEPTS = ([[return function(conn)
  local request = conn:read_request()
  while request do
    conn:respond(request.method == "POST" and 202 or 200, { id = "%s", status = "processing" })
    request = conn:read_request()
  end
end]]):format(ID)

for gear, start in pairs {
  ["where the caller steps"] = function() end, ["where a thread steps"] = function(devkit4ai) devkit4ai.update() end,
} do
  insulate("task:cancel(), " .. gear, function()
    local devkit4ai = require "devkit4ai"
    local poll_schedule = require "devkit4ai.generation.pacing.poll_schedule"
    local waits = require "devkit4ai.loop.waits"
    local server, client, events
    setup(function() start(devkit4ai) end)

    local function serve(script)
      server, events = raw.start { script = script }, {}
      client = devkit4ai.new(wire.options(server.url, { on_event = function(event) events[#events + 1] = event end }))
    end
    after_each(function()
      if client then client:close() end
      if server then server:stop() end
      server, client = nil, nil
    end)

    local function orphans()
      local ids = {}
      for _, event in ipairs(events) do
        if event.type == "orphan" then ids[#ids + 1] = event.generation_id end
      end
      return ids
    end

    local function until_requests(count)
      while #server:requests() < count do waits.sleep(0.005) end
    end

    it("cuts an upload, sent once, and says that it may be paid for", function()
      serve(HANGS)
      local image = { data = wire.image.jpeg .. ("x"):rep(8 * 1024 * 1024), filename = "a.jpg" }
      local inside
      local task = devkit4ai.spawn(function()
        inside = { client:generate { images = { image }, prompt = "neon" } }
        inside.again = select(3, client:generate { images = { image }, prompt = "neon" })
        inside.me = select(3, client:me())
      end)
      until_requests(1)
      assert.equal(task, task:cancel())
      local value, message, err = task:join()
      assert.is_nil(value)
      assert.same({ "cancelled", "unknown", "create_generation", false },
        { err.kind, err.outcome, err.operation, err.retryable })
      assert.equal(message, err.message)
      assert.is_truthy(message:find("the task was cancelled: ", 1, true), message)
      assert.is_truthy(message:find("may be running and paid for", 1, true), message)
      assert.same({ "cancelled", "unknown" }, { inside[3].kind, inside[3].outcome })
      assert.same({ "cancelled", "not_sent", 0 }, { inside.again.kind, inside.again.outcome, inside.again.attempts })
      assert.same({ "cancelled", "not_sent" }, { inside.me.kind, inside.me.outcome })
      assert.same({ 1, false }, { #server:requests(), server:requests()[1].complete })
    end)

    it("ends a wait, with the id and the line that goes on, and tells an orphan", function()
      serve(ACCEPTS)
      local pause, looked, err, message = poll_schedule.pause, false, nil, nil
      poll_schedule.pause = function() return 1000 end
      finally(function() poll_schedule.pause = pause end)
      local task = devkit4ai.spawn(function()
        local gen = client:generation(ID)
        message, err = select(2, gen:wait { on_progress = function() looked = true end })
        assert(err == nil, message)
      end)
      while not looked do waits.sleep(0.005) end
      waits.sleep(0.03)
      task:cancel()
      local _, told, joined = task:join()
      for _, each in ipairs { err, joined } do
        assert.same({ "cancelled", "unknown", ID }, { each.kind, each.outcome, each.generation_id })
      end
      assert.is_truthy(message:find(('client:generation("%s"):wait()'):format(ID), 1, true), message)
      assert.is_truthy(told:find(message, 1, true), told)
      assert.is_nil(told:find("then it raised", 1, true)) -- what assert raised is the cancellation itself
      assert.same({ ID }, orphans())
    end)

    it("ends a look of a wait in the same way", function()
      serve(HANGS)
      local task = devkit4ai.spawn(function() client:generation(ID):wait() end)
      until_requests(1)
      local _, message, err = task:cancel():join()
      assert.same({ "cancelled", "unknown", ID }, { err.kind, err.outcome, err.generation_id })
      assert.is_truthy(message:find("may still finish and is paid for", 1, true), message)
      assert.same({ ID }, orphans())
    end)

    it("from within, while its picture is being ordered: the answer is told as an orphan", function()
      serve(ACCEPTS)
      local accepted, task
      local told = client._trace.on_event
      client._trace.on_event = function(event)
        told(event)
        if event.type == "answer" then task:cancel() end
      end
      task = devkit4ai.spawn(function()
        local image = { data = wire.image.jpeg, filename = "a.jpg" }
        local gen = assert(client:generate { images = { image }, prompt = "neon" })
        accepted = gen.id
        gen:wait()
      end)
      local _, message, err = task:join()
      assert.equal(ID, accepted)
      assert.same({ "cancelled", "unknown", ID }, { err.kind, err.outcome, err.generation_id })
      assert.is_truthy(message:find("is paid for", 1, true), message)
      assert.same({ ID }, orphans())
      assert.equal(1, #server:requests())
    end)

    it("before it ran: it never runs", function()
      local ran = false
      local task = devkit4ai.spawn(function() ran = true end):cancel()
      devkit4ai.spawn(function() end):join()
      local value, message, err = task:join()
      assert.same({ false, "cancelled", "not_sent" }, { ran, err.kind, err.outcome })
      assert.is_nil(value)
      assert.is_truthy(message:find("nothing was in progress", 1, true), message)
    end)

    it("of one that is over does nothing, and twice is once", function()
      local task = devkit4ai.spawn(function() return 7 end)
      task:join()
      assert.equal(7, (task:cancel():join()))
      local other = devkit4ai.spawn(function() return devkit4ai.sleep(1000) end)
      waits.sleep(0.001)
      other:cancel():cancel()
      assert.equal("cancelled", select(3, other:join()).kind)
    end)

    it("of itself lets it run to its next wait", function()
      serve(ACCEPTS)
      local task, steps = nil, {}
      task = devkit4ai.spawn(function()
        task:cancel()
        steps[1] = "on"
        steps[2] = select(3, client:me()).outcome
        steps[3] = waits.sleep(1000)
        steps[4] = select(3, devkit4ai.spawn(function() end):join()).kind
        return "its own value"
      end)
      assert.equal("its own value", (task:join()))
      assert.same({ "on", "not_sent", false, "cancelled" }, steps)
      assert.equal(0, #server:requests())
    end)

    it("from on_upload cuts that upload", function()
      serve(HANGS)
      local image = { data = wire.image.jpeg .. ("x"):rep(8 * 1024 * 1024), filename = "a.jpg" }
      local task
      task = devkit4ai.spawn(function()
        client:generate { images = { image }, prompt = "x", on_upload = function() task:cancel() end }
      end)
      assert.equal("unknown", select(3, task:join()).outcome)
      until_requests(1) -- the server may read it later than the client cuts it
      assert.equal(1, #server:requests())
    end)

    it("ends a join, and leaves the other task alone", function()
      local go
      local other = devkit4ai.spawn(function()
        while not go do waits.sleep(0.005) end
        return "done"
      end)
      local err
      local task = devkit4ai.spawn(function() err = select(3, other:join()) end)
      waits.sleep(0.001)
      task:cancel():join()
      assert.same({ "cancelled", "not_sent" }, { err.kind, err.outcome })
      go = true
      assert.equal("done", (other:join()))
    end)

    it("ends what waits for new tokens, and the refresh goes on for the others", function()
      serve [[return function(conn)
        local request = conn:read_request()
        while request do
          if request.target:find("refresh", 1, true) then
            conn:hold()
            conn:respond(200, { access_token = "new", refresh_token = "r2" })
          else
            conn:respond(200, { id = "u" })
          end
          request = conn:read_request()
        end
      end]]
      local first = devkit4ai.spawn(function() return client:refresh_token() end)
      local second = devkit4ai.spawn(function() return client:refresh_token() == client end)
      until_requests(1)
      assert.same({ "cancelled", "not_sent" },
        (function(_, _, err) return { err.kind, err.outcome } end)(first:cancel():join()))
      server:release()
      assert.is_true((second:join()))
      assert.equal(1, #server:requests())
    end)

    it("keeps an error that has another reason in its message", function()
      local task = devkit4ai.spawn(function()
        waits.sleep(1000)
        error "my mistake"
      end)
      waits.sleep(0.001)
      local _, message = task:cancel():join()
      assert.is_truthy(message:find("then it raised", 1, true), message)
      assert.is_truthy(message:find("my mistake", 1, true), message)
    end)

    it("leaves the calls of others alone", function()
      serve [[return function(conn)
        conn:read_request()
        conn:hold()
        conn:respond(200, { id = "u" })
      end]]
      local tasks = {}
      for i = 1, 3 do tasks[i] = devkit4ai.spawn(function() return assert(client:me()).id end) end
      until_requests(3)
      tasks[2]:cancel()
      server:release()
      assert.same({ "u", "u" }, { tasks[1]:join(), (tasks[3]:join()) })
      assert.is_nil((tasks[2]:join()))
    end)

    it("is what ends a <close> variable", function()
      local task = devkit4ai.spawn(function() waits.sleep(1000) end)
      waits.sleep(0.001)
      getmetatable(task).__close(task)
      assert.equal("cancelled", select(3, task:join()).kind)
    end)

    it("and closing a parent ends what its children have under way", function()
      serve(HANGS)
      local child = setmetatable({ _secrets = client._secrets }, { __index = client })
      local called = devkit4ai.spawn(function()
        local scope = { _client = child, _secrets = client._secrets }
        return select(3, require("devkit4ai.request.call").run(scope, "get_me")).kind
      end)
      local slept = devkit4ai.spawn(function() return waits.sleep(1000, child) end)
      until_requests(1)
      client:close()
      assert.equal("cancelled", (called:join()))
      assert.is_false((slept:join()))
    end)
  end)
end
