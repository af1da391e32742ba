-- A function of the user's that calls ngx.exit where the pump runs it: this ends the pump, and nothing else.
if not rawget(_G, "jit") then return end -- nginx runs LuaJIT alone

local clients = require "spec.support.servers.nginx_clients"
local nginx = require "spec.support.servers.nginx"
local tokens = require "spec.support.servers.token_server"

describe("an on_event that calls ngx.exit in the pump of nginx", function()
  local api, server

  before_each(function() api = clients.api() end)
  after_each(function()
    api:stop()
    if server then server:stop { signal = "TERM" } end
    server = nil
  end)

  local ENDED = "a function that the pump of nginx ran has called ngx.exit, which ended the pump"

  local function wait_for_line(text)
    nginx.wait(text, function() return server:log():find(text, 1, true) end)
  end

  it("has the orphan once, and later calls have their answers", function()
    server = clients.start(api, {
      init = [[function exits(event)
        if event.type ~= "orphan" then return end
        ngx.log(ngx.ERR, "<orphan ", event.generation_id, ">")
        ngx.exit(401)
      end]],
      server = [[location = /new { lua_check_client_abort on; content_by_lua_block {
        local leaving = assert(devkit4ai.new {
          base_url = held.base_url, access_token = "access", developer_key = "ak_abc",
          project_id = "770e8400-e29b-41d4-a716-446655440002", project_key = "pk_abc", on_event = exits,
        })
        leaving:generate { images = images, prompt = "neon" }
      } }]],
    })
    local connection = server:send("/new")
    clients.wait_for_requests(api, 1)
    connection:close()
    assert.equal("a@example.com\n", server:get("/me"))
    api:release()
    wait_for_line("<orphan")
    for _ = 1, 3 do assert.equal("a@example.com\n", server:get("/me")) end
    assert.equal(1, select(2, server:log():gsub("<orphan", "")))
    assert.truthy(server:log():find(ENDED, 1, true))
    server:stop()
  end)

  it("ends a refresh, whose callers get the reason when another call is made", function()
    local issuer = tokens.start()
    server = clients.start(api, {
      init = ([[shared = assert(devkit4ai.new { base_url = "%s", access_token = "old", refresh_token = "refresh-0",
        developer_key = "ak_abc", on_event = function(event)
          if event.type ~= "refresh" then return end
          ngx.log(ngx.ERR, "<refresh>")
          ngx.exit(401)
        end })]]):format(issuer.url),
      server = "location = /shared { content_by_lua_block { say(shared:me()) } }",
    })
    local connection = server:send("/shared")
    wait_for_line("<refresh>")
    assert.equal("a@example.com\n", server:get("/me"))
    assert.truthy(nginx.body(connection):find(ENDED, 1, true))
    server:stop()
    issuer:stop()
  end)
end)
