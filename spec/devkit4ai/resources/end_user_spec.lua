-- End users of a project: what their clients send, and what they share with the developer's client.
local cjson = require "cjson"
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local sandbox = require "devkit4ai.sandbox"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local USER = { id = ID, email = "user@example.com", role = "end_user", is_active = true,
  project_id = wire.sample.project_id }
local IMAGES = { { data = wire.image.png, filename = "a.png" } }

describe("an end user's client", function()
  local server, client

  after_each(function()
    if client then client:close() end
    if server then server:stop() end
    server, client = nil, nil
  end)

  local function project(more)
    client = assert(devkit4ai.new(wire.options(server.url, more)))
    return assert(client:project(wire.sample.project_id))
  end

  local function registering(answer)
    server = wire.server {
      ["POST /api/v1/auth/register"] = { 201, answer or USER },
      ["GET /api/v1/auth/me"] = { 200, USER },
    }
  end

  local REGISTER = { email = "user@example.com", password = "SecurePass123" }

  it("registers with the developer key, the project and its key, and no bearer", function() -- wire.md D19
    registering()
    local account = assert(project():end_user():register(REGISTER))
    assert.same({ ID, "end_user" }, { account.id, account.role })
    local request = server:requests()[1]
    assert.equal("POST /api/v1/auth/register HTTP/1.1\nContent-Type: application/json"
      .. "\nX-API-Key: " .. wire.sample.project_key .. "\nX-Developer-Key: " .. wire.sample.developer_key
      .. "\nX-Project-ID: " .. wire.sample.project_id .. "\nX-User-Role: end_user", wire.head(request))
    assert.same(REGISTER, cjson.decode(request.body))
  end)

  it("registers without the project's key if the project has none", function()
    registering()
    project()
    assert(client:project(ID):end_user():register(REGISTER)) -- the options' key is another project's
    local request = server:requests()[1]
    assert.is_nil(wire.header(request, "X-API-Key"))
    assert.equal(ID, wire.header(request, "X-Project-ID"))
  end)

  it("can't register without a developer key", function()
    registering()
    client = assert(devkit4ai.new { base_url = server.url, project_id = wire.sample.project_id })
    local account, message, err = client:project():end_user():register(REGISTER)
    assert.is_nil(account)
    assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
    assert.is_truthy(message:find("the developer_key is missing", 1, true))
    assert.equal(0, #server:requests())
  end)

  it("adopts the tokens of a registration; without tokens it says to log in", function() -- wire.md D18
    for tokens, bearer in pairs { ["a.b.c"] = "Bearer a.b.c", [false] = false } do
      local answer = { access_token = tokens or nil, refresh_token = tokens or nil }
      for name, value in pairs(USER) do answer[name] = value end
      registering(answer)
      local user = project():end_user()
      local account = assert(user:register(REGISTER))
      assert.is_nil(account.access_token or account.raw.access_token or account._tokens)
      local me, message, err = user:me()
      if bearer then
        assert.equal(ID, me.id)
        assert.equal(bearer, wire.header(server:requests()[2], "Authorization"))
      else
        assert.same({ "config", "not_sent", 1 }, { err.kind, err.outcome, #server:requests() })
        assert.is_truthy(message:find("call client:login first", 1, true))
      end
      client:close()
      server:stop()
    end
  end)

  -- A server whose tokens are names: it logs "who" in under that name, and refuses a token that ends in "-old".
  local function start()
    server = raw.start { script = [[
      local cjson = require "cjson"
      return function(conn)
        local request = conn:read_request()
        while request do
          local token = request.head:match("Authorization: Bearer ([^\r\n]*)")
          local body = request.body:find("^{") and cjson.decode(request.body) or {}
          if request.target:find("/login$") then
            conn:respond(200, { access_token = body.email, refresh_token = "refresh-" .. body.email })
          elseif request.target:find("/refresh$") then
            local name = body.refresh_token:match("^refresh%-(.*)$")
            conn:respond(200, { access_token = name, refresh_token = "refresh-" .. name })
          elseif (token or ""):find("%-old$") then
            conn:respond(401, { detail = "Could not validate credentials" })
          elseif request.target:find("%?page=") then
            local item = { id = "]] .. ID .. [[", instructions = (token or "anyone"):upper() }
            conn:respond(200, { generations = { item }, total = 1 })
          else
            if token == "slow" then conn:sleep(5) end
            conn:respond(200, { id = "]] .. ID .. [[", email = token:upper() })
          end
          request = conn:read_request()
        end
      end
    ]] }
  end

  it("logs in to its project, and each sends its own token", function()
    start()
    local one = project()
    local ada, bob = one:end_user(), one:end_user { access_token = "bob" }
    assert(client:login("dev@x", "SecurePass123"))
    assert.equal(ada, assert(ada:login("ada@x", "SecurePass123")))
    assert.is_nil(wire.header(server:requests()[1], "X-Project-ID"))
    assert.equal(wire.sample.project_id, wire.header(server:requests()[2], "X-Project-ID"))
    for _ = 1, 2 do
      assert.equal("ADA@X", assert(ada:me()).email)
      assert.equal("BOB", assert(bob:me()).email)
    end
    assert.equal("DEV@X", assert(client:me()).email)
    assert.equal("BOB", assert(bob:find_generation { instructions = "BOB" }).instructions)
    assert.equal("ADA@X", assert(ada:generations():all())[1].instructions)
  end)

  it("generates with its own token and the project's keys", function()
    start()
    local gen = assert(project():end_user { access_token = "bob" }:generate { images = IMAGES, prompt = "neon" })
    assert.equal(ID, gen.id)
    assert.equal("POST /api/v1/generation/generate-v2 HTTP/1.1\nAuthorization: Bearer bob"
      .. "\nContent-Type: multipart/form-data; boundary=BOUNDARY\nX-API-Key: " .. wire.sample.project_key
      .. "\nX-Developer-Key: " .. wire.sample.developer_key .. "\nX-Project-ID: " .. wire.sample.project_id
      .. "\nX-User-Role: end_user", wire.head(server:requests()[1]))
    assert.equal("BOB", assert(gen:refresh()).raw.email)
  end)

  it("generates with the key that its project receives later", function()
    server = wire.server {
      ["POST /api/v1/projects/" .. ID .. "/api-keys"] = { 201, { id = ID, key = "pk_another" } },
      ["POST /api/v1/generation/generate-v2"] = { 200, { id = ID } },
    }
    project()
    local one = client:project(ID)
    local user = one:end_user { access_token = "bob" }
    local _, _, err = user:generate { images = IMAGES, prompt = "neon" }
    assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
    assert(one:new_key())
    assert(user:generate { images = IMAGES, prompt = "neon" })
    assert.equal("pk_another", wire.header(server:requests()[2], "X-API-Key"))
  end)

  it("never sends the developer's token", function()
    start()
    local user = project():end_user()
    for _, call in ipairs { "me", "refresh_token" } do
      local value, _, err = user[call](user)
      assert.is_nil(value)
      assert.same({ "config", "not_sent" }, { err.kind, err.outcome }, call)
    end
    assert.equal("config", select(3, user:generations():next()).kind)
    assert.equal("config", select(3, user:generate { images = IMAGES, prompt = "neon" }).kind)
    assert(user:login("ada@x", "SecurePass123"))
    assert(user:logout())
    assert.equal("config", select(3, user:me()).kind)
    assert.equal(1, #server:requests())
  end)

  it("refreshes its own tokens, and no other client's", function()
    start()
    local one = project()
    local ada = one:end_user { access_token = "ada-old", refresh_token = "refresh-ada" }
    local bob = one:end_user { access_token = "bob-old", refresh_token = "refresh-bob" }
    assert.equal("ADA", assert(ada:me()).email)
    assert.equal("BOB", assert(bob:me()).email)
    assert.equal("ADA", assert(ada:me()).email)
    assert.equal(wire.sample.access_token:upper(), assert(client:me()).email)
    local bodies = {}
    for _, request in ipairs(server:requests()) do
      if request.target:find("/refresh$") then bodies[#bodies + 1] = cjson.decode(request.body).refresh_token end
    end
    assert.same({ "refresh-ada", "refresh-bob" }, bodies)
  end)

  it("returns its tokens, which continue the session in another client", function()
    start()
    local one = project()
    local ada = one:end_user { access_token = "ada-old", refresh_token = "refresh-ada" }
    assert.same({ access_token = "ada-old", refresh_token = "refresh-ada" }, assert(ada:tokens()))
    assert(ada:me()) -- which renews them
    local tokens = assert(ada:tokens())
    assert.are_not.equal("ada-old", tokens.access_token)
    ada:close()
    local has_ended, why = pcall(ada.tokens, ada)
    assert.is_false(has_ended)
    assert.is_truthy(why:find("the client is closed", 1, true))
    local later = assert(one:end_user(tokens))
    assert.equal("ADA", assert(later:me()).email)
    assert.same(tokens, assert(later:tokens()))
  end)

  it("returns its own tokens, and none of its developer's", function()
    start()
    local one = project()
    assert.same({ access_token = "bob" }, assert(one:end_user({ access_token = "bob" }):tokens()))
    assert.same({ refresh_token = "r" }, assert(one:end_user({ refresh_token = "r" }):tokens()))
    local user = one:end_user()
    for _ = 1, 2 do
      local tokens, message, err = user:tokens()
      assert.is_nil(tokens)
      assert.same({ "config", "not_sent", message }, { err.kind, err.outcome, tostring(err) })
      assert.is_truthy(message:find("client:login", 1, true))
      assert(user:login("ada@example.com", "SecurePass123"))
      assert.is_string(assert(user:tokens()).access_token)
      assert(user:logout())
    end
    assert.equal(wire.sample.access_token, assert(client:tokens()).access_token)
  end)

  it("has no developer call", function()
    start()
    local user = project():end_user { access_token = "bob" }
    local list, message, err = user:projects()
    assert.is_nil(list)
    assert.equal("config", err.kind)
    assert.is_truthy(message:find("role end_user has no such call", 1, true))
  end)

  it("is closed alone", function()
    start()
    local one = project()
    local ada, bob = one:end_user { access_token = "ada" }, one:end_user { access_token = "bob" }
    ada:close()
    ada:close()
    local ran, why = pcall(ada.me, ada)
    assert.is_false(ran)
    assert.is_truthy(why:find("the client is closed", 1, true))
    assert.is_false(ada._secrets:has("access_token"))
    assert(bob:me())
    assert(client:me())
  end)

  it("is closed with the developer's client, and so are its requests in flight", function()
    start()
    local user = project():end_user { access_token = "slow" }
    local waiting = devkit4ai.spawn(function() return user:me() end)
    local clock = devkit4ai.spawn(function()
      while #server:requests() == 0 do user:public_generations():page(1) end -- lets the other go on
      collectgarbage() -- nobody but the user holds its project now
      client:close()
    end)
    clock:join()
    local me, _, err = waiting:join()
    assert.is_nil(me)
    assert.equal("cancelled", err.kind)
    local ran, why = pcall(user.me, user)
    assert.is_false(ran)
    assert.is_truthy(why:find("the client is closed", 1, true))
    assert.is_false(user._secrets:has("access_token"))
    assert.is_false(user._secrets:has("developer_key"))
  end)

  it("looks like a client, and shows no token", function()
    start()
    local user = project():end_user { access_token = "a-secret-token", refresh_token = "another-secret" }
    assert.same({ "end_user", server.url }, { user.role, user.base_url })
    assert.equal(("devkit4ai.Client of %s (end_user)"):format(server.url), tostring(user))
    assert.equal(getmetatable(client).__name, getmetatable(user).__name)
    assert.is_function(rawget(getmetatable(user), "__close"))
    for _, value in pairs(user) do assert.is_falsy(tostring(value):find("secret-token", 1, true)) end
    assert.is_nil(user._secrets:mask("a-secret-token and another-secret"):find("secret", 1, true))
  end)

  it("refuses a token that a header can't contain, and raises for a value of another type", function()
    start()
    local one = project()
    local user, message, err = one:end_user { access_token = "a\nb" }
    assert.is_nil(user)
    assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
    assert.is_truthy(message:find("project:end_user: the access_token can't be used", 1, true))
    assert.has_error(function() one:end_user { access_token = 7 } end)
    assert.has_error(function() one:end_user { token = "x" } end)
  end)

  it("is collected when nothing refers to it, and is small", function()
    start()
    local one, users = project(), {}
    assert(one:end_user())
    for i = 1, 2000 do users[i] = false end
    collectgarbage()
    collectgarbage()
    local before = collectgarbage "count"
    for i = 1, 2000 do users[i] = one:end_user { access_token = "token" .. i } end
    collectgarbage()
    collectgarbage()
    local each = (collectgarbage "count" - before) * 1024 / 2000
    assert.is_true(each < 700, each .. " bytes of Lua's memory each")
    for i = #users, 1, -1 do users[i] = false end
    collectgarbage()
    collectgarbage()
    assert.is_true((collectgarbage "count" - before) * 1024 / 2000 < 150) -- what is left is the table of the weak
  end)
end)

describe("an end user", function()
  it("registers, generates and finds the generation, against the sandbox", function()
    local box = assert(sandbox.start { step_time = 0.02 })
    local options = assert(box:developer { email = "dev@example.com", password = "SecurePass123" })
    local client = assert(devkit4ai.new(options))
    finally(function()
      client:close()
      box:stop()
    end)
    local project = assert(client:project())
    local user = project:end_user()
    assert(user:register { email = "user@example.com", password = "SecurePass123", full_name = "Ada" })
    local again = assert(project:end_user():login("user@example.com", "SecurePass123"))
    assert.same({ "end_user", "user@example.com" }, { again:me().role, again:me().email })
    local since = os.time()
    local gen = assert(user:generate { images = IMAGES, prompt = "neon" })
    assert.equal("completed", assert(gen:wait { interval = 0.02 }).status)
    local found = assert(again:find_generation { instructions = { prompt = "neon" }, since = since })
    assert.equal(gen.id, found.id)
    assert.equal("png", select(2, found:bytes()))
    assert.equal(0, #assert(client:project():generations():all())) -- the developer's own
  end)
end)
