-- Failures after a payment: each has its own exit code, and its message has the id and a command line that continues. If the
-- outcome of the request is unknown, the message has the command line that finds the generation.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

local PAID, MAY_BE_PAID, FAILED = 8, 6, 9
local ONCE = _VERSION == "Lua 5.4" and not child.is_sanitized() -- it waits for 30 seconds
local UNKNOWN = "550e8400-e29b-41d4-a716-446655440000"

describe("devkit4ai after a payment", function()
  local workspace, number = nil, 0
  setup(function()
    workspace = command.new { step_time = 0.05 }
    workspace:login()
  end)
  teardown(function() workspace:remove() end)
  after_each(function()
    assert(workspace.box:clear_faults())
    workspace:login()
  end)

  local function name()
    number = number + 1
    return ("%s/p %d.png"):format(workspace.folder, number)
  end

  local function generate(out, ...)
    return { "generate", helper.PNG, "--prompt", "neon", "--interval", "0.1", "--out", out, ... }
  end

  -- Checks a failure with an id: its exit code, its message, and the suggested line, which saves the image.
  local function continues(own, ended, options)
    local output = ended.output or ended.err
    assert.equal(PAID, ended.code, output)
    local id = output:match "The generation ([%x-]+) was accepted and is paid for%."
    assert.is_string(id, output)
    local line = command.suggested_line(ended)
    assert.is_string(line, output)
    assert.is_truthy(line:find("devkit4ai wait " .. id, 1, true), line)
    assert.same({ 1, nil }, { select(2, output:gsub("paid for", "")), output:find "%f[%w]gen:%l" }, output)
    assert(own.box:clear_faults())
    assert(own.box:advance(1)) -- completed, so that the suggested line waits for no second request
    own:login()
    local before = own:count_generations()
    local went_on = own:run_in_shell(line, options)
    assert.same({ 0, before }, { went_on.code, own:count_generations() }, line .. "\n" .. went_on.output)
    local path = went_on.output:match "([^\n]+)\n$"
    assert.equal("\137PNG", child.read(path):sub(1, 4), line)
    return id, line, path
  end

  local WITH_GET = "get_generation_status"
  local CASES = {
    ["a session that ends"] = { { WITH_GET, 401 }, { "refresh_token", 401 } },
    ["a status request that is forbidden"] = { { WITH_GET, 403 } },
    ["a status request that finds nothing"] = ONCE and { { WITH_GET, 404 } } or nil,
    ["a status request with another 4xx"] = { { WITH_GET, 402 } },
    ["storage that answers 401"] = { { "picture", 401 } },
    ["storage that answers 403"] = { { "picture", 403 } },
    ["storage that answers 404"] = { { "picture", 404 } },
    ["storage that answers 408"] = { { "picture", 408 } },
    ["storage that limits the rate"] = { { "picture", 429, headers = { ["Retry-After"] = "3600" } } },
    ["storage that fails"] = { { "picture", 500 } },
    ["a response that is no image"] = { { "picture", 200, body = "<html>" } },
  }

  -- The cases run at the same time, each with its own sandbox: the longest one takes 30 seconds.
  local runs = {}
  setup(function()
    for what, faults in pairs(CASES) do
      local own = command.new { step_time = 0.05 }
      own:login()
      for _, fault in ipairs(faults) do
        assert(own.box:fault { operation = fault[1], status = fault[2], headers = fault.headers, body = fault.body,
          times = 100 })
      end
      local before, arguments = own:count_generations(), generate(own.folder .. "/x y.png", "-q", "--json")
      runs[what] = { workspace = own, before = before, finish = own:start(arguments) }
    end
  end)
  teardown(function()
    for _, run in pairs(runs) do run.workspace:remove() end
  end)

  for what in pairs(CASES) do
    it(what .. ": one payment, and the suggested line saves the image", function()
      local run = runs[what]
      local ended = run.finish()
      assert.equal(run.before + 1, run.workspace:count_generations())
      local err = ended.json.error
      assert.same({ PAID, "unknown", false }, { err.exit_code, err.outcome, err.retryable }, ended.out)
      local id, line = continues(run.workspace, ended)
      assert.same({ id, line }, { err.generation_id, err.command })
    end)
  end

  it("a wait that times out", function()
    assert(workspace.box:fault { operation = WITH_GET, status = 500, times = 100 })
    continues(workspace, workspace:run(generate(name(), "-q", "--timeout", "0.3")))
  end)

  it("a completed generation without an image URL", function()
    local id = workspace:run({ "generate", helper.PNG, "--prompt", "neon", "--no-wait", "-q" }).out:match "%S+"
    assert(workspace.box:fault { operation = WITH_GET, status = 200, times = 3,
      body = ('{"id":"%s","status":"completed"}'):format(id) })
    continues(workspace, workspace:run { "wait", id, "--out", name() })
  end)

  it("wait and save of an id: the same; an unknown id is no payment", function()
    local id = workspace:run({ "generate", helper.PNG, "--prompt", "neon", "--no-wait", "-q" }).out:match "%S+"
    for _, arguments in ipairs { { "wait", id, "--out", name() }, { "save", id, "--out", name() } } do
      for _, fault in ipairs { { WITH_GET, 403 }, { "picture", 500 } } do
        assert(workspace.box:fault { operation = fault[1], status = fault[2], times = 100 })
        local ended = workspace:run(arguments)
        local _, line, path = continues(workspace, ended)
        assert.is_truthy(line:find(path, 1, true))
        os.remove(path)
      end
      local ended = workspace:run { arguments[1], UNKNOWN, "--out", name() }
      assert.same({ 1, nil }, { ended.code, command.suggested_line(ended) }, ended.err)
      local no_login = { env = { XDG_CONFIG_HOME = workspace.folder .. "/no" } }
      ended = workspace:run({ arguments[1], id, "--out", name() }, no_login)
      assert.equal(4, ended.code, ended.err)
    end
  end)

  it("a generation that failed: its own exit code, and nothing to continue", function()
    assert(workspace.box:fault { operation = "create_generation", fail = "the model is tired" })
    local ended = workspace:run(generate(name(), "-q", "--json"))
    assert.same({ FAILED, "failed", FAILED }, { ended.code, ended.json.error.kind, ended.json.error.exit_code })
    assert.is_truthy(ended.err:find("the model is tired", 1, true), ended.err)
    assert.is_nil(command.suggested_line(ended))
    ended = workspace:run { "save", ended.json.error.generation_id, "--out", name() }
    assert.same({ FAILED, nil }, { ended.code, command.suggested_line(ended) }, ended.err)
  end)

  -- Runs generate. code: Lua that runs with `gen` as soon as the server has accepted the generation
  local function with_code(code, args)
    return child.run(([[
      local create = require "devkit4ai.generation.create"
      local run = create.run
      create.run = function(...)
        local gen, message, err = run(...)
        if gen then %s end
        return gen, message, err
      end
      require("devkit4ai.cli").main(arg)]]):format(code), { args = args, env = workspace:env() })
  end

  it("a file that another program created meanwhile: the suggested line has another name", function()
    local out = name()
    local ended = with_code(("io.open(%q, 'w'):write('mine')"):format(out), generate(out, "-q"))
    local _, _, path = continues(workspace, ended)
    assert.same({ false, "mine" }, { path == out, child.read(out) })
  end)

  it("a folder that was removed meanwhile", function()
    os.execute(("mkdir %s/gone"):format(workspace.folder))
    local out = workspace.folder .. "/gone/x.png"
    local ended = with_code(("os.remove(%q)"):format(workspace.folder .. "/gone"), generate(out, "-q"))
    local line = command.suggested_line(ended)
    assert.is_truthy(line:find "%-%-out [%x-]+%.png$", line)
    assert.equal(PAID, ended.code)
    assert.equal(0, workspace:run_in_shell(line).code)
  end)

  it("names and settings that need quotes in a shell, and --overwrite", function()
    local out = workspace:write("it's $HOME; `x`\n\27.png", "old")
    assert(workspace.box:fault { operation = "picture", status = 500, times = 100 })
    local ended = workspace:run(generate(out, "-q", "--overwrite", "--base-url", workspace.box.url), {
      env = { DEVKIT4AI_BASE_URL = false } })
    assert.is_nil(ended.err:find("\27", 1, true))
    local line = command.suggested_line(ended)
    assert.is_truthy(line:find(" --overwrite --base-url " .. workspace.box.url, 1, true), line)
    assert(workspace.box:clear_faults())
    assert.equal(0, workspace:run_in_shell(line, { env = { DEVKIT4AI_BASE_URL = false } }).code)
    assert.equal("\137PNG", child.read(out):sub(1, 4))
  end)

  it("standard output that takes nothing: the id is recovered, a saved image needs no command", function()
    local full = { before = "exec >/dev/full" }
    local ended = workspace:run({ "generate", helper.PNG, "--prompt", "x", "--no-wait", "-q" }, full)
    assert.equal(PAID, ended.code, ended.err)
    assert(workspace.box:advance(1))
    assert.equal(0, workspace:run_in_shell(command.suggested_line(ended)).code)
    local out = name()
    ended = workspace:run(generate(out, "-q"), full)
    assert.equal(1, ended.code, ended.err)
    local expected = ("The image is in %s. There is nothing to continue.\n"):format(out)
    assert.is_truthy(ended.err:find(expected, 1, true), ended.err)
    assert.is_nil(command.suggested_line(ended))
    assert.equal("\137PNG", child.read(out):sub(1, 4))
  end)

  it("a raised error, such as no memory", function()
    local fail = "function() error('not enough memory', 0) end"
    for code, expected in pairs {
      ["gen.wait = " .. fail] = PAID, ["gen.save = " .. fail] = PAID, [("(%s)()"):format(fail)] = PAID,
    } do
      local before = workspace:count_generations()
      local ended = with_code(code, generate(name(), "-q"))
      assert.same({ expected, before + 1 }, { ended.code, workspace:count_generations() }, code .. ended.err)
      assert.is_truthy(ended.err:find("not enough memory", 1, true), ended.err)
      assert.is_string(command.suggested_line(ended), ended.err)
    end
  end)

  for _, signals in ipairs { "INT", "TERM", "HUP" } do
    it("a signal during the wait, with -q: " .. signals, function()
      assert(workspace.box:fault { operation = "create_generation", hang = true })
      local out, before = name(), workspace:count_generations()
      local ended = workspace:interrupt(generate(out, "-q", "-v"), "GET .*/status", { signals = signals })
      assert.same({ PAID, before + 1 }, { ended.code, workspace:count_generations() }, ended.output)
      assert.is_truthy(command.suggested_line(ended):find("^devkit4ai wait [%x-]+ %-%-out "), ended.output)
    end)
  end

  for _, prompt in ipairs {
    "it's lost", "--dashes", 'a "b" $HOME `c` \\d %s', "two\nlines\tand \27[31m", "grün \194\133",
  } do
    it("an unknown outcome: the suggested line finds the generation: " .. prompt:gsub("%c", " "), function()
      assert(workspace.box:fault { operation = "create_generation", cut = "after" })
      local before = workspace:count_generations()
      local ended = workspace:run { "generate", helper.PNG, "--prompt=" .. prompt, "--no-wait", "-q", "--json" }
      assert.same({ MAY_BE_PAID, before + 1, "unknown", false },
        { ended.code, workspace:count_generations(), ended.json.error.outcome, ended.json.error.retryable }, ended.err)
      local line = command.suggested_line(ended)
      assert.is_nil(line:find "%c")
      assert.equal(1, select(2, ended.err:gsub("paid for", "")), ended.err)
      assert.equal(line, ended.json.error.command)
      local found = workspace:run_in_shell(line .. " --json")
      assert.equal(0, found.code, line .. found.output)
      local created = assert(workspace.box:generations())
      assert.is_truthy(found.output:find(created[#created].id, 1, true), found.output)
    end)
  end
end)
