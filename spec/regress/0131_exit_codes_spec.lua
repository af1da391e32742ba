-- Each exit code, by a run: standard output has one JSON object with the code, and its keys have the same order on every Lua.
-- Refused values and refused keys ended with 1.
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

local UNKNOWN = "550e8400-e29b-41d4-a716-446655440000"

describe("the exit code of devkit4ai", function()
  local workspace
  setup(function()
    workspace = command.new { step_time = 0.05 }
    workspace:login()
    workspace:write("there.png", "x")
    workspace:write("empty.png", "")
    workspace:write("gif.gif", "GIF89a")
    os.execute(("mkfifo %s/fifo.png"):format(workspace.folder))
  end)
  teardown(function() workspace:remove() end)
  after_each(function() assert(workspace.box:clear_faults()) end)

  local function in_folder(name) return workspace.folder .. "/" .. name end

  -- Whether the keys of the object are in alphabetical order.
  local function is_ordered(text)
    local last = ""
    for name in text:match('^{"error":({.*})}'):gmatch '[{,]"([%w_]+)":' do
      if name < last then return false end
      last = name
    end
    return true
  end

  local function ends(code, arguments, options)
    local all = { (table.unpack or unpack)(arguments) } -- luacheck: ignore 113
    all[#all + 1] = "--json"
    local before = #assert(workspace.box:generations())
    local ended = workspace:run(all, options)
    local line = table.concat(arguments, " ") .. "\n" .. ended.out .. ended.err
    assert.equal(code, ended.code, line)
    assert.equal(1, #ended.lines, line)
    assert.equal(code, ended.json.error.exit_code, line)
    assert.equal("devkit4ai: " .. ended.json.error.message .. "\n", ended.err)
    assert.is_true(is_ordered(ended.out), line)
    for _, lua in ipairs { "client:", "project:", "gen:", "key:", "{ %l", "the option %l" } do
      assert.is_nil(ended.json.error.message:find("%f[%w{]" .. lua), line)
    end
    assert.equal(before, #assert(workspace.box:generations()))
    return ended.json.error
  end

  local function generate(...)
    return { "generate", "--prompt", "x", ... }
  end

  it("is 2 if the command refuses a value: options, settings, images, the file of --out", function()
    for _, arguments in ipairs {
      {}, { "fly" }, { "--nope" }, { "me", "--nope" }, { "me", "extra" }, { "me", "--base-url", "foo" },
      { "me", "--base-url", "" }, { "me", "--base-url", "ftp://x" }, { "me", "--base-url", "http://user:pw@x" },
      { "me", "--base-url", "http://example.com" },
      { "me", "--role", "admin" }, { "me", "--role", "" }, { "list", "--project", "xyz" }, { "list", "--project", "" },
      { "me", "--ca-file", "" }, { "me", "--env-file", "" }, { "me", "--env-file", in_folder "none" },
      { "me", "--role", "developer", "--role", "end_user" }, { "list", "--limit", "1", "--limit", "2" },
      generate("--out", in_folder "o.png"), generate(helper.PNG), generate(helper.PNG, "--out", ""),
      generate(helper.PNG, "--out", in_folder "there.png"), generate(helper.PNG, "--out", workspace.folder),
      generate(helper.PNG, "--out", in_folder "fifo.png", "--overwrite"),
      generate(helper.PNG, "--out", in_folder "no/o.png"),
      generate(helper.PNG, "--out", in_folder "o.png", "--out", in_folder "p.png"),
      generate(helper.PNG, "--out", in_folder "o.png", "--no-wait"), generate(helper.PNG, "--no-wait", "--prompt", "y"),
      generate(in_folder "none.png", "--no-wait"), generate(workspace.folder, "--no-wait"), generate("", "--no-wait"),
      generate(in_folder "empty.png", "--no-wait"), generate(in_folder "gif.gif", "--no-wait"),
      generate(helper.PNG, helper.PNG, helper.PNG, helper.PNG, helper.PNG, helper.PNG, "--no-wait"),
      { "save", UNKNOWN, "--out", in_folder "there.png" }, { "wait", UNKNOWN, "--out", workspace.folder },
      { "wait", "7" }, { "keys", "--revoke", "x" }, { "keys", "--save" }, { "config", "--set", "role=boss" },
      { "config", "--set", "x=1" }, { "config", "--set", "allow_http=perhaps" }, { "config", "--set", "base_url=" },
      { "config", "--unset", "x" }, { "config", "--set", "role=developer", "--unset", "role" },
      { "completion", "tcsh" }, { "login", "--email", "a@b.c" }, { "config", "--set", "" },
      { "config", "--set", "=x" }, { "config", "--set", "email=x", "--stdin" },
      { "config", "--set", "proxy=foo:bar:baz" }, { "config", "--set", "ca_file=/none" },
      { "config", "--set", "ca_file=" .. workspace.folder },
      { "config", "--set", "developer_key", "--file", "/none" },
      { "config", "--set", "developer_key", "--file", workspace.folder },
      { "login", "--email", "a@b.c", "--password-file", in_folder "empty.png" },
      { "login", "--email", "a@b.c", "--password-file", "" },
    } do
      ends(2, arguments)
    end
    for name, value in pairs {
      DEVKIT4AI_BASE_URL = "foo", DEVKIT4AI_PROJECT_ID = "7", DEVKIT4AI_DEVELOPER_KEY = "a\nb",
      DEVKIT4AI_JWT_TOKEN = " a",
    } do
      local err = ends(2, { "me" }, { env = { [name] = value } })
      assert.is_truthy(err.message:find("(environment variable " .. name .. ")", 1, true), err.message)
    end
    ends(2, { "keys" }, { env = { DEVKIT4AI_PROJECT_ID = false } })
    workspace:write("devkit4ai/config", "base_url = foo\n")
    local err = ends(2, { "me" }, { env = { DEVKIT4AI_BASE_URL = false } })
    os.remove(in_folder "devkit4ai/config")
    assert.is_truthy(err.message:find("(settings file)", 1, true), err.message)
  end)

  it("is 1 if a file can't be used, a disk is full, or the server refuses", function()
    workspace:write("devkit4ai/config", "role = developer")
    ends(1, { "me" })
    os.remove(in_folder "devkit4ai/config")
    local err = ends(1, generate(helper.PNG, "--out", in_folder "room.png"), { before = "ulimit -f 8" })
    assert.is_truthy(err.message:find("the process may not write so large a file", 1, true), err.message)
    ends(1, { "wait", UNKNOWN })
    ends(1, { "keys", "--revoke", UNKNOWN })
    ends(1, { "me" }, { env = { DEVKIT4AI_BASE_URL = "http://127.0.0.1:1", DEVKIT4AI_JWT_TOKEN = "token-1" } })
    assert(workspace.box:fault { operation = "get_me", status = 500, times = 9 })
    ends(1, { "me" })
    assert(workspace.box:fault { operation = "create_project", status = 400 })
    ends(1, { "projects", "--new", "x" })
  end)

  it("is 4 if a key or token is missing, or the server refuses it", function()
    for name, value in pairs {
      DEVKIT4AI_DEVELOPER_KEY = "ak_wrong1234", DEVKIT4AI_PROJECT_KEY = "pk_wrong1234", DEVKIT4AI_JWT_TOKEN = "wrong",
    } do
      ends(4, generate(helper.PNG, "--no-wait"), { env = { [name] = value } })
      if name ~= "DEVKIT4AI_JWT_TOKEN" then ends(4, generate(helper.PNG, "--no-wait"), { env = { [name] = false } }) end
    end
    ends(4, { "keys", "--developer" }, { env = { DEVKIT4AI_DEVELOPER_KEY = "ak_wrong1234" } })
    ends(4, { "me" }, { env = { XDG_CONFIG_HOME = in_folder "none" } })
    ends(4, { "login", "--email", command.EMAIL, "--password-stdin" }, { input = "Wrong-Pass1\n" })
  end)

  it("is 5 if the server limits the rate", function()
    assert(workspace.box:fault { operation = "list_projects", status = 429, headers = { ["Retry-After"] = "3600" } })
    assert.equal(3600, ends(5, { "projects" }).retry_after)
  end)

  it("is 6 if the creation of a key or project has an unknown outcome, with the command that shows it", function()
    for arguments, names in pairs { [{ "keys", "--new", "x" }] = { "create_api_key", "devkit4ai keys" },
      [{ "keys", "--developer", "--new", "x" }] = { "create_developer_key", "devkit4ai keys --developer" },
      [{ "projects", "--new", "x" }] = { "create_project", "devkit4ai projects" } } do
      assert(workspace.box:fault { operation = names[1], cut = "after" })
      local err = ends(6, arguments)
      assert.is_truthy(err.message:find("`" .. names[2] .. "`", 1, true), err.message)
    end
  end)

  it("is 6 after Ctrl-C while a key is created, and 130 while nothing changes", function()
    assert(workspace.box:fault { operation = "create_api_key", delay = 3600 })
    local ended = workspace:interrupt({ "keys", "--new", "x", "-v" }, "POST")
    assert.equal(6, ended.code, ended.output)
    local expected = "interrupted; a new key may exist now: look for it in `devkit4ai keys`"
    assert.is_truthy(ended.output:find(expected, 1, true), ended.output)
    assert(workspace.box:fault { operation = "list_projects", delay = 3600 })
    ended = workspace:interrupt({ "projects", "-v" }, "GET")
    assert.equal(130, ended.code, ended.output)
  end)

  it("is 7 if a call that changes nothing times out", function()
    assert(workspace.box:fault { operation = "login", status = 408, times = 9 })
    ends(7, { "login", "--email", command.EMAIL, "--password-stdin" }, { input = command.PASSWORD .. "\n" })
    assert(workspace.box:fault { operation = "get_me", status = 408, times = 9 })
    ends(7, { "me" })
  end)
end)
