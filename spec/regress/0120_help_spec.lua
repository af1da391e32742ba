-- Help texts, man page and docs/command.md: they come from one source, or are compared here.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local exit_codes = require "devkit4ai.cli.errors.exit_codes"
local settings = require "devkit4ai.cli.settings"
local topics = require "devkit4ai.cli.help.topics"
local page = child.read "docs/command.md"

-- The command without a sandbox.
local function run(...)
  return child.run('require("devkit4ai.cli").main(arg)', { args = { ... }, env = { XDG_CONFIG_HOME = "/nowhere" } })
end

-- The names of the commands, as the help text lists them.
local function commands()
  local names = {}
  for name in run("--help").out:match "\nCommands:\n(.-)\n\n":gmatch "\n?   (%l+) " do names[#names + 1] = name end
  return names
end

-- The options that a help text lists.
local function options_of(text)
  local known = {}
  for line in text:gmatch "[^\n]+" do
    if line:find "^   %-" then
      for option in line:gmatch "%-%-?[%l%-]+" do known[option] = true end
    end
  end
  return known
end

describe("devkit4ai", function()
  it("shows its version, also for -v without a command", function()
    local words = "devkit4ai " .. require "devkit4ai.util.version"
    for _, arguments in ipairs {
      { "--version" }, { "-v" }, { "--verbose" }, { "version" }, { "me", "--version" }, { "generate", "--version" },
    } do
      local ended = run((table.unpack or unpack)(arguments)) -- luacheck: ignore (5.1 and LuaJIT)
      assert.same({ 0, "", words }, { ended.code, ended.err, ended.out:match "^(%S+ %S+)" })
    end
    assert.is_truthy(run("-v", "--json").out:find('"version":"' .. require "devkit4ai.util.version", 1, true))
    assert.equal(2, run("-v", "fly").code)
    assert.equal(2, run().code)
  end)

  it("-v with a command shows its requests", function()
    local workspace = command.new()
    finally(function() workspace:remove() end)
    for _, words in ipairs { { "me", "-v" }, { "-v", "me" } } do
      local ended = workspace:run(words, { env = { DEVKIT4AI_JWT_TOKEN = workspace.developer.access_token } })
      assert.equal(0, ended.code, ended.err)
      assert.is_truthy(ended.err:find("GET /api/v1/auth/me", 1, true), ended.err)
    end
  end)

  it("help shows what --help shows", function()
    assert.equal(run("--help").out, run("help").out)
    for _, name in ipairs(commands()) do
      local ended = run("help", name)
      local runs = child.runs_sandbox or not (name == "sandbox" or name == "quickstart")
      if runs then assert.same({ 0, run(name, "--help").out }, { ended.code, ended.out }) end
    end
  end)

  it("help has topics, and lists them if a topic is unknown", function()
    for _, name in ipairs { "exit-codes", "environment", "files", "first-image", "json" } do
      local ended = run("help", name)
      assert.equal(0, ended.code, ended.err)
      assert.is_truthy(run("--help").out:find(name, 1, true), name)
      for line in ended.out:gmatch "[^\n]+" do assert.is_true(#line < 80, line) end
    end
    local ended = run("help", "fly")
    assert.equal(2, ended.code)
    assert.is_truthy(ended.err:find("'fly' is not a command and not a topic; the topics are first-image, ", 1, true))
  end)

  it("has examples for each command, with options that exist", function()
    local common = options_of(run("--help").out)
    for _, name in ipairs(commands()) do
      local text, count = run("help", name).out, 0
      local examples = assert(text:match "\nExamples:\n(.-)\n\n", name)
      for line in examples:gmatch "[^\n]+" do
        assert.is_true(#line < 80, line)
        for used, rest in line:gmatch "devkit4ai (%l+)([^|)#]*)" do
          local known = options_of(run("help", used).out)
          count = count + (used == name and 1 or 0)
          for option in rest:gsub('"[^"]*"', ""):gmatch "%f[%-]%-%-[%l%-]+" do
            assert.is_truthy(known[option] or common[option], line)
          end
        end
      end
      assert.is_true(count > 0, name .. " has no example")
    end
  end)

  it("has its exit codes in help, man page and docs/command.md", function()
    local text = run("help", "exit-codes").out:gsub("%s+", " ")
    local documented = {}
    for code, words in page:match "\n## Exit codes\n(.-)\n## ":gmatch "\n| (%d+) | ([^\n]*) |" do
      documented[#documented + 1] = { tonumber(code), words }
    end
    assert.same(exit_codes.MEANINGS, documented)
    local known = {}
    for _, row in ipairs(exit_codes.MEANINGS) do
      known[row[1]] = true
      assert.is_truthy(text:find((" %d %s"):format(row[1], row[2]), 1, true), row[2])
    end
    local source = child.read "lua/devkit4ai/cli/errors/exit_codes.lua"
    for code in source:match "\nlocal ROWS = (%b{})":gmatch "\n  { (%d+)," do
      assert.is_true(known[tonumber(code)], code)
    end
  end)

  it("has every variable and option of a setting in help and docs/command.md", function()
    local text, common = run("help", "environment").out, options_of(run("--help").out)
    local rows = page:match "\n| setting | environment | option |\n(.-)\n\n"
    for _, row in ipairs(settings.rows()) do
      assert.is_truthy(rows:find("`" .. row.name .. "`", 1, true), row.name)
      for _, variable in ipairs(row.env) do
        assert.is_truthy(text:find(variable, 1, true), variable)
        assert.is_truthy(rows:find(variable:gsub("^DEVKIT4AI", ""), 1, true), variable)
      end
    end
    for option in rows:gmatch "`(%-%-[%l%-]+)` |" do assert.is_true(common[option], option) end
    for option in run("--help").out:gmatch "\n   (%-%-[%l%-]+) <" do
      assert.is_truthy(page:find("`" .. option .. "`", 1, true), option)
    end
  end)

  it("has every command and its options in docs/command.md", function()
    for _, name in ipairs(commands()) do
      local row = assert(page:match("\n(| `" .. name .. "[^\n]*)"), name)
      local known = options_of(run("help", name).out)
      for option in row:gmatch "%f[%-]%-%-[%l%-]+" do
        assert.is_truthy(known[option] or option == "--json", name .. " " .. option)
      end
    end
  end)

  it("has a man page in the tree with the same texts", function()
    local generated = run("help", "--man").out
    assert.equal(generated, child.read "docs/devkit4ai.1", "run: build/devkit4ai help --man > docs/devkit4ai.1")
    for _, name in ipairs(commands()) do assert.is_truthy(generated:find("\n.SS devkit4ai " .. name, 1, true), name) end
    local plain = generated:gsub("\n%.B ", "\n"):gsub("\n%.[^\n]*", ""):gsub("\\%-", "-"):gsub("\\%(aq", "'")
      :gsub("\\%(ga", "`"):gsub("\\e", "\\"):gsub("%s+", " ")
    local texts = { run("help").out }
    for _, name in ipairs(commands()) do texts[#texts + 1] = run("help", name).out end
    for _, topic in ipairs(topics) do texts[#texts + 1] = topic.text():gsub("^[^\n]*\n", "") end
    for _, text in ipairs(texts) do
      for block in (text .. "\n"):gmatch "(.-)\n\n+" do
        assert.is_truthy(plain:find(block:gsub("%s+", " "):gsub(" $", ""), 1, true), block)
      end
    end
  end)
end)
