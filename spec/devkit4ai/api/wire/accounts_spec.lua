-- Account requests on the wire (wire.md 1.4 and 3.1, rows 6 to 9), from a client with every credential.
local cjson = require "cjson"
local devkit4ai = require "devkit4ai"
local wire = require "spec.support.calls.wire"

local PASSWORD = "SecurePass123"
local ACCOUNT = { id = "550e8400-e29b-41d4-a716-446655440000", email = "dev@example.com", role = "developer",
  is_active = true, created_at = "2025-12-08T10:30:00Z" }
local REGISTERED = { id = ACCOUNT.id, email = ACCOUNT.email, role = "developer", is_active = true,
  created_at = ACCOUNT.created_at, provisioning = { project_id = wire.sample.project_id,
    api_key = wire.sample.project_key, developer_key = wire.sample.developer_key } }
local TOKENS = { access_token = "an.access.token", refresh_token = "a.refresh.token", token_type = "bearer" }

describe("on the wire, accounts:", function()
  local server, client

  local function start(more)
    server = wire.server {
      ["POST /api/v1/auth/register"] = { 201, REGISTERED },
      ["POST /api/v1/auth/login"] = { 200, TOKENS },
      ["POST /api/v1/auth/refresh"] = { 200, TOKENS },
      ["GET /api/v1/auth/me"] = { 200, ACCOUNT },
    }
    client = devkit4ai.new(wire.options(server.url, more))
  end

  after_each(function()
    client:close()
    server:stop()
  end)

  local function only_request()
    local requests = server:requests()
    assert.equal(1, #requests)
    assert.is_true(requests[1].complete)
    return requests[1]
  end

  it("register sends the operator key and no other secret header", function()
    start()
    assert(client:register { email = "dev@example.com", password = PASSWORD, full_name = "Ada Lovelace" })
    local request = only_request()
    assert.equal("POST /api/v1/auth/register HTTP/1.1\nContent-Type: application/json\n"
      .. "X-Operator-Key: YOUR_OPERATOR_KEY", wire.head(request))
    assert.same({ email = "dev@example.com", password = PASSWORD, full_name = "Ada Lovelace" },
      cjson.decode(request.body))
  end)

  it("register leaves out an absent name", function()
    start()
    assert(client:register { email = "dev@example.com", password = PASSWORD })
    assert.same({ email = "dev@example.com", password = PASSWORD }, cjson.decode(only_request().body))
  end)

  it("register of an end user sends the developer key, the project id and the project key only", function()
    start { role = "end_user" }
    assert(client:register { email = "user@example.com", password = PASSWORD })
    local request = only_request()
    assert.equal("POST /api/v1/auth/register HTTP/1.1\nContent-Type: application/json\nX-API-Key: "
      .. wire.sample.project_key .. "\nX-Developer-Key: " .. wire.sample.developer_key .. "\nX-Project-ID: "
      .. wire.sample.project_id .. "\nX-User-Role: end_user", wire.head(request))
    assert.same({ email = "user@example.com", password = PASSWORD }, cjson.decode(request.body))
  end)

  it("login sends no credential header", function()
    start()
    assert(client:login("dev@example.com", PASSWORD))
    local request = only_request()
    assert.equal("POST /api/v1/auth/login HTTP/1.1\nContent-Type: application/json", wire.head(request))
    assert.same({ email = "dev@example.com", password = PASSWORD }, cjson.decode(request.body))
  end)

  it("login of an end user sends the project id header only", function()
    start { role = "end_user" }
    assert(client:login("user@example.com", PASSWORD))
    assert.equal("POST /api/v1/auth/login HTTP/1.1\nContent-Type: application/json\nX-Project-ID: "
      .. wire.sample.project_id, wire.head(only_request()))
  end)

  it("login escapes special characters of JSON", function()
    start()
    local password = "a\"b\\c/d\1e\127 \195\188\226\130\172"
    assert(client:login("dev@example.com", password))
    assert.equal(password, cjson.decode(only_request().body).password)
  end)

  it("me sends only the bearer token, and no body", function()
    start()
    assert(client:me())
    local request = only_request()
    assert.equal("GET /api/v1/auth/me HTTP/1.1\nAuthorization: Bearer " .. wire.sample.access_token, wire.head(request))
    assert.equal("", request.body)
    assert.is_nil(wire.header(request, "Content-Length"))
  end)

  it("me sends the token of the login", function()
    start()
    assert(client:login("dev@example.com", PASSWORD))
    assert(client:me())
    assert.equal("Bearer an.access.token", wire.header(server:requests()[2], "Authorization"))
  end)

  it("refresh_token sends the token in the body and no credential header", function()
    start()
    assert(client:refresh_token())
    local request = only_request()
    assert.equal("POST /api/v1/auth/refresh HTTP/1.1\nContent-Type: application/json", wire.head(request))
    assert.same({ refresh_token = wire.sample.refresh_token }, cjson.decode(request.body))
  end)

  it("sends User-Agent and Host, and no Expect header", function()
    start()
    assert(client:login("dev@example.com", PASSWORD))
    assert(client:me())
    for _, request in ipairs(server:requests()) do
      assert.equal(server.url:match("//(.*)"), wire.header(request, "Host"))
      assert.matches("^devkit4ai", wire.header(request, "User-Agent"))
      assert.is_nil(wire.header(request, "Expect"))
      assert.equal(#request.body, tonumber(wire.header(request, "Content-Length") or 0))
    end
  end)

  it("accepts a base_url with slashes or /api/v1 at its end", function()
    start()
    for _, ending in ipairs { "/", "//", "/api/v1", "/api/v1/" } do
      local other = devkit4ai.new(wire.options(server.url .. ending))
      assert(other:me())
      other:close()
    end
    for _, request in ipairs(server:requests()) do assert.equal("/api/v1/auth/me", request.target) end
  end)
end)
