-- The phases of nginx in which calls can be made, and those in which they are refused.
if not rawget(_G, "jit") then return end -- nginx runs LuaJIT alone

local certificate = require "spec.support.servers.certificate"
local child = require "spec.support.process.child"
local clients = require "spec.support.servers.nginx_clients"
local free_port = require "spec.support.servers.free_port"
local nginx = require "spec.support.servers.nginx"

describe("in the phase of nginx", function()
  local api, server
  before_each(function() api = clients.api() end)
  after_each(function()
    api:stop()
    server:stop { signal = "TERM" }
  end)

  local CODE = [[
    local value, message, err = client:me()
    ngx.log(ngx.ERR, "<", tostring(value and value.email or message), " ", err and err.kind or "", ">")
    local ok, task = pcall(devkit4ai.spawn, function() end)
    ngx.log(ngx.ERR, "<", ok and type(task.join) or task, ">")]]

  -- The two lines of CODE in nginx.conf, after one request.
  local function results(options)
    for name, text in pairs(options) do options[name] = text:gsub("CODE", CODE) end
    server = clients.start(api, options)
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
      assert.equal("devkit4ai: " .. why, second:match("devkit4ai: .*"))
      assert.equal(0, #api:requests())
    end)
  end

  -- The two lines of CODE in phases of TLS, after two requests; the second one continues the TLS session of the first one.
  local function tls_results(directive)
    local folder, port = child.folder(), free_port()
    finally(function() child.remove(folder) end)
    os.execute("chmod 755 " .. folder)
    local cert, key = certificate.new()
    for name, text in pairs { cert = cert:toPEM(), key = key:toPEM "private" } do
      local file = assert(io.open(folder .. "/" .. name, "w"))
      file:write(text)
      file:close()
    end
    local block = directive .. " { " .. CODE .. " }"
    local is_session = directive:find("session", 1, true)
    server = clients.start(api, {
      http = "ssl_session_cache shared:tls:1m; ssl_session_tickets off; ssl_protocols TLSv1.2;"
        .. (is_session and block or ""),
      server = ("listen 127.0.0.1:%d ssl; ssl_certificate %s/cert; ssl_certificate_key %s/key; %s"):format(
        port, folder, folder, is_session and "" or block),
    })
    os.execute(("for i in 1 2; do echo | openssl s_client -connect 127.0.0.1:%d -sess_out %s/session"
      .. " $([ $i = 1 ] || echo -sess_in %s/session) >%s/words 2>&1; done"):format(port, folder, folder, folder))
    return nginx.wait("two lines", function() return server:log():match("%b<>.*%b<>") end):match("<(.-)>.*<(.-)>")
  end

  it("ssl_cert, calls and tasks run", function()
    local first, second = tls_results "ssl_certificate_by_lua_block"
    assert.same({ "a@example.com ", "function" }, { first, second })
  end)

  for _, phase in ipairs { "ssl_client_hello", "ssl_session_fetch", "ssl_session_store" } do
    it(phase .. ", they are refused, with what to do", function()
      local first = tls_results(phase .. "_by_lua_block")
      assert.equal(("client:me: nginx can't wait in the phase %s: make the call in a timer, "
        .. "ngx.timer.at(0, function() ... end) config"):format(phase), first)
      assert.equal(0, #api:requests())
    end)
  end

  for phase, why in pairs {
    init = "nginx can't wait in init_by_lua: create the client there, and make its calls in a request",
    exit_worker = "nginx can't wait in exit_worker_by_lua: make the call before that",
  } do
    it(phase .. ", they are refused, and a timer is not an alternative", function()
      local options = { http = ("%s_by_lua_block { CODE }"):format(phase) }
      options.is_exit = phase == "exit_worker" and "" or nil
      if phase == "init" then -- the log is not open yet
        options = {
          init = [[
            init_lines = {}
            local ngx = { log = function(_, ...) table.insert(init_lines, table.concat({ ... })) end }
            CODE]],
          server = "location / { content_by_lua_block { for i = 1, 2 do ngx.log(ngx.ERR, init_lines[i]) end } }",
        }
      end
      local first, second = results(options)
      assert.same({ ("client:me: %s config"):format(why), "devkit4ai: " .. why },
        { first, second:match("devkit4ai: .*") })
      assert.equal(0, #api:requests())
    end)
  end
end)
