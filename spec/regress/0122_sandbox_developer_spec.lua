-- `devkit4ai sandbox --developer EMAIL` prints export lines. A shell that reads them needs nothing else for a first image.
local child = require "spec.support.process.child"
if not child.runs_sandbox then return end

local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

-- One shell starts the sandbox, and reads its output from a file.
local SCRIPT = [[
rm -f sandbox.env
devkit4ai sandbox --step-time 0.05 %s > sandbox.env &
sandbox=$!
trap 'kill $sandbox' EXIT
until [ -s sandbox.env ] || ! kill -0 $sandbox; do sleep 0.05; done
. ./sandbox.env
%s
]]

describe("devkit4ai sandbox", function()
  local workspace
  before_each(function() workspace = command.new() end)
  after_each(function() workspace:remove() end)

  local NOTHING = {
    DEVKIT4AI_BASE_URL = false, DEVKIT4AI_DEVELOPER_KEY = false, DEVKIT4AI_PROJECT_ID = false,
    DEVKIT4AI_PROJECT_KEY = false,
  }

  -- Runs lines in a shell whose only settings are the output of the sandbox.
  local function shell(options, lines)
    local image = helper.shell "pwd":match "[^\n]+" .. "/" .. helper.PNG
    return workspace:run_in_shell(SCRIPT:format(options, lines:gsub("IMAGE", "'" .. image .. "'")), { env = NOTHING })
  end

  for _, email in ipairs { "me@example.com", "o'neil+$HOME@example.com" } do
    it("--developer " .. email .. " prints all settings of generate", function()
      local ended = shell("--developer " .. helper.quote(email), [[
        devkit4ai generate IMAGE --prompt "a city" --interval 0.1 --out city.png
        echo "generate: $?"
        devkit4ai me]])
      assert.is_truthy(ended.output:find("generate: 0", 1, true), ended.output)
      assert.equal("\137PNG", child.read(workspace.folder .. "/city.png"):sub(1, 4))
      assert.is_truthy(ended.output:find(email .. " (developer) at ", 1, true), ended.output)
    end)
  end

  it("--developer prints all settings of login, which asks no question", function()
    local ended = shell("--developer me@example.com", [[
      unset DEVKIT4AI_JWT_TOKEN
      devkit4ai login && devkit4ai projects --new "Another" && echo "all done"]])
    assert.is_truthy(ended.output:find("signed in as me@example.com", 1, true), ended.output)
    assert.is_truthy(ended.output:find("all done", 1, true), ended.output)
  end)

  it("--developer works with every dialect and activation", function()
    for _, options in ipairs { "--activation verified", "--dialect openapi", "--dialect pages", "--access-life 0" } do
      local ended = shell("--developer me@example.com " .. options, "devkit4ai me")
      assert.is_truthy(ended.output:find("me@example.com (developer)", 1, true), options .. ended.output)
    end
  end)

  it("prints the settings of register", function()
    local ended = shell("", [[
      devkit4ai register --email me@example.com --password-stdin <<'END' > keys.env
SecurePass123
END
      . ./keys.env
      printf 'SecurePass123\n' | devkit4ai login --email me@example.com --password-stdin
      devkit4ai generate IMAGE --prompt "a city" --interval 0.1 --out city.png]])
    assert.equal("\137PNG", (child.read(workspace.folder .. "/city.png") or ""):sub(1, 4), ended.output)
  end)

  it("--json prints the same settings", function()
    local ended = workspace:interrupt({ "sandbox", "--json", "--developer", "me@example.com" }, "url",
      { env = NOTHING })
    for name in ("url operator_key developer_key project_id project_key access_token email password"):gmatch "%S+" do
      assert.is_truthy(ended.output:find('"' .. name .. '":"', 1, true), name .. ended.output)
    end
  end)

  it("--developer refuses a bad address, and --control", function()
    for _, arguments in ipairs { { "nobody" }, { "" }, { "a@b.co", "--control" } } do
      local ended = workspace:run { "sandbox", "--developer", arguments[1], arguments[2] }
      assert.equal(2, ended.code, ended.err)
      assert.is_truthy(ended.err:find("--developer", 1, true), ended.err)
    end
  end)
end)
