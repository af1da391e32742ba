-- register and logout: an account from a shell, its keys shown once or stored, and the login that it leaves.
local child = require "spec.support.child"
local command = require "spec.devkit4ai.cli.command"

local EMAIL = "ann@example.com"

-- The variables that lines of standard output export, as a shell reads them.
local function exported(text)
  local variables = {}
  for name, value in text:gmatch "export (DEVKIT4AI_[%u%d_]+)=(%S+)" do variables[name] = value:gsub("'", "") end
  return variables
end

describe("devkit4ai register", function()
  local desk
  before_each(function() desk = command.new() end)
  after_each(function() desk:remove() end)

  -- An operator's environment: no developer is known.
  local function operator(more)
    local env = {
      DEVKIT4AI_OPERATOR_KEY = desk.box.operator_key, DEVKIT4AI_DEVELOPER_KEY = false, DEVKIT4AI_PROJECT_ID = false,
      DEVKIT4AI_PROJECT_KEY = false,
    }
    for name, value in pairs(more or {}) do env[name] = value end
    return env
  end

  local function register(words, options)
    options = options or {}
    local args = { "register", "--email", options.email or EMAIL, "--password-stdin" }
    for _, word in ipairs(words or {}) do args[#args + 1] = word end
    return desk:run(args, { input = "SecurePass123\n", env = options.env or operator(), before = options.before })
  end

  local function config() return child.read(desk.folder .. "/devkit4ai/config") end

  it("shows a developer's keys as lines that a shell reads, and they work after a login", function()
    local ended = register()
    assert.equal(0, ended.code, ended.err)
    assert.is_truthy(ended.err:find("shown once", 1, true), ended.err)
    assert.is_truthy(ended.err:find("run: devkit4ai login --email " .. EMAIL, 1, true), ended.err)
    assert.is_nil((ended.out .. ended.err):find("SecurePass123", 1, true))
    local env = exported(ended.out)
    for _, name in ipairs { "DEVKIT4AI_DEVELOPER_KEY", "DEVKIT4AI_PROJECT_ID", "DEVKIT4AI_PROJECT_KEY" } do
      assert.is_string(env[name], ended.out)
    end
    ended = desk:run({ "login", "--email", EMAIL, "--password-stdin" }, { input = "SecurePass123\n", env = env })
    assert.equal(0, ended.code, ended.err)
    assert.is_truthy(desk:run({ "projects" }, { env = env }).out:find(env.DEVKIT4AI_PROJECT_ID, 1, true))
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
    assert.is_truthy(ended.out:find(desk.folder .. "/devkit4ai/config", 1, true), ended.out)
  end)

  it("--save replaces no key, and registers nobody then", function()
    for _, kept in ipairs { "developer_key = ak_old12345", "project_key = pk_old12345" } do
      desk:write("devkit4ai/config", kept .. "\n")
      local ended = register { "--save" }
      assert.equal(1, ended.code, ended.err)
      assert.is_truthy(ended.err:find("devkit4ai config --unset " .. kept:match "^%S+", 1, true), ended.err)
      assert.equal(kept .. "\n", config())
    end
    for _, request in ipairs(assert(desk.box:requests())) do assert.not_equal("register", request.operation) end
  end)

  it("--json gives one object with the keys; with --save without them", function()
    local ended = register { "--json" }
    assert.is_truthy(ended.json.developer_key:find "^ak_", ended.out)
    assert.is_truthy(ended.json.project_key:find "^pk_", ended.out)
    assert.same({ EMAIL, "developer", desk.box.url }, { ended.json.email, ended.json.role, ended.json.base_url })
    ended = register({ "--json", "--save" }, { email = "bob@example.com" })
    assert.equal(desk.folder .. "/devkit4ai/config", ended.json.saved, ended.out)
    assert.is_nil(ended.json.developer_key or ended.json.project_key)
  end)

  for _, output in ipairs { "exec >/dev/full", "exec >&-" } do
    it("loses no key where standard output takes no data: " .. output, function()
      local ended = register({}, { before = output })
      assert.equal(1, ended.code, ended.err)
      assert.is_truthy(ended.err:find("They are in " .. desk.folder .. "/devkit4ai/config", 1, true), ended.err)
      assert.is_truthy(config():find "developer_key = ak_")
    end)
  end

  it("shows the keys where --save can't write them", function()
    os.execute(("mkdir -p %s/devkit4ai/config.lock"):format(desk.folder)) -- the lock is a folder: no file can be written
    local ended = register { "--save" }
    assert.equal(1, ended.code, ended.err)
    assert.is_truthy(ended.err:find("registered, but the keys were not stored: ", 1, true), ended.err)
    assert.is_string(exported(ended.out).DEVKIT4AI_DEVELOPER_KEY, ended.out .. ended.err)
  end)

  it("without an operator's key says what it needs", function()
    local ended = register({}, { env = operator { DEVKIT4AI_OPERATOR_KEY = false } })
    assert.is_true(ended.code ~= 0)
    assert.is_truthy(ended.err:find("DEVKIT4AI_OPERATOR_KEY", 1, true), ended.err)
  end)

  it("registers an end user of the project, and logs in", function()
    local ended = register({ "--role", "end_user" }, { email = "guest@example.com", env = {} })
    assert.equal(0, ended.code, ended.err)
    assert.is_truthy(ended.out:find("registered guest@example.com (end_user)", 1, true), ended.out)
    assert.equal("guest@example.com", desk:run({ "me", "--role", "end_user", "--json" }).json.email)
  end)

  it("leaves the login of another account as it is", function()
    desk:login()
    local ended = register()
    assert.equal(0, ended.code, ended.err)
    assert.is_truthy(ended.err:find("run: devkit4ai login --email " .. EMAIL, 1, true), ended.err)
    assert.equal(command.EMAIL, desk:run({ "me", "--json" }).json.email)
    local shown = desk:run { "config" }
    assert.is_truthy(shown.out:find("\nlogin +" .. command.EMAIL:gsub("%p", "%%%0")), shown.out)
  end)

  it("asks no one where there is no terminal", function()
    local ended = desk:run({ "register" }, { env = operator() })
    assert.equal(2, ended.code)
    assert.is_truthy(ended.err:find("no terminal to ask on: give --email", 1, true), ended.err)
  end)
end)

describe("devkit4ai logout", function()
  it("ends the login of its role; a repeat does nothing", function()
    local desk = command.new()
    finally(function() desk:remove() end)
    desk:login()
    assert.equal(0, desk:run({ "me" }).code)
    for _ = 1, 2 do
      local ended = desk:run { "logout" }
      assert.same({ 0, ("logged out (developer) at %s\n"):format(desk.box.url) }, { ended.code, ended.out }, ended.err)
      assert.equal(4, desk:run({ "me" }).code)
    end
    local text = child.read(desk.folder .. "/devkit4ai/sessions.json")
    assert.is_nil(text:find("refresh_token", 1, true) or text:find(command.EMAIL, 1, true), text)
    desk:login()
    assert.same({ role = "developer", base_url = desk.box.url }, desk:run({ "logout", "--json" }).json)
  end)

  it("says where a token is left", function()
    local desk = command.new()
    finally(function() desk:remove() end)
    local ended = desk:run({ "logout" }, { env = { DEVKIT4AI_JWT_TOKEN = "token-12345" } })
    assert.equal(0, ended.code)
    assert.is_truthy(ended.err:find("environment variable DEVKIT4AI_JWT_TOKEN still holds a token", 1, true), ended.err)
  end)
end)
