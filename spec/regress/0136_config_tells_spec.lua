-- `devkit4ai config` names the settings file, and tells who is logged in, where and until when. It never shows a token.
local child = require "spec.support.child"
local cjson = require("cjson").new()
local command = require "spec.devkit4ai.cli.command"

describe("devkit4ai config", function()
  local desk
  setup(function()
    desk = command.new { step_time = 0.05 }
    desk:login()
  end)
  teardown(function() desk:remove() end)

  local function find(lines, name)
    for _, one in ipairs(lines) do
      if one.name == name then return one end
    end
  end

  it("names its file, whether it is there or not", function()
    local path = desk.folder .. "/devkit4ai/config"
    assert.same({ name = "settings_file", value = path, from = "there is no such file yet" },
      find(desk:run({ "config", "--json" }).lines, "settings_file"))
    desk:write("devkit4ai/config", "role = developer\n")
    local ended = desk:run { "config" }
    os.remove(path)
    assert.is_truthy(ended.out:find("settings_file  " .. path .. " ", 1, true), ended.out)
  end)

  it("tells who is logged in, where and until when, and no token", function()
    local ended = desk:run { "config", "--json" }
    local login = find(ended.lines, "login")
    assert.same({ command.EMAIL, "developer", desk.box.url, desk.folder .. "/devkit4ai/sessions.json" },
      { login.value, login.role, login.base_url, login.from })
    assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", login.ends)
    local said = ended.out .. desk:run({ "config" }).out
    assert.is_truthy(said:find(("developer at %s, until "):format((desk.box.url:gsub("%p", "%%%0")))), said)
    local kept = cjson.decode(child.read(desk.folder .. "/devkit4ai/sessions.json"))
    local tokens = 0
    for _, text in pairs(kept) do
      local record = text:find "^{" and cjson.decode(text) or {}
      for _, name in ipairs { "access_token", "refresh_token" } do
        if record[name] then
          tokens = tokens + 1
          assert.is_nil(said:find(record[name], 1, true))
        end
      end
    end
    assert.equal(2, tokens)
  end)

  it("tells of no login where there is none", function()
    local ended = desk:run({ "config", "--json" }, { env = { XDG_CONFIG_HOME = desk.folder .. "/none" } })
    assert.is_nil(find(ended.lines, "login"))
  end)
end)
