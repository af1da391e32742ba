-- `devkit4ai config` shows the settings file and the logins with their ends. It never shows a token.
local child = require "spec.support.process.child"
local cjson = require("cjson").new()
local command = require "spec.devkit4ai.cli.command"

describe("devkit4ai config", function()
  local workspace
  setup(function()
    workspace = command.new { step_time = 0.05 }
    workspace:login()
  end)
  teardown(function() workspace:remove() end)

  local function find(lines, name)
    for _, one in ipairs(lines) do
      if one.name == name then return one end
    end
  end

  it("shows the path of its file, also before the file exists", function()
    local path = workspace.folder .. "/devkit4ai/config"
    assert.same({ name = "settings_file", value = path, from = "there is no such file yet" },
      find(workspace:run({ "config", "--json" }).lines, "settings_file"))
    workspace:write("devkit4ai/config", "role = developer\n")
    local ended = workspace:run { "config" }
    os.remove(path)
    assert.is_truthy(ended.out:find("settings_file  " .. path .. " ", 1, true), ended.out)
  end)

  it("shows each login with its place and end, and no token", function()
    local ended = workspace:run { "config", "--json" }
    local login = find(ended.lines, "login")
    assert.same({ command.EMAIL, "developer", workspace.box.url, workspace.folder .. "/devkit4ai/sessions.json" },
      { login.value, login.role, login.base_url, login.from })
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", login.ends)
    local output = ended.out .. workspace:run({ "config" }).out
    assert.is_truthy(output:find(("developer at %s, until "):format((workspace.box.url:gsub("%p", "%%%0")))), output)
    local stored = cjson.decode(child.read(workspace.folder .. "/devkit4ai/sessions.json"))
    local tokens = 0
    for _, text in pairs(stored) do
      local record = text:find "^{" and cjson.decode(text) or {}
      for _, name in ipairs { "access_token", "refresh_token" } do
        if record[name] then
          tokens = tokens + 1
          assert.is_nil(output:find(record[name], 1, true))
        end
      end
    end
    assert.equal(2, tokens)
  end)

  it("shows no login if there is none", function()
    local ended = workspace:run({ "config", "--json" }, { env = { XDG_CONFIG_HOME = workspace.folder .. "/none" } })
    assert.is_nil(find(ended.lines, "login"))
  end)
end)
