-- Project and key requests on the wire (wire.md 1.4 and 3.1, rows 15, 16, 23, 24).
local cjson = require "cjson"
local devkit4ai = require "devkit4ai"
local wire = require "spec.support.calls.wire"

local PROJECT = { id = wire.sample.project_id, name = "My First AI App",
  description = "AI-powered image generation platform",
  owner_id = "550e8400-e29b-41d4-a716-446655440000", is_active = true, created_at = "2025-12-08T11:00:00Z",
  updated_at = cjson.null }
local KEY = { id = "880e8400-e29b-41d4-a716-446655440003", key = wire.sample.project_key, key_prefix = "pk_prod1",
  name = "Production API Key", project_id = wire.sample.project_id, is_active = true, last_used_at = cjson.null,
  created_at = "2025-12-08T11:05:00Z" }
local KEYS = "/api/v1/projects/" .. PROJECT.id .. "/api-keys"

-- All headers of the profile `developer`.
local DEVELOPER = ("\nX-Developer-Key: %s\nX-User-Role: developer"):format(wire.sample.developer_key)
local BEARER = "\nAuthorization: Bearer " .. wire.sample.access_token
local JSON = "\nContent-Type: application/json"

describe("on the wire, projects:", function()
  local server, client

  before_each(function()
    server = wire.server {
      ["GET /api/v1/projects/"] = { 200, { PROJECT } },
      ["POST /api/v1/projects/"] = { 201, PROJECT },
      ["GET " .. KEYS] = { 200, { KEY } },
      ["POST " .. KEYS] = { 201, KEY },
    }
    client = devkit4ai.new(wire.options(server.url))
  end)

  after_each(function()
    client:close()
    server:stop()
  end)

  local function last_request()
    local requests = server:requests()
    return requests[#requests]
  end

  it("new_project sends the headers of the developer to the path with a slash at its end", function()
    assert(client:new_project { name = "My First AI App", description = "AI-powered image generation platform" })
    assert.equal("POST /api/v1/projects/ HTTP/1.1" .. BEARER .. JSON .. DEVELOPER, wire.head(last_request()))
    assert.same({ name = "My First AI App", description = "AI-powered image generation platform" },
      cjson.decode(last_request().body))
  end)

  it("new_project leaves out an absent description", function()
    assert(client:new_project { name = "Übung / 1" })
    assert.same({ name = "Übung / 1" }, cjson.decode(last_request().body))
  end)

  it("projects sends the headers of the developer and no body", function()
    assert(client:projects())
    assert.equal("GET /api/v1/projects/ HTTP/1.1" .. BEARER .. DEVELOPER, wire.head(last_request()))
    assert.equal("", last_request().body)
  end)

  it("projects of an operator sends the headers of the operator", function()
    local operator = devkit4ai.new(wire.options(server.url, { role = "platform_operator" }))
    assert(operator:projects())
    assert.equal("GET /api/v1/projects/ HTTP/1.1" .. BEARER .. "\nX-Operator-Key: YOUR_OPERATOR_KEY"
      .. "\nX-User-Role: platform_operator", wire.head(last_request()))
    operator:close()
  end)

  it("new_key sends the headers of the developer", function()
    local project = assert(client:new_project { name = "My First AI App" })
    assert(project:new_key "Production API Key")
    assert.equal("POST " .. KEYS .. " HTTP/1.1" .. BEARER .. JSON .. DEVELOPER, wire.head(last_request()))
    assert.same({ name = "Production API Key" }, cjson.decode(last_request().body))
  end)

  it("keys sends the headers of the developer and no body", function()
    local project = assert(client:projects())[1]
    assert(project:keys())
    assert.equal("GET " .. KEYS .. " HTTP/1.1" .. BEARER .. DEVELOPER, wire.head(last_request()))
    assert.equal("", last_request().body)
  end)
end)
