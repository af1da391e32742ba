-- Bad values of options and arguments: the command ends with the documented exit code, and sends no request.
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

describe("devkit4ai refuses before anything is sent", function()
  local workspace
  setup(function()
    workspace = command.new { step_time = 0.05 }
    workspace:login()
  end)
  teardown(function() workspace:remove() end)

  local function refused(code, arguments)
    local before = #assert(workspace.box:requests())
    local ended = workspace:run(arguments)
    local line = table.concat(arguments, " ")
    assert.equal(code, ended.code, line .. "\n" .. ended.err)
    assert.equal(before, #assert(workspace.box:requests()), line)
    assert.equal("", ended.out, line)
    assert.is_truthy(ended.err:find "^devkit4ai: ", ended.err)
    return ended
  end

  local ID = "550e8400-e29b-41d4-a716-446655440000"
  local SECONDS = { "0", "-1", "nan", "inf", "-inf", "1e999", "0x10", "soon", "", "1,5", " 1", ("9"):rep(400) }

  local function generate(...)
    return { "generate", helper.PNG, "--prompt", "neon", ... }
  end

  for _, value in ipairs(SECONDS) do
    it(("a time of %q, which is not a number of seconds above 0"):format(value:sub(1, 12)), function()
      for _, name in ipairs { "--timeout=", "--interval=" } do
        refused(2, generate("--out", workspace.folder .. "/time.png", name .. value))
        refused(2, generate("--no-wait", "-q", name .. value))
        refused(2, { "wait", ID, name .. value })
      end
    end)
  end

  it("but not times that are one", function()
    local arguments = generate("--out", workspace.folder .. "/time.png", "--timeout", "60", "--interval", ".1")
    assert.equal(0, workspace:run(arguments).code)
  end)

  it("with --json, with an object that has the exit code", function()
    local ended = workspace:run(generate("--no-wait", "--json", "--interval", "0"))
    assert.same({ 2, "invalid", "not_sent", 2 },
      { ended.code, ended.json.error.kind, ended.json.error.outcome, ended.json.error.exit_code })
  end)

  it("counts of a list", function()
    for _, value in ipairs { "0", "-1", "1.5", "nan", "inf", "many", "1e3", "" } do
      refused(2, { "list", "--limit=" .. value })
    end
  end)

  it("times of a list", function()
    for _, value in ipairs { "-1", "nan", "inf", "soon", "1e20", "99999999999999", "" } do
      refused(2, { "list", "--find", "x", "--since=" .. value })
    end
    refused(2, { "list", "--since", "1" })
    refused(2, { "list", "--find", " " })
  end)

  for _, id in ipairs { "7", "", "pk_secret_key_1", ID .. "0", (ID:gsub("%-", "")) } do
    it(("the id %q"):format(id), function()
      for _, arguments in ipairs { { "wait", id }, { "save", id, "--out", workspace.folder .. "/i.png" },
        { "keys", "--revoke=" .. id } } do
        local ended = refused(2, arguments)
        assert.is_nil(ended.err:find("pk_secret", 1, true)) -- it may be a key
      end
    end)
  end

  it("the id of a project", function() refused(2, { "list", "--project", "7" }) end)

  it("prompts and names", function()
    for _, prompt in ipairs { "", "  ", ("x"):rep(1001), "\255" } do
      refused(2, { "generate", helper.PNG, "--no-wait", "--prompt", prompt })
    end
    refused(2, { "keys", "--new", "" })
    refused(2, { "keys", "--rotate", " " })
    refused(2, { "keys", "--save" })
    refused(2, { "projects", "--new", "" })
    refused(2, { "projects", "--description", "of nothing" })
  end)

  it("images", function()
    local big = workspace:write("big.png", "\137PNG\r\n\26\n" .. ("x"):rep(11 * 1024 * 1024))
    local function send(...) return refused(2, { "generate", "--prompt", "neon", "--no-wait", ... }) end
    send(workspace.folder .. "/none.png")
    send(workspace.folder)
    send(helper.PNG, workspace:write("empty.png", ""))
    send(helper.PNG, workspace:write("text.png", "text"))
    send(big)
    local ended = send(helper.PNG, helper.PNG, helper.PNG, helper.PNG, helper.PNG, helper.PNG)
    assert.is_truthy(ended.err:find("at most 5 images", 1, true), ended.err)
    send()
  end)

  describe("a file that can't be written:", function()
    setup(function()
      workspace:write("there.png", "x")
      os.execute(("ln -s none %s/dangling.png; mkfifo %s/fifo.png"):format(workspace.folder, workspace.folder))
    end)

    for _, name in ipairs { "FOLDER/there.png", "FOLDER", "FOLDER/none/x.png", "", "x/", "FOLDER/dangling.png",
      "FOLDER/fifo.png", "FOLDER/" .. ("n"):rep(256), "/dev/null", "/proc/x.png" } do
      it(name == "" and "an empty name" or name:sub(1, 40), function()
        local out = name:gsub("^FOLDER", workspace.folder)
        refused(2, generate("--out", out))
        refused(2, { "wait", ID, "--out", out })
        refused(2, { "save", ID, "--out", out })
      end)
    end
  end)

  it("files that can't be replaced", function()
    for _, out in ipairs { workspace.folder, workspace.folder .. "/fifo.png", workspace.folder .. "/none/x.png" } do
      refused(2, generate("--overwrite", "--out", out))
    end
    assert.equal("", helper.shell("ls " .. workspace.folder .. " | grep probe"))
  end)

  it("a file for which the disk has no room", function()
    local before = workspace:count_generations()
    local ended = workspace:run(generate("--out", workspace.folder .. "/room.png"), { before = "ulimit -f 8" })
    assert.same({ 1, before }, { ended.code, workspace:count_generations() }, ended.err)
    local expected = "room.png can't be written (the process may not write so large a file"
    assert.is_truthy(ended.err:find(expected, 1, true), ended.err)
  end)
end)
