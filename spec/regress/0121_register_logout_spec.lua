-- register and logout: a new account, its keys, and its login.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"

local EMAIL = "ann@example.com"

-- The variables of the export lines on standard output.
local function exported(text)
  local variables = {}
  for name, value in text:gmatch "export (DEVKIT4AI_[%u%d_]+)=(%S+)" do variables[name] = value:gsub("'", "") end
  return variables
end

describe("devkit4ai register", function()
  local workspace
  before_each(function() workspace = command.new() end)
  after_each(function() workspace:remove() end)

  -- An operator's environment, without a developer.
  local function operator(more)
    local env = {
      DEVKIT4AI_OPERATOR_KEY = workspace.box.operator_key, DEVKIT4AI_DEVELOPER_KEY = false,
      DEVKIT4AI_PROJECT_ID = false, DEVKIT4AI_PROJECT_KEY = false,
    }
    for name, value in pairs(more or {}) do env[name] = value end
    return env
  end

  local function register(arguments, options)
    options = options or {}
    local args = { "register", "--email", options.email or EMAIL, "--password-stdin" }
    for _, word in ipairs(arguments or {}) do args[#args + 1] = word end
    return workspace:run(args, { input = "SecurePass123\n", env = options.env or operator(), before = options.before })
  end

  local function config() return child.read(workspace.folder .. "/devkit4ai/config") end

  it("shows a developer's keys as export lines, and they work after a login", function()
    local ended = register()
    assert.equal(0, ended.code, ended.err)
    assert.is_truthy(ended.err:find("shown once", 1, true), ended.err)
    assert.is_truthy(ended.err:find("run: devkit4ai login --email " .. EMAIL, 1, true), ended.err)
    assert.is_nil((ended.out .. ended.err):find("SecurePass123", 1, true))
    local env = exported(ended.out)
    for _, name in ipairs { "DEVKIT4AI_DEVELOPER_KEY", "DEVKIT4AI_PROJECT_ID", "DEVKIT4AI_PROJECT_KEY" } do
      assert.is_string(env[name], ended.out)
    end
    ended = workspace:run({ "login", "--email", EMAIL, "--password-stdin" }, { input = "SecurePass123\n", env = env })
    assert.equal(0, ended.code, ended.err)
    assert.is_truthy(workspace:run({ "projects" }, { env = env }).out:find(env.DEVKIT4AI_PROJECT_ID, 1, true))
  end)

  it("--save writes the keys to the settings file and shows none", function()
    local ended = register { "--save", "--name", "Ann" }
    assert.equal(0, ended.code, ended.err)
    local text = config()
    for _, name in ipairs { "developer_key", "project_id", "project_key" } do
      local value = text:match(name .. " = ([^\n]+)")
      assert.is_string(value, text)
      if name ~= "project_id" then assert.is_nil((ended.out .. ended.err):find(value, 1, true), ended.out) end
    end
    assert.is_truthy(ended.out:find(workspace.folder .. "/devkit4ai/config", 1, true), ended.out)
  end)

  it("--save replaces no key, and then registers nobody", function()
    for _, setting in ipairs { "developer_key = ak_old12345", "project_key = pk_old12345" } do
      workspace:write("devkit4ai/config", setting .. "\n")
      local ended = register { "--save" }
      assert.equal(1, ended.code, ended.err)
      assert.is_truthy(ended.err:find("devkit4ai config --unset " .. setting:match "^%S+", 1, true), ended.err)
      assert.equal(setting .. "\n", config())
    end
    for _, request in ipairs(assert(workspace.box:requests())) do assert.not_equal("register", request.operation) end
  end)

  it("--json prints one object with the keys, or without them with --save", function()
    local ended = register { "--json" }
    assert.is_truthy(ended.json.developer_key:find "^ak_", ended.out)
    assert.is_truthy(ended.json.project_key:find "^pk_", ended.out)
    assert.same({ EMAIL, "developer", workspace.box.url }, { ended.json.email, ended.json.role, ended.json.base_url })
    ended = register({ "--json", "--save" }, { email = "bob@example.com" })
    assert.equal(workspace.folder .. "/devkit4ai/config", ended.json.saved, ended.out)
    assert.is_nil(ended.json.developer_key or ended.json.project_key)
  end)

  for _, output in ipairs { "exec >/dev/full", "exec >&-" } do
    it("loses no key if standard output fails: " .. output, function()
      local ended = register({}, { before = output })
      assert.equal(1, ended.code, ended.err)
      assert.is_truthy(ended.err:find("They are in " .. workspace.folder .. "/devkit4ai/config", 1, true), ended.err)
      assert.is_truthy(config():find "developer_key = ak_")
    end)
  end

  it("shows the keys if --save can't write them", function()
    os.execute(("mkdir -p %s/devkit4ai/config.lock"):format(workspace.folder)) -- the lock is a folder: no file can be written
    local ended = register { "--save" }
    assert.equal(1, ended.code, ended.err)
    assert.is_truthy(ended.err:find("registered, but the keys were not stored: ", 1, true), ended.err)
    assert.is_string(exported(ended.out).DEVKIT4AI_DEVELOPER_KEY, ended.out .. ended.err)
  end)

  it("names the missing operator's key", function()
    local ended = register({}, { env = operator { DEVKIT4AI_OPERATOR_KEY = false } })
    assert.is_true(ended.code ~= 0)
    assert.is_truthy(ended.err:find("DEVKIT4AI_OPERATOR_KEY", 1, true), ended.err)
  end)

  it("registers an end user of the project, and logs in", function()
    local ended = register({ "--role", "end_user" }, { email = "guest@example.com", env = {} })
    assert.equal(0, ended.code, ended.err)
    assert.is_truthy(ended.out:find("registered guest@example.com (end_user)", 1, true), ended.out)
    assert.equal("guest@example.com", workspace:run({ "me", "--role", "end_user", "--json" }).json.email)
  end)

  it("does not change the login of another account", function()
    workspace:login()
    local ended = register()
    assert.equal(0, ended.code, ended.err)
    assert.is_truthy(ended.err:find("run: devkit4ai login --email " .. EMAIL, 1, true), ended.err)
    assert.equal(command.EMAIL, workspace:run({ "me", "--json" }).json.email)
    local shown = workspace:run { "config" }
    assert.is_truthy(shown.out:find("\nlogin +" .. command.EMAIL:gsub("%p", "%%%0")), shown.out)
  end)

  it("does not ask without a terminal", function()
    local ended = workspace:run({ "register" }, { env = operator() })
    assert.equal(2, ended.code)
    assert.is_truthy(ended.err:find("no terminal to ask on: give --email", 1, true), ended.err)
  end)
end)

describe("devkit4ai logout", function()
  it("removes the login of its role; a repeat does nothing", function()
    local workspace = command.new()
    finally(function() workspace:remove() end)
    workspace:login()
    assert.equal(0, workspace:run({ "me" }).code)
    for _ = 1, 2 do
      local ended = workspace:run { "logout" }
      local expected = ("logged out (developer) at %s\n"):format(workspace.box.url)
      assert.same({ 0, expected }, { ended.code, ended.out }, ended.err)
      assert.equal(4, workspace:run({ "me" }).code)
    end
    local text = child.read(workspace.folder .. "/devkit4ai/sessions.json")
    assert.is_nil(text:find("refresh_token", 1, true) or text:find(command.EMAIL, 1, true), text)
    workspace:login()
    assert.same({ role = "developer", base_url = workspace.box.url }, workspace:run({ "logout", "--json" }).json)
  end)

  it("names the source of a token that stays", function()
    local workspace = command.new()
    finally(function() workspace:remove() end)
    local ended = workspace:run({ "logout" }, { env = { DEVKIT4AI_JWT_TOKEN = "token-12345" } })
    assert.equal(0, ended.code)
    assert.is_truthy(ended.err:find("environment variable DEVKIT4AI_JWT_TOKEN still holds a token", 1, true), ended.err)
  end)
end)
