-- Every command against a real sandbox: exit codes, data on standard output, --json.
local child = require "spec.support.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"
local raw = require "spec.support.raw"

local plain_51 = _VERSION == "Lua 5.1" and not jit -- luacheck: globals jit
local UNKNOWN = "550e8400-e29b-41d4-a716-446655440000"

describe("devkit4ai", function()
  local desk
  setup(function()
    desk = command.new { step_time = 0.05 }
    desk:login()
  end)
  teardown(function() desk:remove() end)
  after_each(function() assert(desk.box:clear_faults()) end)

  local function order(...)
    return desk:run { "generate", helper.PNG, "--prompt", "neon", "--interval", "0.1", ... }
  end

  it("login keeps the session, and gives no password and no token away", function()
    local ended = desk:login "--json"
    assert.same({ email = command.EMAIL, role = "developer", base_url = desk.box.url }, ended.json)
    for _, text in ipairs { ended.out, ended.err } do assert.is_nil(text:find(command.PASSWORD, 1, true)) end
    assert.equal("600", helper.shell("stat -c %a " .. desk.folder .. "/devkit4ai/sessions.json"):match "%d+")
    assert.equal("700", helper.shell("stat -c %a " .. desk.folder .. "/devkit4ai"):match "%d+")
  end)

  it("login with a wrong password ends with 4, and shows it nowhere, with -v neither", function()
    local ended = desk:run({ "login", "--email", command.EMAIL, "--password-stdin", "-v", "--json" },
      { input = "WrongPass-1\n" })
    assert.equal(4, ended.code, ended.err)
    assert.same({ "auth", 401, 4 }, { ended.json.error.kind, ended.json.error.status, ended.json.error.exit_code })
    assert.is_nil((ended.out .. ended.err):find("WrongPass", 1, true))
    assert.is_truthy(ended.err:find("POST /api/v1/auth/login", 1, true), ended.err)
  end)

  it("login takes the password of a file and of the environment, and asks nobody where there is no terminal", function()
    local path = desk:write("password", command.PASSWORD .. "\n")
    assert.equal(0, desk:run({ "login", "--email", command.EMAIL, "--password-file", path }).code)
    assert.equal(0, desk:run({ "login" }, {
      env = { DEVKIT4AI_EMAIL = command.EMAIL, DEVKIT4AI_PASSWORD = command.PASSWORD },
    }).code)
    local ended = desk:run { "login", "--email", command.EMAIL }
    assert.equal(2, ended.code)
    assert.is_truthy(ended.err:find("no terminal to ask on: give --password-stdin", 1, true), ended.err)
    assert.equal(2, desk:run({ "login", "--password", command.PASSWORD }).code) -- no secret is an argument
  end)

  it("login signs in an end user of the project", function()
    assert.equal(201, helper.request("POST", desk.box.url .. "/api/v1/auth/register", {
      ["X-User-Role"] = "end_user", ["X-Developer-Key"] = desk.developer.developer_key,
      ["X-Project-ID"] = desk.developer.project_id, ["Content-Type"] = "application/json",
    }, "-d", '{"email":"guest@example.com","password":"SecurePass123"}').status)
    local ended = desk:run({ "login", "--role", "end_user", "--email", "guest@example.com", "--password-stdin" },
      { input = "SecurePass123\n" })
    assert.equal(0, ended.code, ended.err)
    ended = desk:run { "me", "--role", "end_user", "--json" }
    assert.equal("guest@example.com", ended.json.email, ended.err)
    assert.equal(command.EMAIL, desk:run({ "me", "--json" }).json.email) -- the developer is still signed in
  end)

  it("me tells who is signed in", function()
    local ended = desk:run { "me" }
    assert.same({ 0, ("%s (developer) at %s\n"):format(command.EMAIL, desk.box.url), "" },
      { ended.code, ended.out, ended.err })
    assert.equal(command.EMAIL, desk:run({ "--json", "me" }).json.email)
  end)

  it("me ends with 4 where nobody is signed in, and says how", function()
    local ended = desk:run({ "me", "--json" }, { env = { XDG_CONFIG_HOME = desk.folder .. "/none" } })
    assert.equal(4, ended.code)
    assert.is_truthy(ended.err:find("devkit4ai login", 1, true), ended.err)
    assert.equal(4, ended.json.error.exit_code)
  end)

  it("projects lists them and makes one", function()
    local made = desk:run { "projects", "--new", "Neon", "--description", "signs" }
    assert.equal(0, made.code, made.err)
    assert.is_truthy(made.out:find "^%x+%-%x+%-%x+%-%x+%-%x+\n$")
    local ended = desk:run { "projects", "--json" }
    local names = {}
    for _, one in ipairs(ended.lines) do names[one.name] = one.id end
    assert.equal(made.out, names.Neon .. "\n")
    assert.is_truthy(desk:run({ "projects" }).out:find(names.Neon .. "  Neon\n", 1, true))
  end)

  it("keys makes one that it shows once, lists and revokes", function()
    local made = desk:run { "keys", "--new", "laptop", "--json" }
    assert.equal(0, made.code, made.err)
    assert.is_truthy(made.json.key:find "^pk_")
    assert.equal(made.json.key_prefix, made.json.key:sub(1, #made.json.key_prefix))
    local list = desk:run { "keys", "--json" }
    local found
    for _, one in ipairs(list.lines) do found = found or one.id == made.json.id end
    assert.is_true(found)
    assert.is_nil(list.out:find(made.json.key, 1, true))
    assert.equal(0, desk:run({ "keys", "--revoke", made.json.id }).code)
    assert.equal(1, desk:run({ "keys", "--revoke", (made.json.id:gsub("^%x%x", "00")) }).code)
    assert.equal(0, desk:run({ "keys", "--developer" }).code)
  end)

  it("keys --rotate makes a key and revokes the one in use", function()
    local first = desk:run({ "keys", "--new", "first" }).out:match "%S+"
    local ended = desk:run({ "keys", "--rotate", "second", "--json" }, { env = { DEVKIT4AI_PROJECT_KEY = first } })
    assert.equal(0, ended.code, ended.err)
    local function can_order(key)
      return desk:run({ "generate", helper.PNG, "--prompt", "p", "--no-wait" },
        { env = { DEVKIT4AI_PROJECT_KEY = key } }).code == 0
    end
    assert.is_false(can_order(first))
    assert.is_true(can_order(ended.json.key))
    assert.matches("the environment variable DEVKIT4AI_PROJECT_KEY holds the old key still", ended.err, 1, true)
  end)

  it("keys --save writes the key to the settings, shows it nowhere, and generate uses it", function()
    local settings = child.folder()
    finally(function() child.remove(settings) end)
    os.execute(("mkdir %s/devkit4ai && cp %s/devkit4ai/sessions.json %s/devkit4ai/"):format(
      settings, desk.folder, settings))
    local env = { XDG_CONFIG_HOME = settings, DEVKIT4AI_PROJECT_KEY = false }
    local made = desk:run({ "keys", "--new", "kept", "--save" }, { env = env })
    assert.equal(0, made.code, made.err)
    local key = child.read(settings .. "/devkit4ai/config"):match "project_key = (pk_%S+)"
    assert.is_string(key)
    assert.is_nil((made.out .. made.err):find(key, 1, true))
    assert.equal(0, desk:run({ "generate", helper.PNG, "--prompt", "p", "--no-wait" }, { env = env }).code)
  end)

  it("generate sends, waits and saves; the path is all that it prints", function()
    local out = desk.folder .. "/neon.png"
    local ended = order("--out", out)
    assert.same({ 0, out .. "\n" }, { ended.code, ended.out }, ended.err)
    assert.equal("\137PNG", child.read(out):sub(1, 4))
    assert.is_truthy(ended.err:find("^ordered: generation [%x-]+\n$"), ended.err)
    assert.equal("", order("--out", out, "--overwrite", "-q").err)
  end)

  it("generate --json gives a line as it is ordered and one with the path", function()
    local out = desk.folder .. "/json.png"
    local ended = order("--out", out, "--json")
    assert.equal(0, ended.code, ended.err)
    assert.equal("pending", ended.lines[1].status)
    assert.same({ "completed", out, ended.lines[1].id }, { ended.json.status, ended.json.path, ended.json.id })
  end)

  it("wait and save go on with an id", function()
    local id = order("--no-wait").out:match "%S+"
    local ended = desk:run { "wait", id, "--interval", "0.1", "--out", desk.folder .. "/w.png", "--json" }
    assert.same({ 0, "completed", desk.folder .. "/w.png" }, { ended.code, ended.json.status, ended.json.path })
    assert.equal("completed\n", desk:run({ "wait", id }).out)
    ended = desk:run { "save", id, "--out", desk.folder .. "/s.png" }
    assert.same({ 0, desk.folder .. "/s.png\n" }, { ended.code, ended.out })
    assert.equal(id, desk:run({ "save", id, "--out", desk.folder .. "/s2.png", "--json" }).json.id)
  end)

  it("list gives the newest, and finds one by its prompt", function()
    local id = desk:run({ "generate", helper.PNG, "--prompt", "a blue whale", "--no-wait" }).out:match "%S+"
    local ended = desk:run { "list", "--limit", "2", "--json" }
    assert.same({ 2, id }, { #ended.lines, ended.lines[1].id })
    local line = desk:run({ "list" }).out:match "[^\n]*"
    assert.same({ id, "a blue whale" }, { line:match "^(%S+)  .*  (.-)$" })
    ended = desk:run { "list", "--find", "a blue whale", "--since", tostring(os.time() - 60), "--json" }
    assert.equal(id, ended.json.id)
    ended = desk:run { "list", "--find", "nothing of the kind" }
    assert.same({ 1, "" }, { ended.code, ended.out })
    assert.equal(0, desk:run({ "list", "--public" }).code)
  end)

  it("config shows each value masked, with where it came from", function()
    local ended = desk:run { "config", "--json" }
    local found = {}
    for _, one in ipairs(ended.lines) do found[one.name] = one end
    assert.same({ name = "developer_key", value = "***", from = "environment variable DEVKIT4AI_DEVELOPER_KEY" },
      found.developer_key)
    assert.equal("default", found.role.from)
    assert.equal("not set", found.operator_key.from)
    assert.is_nil((ended.out .. ended.err):find(desk.developer.developer_key, 1, true))
  end)

  it("quickstart runs the whole workflow", function()
    local out = desk.folder .. "/quick.png"
    local ended = desk:run { "quickstart", "--out", out, "--json" }
    if plain_51 then
      assert.equal(1, ended.code)
      return assert.equal("devkit4ai: the sandbox needs Lua 5.2 to 5.4 or LuaJIT, and this is Lua 5.1; install one of "
        .. "them, and build devkit4ai again for it\n", ended.err)
    end
    assert.equal(0, ended.code, ended.err)
    assert.same({ "completed", out }, { ended.json.status, ended.json.path })
    assert.equal("\137PNG", child.read(out):sub(1, 4))
  end)

  it("sandbox --json tells where it listens", function()
    if plain_51 then return end
    local ended = desk:interrupt({ "sandbox", "--json" }, "url")
    assert.equal(130, ended.code, ended.said)
    assert.is_truthy(ended.said:find '"url":"http://127%.0%.0%.1:%d+"', ended.said)
    assert.is_truthy(ended.said:find '"operator_key":"op_', ended.said)
  end)

  it("completion writes a script for each shell", function()
    for shell, word in pairs { bash = "complete ", zsh = "#compdef devkit4ai", fish = "complete -c devkit4ai" } do
      local ended = desk:run { "completion", shell }
      assert.equal(0, ended.code, ended.err)
      assert.is_truthy(ended.out:find(word, 1, true))
      assert.equal(shell, desk:run({ "completion", shell, "--json" }).json.shell)
    end
    assert.equal(2, desk:run({ "completion", "tcsh" }).code)
  end)

  describe("ends with", function()
    it("2 on wrong use", function()
      for _, words in ipairs {
        {}, { "fly" }, { "me", "--nothing" }, { "generate", "--prompt", "x", "--out", "y" },
        { "generate", helper.PNG, "--prompt", "x" }, { "wait" }, { "save", UNKNOWN }, { "list", "--limit", "many" },
        { "config", "--set", "developer_key=ak_secret" }, { "config", "--set", "colour=red" }, { "wait", "7" },
      } do
        local ended = desk:run(words)
        assert.equal(2, ended.code, table.concat(words, " ") .. ended.err)
        assert.equal("", ended.out)
      end
      assert.equal(0, desk:run({ "--help" }).code)
    end)

    it("5 where the server limits the rate", function()
      assert(desk.box:fault { operation = "get_me", status = 429, headers = { ["Retry-After"] = "3600" } })
      local ended = desk:run { "me", "--json" }
      assert.same({ 5, 3600 }, { ended.code, ended.json.error.retry_after }, ended.err)
    end)

    it("6 where nobody knows whether an order arrived, with the line that finds out", function()
      assert(desk.box:fault { operation = "create_generation", cut = "after" })
      local ended = desk:run {
        "generate", helper.PNG, "--prompt", "it's lost", "--out", desk.folder .. "/l.png", "--json",
      }
      assert.same({ 6, "unknown" }, { ended.code, ended.json.error.outcome }, ended.err)
      local line = ended.err:match "\n  devkit4ai (list %-%-find 'it'\\''s lost' %-%-since %d+)\n"
      assert.is_string(line, ended.err)
      local found = desk:run { "list", "--find", "it's lost", "--since", line:match "%d+$" }
      assert.equal(0, found.code, found.err)
    end)

    it("8 at the wait's deadline, with the line that goes on", function()
      assert(desk.box:fault { operation = "create_generation", hang = true })
      local ended = order("--out", desk.folder .. "/h.png", "--timeout", "0.3")
      assert.equal(8, ended.code, ended.err)
      local id = ended.err:match "ordered: generation (%S+)"
      local line = ("To continue, run:\n  devkit4ai wait %s --out %s/h.png\n"):format(id, desk.folder)
      assert.is_truthy(ended.err:find("was accepted and is paid for. " .. line, 1, true), ended.err)
    end)

    it("9 where the generation failed, with the server's reason", function()
      assert(desk.box:fault { operation = "create_generation", fail = "the model is tired" })
      local ended = order("--out", desk.folder .. "/f.png", "--json")
      assert.same({ 9, "failed" }, { ended.code, ended.json.error.kind }, ended.err)
    end)

    for signals, case in pairs {
      INT = { code = 6 }, TERM = { code = 6 }, HUP = { code = 6 }, ["HUP INT TERM"] = { code = 6 },
      ["INT TERM"] = { -- both may come at the same time; then the system delivers SIGINT first
        code = 130, scheme = "https", words = "interrupted; nothing was sent, and nothing is paid for\n",
      },
    } do
      it(("%d on a signal while it sends, and says what is paid for: %s"):format(case.code, signals), function()
        local server = raw.start { script = ([[return function(conn)
          conn:read(200)
          os.execute("echo now >>%s")
          conn:sleep(1000)
        end]]):format(desk.folder .. "/said") }
        finally(function() server:stop() end)
        local ended = desk:interrupt({ "generate", helper.PNG, "--prompt", "a city", "--no-wait" }, "now", { env = {
          DEVKIT4AI_BASE_URL = ("%s://127.0.0.1:%d"):format(case.scheme or "http", server.port),
          DEVKIT4AI_JWT_TOKEN = "token-1",
        }, signals = signals })
        assert.equal(case.code, ended.code, ended.said)
        local words = case.words or "interrupted\nThe request may have arrived, and may be paid for. "
          .. "To find out, run:\n  devkit4ai list --find 'a city' --since "
        assert.is_truthy(ended.said:find(words, 1, true), ended.said)
      end)
    end

    it("8 on Ctrl-C while it waits, with the line that goes on", function()
      assert(desk.box:fault { operation = "create_generation", hang = true })
      local out = desk.folder .. "/c.png"
      local ended = desk:interrupt(
        { "generate", helper.PNG, "--prompt", "x", "--out", out, "--base-url", desk.box.url }, "ordered")
      assert.equal(8, ended.code, ended.said)
      local id = ended.said:match "ordered: generation (%S+)"
      local words = ("interrupted\nThe generation %s was accepted and is paid for. "
        .. "To continue, run:\n  devkit4ai wait %s --out %s --base-url %s\n"):format(id, id, out, desk.box.url)
      assert.is_truthy(ended.said:find(words, 1, true), ended.said)
    end)
  end)
end)
