-- After a payment: every failure ends with the code of its own, and tells the id and a line that continues as printed. A
-- failure whose request may have been paid for tells the line that finds it.
local child = require "spec.support.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

local PAID, MAY_BE_PAID, FAILED = 8, 6, 9
local ONCE = _VERSION == "Lua 5.4" and not child.is_sanitized() -- it waits for 30 seconds
local UNKNOWN = "550e8400-e29b-41d4-a716-446655440000"

describe("devkit4ai after a payment", function()
  local desk, number = nil, 0
  setup(function()
    desk = command.new { step_time = 0.05 }
    desk:login()
  end)
  teardown(function() desk:remove() end)
  after_each(function()
    assert(desk.box:clear_faults())
    desk:login()
  end)

  local function name()
    number = number + 1
    return ("%s/p %d.png"):format(desk.folder, number)
  end

  local function generate(out, ...)
    return { "generate", helper.PNG, "--prompt", "neon", "--interval", "0.1", "--out", out, ... }
  end

  -- What is wanted of a failure that has an id: code, words, and a line that saves the picture.
  local function continues(own, ended, options)
    local said = ended.said or ended.err
    assert.equal(PAID, ended.code, said)
    local id = said:match "The generation ([%x-]+) was accepted and is paid for%."
    assert.is_string(id, said)
    local line = command.line(ended)
    assert.is_string(line, said)
    assert.is_truthy(line:find("devkit4ai wait " .. id, 1, true), line)
    assert.same({ 1, nil }, { select(2, said:gsub("paid for", "")), said:find "%f[%w]gen:%l" }, said)
    assert(own.box:clear_faults())
    assert(own.box:advance(1)) -- it is completed: the line has not to wait for the second look
    own:login()
    local before = own:made()
    local went_on = own:shell(line, options)
    assert.same({ 0, before }, { went_on.code, own:made() }, line .. "\n" .. went_on.said)
    local path = went_on.said:match "([^\n]+)\n$"
    assert.equal("\137PNG", child.read(path):sub(1, 4), line)
    return id, line, path
  end

  local WITH_GET = "get_generation_status"
  local CASES = {
    ["a session that ends"] = { { WITH_GET, 401 }, { "refresh_token", 401 } },
    ["a look that is forbidden"] = { { WITH_GET, 403 } },
    ["a look that finds nothing"] = ONCE and { { WITH_GET, 404 } } or nil,
    ["a look with another 4xx"] = { { WITH_GET, 402 } },
    ["storage that answers 401"] = { { "picture", 401 } },
    ["storage that answers 403"] = { { "picture", 403 } },
    ["storage that answers 404"] = { { "picture", 404 } },
    ["storage that answers 408"] = { { "picture", 408 } },
    ["storage that limits the rate"] = { { "picture", 429, headers = { ["Retry-After"] = "3600" } } },
    ["storage that fails"] = { { "picture", 500 } },
    ["a picture that is none"] = { { "picture", 200, body = "<html>" } },
  }

  -- Each has a sandbox of its own, and all run beside each other: the longest waits for 30 seconds.
  local runs = {}
  setup(function()
    for what, faults in pairs(CASES) do
      local own = command.new { step_time = 0.05 }
      own:login()
      for _, fault in ipairs(faults) do
        assert(own.box:fault { operation = fault[1], status = fault[2], headers = fault.headers, body = fault.body,
          times = 100 })
      end
      local before, words = own:made(), generate(own.folder .. "/x y.png", "-q", "--json")
      runs[what] = { desk = own, before = before, finish = own:start(words) }
    end
  end)
  teardown(function()
    for _, run in pairs(runs) do run.desk:remove() end
  end)

  for what in pairs(CASES) do
    it(what .. ": pays once, and the line saves the picture", function()
      local run = runs[what]
      local ended = run.finish()
      assert.equal(run.before + 1, run.desk:made())
      local err = ended.json.error
      assert.same({ PAID, "unknown", false }, { err.exit_code, err.outcome, err.retryable }, ended.out)
      local id, line = continues(run.desk, ended)
      assert.same({ id, line }, { err.generation_id, err.command })
    end)
  end

  it("the end of the time", function()
    assert(desk.box:fault { operation = WITH_GET, status = 500, times = 100 })
    continues(desk, desk:run(generate(name(), "-q", "--timeout", "0.3")))
  end)

  it("a completed generation without a picture's address", function()
    local id = desk:run({ "generate", helper.PNG, "--prompt", "neon", "--no-wait", "-q" }).out:match "%S+"
    assert(desk.box:fault { operation = WITH_GET, status = 200, times = 3,
      body = ('{"id":"%s","status":"completed"}'):format(id) })
    continues(desk, desk:run { "wait", id, "--out", name() })
  end)

  it("wait and save of an id: the same; one that was never seen is no payment of ours", function()
    local id = desk:run({ "generate", helper.PNG, "--prompt", "neon", "--no-wait", "-q" }).out:match "%S+"
    for _, words in ipairs { { "wait", id, "--out", name() }, { "save", id, "--out", name() } } do
      for _, fault in ipairs { { WITH_GET, 403 }, { "picture", 500 } } do
        assert(desk.box:fault { operation = fault[1], status = fault[2], times = 100 })
        local ended = desk:run(words)
        local _, line, path = continues(desk, ended)
        assert.is_truthy(line:find(path, 1, true))
        os.remove(path)
      end
      local ended = desk:run { words[1], UNKNOWN, "--out", name() }
      assert.same({ 1, nil }, { ended.code, command.line(ended) }, ended.err)
      ended = desk:run({ words[1], id, "--out", name() }, { env = { XDG_CONFIG_HOME = desk.folder .. "/no" } })
      assert.equal(4, ended.code, ended.err)
    end
  end)

  it("a generation that failed: a code of its own, and nothing to continue", function()
    assert(desk.box:fault { operation = "create_generation", fail = "the model is tired" })
    local ended = desk:run(generate(name(), "-q", "--json"))
    assert.same({ FAILED, "failed", FAILED }, { ended.code, ended.json.error.kind, ended.json.error.exit_code })
    assert.is_truthy(ended.err:find("the model is tired", 1, true), ended.err)
    assert.is_nil(command.line(ended))
    ended = desk:run { "save", ended.json.error.generation_id, "--out", name() }
    assert.same({ FAILED, nil }, { ended.code, command.line(ended) }, ended.err)
  end)

  -- Runs generate; code is Lua that runs with `gen`, as soon as the server has accepted it.
  local function with_code(code, args)
    return child.run(([[
      local create = require "devkit4ai.generation.create"
      local run = create.run
      create.run = function(...)
        local gen, message, err = run(...)
        if gen then %s end
        return gen, message, err
      end
      require("devkit4ai.cli").main(arg)]]):format(code), { args = args, env = desk:env() })
  end

  it("a name that was taken meanwhile: the line names another file, and the taken one stays", function()
    local out = name()
    local ended = with_code(("io.open(%q, 'w'):write('mine')"):format(out), generate(out, "-q"))
    local _, _, path = continues(desk, ended)
    assert.same({ false, "mine" }, { path == out, child.read(out) })
  end)

  it("a folder that went away", function()
    os.execute(("mkdir %s/gone"):format(desk.folder))
    local out = desk.folder .. "/gone/x.png"
    local ended = with_code(("os.remove(%q)"):format(desk.folder .. "/gone"), generate(out, "-q"))
    local line = command.line(ended)
    assert.is_truthy(line:find "%-%-out [%x-]+%.png$", line)
    assert.equal(PAID, ended.code)
    assert.equal(0, desk:shell(line).code)
  end)

  it("names and settings that a shell would read otherwise, and --overwrite", function()
    local out = desk:write("it's $HOME; `x`\n\27.png", "old")
    assert(desk.box:fault { operation = "picture", status = 500, times = 100 })
    local ended = desk:run(generate(out, "-q", "--overwrite", "--base-url", desk.box.url), {
      env = { DEVKIT4AI_BASE_URL = false } })
    assert.is_nil(ended.err:find("\27", 1, true))
    local line = command.line(ended)
    assert.is_truthy(line:find(" --overwrite --base-url " .. desk.box.url, 1, true), line)
    assert(desk.box:clear_faults())
    assert.equal(0, desk:shell(line, { env = { DEVKIT4AI_BASE_URL = false } }).code)
    assert.equal("\137PNG", child.read(out):sub(1, 4))
  end)

  it("standard output that takes nothing, before and behind the picture", function()
    local full = { before = "exec >/dev/full" }
    local ended = desk:run({ "generate", helper.PNG, "--prompt", "x", "--no-wait", "-q" }, full)
    assert.equal(PAID, ended.code, ended.err)
    assert(desk.box:advance(1))
    assert.equal(0, desk:shell(command.line(ended)).code)
    local out = name()
    ended = desk:run(generate(out, "-q"), full)
    assert.equal(PAID, ended.code, ended.err)
    assert.is_truthy(ended.err:find(("The picture is in %s.\n"):format(out), 1, true), ended.err)
    assert.same({ 0, "completed\n" }, { desk:shell(command.line(ended)).code, desk:shell(command.line(ended)).said })
  end)

  it("an error that is raised, as at the end of the memory", function()
    local fail = "function() error('not enough memory', 0) end"
    for code, expected in pairs {
      ["gen.wait = " .. fail] = PAID, ["gen.save = " .. fail] = PAID, [("(%s)()"):format(fail)] = PAID,
    } do
      local before = desk:made()
      local ended = with_code(code, generate(name(), "-q"))
      assert.same({ expected, before + 1 }, { ended.code, desk:made() }, code .. ended.err)
      assert.is_truthy(ended.err:find("not enough memory", 1, true), ended.err)
      assert.is_string(command.line(ended), ended.err)
    end
  end)

  for _, signals in ipairs { "INT", "TERM", "HUP" } do
    it("a signal while it waits, with -q: " .. signals, function()
      assert(desk.box:fault { operation = "create_generation", hang = true })
      local out, before = name(), desk:made()
      local ended = desk:interrupt(generate(out, "-q", "-v"), "GET .*/status", { signals = signals })
      assert.same({ PAID, before + 1 }, { ended.code, desk:made() }, ended.said)
      assert.is_truthy(command.line(ended):find("^devkit4ai wait [%x-]+ %-%-out "), ended.said)
    end)
  end

  for _, prompt in ipairs {
    "it's lost", "--dashes", 'a "b" $HOME `c` \\d %s', "two\nlines\tand \27[31m", "grün \194\133",
  } do
    it("an order whose outcome is unknown: the line finds it: " .. prompt:gsub("%c", " "), function()
      assert(desk.box:fault { operation = "create_generation", cut = "after" })
      local before = desk:made()
      local ended = desk:run { "generate", helper.PNG, "--prompt=" .. prompt, "--no-wait", "-q", "--json" }
      assert.same({ MAY_BE_PAID, before + 1, "unknown", false },
        { ended.code, desk:made(), ended.json.error.outcome, ended.json.error.retryable }, ended.err)
      local line = command.line(ended)
      assert.is_nil(line:find "%c")
      assert.equal(1, select(2, ended.err:gsub("paid for", "")), ended.err)
      assert.equal(line, ended.json.error.command)
      local found = desk:shell(line .. " --json")
      assert.equal(0, found.code, line .. found.said)
      local made = assert(desk.box:generations())
      assert.is_truthy(found.said:find(made[#made].id, 1, true), found.said)
    end)
  end
end)
