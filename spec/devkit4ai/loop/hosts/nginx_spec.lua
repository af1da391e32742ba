-- The event loop of nginx, in a real nginx.
if not rawget(_G, "jit") then return end -- nginx runs LuaJIT alone

local nginx = require "spec.support.nginx"
local raw = require "spec.support.raw"

-- The server of the API: each route answers at once, and those under /held when the spec releases them.
local API = [[
local ID = "550e8400-e29b-41d4-a716-446655440000"
local met, MANY = 0, 30
return function(conn)
  local request = conn:read_request()
  while request do
    if request.target:find("^/held") then conn:hold() end
    if request.target:find("^/met") then
      met = met + 1
      while met < MANY do conn:sleep(0.005) end
    end
    conn:respond(200, { id = ID, email = "a@example.com", status = "pending" })
    request = conn:read_request()
  end
end]]

-- Makes the clients: client, and held, whose calls wait for the server.
local INIT = [[init_by_lua_block {
  devkit4ai = require "devkit4ai"
  local function new(path)
    return assert(devkit4ai.new { base_url = "URL" .. path, access_token = "access", developer_key = "ak_abc" })
  end
  client, held, met = new "", new "/held", new "/met"
  function wait_until_told() while not package.loaded.told do ngx.sleep(0.005) end end
  function say(value, message) ngx.say(tostring(value and value.email or message)) end
}]]

-- wait_until_told() waits for a request to /tell.
local TELL = "location = /tell { content_by_lua_block { package.loaded.told = true } }"

local ME = "location = /me { content_by_lua_block { say(client:me()) } }"
local HELD = "location = /held { content_by_lua_block { say(held:me()) } }"

describe("nginx", function()
  local api, server
  before_each(function() api = raw.start { script = API } end)
  after_each(function()
    api:stop()
    if server then server:stop { signal = "TERM" } end
    server = nil
  end)

  local function start(options)
    options.http = (options.init or INIT):gsub("URL", api.url) .. "\n" .. (options.http or "")
    server = nginx.start(options)
    return server
  end

  -- How many requests the API's server has seen.
  local function wait_for_requests(count)
    nginx.wait(count .. " requests", function() return #api:requests() >= count end)
  end

  it("serves other requests while a call waits: 30 calls are under way at once", function()
    start { server = "location = /met { content_by_lua_block { say(met:me()) } }" }
    local connections = {}
    for i = 1, 30 do connections[i] = server:send("/met") end
    for i = 1, 30 do assert.equal("a@example.com\n", nginx.body(connections[i])) end
    server:stop()
  end)

  describe("in the phase", function()
    local CODE = [[
      local value, message, err = client:me()
      ngx.log(ngx.ERR, "<", tostring(value and value.email or message), " ", err and err.kind or "", ">")
      local ok, task = pcall(devkit4ai.spawn, function() end)
      ngx.log(ngx.ERR, "<", ok and type(task.join) or task, ">")]]

    -- The two lines of CODE in nginx.conf, after one request.
    local function results(options)
      for name, text in pairs(options) do options[name] = text:gsub("CODE", CODE) end
      start(options)
      server:get("/")
      if options.is_exit then server:signal "QUIT" end
      return nginx.wait("two lines", function() return server:log():match("%b<>.*%b<>") end):match("<(.-)>.*<(.-)>")
    end

    for phase, location in pairs {
      rewrite = "rewrite_by_lua_block { CODE } content_by_lua_block { ngx.exit(204) }",
      access = "access_by_lua_block { CODE } content_by_lua_block { ngx.exit(204) }",
      content = "content_by_lua_block { CODE }",
      timer = "content_by_lua_block { ngx.timer.at(0, function() CODE end) }",
    } do
      it(phase .. ", calls and tasks run", function()
        local first, second = results { server = "location / { " .. location .. " }" }
        assert.same({ "a@example.com ", "function" }, { first, second })
      end)
    end

    local function location(text)
      return { server = "location / { " .. text .. " }" }
    end

    for phase, options in pairs {
      set = location "set_by_lua_block $x { CODE } return 204;",
      header_filter = location "return 204; header_filter_by_lua_block { CODE }",
      body_filter = location "content_by_lua_block { ngx.say('x') } body_filter_by_lua_block { CODE }",
      log = location "return 204; log_by_lua_block { CODE }",
      init_worker = { http = "init_worker_by_lua_block { CODE }" },
      balancer = {
        http = "upstream peers { server 0.0.0.1; balancer_by_lua_block { CODE } }",
        server = "location / { proxy_pass http://peers; }",
      },
    } do
      it(phase .. ", they are refused, with what to do", function()
        local first, second = results(options)
        local why = ("nginx can't wait in the phase %s: make the call in a timer, ngx.timer.at(0, function() ... end)")
          :format(phase)
        assert.equal(("client:me: %s config"):format(why), first)
        assert.equal("devkit4ai: devkit4ai.spawn: " .. why, second:match("devkit4ai: .*"))
        assert.equal(0, #api:requests())
      end)
    end

    for phase, why in pairs {
      init = "nginx can't wait in init_by_lua: create the client there, and make its calls in a request",
      exit_worker = "nginx can't wait in exit_worker_by_lua: make the call before that",
    } do
      it(phase .. ", they are refused, and a timer is not an alternative", function()
        local options = { http = ("%s_by_lua_block { CODE }"):format(phase), is_exit = phase == "exit_worker" and "" or nil }
        if phase == "init" then -- the log is not open yet
          options = {
            init = INIT:gsub("}$", [[
              init_lines = {}
              local ngx = { log = function(_, ...) table.insert(init_lines, table.concat({ ... })) end }
              CODE }]]),
            server = "location / { content_by_lua_block { for i = 1, 2 do ngx.log(ngx.ERR, init_lines[i]) end } }",
          }
        end
        local first, second = results(options)
        assert.same({ ("client:me: %s config"):format(why), "devkit4ai: devkit4ai.spawn: " .. why },
          { first, second:match("devkit4ai: .*") })
        assert.equal(0, #api:requests())
      end)
    end
  end)

  it("quit and reload wait for pending calls, and new workers answer", function()
    start { server = ME .. HELD }
    local old = server:workers()[1]
    local connection = server:send("/held")
    wait_for_requests(1)
    server:reload()
    assert.is_true(nginx.runs(old))
    assert.equal("a@example.com\n", server:get("/me"))
    assert.is_true(nginx.runs(old))
    api:release()
    assert.equal("a@example.com\n", nginx.body(connection))
    nginx.wait("the old worker ends", function() return not nginx.runs(old) end)
    server:stop()
  end)

  describe("a caller that", function()
    -- Creates generations, and logs the events of orphans.
    local CREATE = [[
      init_worker_by_lua_block {
        function log_orphan(event)
          if event.type == "orphan" then ngx.log(ngx.ERR, "<", event.type, " ", event.operation, " ", event.generation_id, ">") end
        end
        function new(path)
          return devkit4ai.new { base_url = "URL" .. path, developer_key = "ak_abc", project_id = "770e8400-e29b-41d4-a716-446655440002",
            project_key = "pk_abc", access_token = "access", on_event = log_orphan }
        end
        images = { { data = "\137PNG\r\n\26\n" .. ("x"):rep(100), filename = "a.png" } }
        function create() return assert(assert(new "/held"):generate { images = images, prompt = "neon" }) end
      }]]
    local ORPHAN = "<orphan create_generation 550e8400-e29b-41d4-a716-446655440000>"

    local function start_creating(text, options)
      options = options or {}
      options.http = CREATE:gsub("URL", api.url) .. (options.http or "")
      options.server = ME .. TELL .. text
      return start(options)
    end

    local function wait_for_orphan()
      nginx.wait("an orphan event", function() return server:log():find(ORPHAN, 1, true) end)
      assert.equal(1, select(2, server:log():gsub("%f[<]<orphan", "")))
    end

    it("nginx ended with its client leaves an orphan event, after the answer", function()
      start_creating "location = /new { lua_check_client_abort on; content_by_lua_block { create() } }"
      local connection = server:send("/new")
      wait_for_requests(1)
      connection:close()
      assert.equal("a@example.com\n", server:get("/me"))
      assert.is_nil(server:log():find("<orphan", 1, true))
      api:release()
      wait_for_orphan()
      assert.equal(2, #api:requests())
      server:stop()
    end)

    it("goes on without its client has its answer, and leaves none", function()
      start_creating [[location = /new { content_by_lua_block { ngx.log(ngx.ERR, "<id ", create().id, ">") } }]]
      local connection = server:send("/new")
      wait_for_requests(1)
      connection:close()
      api:release()
      nginx.wait("the answer", function() return server:log():find("<id 550e", 1, true) end)
      assert.equal("a@example.com\n", server:get("/me"))
      assert.is_nil(server:log():find("<orphan", 1, true))
      server:stop()
    end)

    it("ngx.thread.kill ended leaves an orphan event", function()
      start_creating [[
        location = /new { content_by_lua_block {
          local thread = ngx.thread.spawn(create)
          wait_until_told()
          ngx.say(tostring(ngx.thread.kill(thread)))
        } }]]
      local connection = server:send("/new")
      wait_for_requests(1)
      server:get("/tell")

      assert.equal("1\n", nginx.body(connection))
      api:release()
      wait_for_orphan()
      server:stop()
    end)
  end)
end)
