-- Every command against a sandbox: exit codes, data on standard output, --json.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"
local raw = require "spec.support.servers.raw"
local UNKNOWN = "550e8400-e29b-41d4-a716-446655440000"

describe("devkit4ai", function()
  local workspace
  setup(function()
    workspace = command.new { step_time = 0.05 }
    workspace:login()
  end)
  teardown(function() workspace:remove() end)
  after_each(function() assert(workspace.box:clear_faults()) end)

  local function generate(...)
    return workspace:run { "generate", helper.PNG, "--prompt", "neon", "--interval", "0.1", ... }
  end

  it("login stores the session, and shows no password and no token", function()
    local ended = workspace:login "--json"
    assert.same({ email = command.EMAIL, role = "developer", base_url = workspace.box.url }, ended.json)
    for _, text in ipairs { ended.out, ended.err } do assert.is_nil(text:find(command.PASSWORD, 1, true)) end
    assert.equal("600", helper.shell("stat -c %a " .. workspace.folder .. "/devkit4ai/sessions.json"):match "%d+")
    assert.equal("700", helper.shell("stat -c %a " .. workspace.folder .. "/devkit4ai"):match "%d+")
  end)

  it("login with a wrong password ends with 4, and never shows it, even with -v", function()
    local ended = workspace:run({ "login", "--email", command.EMAIL, "--password-stdin", "-v", "--json" },
      { input = "WrongPass-1\n" })
    assert.equal(4, ended.code, ended.err)
    assert.same({ "auth", 401, 4 }, { ended.json.error.kind, ended.json.error.status, ended.json.error.exit_code })
    assert.is_nil((ended.out .. ended.err):find("WrongPass", 1, true))
    assert.is_truthy(ended.err:find("POST /api/v1/auth/login", 1, true), ended.err)
  end)

  it("login takes the password from a file or the environment, and does not ask without a terminal", function()
    local path = workspace:write("password", command.PASSWORD .. "\n")
    assert.equal(0, workspace:run({ "login", "--email", command.EMAIL, "--password-file", path }).code)
    assert.equal(0, workspace:run({ "login" }, {
      env = { DEVKIT4AI_EMAIL = command.EMAIL, DEVKIT4AI_PASSWORD = command.PASSWORD },
    }).code)
    local ended = workspace:run { "login", "--email", command.EMAIL }
    assert.equal(2, ended.code)
    assert.is_truthy(ended.err:find("no terminal to ask on: give --password-stdin", 1, true), ended.err)
    assert.equal(2, workspace:run({ "login", "--password", command.PASSWORD }).code) -- a secret must not be an argument
  end)

  it("login signs in an end user of the project", function()
    assert.equal(201, helper.request("POST", workspace.box.url .. "/api/v1/auth/register", {
      ["X-User-Role"] = "end_user", ["X-Developer-Key"] = workspace.developer.developer_key,
      ["X-Project-ID"] = workspace.developer.project_id, ["Content-Type"] = "application/json",
    }, "-d", '{"email":"guest@example.com","password":"SecurePass123"}').status)
    local ended = workspace:run({ "login", "--role", "end_user", "--email", "guest@example.com", "--password-stdin" },
      { input = "SecurePass123\n" })
    assert.equal(0, ended.code, ended.err)
    ended = workspace:run { "me", "--role", "end_user", "--json" }
    assert.equal("guest@example.com", ended.json.email, ended.err)
    assert.equal(command.EMAIL, workspace:run({ "me", "--json" }).json.email) -- the developer is still signed in
  end)

  it("me shows the account that is signed in", function()
    local ended = workspace:run { "me" }
    assert.same({ 0, ("%s (developer) at %s\n"):format(command.EMAIL, workspace.box.url), "" },
      { ended.code, ended.out, ended.err })
    assert.equal(command.EMAIL, workspace:run({ "--json", "me" }).json.email)
  end)

  it("me ends with 4 and advice if nobody is signed in", function()
    local ended = workspace:run({ "me", "--json" }, { env = { XDG_CONFIG_HOME = workspace.folder .. "/none" } })
    assert.equal(4, ended.code)
    assert.is_truthy(ended.err:find("devkit4ai login", 1, true), ended.err)
    assert.equal(4, ended.json.error.exit_code)
  end)

  it("projects lists and creates projects", function()
    local created = workspace:run { "projects", "--new", "Neon", "--description", "signs" }
    assert.equal(0, created.code, created.err)
    assert.is_truthy(created.out:find "^%x+%-%x+%-%x+%-%x+%-%x+\n$")
    local ended = workspace:run { "projects", "--json" }
    local names = {}
    for _, one in ipairs(ended.lines) do names[one.name] = one.id end
    assert.equal(created.out, names.Neon .. "\n")
    assert.is_truthy(workspace:run({ "projects" }).out:find(names.Neon .. "  Neon\n", 1, true))
  end)

  it("keys creates a key and shows it once, lists and revokes", function()
    local created = workspace:run { "keys", "--new", "laptop", "--json" }
    assert.equal(0, created.code, created.err)
    assert.is_truthy(created.json.key:find "^pk_")
    assert.equal(created.json.key_prefix, created.json.key:sub(1, #created.json.key_prefix))
    local list = workspace:run { "keys", "--json" }
    local found
    for _, one in ipairs(list.lines) do found = found or one.id == created.json.id end
    assert.is_true(found)
    assert.is_nil(list.out:find(created.json.key, 1, true))
    assert.equal(0, workspace:run({ "keys", "--revoke", created.json.id }).code)
    assert.equal(1, workspace:run({ "keys", "--revoke", (created.json.id:gsub("^%x%x", "00")) }).code)
    assert.equal(0, workspace:run({ "keys", "--developer" }).code)
  end)

  it("keys --rotate creates a key and revokes the key in use", function()
    local first = workspace:run({ "keys", "--new", "first" }).out:match "%S+"
    local ended = workspace:run({ "keys", "--rotate", "second", "--json" }, { env = { DEVKIT4AI_PROJECT_KEY = first } })
    assert.equal(0, ended.code, ended.err)
    local function can_order(key)
      return workspace:run({ "generate", helper.PNG, "--prompt", "p", "--no-wait" },
        { env = { DEVKIT4AI_PROJECT_KEY = key } }).code == 0
    end
    assert.is_false(can_order(first))
    assert.is_true(can_order(ended.json.key))
    assert.matches("the environment variable DEVKIT4AI_PROJECT_KEY still holds the old key", ended.err, 1, true)
  end)

  it("keys --save stores the key without showing it, and generate uses it", function()
    local settings = child.folder()
    finally(function() child.remove(settings) end)
    os.execute(("mkdir %s/devkit4ai && cp %s/devkit4ai/sessions.json %s/devkit4ai/"):format(
      settings, workspace.folder, settings))
    local env = { XDG_CONFIG_HOME = settings, DEVKIT4AI_PROJECT_KEY = false }
    local created = workspace:run({ "keys", "--new", "kept", "--save" }, { env = env })
    assert.equal(0, created.code, created.err)
    local key = child.read(settings .. "/devkit4ai/config"):match "project_key = (pk_%S+)"
    assert.is_string(key)
    assert.is_nil((created.out .. created.err):find(key, 1, true))
    assert.equal(0, workspace:run({ "generate", helper.PNG, "--prompt", "p", "--no-wait" }, { env = env }).code)
  end)

  it("generate sends, waits and saves; it prints only the path", function()
    local out = workspace.folder .. "/neon.png"
    local ended = generate("--out", out)
    assert.same({ 0, out .. "\n" }, { ended.code, ended.out }, ended.err)
    assert.equal("\137PNG", child.read(out):sub(1, 4))
    assert.is_truthy(ended.err:find("^created: generation [%x-]+\n$"), ended.err)
    assert.equal("", generate("--out", out, "--overwrite", "-q").err)
  end)

  it("generate --json prints a record at the start and one with the path", function()
    local out = workspace.folder .. "/json.png"
    local ended = generate("--out", out, "--json")
    assert.equal(0, ended.code, ended.err)
    assert.equal("pending", ended.lines[1].status)
    assert.same({ "completed", out, ended.lines[1].id }, { ended.json.status, ended.json.path, ended.json.id })
  end)

  it("wait and save continue by id", function()
    local id = generate("--no-wait").out:match "%S+"
    local ended = workspace:run { "wait", id, "--interval", "0.1", "--out", workspace.folder .. "/w.png", "--json" }
    assert.same({ 0, "completed", workspace.folder .. "/w.png" }, { ended.code, ended.json.status, ended.json.path })
    assert.equal("completed\n", workspace:run({ "wait", id }).out)
    ended = workspace:run { "save", id, "--out", workspace.folder .. "/s.png" }
    assert.same({ 0, workspace.folder .. "/s.png\n" }, { ended.code, ended.out })
    assert.equal(id, workspace:run({ "save", id, "--out", workspace.folder .. "/s2.png", "--json" }).json.id)
  end)

  it("list shows the newest generations, and finds one by its prompt", function()
    local id = workspace:run({ "generate", helper.PNG, "--prompt", "a blue whale", "--no-wait" }).out:match "%S+"
    local ended = workspace:run { "list", "--limit", "2", "--json" }
    assert.same({ 2, id }, { #ended.lines, ended.lines[1].id })
    local line = workspace:run({ "list" }).out:match "[^\n]*"
    assert.same({ id, "a blue whale" }, { line:match "^(%S+)  .*  (.-)$" })
    ended = workspace:run { "list", "--find", "a blue whale", "--since", tostring(os.time() - 60), "--json" }
    assert.equal(id, ended.json.id)
    ended = workspace:run { "list", "--find", "nothing of the kind" }
    assert.same({ 1, "" }, { ended.code, ended.out })
    assert.equal(0, workspace:run({ "list", "--public" }).code)
  end)

  it("config shows each masked value with its source", function()
    local ended = workspace:run { "config", "--json" }
    local found = {}
    for _, one in ipairs(ended.lines) do found[one.name] = one end
    assert.same({ name = "developer_key", value = "***", from = "environment variable DEVKIT4AI_DEVELOPER_KEY" },
      found.developer_key)
    assert.equal("default", found.role.from)
    assert.equal("not set", found.operator_key.from)
    assert.is_nil((ended.out .. ended.err):find(workspace.developer.developer_key, 1, true))
  end)

  it("quickstart runs the whole workflow", function()
    local out = workspace.folder .. "/quick.png"
    local ended = workspace:run { "quickstart", "--out", out, "--json" }
    if not child.runs_sandbox then
      assert.equal(1, ended.code)
      return assert.equal(("devkit4ai: the sandbox needs Lua 5.2 to 5.4 or LuaJIT, and this is %s; install one of "
        .. "them, and build devkit4ai again for it\n"):format(_VERSION), ended.err)
    end
    assert.equal(0, ended.code, ended.err)
    assert.same({ "completed", out }, { ended.json.status, ended.json.path })
    assert.equal("\137PNG", child.read(out):sub(1, 4))
  end)

  it("sandbox --json prints its URL", function()
    if not child.runs_sandbox then return end
    local ended = workspace:interrupt({ "sandbox", "--json" }, "url")
    assert.equal(130, ended.code, ended.output)
    assert.is_truthy(ended.output:find '"url":"http://127%.0%.0%.1:%d+"', ended.output)
    assert.is_truthy(ended.output:find '"operator_key":"op_', ended.output)
  end)

  it("completion writes a script for each shell", function()
    for shell, word in pairs { bash = "complete ", zsh = "#compdef devkit4ai", fish = "complete -c devkit4ai" } do
      local ended = workspace:run { "completion", shell }
      assert.equal(0, ended.code, ended.err)
      assert.is_truthy(ended.out:find(word, 1, true))
      assert.equal(shell, workspace:run({ "completion", shell, "--json" }).json.shell)
    end
    assert.equal(2, workspace:run({ "completion", "tcsh" }).code)
  end)

  describe("ends with", function()
    it("2 on wrong use", function()
      for _, arguments in ipairs {
        {}, { "fly" }, { "me", "--nothing" }, { "generate", "--prompt", "x", "--out", "y" },
        { "generate", helper.PNG, "--prompt", "x" }, { "wait" }, { "save", UNKNOWN }, { "list", "--limit", "many" },
        { "config", "--set", "developer_key=ak_secret" }, { "config", "--set", "colour=red" }, { "wait", "7" },
      } do
        local ended = workspace:run(arguments)
        assert.equal(2, ended.code, table.concat(arguments, " ") .. ended.err)
        assert.equal("", ended.out)
      end
      assert.equal(0, workspace:run({ "--help" }).code)
    end)

    it("5 if the server limits the rate", function()
      assert(workspace.box:fault { operation = "get_me", status = 429, headers = { ["Retry-After"] = "3600" } })
      local ended = workspace:run { "me", "--json" }
      assert.same({ 5, 3600 }, { ended.code, ended.json.error.retry_after }, ended.err)
    end)

    it("6 if the outcome of a generation is unknown, with the command line that finds it", function()
      assert(workspace.box:fault { operation = "create_generation", cut = "after" })
      local ended = workspace:run {
        "generate", helper.PNG, "--prompt", "it's lost", "--out", workspace.folder .. "/l.png", "--json",
      }
      assert.same({ 6, "unknown" }, { ended.code, ended.json.error.outcome }, ended.err)
      local line = ended.err:match "\n  devkit4ai (list %-%-find 'it'\\''s lost' %-%-since %d+)\n"
      assert.is_string(line, ended.err)
      local found = workspace:run { "list", "--find", "it's lost", "--since", line:match "%d+$" }
      assert.equal(0, found.code, found.err)
    end)

    it("8 if the wait times out, with the command line that continues", function()
      assert(workspace.box:fault { operation = "create_generation", hang = true })
      local ended = generate("--out", workspace.folder .. "/h.png", "--timeout", "0.3")
      assert.equal(8, ended.code, ended.err)
      local id = ended.err:match "created: generation (%S+)"
      local line = ("To continue, run:\n  devkit4ai wait %s --out %s/h.png\n"):format(id, workspace.folder)
      assert.is_truthy(ended.err:find("was accepted and is paid for. " .. line, 1, true), ended.err)
    end)

    it("9 if the generation failed, with the server's reason", function()
      assert(workspace.box:fault { operation = "create_generation", fail = "the model is tired" })
      local ended = generate("--out", workspace.folder .. "/f.png", "--json")
      assert.same({ 9, "failed" }, { ended.code, ended.json.error.kind }, ended.err)
    end)

    for signals, case in pairs {
      INT = { code = 6 }, TERM = { code = 6 }, HUP = { code = 6 }, ["HUP INT TERM"] = { code = 6 },
      ["INT TERM"] = { -- both may come at the same time; then the system delivers SIGINT first
        code = 130, scheme = "https", expected = "interrupted; nothing was sent, and nothing is paid for\n",
      },
    } do
      it(("%d on a signal during the request, with what may be paid for: %s"):format(case.code, signals), function()
        local server = raw.start { script = ([[return function(conn)
          conn:read(200)
          os.execute("echo now >>%s")
          conn:sleep(1000)
        end]]):format(workspace.folder .. "/output") }
        finally(function() server:stop() end)
        local env = {
          DEVKIT4AI_BASE_URL = ("%s://127.0.0.1:%d"):format(case.scheme or "http", server.port),
          DEVKIT4AI_JWT_TOKEN = "token-1",
        }
        local ended = workspace:interrupt({ "generate", helper.PNG, "--prompt", "a city", "--no-wait" }, "now",
          { env = env, signals = signals })
        assert.equal(case.code, ended.code, ended.output)
        local expected = case.expected or "interrupted\nThe request may have arrived, and may be paid for. "
          .. "To find out, run:\n  devkit4ai list --find 'a city' --since "
        assert.is_truthy(ended.output:find(expected, 1, true), ended.output)
      end)
    end

    it("8 on Ctrl-C during the wait, with the command line that continues", function()
      assert(workspace.box:fault { operation = "create_generation", hang = true })
      local out = workspace.folder .. "/c.png"
      local ended = workspace:interrupt(
        { "generate", helper.PNG, "--prompt", "x", "--out", out, "--base-url", workspace.box.url }, "created")
      assert.equal(8, ended.code, ended.output)
      local id = ended.output:match "created: generation (%S+)"
      local expected = ("interrupted\nThe generation %s was accepted and is paid for. "
        .. "To continue, run:\n  devkit4ai wait %s --out %s --base-url %s\n"):format(id, id, out, workspace.box.url)
      assert.is_truthy(ended.output:find(expected, 1, true), ended.output)
    end)
  end)
end)
