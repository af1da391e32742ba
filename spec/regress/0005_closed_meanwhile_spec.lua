-- Tokens that arrived after client:close, or after a newer login, were stored; a 401 for tokens that were refreshed meanwhile
-- refreshed them again.
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local waits = require "devkit4ai.loop.waits"
local session = require "devkit4ai.auth.session"
local wire = require "spec.support.calls.wire"

local OLD, NEW = "old-token", "new-token"

-- Answers /me by its token, a refresh with a new one, and waits with the first of each until it is told.
local SCRIPT = ([[
  local waited = {}
  return function(conn)
    local request = conn:read_request()
    while request do
      if request.target:find("/auth/me", 1, true) then
        local old = request.head:find("OLD", 1, true)
        if old and not waited.me then waited.me = true conn:sleep(0.3) end
        if old then conn:respond(401, { detail = "Could not validate credentials" })
        else conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" }) end
      else
        conn:respond(200, { access_token = "NEW", refresh_token = "r2" })
      end
      request = conn:read_request()
    end
  end
]]):gsub("OLD", OLD):gsub("NEW", NEW)

describe("a session", function()
  it("stores nothing that arrives after client:close", function()
    local client = devkit4ai.new(wire.options "http://127.0.0.1:1")
    client:close()
    local done, _, err = session.accept(client, { access_token = NEW, refresh_token = "r" }, "login")
    assert.is_nil(done)
    assert.equal("cancelled", err.kind)
    assert.is_false(client._secrets:has("access_token"))
    assert.is_false(client._secrets:has("refresh_token"))
  end)

  it("deletes the secrets of the client's projects, too", function()
    local client = devkit4ai.new { base_url = "http://127.0.0.1:1" }
    local project = client:project(wire.sample.project_id)
    project._secrets:set("project_key", wire.sample.project_key) -- as project:new_key does
    client:close()
    assert.is_false(project._secrets:has("project_key"))
  end)

  it("is not refreshed again by the 401 of an older request", function()
    local server = raw.start { script = SCRIPT }
    local client = devkit4ai.new { base_url = server.url, access_token = OLD, refresh_token = "r1" }
    local late = devkit4ai.spawn(function() return client:me() end) -- its answer, a 401, comes last
    waits.sleep(0.1)
    assert(client:me())
    assert(late:join())
    local renewals = 0
    for _, request in ipairs(server:requests()) do
      if request.target:find("/auth/refresh", 1, true) then renewals = renewals + 1 end
    end
    assert.equal(1, renewals)
    client:close()
    server:stop()
  end)
end)
