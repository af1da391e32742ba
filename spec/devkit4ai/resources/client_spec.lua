-- The client's methods against the sandbox.
local devkit4ai = require "devkit4ai"
local sandbox = require "devkit4ai.sandbox"

local PASSWORD = "SecurePass123"
local UUID = "^%x+%-%x+%-%x+%-%x+%-%x+$"

describe("client", function()
  local box, count = nil, 0
  setup(function() box = assert(sandbox.start { step_time = 0.02 }) end)
  teardown(function() box:stop() end)

  local function email()
    count = count + 1
    return ("someone%d@example.com"):format(count)
  end

  local function operator()
    return assert(devkit4ai.new { base_url = box.url, operator_key = box.operator_key })
  end

  local function developer()
    return assert(devkit4ai.new(assert(box:developer { email = email(), password = PASSWORD })))
  end

  local function fails(kind, outcome, status, operation, value, message, err)
    assert.is_nil(value)
    assert.same({ kind, outcome, status, operation }, { err.kind, err.outcome, err.status, err.operation })
    assert.equal(message, tostring(err))
    return message, err
  end

  it("register returns an account with its keys, which are shown once", function()
    local address = email()
    local account = assert(operator():register { email = address, password = PASSWORD, full_name = "Ada" })
    assert.same({ address, "Ada", "developer", true },
      { account.email, account.full_name, account.role, account.is_active })
    assert.matches(UUID, account.id)
    assert.matches(UUID, account.project_id)
    assert.is_string(account.developer_key)
    assert.is_string(account.project_key)
  end)

  it("project refuses an id that is not a UUID, before a path or a header contains it", function()
    for _, id in ipairs { "7", "../x", "550e8400-e29b-41d4-a716-44665544000Z", "a\nb" } do
      local project, message, err = assert(devkit4ai.new { base_url = box.url }):project(id)
      assert.is_nil(project)
      assert.equal("invalid", err.kind)
      assert.is_truthy(message:find("is not a UUID", 1, true))
    end
  end)

  it("register adds the keys that the client does not hold yet", function()
    local client = operator()
    local account = assert(client:register { email = email(), password = PASSWORD })
    assert(client:login(account.email, PASSWORD))
    assert.equal(account.project_id, assert(client:projects())[1].id) -- with the developer key
    assert.equal(account.project_id, client:project().id)
    local second = assert(client:register { email = email(), password = PASSWORD })
    assert.not_equal(second.project_id, client:project().id)
  end)

  it("register reports an address in use, a weak password and a bad address", function()
    local address = email()
    assert(operator():register { email = address, password = PASSWORD })
    fails("conflict", "refused", 409, "register", operator():register { email = address, password = PASSWORD })
    local message, err = fails("invalid", "refused", 422, "register",
      operator():register { email = email(), password = "weak" })
    assert.equal("body.password", err.fields[1].loc)
    assert.is_truthy(message:find("body.password: Password must be at least 8 characters", 1, true))
    fails("invalid", "refused", 422, "register", operator():register { email = "nobody", password = PASSWORD })
  end)

  it("register without an operator key sends nothing, and names the option", function()
    local message = fails("config", "not_sent", nil, "register",
      devkit4ai.new { base_url = box.url }:register { email = email(), password = PASSWORD })
    assert.is_truthy(message:find("the option operator_key or set DEVKIT4AI_OPERATOR_KEY", 1, true))
  end)

  it("login returns the client itself, and me returns the account", function()
    local address = email()
    assert(operator():register { email = address, password = PASSWORD })
    local client = assert(devkit4ai.new { base_url = box.url })
    assert.equal(client, assert(client:login(address, PASSWORD)))
    local account = assert(client:me())
    assert.same({ address, "developer", true }, { account.email, account.role, account.is_active })
    assert.is_nil(account.full_name) -- null is absent
    assert.is_nil(account.raw.full_name)
    client:close()
  end)

  it("login reports an empty password", function()
    local client = devkit4ai.new { base_url = box.url }
    local message = fails("invalid", "not_sent", nil, "login", client:login("a@b.com", ""))
    assert.equal("client:login: the password is empty; nothing was sent", message)
  end)

  it("login reports a wrong password", function()
    local address = email()
    assert(operator():register { email = address, password = PASSWORD })
    local message, err = fails("auth", "refused", 401, "login",
      devkit4ai.new { base_url = box.url }:login(address, "Wrong123"))
    assert.equal("Incorrect email or password", err.detail)
    assert.is_truthy(message:find(
      "client:login: the server answered 401: Incorrect email or password; nothing was done", 1,
      true))
  end)

  it("me without a token sends nothing, and says to log in", function()
    local message = fails("config", "not_sent", nil, "get_me", devkit4ai.new { base_url = box.url }:me())
    assert.is_truthy(message:find("call client:login first", 1, true))
  end)

  it("refresh_token returns the client itself, with a valid token", function()
    local client = developer()
    assert.equal(client, assert(client:refresh_token()))
    assert(client:me())
  end)

  it("refreshes an expired token by itself, and reports the end of the session", function()
    local short = assert(sandbox.start { access_life = 0, refresh_life = 600 })
    finally(function() short:stop() end)
    local client = assert(devkit4ai.new(assert(short:developer { email = email(), password = PASSWORD })))
    fails("auth", "refused", 401, "get_me", client:me()) -- after one refresh the new token has ended, too
    local over = assert(sandbox.start { access_life = 0, refresh_life = 0 })
    finally(function() over:stop() end)
    client = assert(devkit4ai.new(assert(over:developer { email = email(), password = PASSWORD })))
    local message = fails("auth", "refused", 401, "refresh_token", client:me())
    assert.is_truthy(message:find("the session is over", 1, true))
  end)

  it("new_project returns a project, and projects lists it", function()
    local client = developer()
    local project = assert(client:new_project { name = "My First AI App", description = "AI-powered" })
    assert.same({ "My First AI App", "AI-powered", true }, { project.name, project.description, project.is_active })
    assert.matches(UUID, project.id)
    assert.is_nil(project.updated_at)
    local list = assert(client:projects())
    local names = {}
    for i, one in ipairs(list) do names[i] = one.name end
    table.sort(names)
    assert.same({ "Default Project", "My First AI App" }, names)
  end)

  it("new_project reports the server's refusal", function()
    local _, err = fails("invalid", "refused", 422, "create_project", developer():new_project { name = "ab" })
    assert.equal("body.name", err.fields[1].loc)
  end)

  it("project and generation send no request", function()
    local client = assert(devkit4ai.new { base_url = "http://127.0.0.1:1",
      project_id = "550e8400-e29b-41d4-a716-446655440000" })
    assert.equal("550e8400-e29b-41d4-a716-446655440000", client:project().id)
    assert.equal("x", client:generation("x").id)
    assert.equal("y", client:project("550e8400-e29b-41d4-a716-446655440000"):generation("y").id)
  end)

  it("an id that is not a UUID never appears in a path", function()
    local message = fails("invalid", "not_sent", nil, "get_generation_status",
      developer():generation("../../auth/me"):refresh())
    assert.is_truthy(message:find("not a UUID", 1, true))
    assert.is_nil(message:find("../../auth/me", 1, true)) -- it may be a key in the wrong place
  end)

  it("has a string form without a secret", function()
    assert.equal("devkit4ai.Client of " .. box.url .. " (developer)", tostring(developer()))
  end)

  it("reports a call that its role does not have", function()
    local client = assert(devkit4ai.new { base_url = box.url, role = "end_user", access_token = "t" })
    local message = fails("config", "not_sent", nil, "list_projects", client:projects())
    assert.is_truthy(message:find("end_user", 1, true))
  end)

  it("is closed at the end of a block, if Lua supports that", function()
    if _VERSION ~= "Lua 5.4" then return end
    local run = assert(load [[
      local devkit4ai, url = ...
      local seen
      do
        local client <close> = devkit4ai.new { base_url = url, access_token = "t" }
        seen = client
      end
      return pcall(seen.me, seen)
    ]])
    local ok, why = run(devkit4ai, box.url)
    assert.is_false(ok)
    assert.matches("the client is closed", why)
  end)
end)
