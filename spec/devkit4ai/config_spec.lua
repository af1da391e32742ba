-- Client options: environment variables, defaults and validation.
local child = require "spec.support.process.child"
local core = require "devkit4ai.core"
local config = require "devkit4ai.config"
local devkit4ai = require "devkit4ai"

local function settle(options)
  local secrets = core.secrets()
  local settings, message, err = config.resolve(options, secrets)
  return settings, message, err, secrets
end

local function refused(options, ...)
  local client, message, err = devkit4ai.new(options)
  assert.is_nil(client)
  assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
  for _, fragment in ipairs { ... } do assert.is_truthy(message:find(fragment, 1, true), message) end
  return message
end

describe("base_url", function()
  for given, used in pairs {
    ["https://api.vibecoding.ad"] = "https://api.vibecoding.ad", ["https://host/"] = "https://host",
    ["https://host//"] = "https://host", ["https://host/api/v1"] = "https://host",
    ["https://host/api/v1/"] = "https://host", ["https://host:8443"] = "https://host:8443",
    ["https://host/prefix"] = "https://host/prefix", ["https://host/prefix/api/v1"] = "https://host/prefix",
    ["https://[2001:db8::1]:8443"] = "https://[2001:db8::1]:8443", ["http://127.0.0.1:8000"] = "http://127.0.0.1:8000",
    ["http://127.9.9.9"] = "http://127.9.9.9", ["http://localhost"] = "http://localhost",
    ["http://LOCALHOST:80"] = "http://LOCALHOST:80", ["http://[::1]:8000/"] = "http://[::1]:8000",
  } do
    it("accepts " .. given, function() assert.equal(used, assert(settle { base_url = given }).base_url) end)
  end

  for _, given in ipairs {
    "", "host", "ftp://host", "https://", "https://user@host", "https://user:word@host", "https://host?x=1",
    "https://host#x", "https://host name", "https://host/a\nb", "https://host:port", "https://[::1", "//host",
    "https://host/\127x", "file:///etc/passwd", " https://host",
  } do
    it(("rejects %q and names the option"):format(given), function()
      refused({ base_url = given }, "option base_url") end)
  end

  it("rejects plain http to another machine, unless allowed", function()
    for _, given in ipairs { "http://host", "http://127.0.0.1.host", "http://10.0.0.1", "http://localhost.host",
      "http://1127.0.0.1", "http://[::2]" } do
      refused({ base_url = given }, "plain http", "https", "allow_http")
      assert.equal(given, assert(settle { base_url = given, allow_http = true }).base_url)
    end
  end)
end)

describe("a secret option", function()
  for _, name in ipairs { "developer_key", "project_key", "operator_key", "access_token" } do
    it(name .. " is stored in a slot only", function()
      local settings, _, _, secrets = settle { [name] = "MARKER" }
      assert.is_nil(settings[name])
      assert.is_true(secrets:has(name))
      assert.equal("***", secrets:mask("MARKER"))
    end)

    it(name .. " is rejected with a line feed, a NUL or a blank at an end, and is not shown", function()
      for _, bad in ipairs { "MARKER\n", "MARKER\r\nX-Evil: 1", "MAR\0KER", " MARKER", "MARKER ", "MARKER\t" } do
        local message = refused({ [name] = bad }, "option " .. name, "line feed")
        assert.is_nil(message:find("MAR", 1, true))
      end
    end)
  end

  it("refresh_token may contain any character, because it goes into a body", function()
    local _, _, _, secrets = settle { refresh_token = "any\nthing" }
    assert.is_true(secrets:has("refresh_token"))
  end)
end)

describe("other options", function()
  it("have defaults", function()
    local settings = assert(settle {})
    settings.ca_file, settings.proxy = nil, nil -- may come from the environment
    assert.same({ base_url = "https://api.vibecoding.ad", role = "developer", lines = {}, public = true,
      retry = { attempts = 3, max_wait = 60 } }, settings)
  end)

  it("are rejected if the value is not valid", function()
    refused({ role = "admin" }, "option role", "end_user")
    refused({ project_id = "my project" }, "option project_id", "UUID")
    refused({ user_agent = "a\r\nb" }, "option user_agent")
    refused({ user_agent = "{access_token}" }, "option user_agent")
    for _, seconds in ipairs { 0, -1, math.huge, 0 / 0 } do
      for _, name in ipairs { "connect", "idle", "total" } do
        refused({ timeout = { [name] = seconds } }, "timeout." .. name, "above 0")
      end
    end
  end)
end)

describe("user_agent", function()
  it("accepts printable ASCII", function()
    assert.equal("my-game/1.0 (Linux; x86_64)",
      assert(settle { user_agent = "my-game/1.0 (Linux; x86_64)" }).user_agent)
  end)
end)

describe("config.is_uuid", function()
  it("recognizes a UUID", function()
    assert.is_true(config.is_uuid("550e8400-e29b-41d4-a716-446655440000"))
    assert.is_true(config.is_uuid("550E8400-E29B-41D4-A716-446655440000"))
    for _, other in ipairs { "", "550e8400e29b41d4a716446655440000", "550e8400-e29b-41d4-a716-44665544000",
      "550e8400-e29b-41d4-a716-4466554400000", "../../etc", "550e8400-e29b-41d4-a716-44665544000g", 5 } do
      assert.is_false(config.is_uuid(other))
    end
  end)
end)

describe("config.timeouts", function()
  it("uses the given timeouts, else the defaults", function()
    assert.same({ connect = 1, idle = 30, total = 120 },
      config.timeouts("x", { connect = 1 }, { connect = 10, idle = 30, total = 120 }))
    assert.same({ connect = 10, idle = 120 }, config.timeouts("x", nil, { connect = 10, idle = 120 }))
  end)
end)

describe("config.missing_advice", function()
  it("names the option and the variable", function()
    assert.matches("client:login", config.missing_advice("access_token"))
    assert.matches("DEVKIT4AI_JWT_TOKEN", config.missing_advice("access_token"))
    for slot, variable in pairs { developer_key = "DEVELOPER_KEY", project_id = "PROJECT_ID",
      project_key = "PROJECT_KEY", operator_key = "OPERATOR_KEY" } do
      assert.matches("option " .. slot, config.missing_advice(slot))
      assert.matches("DEVKIT4AI_" .. variable, config.missing_advice(slot))
    end
    assert.matches("client:login", config.missing_advice("refresh_token"))
  end)
end)

describe("the environment", function()
  local SCRIPT = [[
    local options = { base_url = arg[1] }
    local client, message = require("devkit4ai").new(options)
    if not client then print(message) os.exit(1) end
    print(client.base_url)
    for _, slot in ipairs { "developer_key", "project_id", "project_key", "operator_key", "access_token" } do
      print(slot, client._secrets:has(slot))
    end
  ]]
  local ALL = {
    DEVKIT4AI_BASE_URL = "https://from.environment/", DEVKIT4AI_DEVELOPER_KEY = "d",
    DEVKIT4AI_PROJECT_ID = "550e8400-e29b-41d4-a716-446655440000", DEVKIT4AI_PROJECT_KEY = "p",
    DEVKIT4AI_OPERATOR_KEY = "o", DEVKIT4AI_JWT_TOKEN = "t",
  }

  it("sets options", function()
    local ended = child.run(SCRIPT, { env = ALL })
    assert.equal("https://from.environment\ndeveloper_key\ttrue\nproject_id\ttrue\nproject_key\ttrue\n"
      .. "operator_key\ttrue\naccess_token\ttrue\n", ended.out)
  end)

  it("is overridden by an option", function()
    local ended = child.run(SCRIPT, { env = ALL, args = { "https://from.option" } })
    assert.matches("^https://from.option\n", ended.out)
  end)

  it("ignores an empty variable", function()
    local empty = {}
    for name in pairs(ALL) do empty[name] = "" end
    assert.equal("https://api.vibecoding.ad\ndeveloper_key\tfalse\nproject_id\tfalse\nproject_key\tfalse\n"
      .. "operator_key\tfalse\naccess_token\tfalse\n", child.run(SCRIPT, { env = empty }).out)
  end)

  it("is named for an invalid value, which is not shown", function()
    for name, bad in pairs { DEVKIT4AI_BASE_URL = "MARKER", DEVKIT4AI_DEVELOPER_KEY = "MARKER\n",
      DEVKIT4AI_PROJECT_ID = "MARKER" } do
      local ended = child.run(SCRIPT, { env = { [name] = bad } })
      assert.equal(1, ended.code)
      assert.is_truthy(ended.out:find("environment variable " .. name, 1, true), ended.out)
      assert.is_nil(ended.out:find("MARKER", 1, true))
    end
  end)
end)
