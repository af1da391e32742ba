-- A developer's login is valid for all projects, an end user's login only for its project. Both were stored by project, so a
-- developer who set DEVKIT4AI_PROJECT_ID was signed out.
local command = require "spec.devkit4ai.cli.command"
local devkit4ai = require "devkit4ai"
local memory = require "devkit4ai.store.memory"
local sandbox = require "devkit4ai.sandbox"

local EMAIL, PASSWORD = "dev@example.com", "SecurePass123"

describe("a developer's login in a store", function()
  local box, given, store

  before_each(function()
    box = assert(sandbox.start())
    given = assert(box:developer { email = EMAIL, password = PASSWORD })
    store = memory.new()
  end)

  after_each(function() box:stop() end)

  local function new(more)
    local options = { base_url = box.url, developer_key = given.developer_key, store = store }
    for name, value in pairs(more or {}) do options[name] = value end
    return assert(devkit4ai.new(options))
  end

  local function logins()
    local count = 0
    for _, request in ipairs(box:requests()) do
      if request.operation == "login" then count = count + 1 end
    end
    return count
  end

  for _, role in ipairs { "developer", "platform_operator" } do
    it(("of the role %s is found with a project, without one, and with another one"):format(role), function()
      local other = "550e8400-e29b-41d4-a716-446655440000"
      local projects = { {}, { project_id = given.project_id }, { project_id = other } }
      for _, first in ipairs(projects) do
        first.role = role
        local client = new(first)
        assert(client:login(EMAIL, PASSWORD))
        client:close()
        local before = logins()
        for _, second in ipairs(projects) do
          second.role = role
          client = new(second)
          assert.is_string(assert(client:tokens()).access_token)
          client:close()
        end
        assert.equal(before, logins())
        client = new(first)
        assert(client:logout())
        client:close()
      end
    end)
  end

  it("is valid for one project for an end user", function()
    local user = { role = "end_user", project_id = given.project_id, project_key = given.project_key }
    local client = new(user)
    assert(client:register { email = "guest@example.com", password = PASSWORD })
    assert(client:login("guest@example.com", PASSWORD))
    client:close()
    client = new(user)
    assert.equal("guest@example.com", assert(client:me()).email)
    client:close()
    for _, other in ipairs {
      { role = "end_user", project_id = "550e8400-e29b-41d4-a716-446655440000" }, { role = "end_user" }, {},
    } do
      client = new(other)
      assert.equal("config", select(3, client:tokens()).kind)
      client:close()
    end
  end)
end)

describe("the command's login", function()
  it("is valid with a project in the environment, the options or the settings", function()
    local workspace = command.new()
    finally(function() workspace:remove() end)
    local id = workspace.developer.project_id
    local bare, named = { DEVKIT4AI_PROJECT_ID = false, DEVKIT4AI_PROJECT_KEY = false }, {}
    for _, login in ipairs { bare, named } do
      local ended = workspace:run({ "login", "--email", command.EMAIL, "--password-stdin" },
        { input = command.PASSWORD .. "\n", env = login })
      assert.equal(0, ended.code, ended.err)
      for _, env in ipairs { bare, named } do
        for _, arguments in ipairs { { "me" }, { "me", "--project", id }, { "projects" } } do
          ended = workspace:run(arguments, { env = env })
          assert.equal(0, ended.code, ended.err)
        end
      end
      assert.equal(0, workspace:run({ "config", "--set", "project_id=" .. id }, { env = bare }).code)
      assert.equal(0, workspace:run({ "me" }, { env = bare }).code)
      os.execute(("cd '%s/devkit4ai' && rm -f sessions.json config"):format(workspace.folder))
    end
  end)
end)
