-- on_event and on_upload that raised a value that is not a string ended the paid call; on_upload could not make calls in a task,
-- which ended the upload; while one on_event made a call, the events of other tasks were lost.
local devkit4ai = require "devkit4ai"
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
-- An upload waits half a second before it is read.
local SERVER = ([[return function(conn)
  while true do
    local head = conn:read_head()
    if not head then return end
    if head:find("^POST") then conn:sleep(0.5) end
    local request = conn:read_body()
    if not request then return end
    conn:respond(200, { id = "%s", status = "completed" })
  end
end]]):format(ID)

-- Values whose text can't be had, and others that are no text.
local VALUES = {
  ["a table whose __tostring returns nil"] = setmetatable({}, { __tostring = function() return nil end }),
  ["a table whose __tostring raises"] = setmetatable({}, { __tostring = function() error("no words") end }),
  ["a table whose __tostring raises itself"] = setmetatable({}, { __tostring = function(self) error(self) end }),
  ["a plain table"] = { code = 7 },
  ["false"] = false,
}

local function in_script(fn) return pcall(fn) end
local function in_task(fn)
  local task = devkit4ai.spawn(fn)
  return pcall(task.join, task)
end

for where, run in pairs { ["in a script"] = in_script, ["in a task"] = in_task } do
  describe("a callback, " .. where .. ",", function()
    local server, client
    before_each(function()
      server = raw.start { script = SERVER }
      client = devkit4ai.new(wire.options(server.url))
    end)
    after_each(function()
      client:close()
      server:stop()
    end)

    local function generate(on_upload)
      local image = { data = wire.image.png .. ("x"):rep(8 * 1024 * 1024), filename = "x.png" }
      return client:generate { images = { image }, prompt = "neon", on_upload = on_upload }
    end

    local function posts()
      local list = {}
      for _, request in ipairs(server:requests()) do
        if request.method == "POST" then list[#list + 1] = request end
      end
      return list
    end

    for what, value in pairs(VALUES) do
      it("on_upload that raises " .. what .. " ends the upload; the error has outcome, line and value", function()
        local ok, err = run(function() return generate(function() error(value) end) end)
        assert.is_false(ok)
        assert.is_true(rawequal(value, err.cause))
        assert.same({ "cancelled", "unknown", false }, { err.kind, err.outcome, err.retryable })
        assert.is_truthy(tostring(err):find("find_generation { instructions = \"neon\"", 1, true), tostring(err))
        assert(client:me()) -- which steps the engine
        assert.same({ 1, false }, { #posts(), posts()[1].complete })
      end)

      it("on_progress that raises " .. what .. " ends the wait; the error has line and value", function()
        local gen = client:generation(ID)
        local ok, err = run(function() return gen:wait { on_progress = function() error(value) end } end)
        assert.is_false(ok)
        assert.is_true(rawequal(value, err.cause))
        assert.is_truthy(tostring(err):find(('client:generation("%s"):wait()'):format(ID), 1, true), tostring(err))
      end)
    end

    it("on_upload that raises a string: the string has the outcome and the line", function()
      local ok, why = run(function() return generate(function() error("no more") end) end)
      assert.is_false(ok)
      assert.matches("no more.*may be running and paid for.*find_generation { instructions = \"neon\"", why)
      assert(client:me())
      assert.is_false(posts()[1].complete)
    end)

    it("on_upload may make calls, sleep, start tasks and wait for them", function()
      local seen = {}
      local ok, id = run(function()
        return assert(generate(function()
          seen.me = client:me().id
          seen.slept = devkit4ai.sleep(0.01)
          seen.joined = devkit4ai.spawn(function() return client:me().id end):join()
          seen.all = devkit4ai.all { function() return client:me().id end }[1]
        end)).id
      end)
      assert.same({ true, ID }, { ok, id }, id)
      assert.same({ me = ID, slept = true, joined = ID, all = ID }, seen)
      assert.same({ 1, true }, { #posts(), posts()[1].complete })
    end)

    it("on_upload may take longer than the upload, and the call ends after it", function()
      local ended = 0
      local ok, id = run(function()
        local gen = assert(generate(function()
          devkit4ai.sleep(1)
          ended = ended + 1
        end))
        assert(ended > 0)
        return gen.id
      end)
      assert.same({ true, ID }, { ok, id })
      assert.same({ 1, true }, { #posts(), posts()[1].complete })
    end)

    it("on_upload may yield", function()
      local ok, id = run(function() return assert(generate(function() coroutine.yield(1) end)).id end)
      assert.same({ true, ID }, { ok, id })
    end)
  end)
end

describe("an on_event", function()
  local server
  setup(function() server = raw.start { script = SERVER } end)
  teardown(function() server:stop() end)

  for what, make in pairs {
    ["returns nil"] = "setmetatable({}, { __tostring = function() end })",
    ["raises"] = "setmetatable({}, { __tostring = function(e) error(e) end })",
  } do
    it("that raises a value whose __tostring " .. what .. " changes nothing, in a script and in a task", function()
      local ended = child.run(([[
        local devkit4ai = require "devkit4ai"
        local client = devkit4ai.new { base_url = arg[1], access_token = "t", developer_key = "k", project_id = arg[2],
          project_key = "p", on_event = function() error(%s) end }
        local function order()
          return assert(client:generate { images = { { data = "\137PNG\r\n\26\n\0\0\0\13IHDR", filename = "a.png" } },
            prompt = "neon" }).id
        end
        print(order(), (devkit4ai.spawn(order):join()))
      ]]):format(make), { args = { server.url, ID } })
      assert.same({ 0, ID .. "\t" .. ID .. "\n" }, { ended.code, ended.out }, ended.err)
      assert.is_truthy(ended.err:find("an error value without text (table)", 1, true), ended.err)
    end)
  end

  it("that makes a call does not suppress the events of other calls", function()
    local slow = raw.start { script = [[return function(conn)
      local request = conn:read_request()
      while request do
        if request.head:find("slow", 1, true) then conn:sleep(0.3) end
        conn:respond(200, { id = "u" })
        request = conn:read_request()
      end
    end]] }
    local told, client, asked = {}, nil, false
    client = devkit4ai.new(wire.options(slow.url, { on_event = function(event)
      if event.type ~= "answer" then return end
      told[#told + 1] = event.operation
      if asked then return end
      asked = true
      assert(client:me { headers = { ["X-Which"] = "slow" } })
    end }))
    finally(function() client:close() slow:stop() end)
    local tasks = {}
    for i = 1, 4 do tasks[i] = devkit4ai.spawn(function() return assert(client:me()).id end) end
    for i = 1, 4 do assert.equal("u", (tasks[i]:join())) end
    assert.equal(4, #told)
  end)
end)
