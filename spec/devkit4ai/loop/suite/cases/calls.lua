-- Calls: their value or their failure, retries, a refresh for many, callbacks, a generation from start to end.
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local IMAGE = { data = wire.image.jpeg .. ("x"):rep(300000), filename = "a.jpg" }

-- Routes of a generation that is completed at the first look.
local GENERATION = ([[
  local ID, GENERATE = "%s", "/api/v1/generation/generate-v2"
  local STATUS = "/api/v1/generation/generations-v2/" .. ID .. "/status"
  local function accept(conn) conn:respond(202, { id = ID, status = "pending" }) end
  local function complete(conn, request)
    local url = "http://" .. request.head:match("\r\nHost: ([^\r\n]+)") .. "/picture.jpg"
    conn:respond(200, { id = ID, status = "completed", result_image_url = url })
  end
]]):format(ID)

return {
  {
    name = "a call gives its value, in the host's own coroutine and in a task",
    run = function(t)
      local client = t:client()
      t:equal("a@example.com", assert(client:me()).email)
      t:equal("a@example.com", t.devkit4ai.spawn(function() return assert(client:me()).email end):join())
      client:close()
    end,
  },
  {
    name = "a refused call, and a server that is not there",
    server = [[return { ["/api/v1/auth/me"] = function(conn) conn:respond(404, { detail = "nobody" }) end }]],
    run = function(t)
      local client = t:client()
      local value, message, err = client:me()
      t:equal(nil, value)
      t:equal("not_found refused 404", ("%s %s %d"):format(err.kind, err.outcome, err.status))
      t:contains(message, "nobody")
      t.url = "http://127.0.0.1:" .. raw.port_closed()
      local refused = select(3, t:client({ retry = { attempts = 1 } }):me())
      t:equal("network not_sent", refused.kind .. " " .. refused.outcome)
    end,
    check = function(assert, seen) assert.equal(1, seen "/api/v1/auth/me") end,
  },
  {
    name = "a call is tried again after the time that the server asks for",
    server = [[return { ["/api/v1/auth/me"] = function(conn, _, n)
      if n == 1 then conn:respond(503, { detail = "busy" }, { ["Retry-After"] = "1" })
      else conn:respond(200, PROFILE) end
    end }]],
    run = function(t) t:equal("a@example.com", assert(t:client():me()).email) end,
    check = function(assert, seen) assert.equal(2, seen "/api/v1/auth/me") end,
  },
  {
    name = "many callers share one refresh",
    valgrind = true,
    server = [[return {
      ["/api/v1/auth/me"] = function(conn, request)
        local is_new = request.head:find("Bearer new", 1, true)
        if not is_new then until_seen(conn, "/api/v1/auth/me", 20) end
        conn:respond(is_new and 200 or 401, is_new and PROFILE or { detail = "Could not validate credentials" })
      end,
      ["/api/v1/auth/refresh"] = function(conn) conn:respond(200, { access_token = "new", refresh_token = "next" }) end,
    }]],
    run = function(t)
      local client, tasks = t:client(), {}
      for i = 1, 20 do tasks[i] = t.devkit4ai.spawn(function() return assert(client:me()).email end) end
      for i = 1, 20 do t:equal("a@example.com", tasks[i]:join()) end
      client:close()
    end,
    check = function(assert, seen)
      assert.equal(1, seen "/api/v1/auth/refresh")
      assert.equal(40, seen "/api/v1/auth/me")
    end,
  },
  {
    name = "a refresh begins while another call waits",
    server = [[return {
      ["/slow"] = function(conn)
        until_seen(conn, "/api/v1/auth/refresh")
        conn:respond(200, PROFILE)
      end,
      ["/api/v1/auth/me"] = function(conn, request)
        local is_new = request.head:find("Bearer new", 1, true)
        if not is_new then until_seen(conn, "/slow") end
        conn:respond(is_new and 200 or 401, is_new and PROFILE or { detail = "Could not validate credentials" })
      end,
      ["/api/v1/auth/refresh"] = function(conn) conn:respond(200, { access_token = "new", refresh_token = "next" }) end,
    }]],
    run = function(t)
      local wait = t:beside(function() t:ask "/slow" end)
      t:equal("a@example.com", assert(t:client():me()).email)
      wait()
    end,
    check = function(assert, seen) assert.equal(1, seen "/api/v1/auth/refresh") end,
  },
  {
    name = "the host does other work while a call waits",
    server = [[return { ["/api/v1/auth/me"] = function(conn)
      until_seen(conn, "/work")
      conn:respond(200, PROFILE)
    end, ["/work"] = function(conn) conn:respond(200, PROFILE) end }]],
    run = function(t)
      local client, turns = t:client(), 0
      local wait = t:beside(function()
        for _ = 1, 5 do
          t.host.pause(0.001)
          turns = turns + 1
        end
        t:ask "/work"
      end)
      assert(client:me())
      t:equal(5, turns)
      wait()
    end,
  },
  {
    name = "on_upload gets the whole body of a short upload, and may make a call then",
    server = GENERATION .. [[
      return { [GENERATE] = accept, ["/told"] = function(conn) conn:respond(200, PROFILE) end }
    ]],
    run = function(t)
      local client, last, all = t:client(), nil, nil
      local function on_upload(sent, total)
        last, all = sent, total
        if sent == total then t:ask "/told" end
      end
      local image = { data = wire.image.jpeg, filename = "a.jpg" }
      assert(client:generate { images = { image }, prompt = "neon", on_upload = on_upload })
      t:equal(all, last)
      client:close()
    end,
    check = function(assert, seen) assert.is_true(seen "/told" >= 1) end,
  },
  {
    name = "callbacks make calls",
    valgrind = true,
    server = GENERATION .. [[
      local function answer(conn) conn:respond(200, PROFILE) end
      return {
        ["/from_upload"] = answer, ["/from_event"] = answer, ["/from_progress"] = answer,
        ["head " .. GENERATE] = function(conn) until_seen(conn, "/from_upload") end,
        [GENERATE] = accept, [STATUS] = complete,
      }
    ]],
    run = function(t)
      local asked, calls = {}, 0
      local function ask_once(path)
        if asked[path] then return end
        asked[path] = true
        t:ask(path)
        calls = calls + 1
      end
      local client = t:client { on_event = function() ask_once "/from_event" end }
      local gen = assert(client:generate(
        { images = { IMAGE }, prompt = "neon", on_upload = function() ask_once "/from_upload" end }))
      assert(gen:wait { on_progress = function() ask_once "/from_progress" end })
      while calls < 3 do t.host.pause(0.002) end
      client:close()
    end,
    check = function(assert, seen)
      for _, name in ipairs { "/from_upload", "/from_event", "/from_progress" } do assert.equal(1, seen(name), name) end
    end,
  },
  {
    name = "a callback joins a task that ends at once",
    run = function(t)
      local begun, ended, task = 0, 0, nil
      local client = t:client { on_event = function()
        begun = begun + 1
        task:join()
        ended = ended + 1
      end }
      task = t.devkit4ai.spawn(function() return assert(client:me()).email end)
      t:equal("a@example.com", task:join())
      while ended < begun do t.host.pause(0.002) end
      t:equal(true, begun > 0)
    end,
  },
  {
    name = "a generation is created, waited for and saved",
    server = GENERATION .. [[return {
      [GENERATE] = accept, [STATUS] = complete,
      ["/picture.jpg"] = function(conn)
        conn:respond(200, "\255\216\255\208" .. ("x"):rep(100000) .. "\255\217", { ["Content-Type"] = "image/jpeg" })
      end,
    }]],
    run = function(t)
      local folder, client = child.folder(), t:client()
      local gen = assert(client:generate { images = { IMAGE }, prompt = "neon" })
      assert(gen:wait())
      t:equal(folder .. "/a.jpg", assert(gen:save(folder .. "/a.jpg")))
      t:equal(100006, #child.read(folder .. "/a.jpg"))
      child.remove(folder)
      client:close()
    end,
    check = function(assert, seen) assert.equal(1, seen "/api/v1/generation/generate-v2") end,
  },
}
