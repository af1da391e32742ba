-- Bad input from the user's machine: settings files, closed outputs, file names, ids. Nothing is paid for.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

describe("devkit4ai with", function()
  local workspace
  setup(function()
    workspace = command.new { step_time = 0.05 }
    workspace:login()
  end)
  teardown(function() workspace:remove() end)
  before_each(function() os.remove(workspace.folder .. "/devkit4ai/config") end)

  local function generate(options, ...)
    return workspace:run({ "generate", helper.PNG, "--prompt", "neon", "--interval", "0.1", ... }, options)
  end

  describe("a settings file", function()
    it("has a lower priority than option, environment and --env-file", function()
      local clean = { DEVKIT4AI_BASE_URL = false }
      local function where(options, ...)
        for _, one in ipairs(workspace:run({ "config", "--json", ... }, options).lines) do
          if one.name == "base_url" then return one.value, one.from end
        end
      end
      workspace:write("devkit4ai/config", "# mine\n\nbase_url = http://localhost:1\n")
      local path = workspace:write("my.env",
        "# x\nexport OTHER='1'\nDEVKIT4AI_BASE_URL=\"http://localhost:2\"\n", "644")
      assert.same({ "http://localhost:1", "settings file" }, { where { env = clean } })
      assert.same({ "http://localhost:2", path .. ": DEVKIT4AI_BASE_URL" },
        { where({ env = clean }, "--env-file", path) })
      local env = { DEVKIT4AI_BASE_URL = "http://localhost:3" }
      assert.same({ "http://localhost:3", "environment variable DEVKIT4AI_BASE_URL" },
        { where({ env = env }, "--env-file", path) })
      assert.same({ "http://localhost:4", "option" }, { where({ env = env }, "--base-url", "http://localhost:4") })
    end)

    it("keeps its other lines and comments; secrets come from standard input or a file", function()
      workspace:write("devkit4ai/config", "# mine\nrole = developer\n")
      assert.equal(0, workspace:run({ "config", "--set", "base_url=" .. workspace.box.url }).code)
      local ended = workspace:run({ "config", "--set", "developer_key", "--stdin", "-v" },
        { input = "ak_secret_12345\n" })
      assert.equal(0, ended.code, ended.err)
      assert.is_nil((ended.out .. ended.err):find("ak_secret", 1, true))
      local path = workspace:write("key", "pk_secret_12345\n")
      assert.equal(0, workspace:run({ "config", "--set", "project_key", "--file", path, "--json" }).code)
      assert.equal(0, workspace:run({ "config", "--unset", "role" }).code)
      assert.equal(("# mine\nbase_url = %s\ndeveloper_key = ak_secret_12345\nproject_key = pk_secret_12345\n")
        :format(workspace.box.url), child.read(workspace.folder .. "/devkit4ai/config"))
      assert.equal("600", helper.shell("stat -c %a " .. workspace.folder .. "/devkit4ai/config"):match "%d+")
    end)

    it("takes no unusable value; without a terminal the command does not ask", function()
      for setting, code in pairs { ["project_id=7"] = 2, ["base_url=ftp://x"] = 2, ["allow_http=perhaps"] = 2,
        ["project_key"] = 2, ["role"] = 2 } do
        assert.equal(code, workspace:run({ "config", "--set", setting }).code, setting)
      end
      assert.same({ "sessions.json" }, child.list(workspace.folder .. "/devkit4ai"))
    end)

    it("that others can read is refused, with the command that corrects it", function()
      local path = workspace:write("devkit4ai/config", "role = developer\n", "644")
      local ended = workspace:run { "me" }
      assert.equal(1, ended.code)
      assert.is_truthy(ended.err:find("\n  chmod 600 " .. path .. "\n", 1, true), ended.err)
    end)

    it("of another owner is refused", function()
      local path = workspace:write("devkit4ai/config", "role = developer\n")
      if helper.shell("id -u") ~= "0\n" then return end -- only root can make such a file
      os.execute("chown 1 " .. path)
      local ended = workspace:run { "me" }
      assert.equal(1, ended.code)
      assert.is_truthy(ended.err:find("it belongs to another user", 1, true), ended.err)
    end)

    it("that is damaged: the message has the line number, and the file stays as it is", function()
      for content, fragment in pairs {
        ["role = developer\ndeveloper_key = ak_1"] = "line 2 is cut off",
        ["role = developer\ndevelo\n"] = "line 2 is no `name = value`",
        ["\ncolour = red\n"] = "line 2 has an unknown name: colour",
        ["role =\n"] = "line 1 has no value that can be used",
      } do
        local path = workspace:write("devkit4ai/config", content)
        for _, args in ipairs { { "me" }, { "config", "--set", "role=developer" } } do
          local ended = workspace:run(args)
          assert.equal(1, ended.code)
          assert.is_truthy(ended.err:find(path .. ": " .. fragment, 1, true), ended.err)
        end
        assert.equal(content, child.read(path))
      end
    end)

    it("whose sessions others can read is refused, too", function()
      os.execute("chmod 644 " .. workspace.folder .. "/devkit4ai/sessions.json")
      local ended = workspace:run { "me" }
      os.execute("chmod 600 " .. workspace.folder .. "/devkit4ai/sessions.json")
      assert.equal(1, ended.code)
      assert.is_truthy(ended.err:find("\n  chmod 600 ", 1, true), ended.err)
    end)
  end)

  it("an env file that is missing or can't be read", function()
    assert.equal(2, workspace:run({ "me", "--env-file", workspace.folder .. "/none" }).code)
    assert.equal(2, workspace:run({ "me", "--env-file", workspace.folder }).code)
    local path = workspace:write("bad.env", "A=1\nDEVKIT4AI_BASE_URL http://x\n")
    local ended = workspace:run { "me", "--env-file", path }
    assert.is_truthy(ended.err:find(path .. ": line 2 is no NAME=value", 1, true), ended.err)
  end)

  it("no home", function()
    local ended = workspace:run({ "config", "--set", "role=developer" }, { env = { XDG_CONFIG_HOME = "", HOME = "" } })
    assert.equal(1, ended.code)
    assert.is_truthy(ended.err:find("set HOME or XDG_CONFIG_HOME", 1, true), ended.err)
  end)

  it("an image or a file that can't be used: refused before anything is paid for", function()
    local before, there = workspace:count_generations(), workspace:write("there.png", "x")
    for _, out in ipairs { there, workspace.folder, workspace.folder .. "/none/x.png", "", "x/" } do
      local ended = generate(nil, "--out", out)
      assert.equal(2, ended.code, out .. ended.err)
    end
    assert.equal(2, generate(nil, "--overwrite", "--out", workspace.folder).code)
    local ended = generate(nil, "--out", there)
    assert.is_truthy(ended.err:find("exists; give another name, or --overwrite", 1, true), ended.err)
    assert.equal("x", child.read(there))
    ended = workspace:run { "generate", workspace.folder .. "/none.png", "--prompt", "x", "--no-wait" }
    assert.same({ 2, before }, { ended.code, workspace:count_generations() }, ended.err)
    assert.is_truthy(ended.err:find("nothing was sent", 1, true), ended.err)
    assert.equal(2, workspace:run({ "generate", there, "--prompt", "x", "--no-wait" }).code) -- no image
    assert.equal(2, workspace:run({ "generate", helper.PNG, "--prompt", "", "--no-wait" }).code)
    assert.equal(before, workspace:count_generations())
    assert.same({}, { helper.shell("ls " .. workspace.folder .. " | grep probe"):match "%S+" })
  end)

  it("ids that are no UUID", function()
    for _, id in ipairs {
      "7", "../../etc/passwd", "550e8400-e29b-41d4-a716-44665544000/", ("x"):rep(5000), "\27[31m",
    } do
      for _, name in ipairs { "wait", "save" } do
        local ended = workspace:run { name, id, "--out", workspace.folder .. "/id.png" }
        assert.equal(2, ended.code, ended.err)
        assert.is_truthy(ended.err:find("is not a UUID", 1, true), ended.err)
      end
    end
    assert.equal(2, workspace:run({ "list", "--project", "7" }).code)
  end)

  describe("standard output", function()
    for what, before in pairs {
      ["closed"] = "exec >&-", ["full"] = "exec >/dev/full",
      ["a pipe without a reader"] = "exec >%s/pipe",
    } do
      it(what .. ": an error, and the id of the generation that is paid for", function()
        if what:find "pipe" then -- the reader closes it as soon as the writer has opened it
          os.execute(("mkfifo %s/pipe"):format(workspace.folder))
          before = ("true <%s/pipe &\nexec >%s/pipe\nwait"):format(workspace.folder, workspace.folder)
        end
        local ended = workspace:run({ "generate", helper.PNG, "--prompt", "x", "--no-wait", "-q" }, { before = before })
        assert.equal(8, ended.code, ended.err)
        assert.matches("^devkit4ai: standard output can't be written: .*\nThe generation %x+%-%x+%-%x+%-%x+%-%x+ was "
          .. "accepted and is paid for%. To continue, run:\n  devkit4ai wait %x+%-%x+%-%x+%-%x+%-%x+\n$", ended.err)
        os.remove(workspace.folder .. "/pipe")
      end)
    end
  end)

  it("standard output and error closed", function()
    assert.equal(1, workspace:run({ "me" }, { before = "exec >&- 2>&-" }).code)
  end)

  it("a bug of ours: one line; the traceback only with -v", function()
    local code = 'package.preload["devkit4ai.cli.commands.account.me"] = function() return { name = "me", '
      .. 'summary = "x", add_options = function() end, run = function() error "oh" end } end '
      .. 'require("devkit4ai.cli").main { %s }'
    local ended = child.run(code:format '"me"')
    assert.equal(1, ended.code)
    assert.matches("^devkit4ai: unexpected: [^\n]*oh %(%-v tells more%)\n$", ended.err)
    assert.is_truthy(child.run(code:format '"me", "-v"').err:find("traceback", 1, true))
  end)

  it("a bug of ours with a key in the error: it is redacted, also in the traceback and in JSON", function()
    local key = 'ak_marker-(%a+)*1"/2'
    local code = 'local settings = require "devkit4ai.cli.settings" '
      .. 'package.preload["devkit4ai.cli.commands.account.me"] = function() '
      .. 'return { name = "me", summary = "x", add_options = function() end, run = function(options, console) '
      .. 'local key = settings.load(options, console).developer_key.value console:print_record({ key = key }, key) '
      .. 'error("bad key " .. key) end } end require("devkit4ai.cli").main(arg)'
    for _, flag in ipairs { "-v", "--json" } do
      local ended = child.run(code, { args = { "me", flag }, env = { DEVKIT4AI_DEVELOPER_KEY = key } })
      assert.is_nil((ended.out .. ended.err):find("marker", 1, true), ended.err)
      assert.is_truthy(ended.err:find("bad key ***", 1, true), ended.err)
      assert.is_truthy(ended.out:find("***", 1, true), ended.out)
    end
  end)

  it("server texts with control characters", function()
    assert.equal(0, workspace:run({ "projects", "--new", "a\27[2Jb\7" }).code)
    local ended = workspace:run { "projects" }
    assert.is_nil(ended.out:find("[\27\7]"))
    assert.is_truthy(ended.out:find("a\\027[2Jb\\007", 1, true), ended.out)
    assert(workspace.box:fault { operation = "list_projects", status = 400, detail = "c\27]0;title\7\194\155d" })
    ended = workspace:run { "projects" }
    assert.is_truthy(ended.err:find("c\\027]0;title\\007\\u{9B}d", 1, true), ended.err)
    assert(workspace.box:fault { operation = "list_projects", status = 400, detail = "\194\155d" })
    ended = workspace:run { "projects", "--json" }
    assert.is_nil((ended.out .. ended.err):find("\194\155", 1, true))
  end)
end)
