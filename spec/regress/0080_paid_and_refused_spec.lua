-- A value refused after the payment, a failed refresh and an error in save did not name the generation. An error in a rotation
-- lost the new key. A create call at the concurrency limit slept for an hour after the 429 of a poll.
local child = require "spec.support.process.child"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local ORDER = { images = { { data = wire.image.png, filename = "a.png" } }, prompt = "neon" }
local LINE = ('client:generation("%s"):'):format(ID)

local function start(answer)
  return raw.start { script = ([[
    local orders = 0
    return function(conn)
      local request = conn:read_request()
      while request do
        if request.method == "POST" then orders = orders + 1 end
        %s
        request = conn:read_request()
      end
    end]]):format(answer) }
end

describe("after the payment", function()
  local server, client, gen

  before_each(function()
    server = start(([[
      if request.method == "POST" then conn:respond(200, { id = "%s", status = "pending" })
      else conn:respond(403, { detail = "no" }) end]]):format(ID))
    client = assert(devkit4ai.new(wire.options(server.url)))
    gen = assert(client:generate(ORDER))
  end)
  after_each(function()
    client:close()
    server:stop()
  end)

  local function names_it(text, line)
    assert.is_truthy(text:find(("the generation %s is paid for"):format(ID), 1, true), text)
    assert.is_truthy(text:find(LINE .. line, 1, true), text)
  end

  for what, case in pairs {
    ["wait's interval"] = { function() return gen:wait { interval = 0 } end, "wait()" },
    ["wait's timeout"] = { function() return gen:wait { timeout = -1 } end, "wait()" },
    ["wait's timeout, no number"] = { function() return gen:wait { timeout = 0 / 0 } end, "wait()" },
    ["save's empty path"] = { function() return gen:save "" end, "save(" },
    ["save's path with a NUL"] = { function() return gen:save "a\0b" end, "save(" },
    ["refresh"] = { function() return gen:refresh() end, "wait()" },
  } do
    it("the failure of " .. what .. " names the id", function()
      local value, message, err = case[1]()
      assert.is_nil(value)
      names_it(message, case[2])
      assert.same({ message, ID }, { err.message, err.generation_id })
    end)
  end

  it("a call on a closed client names itself and the id", function()
    client:close()
    for name, call in pairs {
      refresh = function() return gen:refresh() end,
      save = function() return gen:save "x.png" end,
      bytes = function() return gen:bytes() end,
    } do
      local ok, text = pcall(call)
      assert.is_false(ok)
      assert.is_truthy(text:find(("gen:%s: the client is closed"):format(name), 1, true), text)
      assert.is_truthy(text:find("make a new client, and go on", 1, true), text)
      names_it(text, "")
    end
  end)

  it("a call on a closed client is reported as not sent", function()
    client:close()
    local ok, text = pcall(client.generate, client, ORDER)
    assert.is_false(ok)
    assert.is_nil(text:find("under way", 1, true), text)
  end)
end)

describe("a create call at the concurrency limit", function()
  it("returns if a poll is told to wait longer than max_wait", function()
    local server = start(([[
      if request.method == "POST" and orders == 1 then conn:respond(200, { id = "%s", status = "pending" })
      else conn:respond(429, { detail = "wait" }, { ["Retry-After"] = "3600" }) end]]):format(ID))
    local ended = child.run([[
      local core = require "devkit4ai.core"
      local poll_schedule = require "devkit4ai.generation.pacing.poll_schedule"
      poll_schedule.pause = function() return 0.01 end
      local client = require("devkit4ai").new { base_url = arg[1], access_token = "t", developer_key = "d",
        project_id = arg[2], project_key = "p" }
      local order = { images = { { data = "\137PNG\r\n\26\n\0\0\0\13IHDR", filename = "a.png" } }, prompt = "neon" }
      assert(client:generate(order))
      local _, _, err = client:generate(order)
      print(err.kind, err.outcome, err.retry_after)]], { args = { server.url, ID } })
    server:stop()
    assert.same({ 0, "rate_limited\trefused\t3600\n" }, { ended.code, (ended.out:gsub("3600%.0", "3600")) }, ended.err)
  end)
end)

describe("an error in a script that ends", function()
  local server, folder
  before_each(function()
    folder = child.folder()
    server = start(([[
      local mark, list = "%s/mark", { { id = "%s", key_prefix = "pk_old", is_active = true } }
      local function wait()
        assert(io.open(mark, "w")):close()
        conn:sleep(0.3)
      end
      if request.method == "DELETE" or request.target:find("/status", 1, true) then wait() end
      conn:respond(200, request.method == "GET" and request.target:find("keys", 1, true) and list
        or { id = "%s", status = "pending", key = "pk_new_and_shown_once", key_prefix = "pk_new_a", name = "n" })]])
      :format(folder, ID, ID))
  end)
  after_each(function()
    server:stop()
    child.remove(folder)
  end)

  local function run(script)
    local ended = child.run([[
      local url, folder, id = arg[1], arg[2], arg[3]
      local client = require("devkit4ai").new { base_url = url, access_token = "t", developer_key = "d",
        project_id = id, project_key = "pk_old_one" }
      local function try(fn, ...)
        debug.sethook(function()
          local file = io.open(folder .. "/mark")
          if not file then return end
          file:close()
          debug.sethook()
          error("interrupted!", 0)
        end, "", 10)
        return select(2, pcall(fn, ...))
      end
      ]] .. script, { args = { server.url, folder, ID } })
    assert.same({ 0, "" }, { ended.code, ended.err })
    return ended.out
  end

  for call, line in pairs { ["save 'x.png'"] = 'save("x.png")', ["bytes()"] = "bytes()", ["refresh()"] = "wait()" } do
    it("gen:" .. call .. " names the generation", function()
      local out = run(("print(try(function() return client:generation(id):%s end))"):format(call))
      assert.matches("^interrupted!", out)
      assert.is_truthy(out:find(LINE .. line, 1, true), out)
    end)
  end

  it("a rotation has the new key, which is in use", function()
    local out = run [[
      local project = client:project()
      local err = try(project.rotate_key, project, "n")
      print(type(err), tostring(err) == err.message, err.key.key, err.cause:sub(1, 12), err.outcome, err.retryable)
      print(err.message)
      assert(project:generation(id):refresh())]]
    assert.is_truthy(out:find("table\ttrue\tpk_new_and_shown_once\tinterrupted!\tunknown\tfalse\n", 1, true), out)
    assert.is_truthy(out:find("the key in err.key is new: keep it", 1, true), out)
    assert.is_nil(out:match("\n(.*)"):find("pk_new_and_shown_once", 1, true), out)
    assert.equal("pk_new_and_shown_once", wire.header(server:last(), "X-API-Key"))
  end)
end)
