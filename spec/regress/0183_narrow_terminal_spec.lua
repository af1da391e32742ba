-- At 80 columns `config` cut the source of a setting and the end of a login. At 20 columns ids were cut, and could not be
-- copied. A message had "try again later" together with "may be paid for".
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"
local programs = require "spec.support.process.programs"
local screen = require "spec.devkit4ai.cli.screen"

describe("the command", function()
  local it = programs.it_with(it, pending, "tmux")
  local workspace, shown
  before_each(function()
    workspace = command.new { step_time = 0.05 }
    workspace:login()
  end)
  after_each(function()
    if shown then shown:close() end
    shown = nil
    workspace:remove()
  end)

  local function open(columns)
    workspace:run_in_shell "true" -- makes bin/devkit4ai
    local env = workspace:env { PATH = workspace.folder .. "/bin:" .. os.getenv "PATH" }
    shown = screen.new(columns, env, workspace.folder)
    return shown
  end

  it("config cuts nothing at 80 columns", function()
    local one = open(80)
    one:type "clear; devkit4ai config"
    local text = one:wait "login "
    local id = workspace.developer.project_id
    assert.is_truthy(text:find("\nproject_id     " .. id .. "  $DEVKIT4AI_PROJECT_ID\n", 1, true), text)
    assert.is_truthy(text:find("  $DEVKIT4AI_DEVELOPER_KEY\n", 1, true), text)
    assert.is_truthy(text:find("until %d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ"), text)
  end)

  it("an id is whole at 20 columns", function()
    local one = open(20)
    one:type "clear; devkit4ai projects"
    one:wait(workspace.developer.project_id:gsub("%-", "%%-"))
  end)

  it("Ctrl-C at a question with echo ends the line", function()
    local one = open(80)
    one:type "clear; devkit4ai login"
    one:wait "E%-mail address:"
    one:press "C-c"
    one:wait "E%-mail address: %^C *\ndevkit4ai: interrupted"
  end)

  it("advises no repeat of a request that may be paid for", function()
    workspace.box:fault { operation = "create_generation", status = 500, work = true }
    local ended = workspace:run { "generate", helper.PNG, "--prompt", "x", "--no-wait" }
    assert.equal(6, ended.code, ended.err)
    assert.is_nil(ended.err:find("try again later", 1, true), ended.err)
    assert.is_truthy(ended.err:find("Internal Server Error\nThe request may have arrived", 1, true), ended.err)
  end)
end)
