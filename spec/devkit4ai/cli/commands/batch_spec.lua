-- devkit4ai batch against a sandbox: data on standard output, exit codes, lost answers, a quota, Ctrl-C. The library's own
-- specs have the journal and the steps. One Lua is enough for what the command adds.
if _VERSION ~= "Lua 5.4" then return end

local batches = require "spec.support.batches"
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

local FAST = batches.SHORT_PAUSES

describe("devkit4ai batch", function()
  local workspace, count, image
  setup(function()
    image = helper.shell "pwd":match "[^\n]+" .. "/" .. helper.PNG
    workspace = command.new { step_time = 0.05 }
    workspace:login()
    count = 0
  end)
  teardown(function() workspace:remove() end)
  after_each(function() assert(workspace.box:clear_faults()) end)

  -- A file of jobs with these cities, and a new folder for the results.
  local function jobs(...)
    count = count + 1
    local lines = { "name,image,city" }
    for _, city in ipairs { ... } do lines[#lines + 1] = ("%s.png,%s,%s"):format(city, image, city) end
    return workspace:write(("jobs%d.csv"):format(count), table.concat(lines, "\n") .. "\n"),
      ("%s/it's out%d"):format(workspace.folder, count)
  end

  local function arguments(path, out, ...)
    return { "batch", path, "--out", out, "--prompt", "{row.city} at night", ... }
  end

  local function run(path, out, ...)
    return workspace:run(arguments(path, out, ...), { code = FAST })
  end

  local function page_of(out) return child.read(out .. "/index.html") end

  it("makes a file for each job, and a page; a second run does and pays nothing", function()
    local path, out = jobs("Oslo", "Rome")
    local before = workspace:count_generations()
    local ended = run(path, out)
    assert.same({ 0, out .. "/index.html\n" }, { ended.code, ended.out }, ended.err)
    assert.matches("^2 of 2 jobs done, 2 payments in this run, %d+ s\n$", ended.err)
    assert.same({ "Oslo.png", "Rome.png", "index.html", "journal.jsonl", "journal.jsonl.length" }, child.list(out))
    assert.equal("\137PNG", child.read(out .. "/Oslo.png"):sub(1, 4))
    assert.is_truthy(page_of(out):find('<img src="Oslo.png"', 1, true))
    ended = run(path, out)
    assert.equal(0, ended.code)
    assert.matches("^2 of 2 jobs done, 0 payments in this run, %d+ s\n$", ended.err)
    assert.equal(before + 2, workspace:count_generations())
    assert.is_truthy(page_of(out):find("<dt>Payments</dt><dd>2</dd>", 1, true)) -- those of both runs
  end)

  it("--dry-run prints the plan and sends nothing", function()
    local path, out = jobs("Oslo", "Rome")
    local before = workspace:count_generations()
    local ended = run(path, out, "--dry-run")
    assert.equal(0, ended.code, ended.err)
    assert.equal("2 jobs: 0 done, 0 failed, 0 undecided, 2 to send and to pay for\nestimate: 2 min, with 2 at once\n"
      .. "nothing was sent\n", ended.out)
    ended = run(path, out, "--dry-run", "--json")
    assert.same({ 2, 2 }, { ended.json.total, ended.json.to_send })
    assert.is_nil(io.open(out .. "/index.html"))
    assert.equal(before, workspace:count_generations())
  end)

  it("ends with 2 if a job can't be used, and names its line", function()
    local path, out = jobs("Oslo", "Oslo")
    local ended = run(path, out, "--json")
    assert.equal(2, ended.code, ended.err)
    assert.matches("jobs%d+%.csv: 1 problem in 2 jobs; nothing was sent\n  line 3: the name Oslo%.png is", ended.err)
    assert.equal("invalid", ended.json.error.kind)
  end)

  it("--json prints a line for each event, then the summary", function()
    local path, out = jobs("Oslo")
    local ended = run(path, out, "--json")
    local types = {}
    for i, line in ipairs(ended.lines) do types[i] = line.type end
    assert.same({ "planned", "sending", "accepted", "completed", "saved", "stopped", "summary" }, types)
    assert.same({ "Oslo.png", 1, 1 }, { ended.lines[3].job, ended.lines[3].number, ended.lines[3].counts.total })
    assert.is_string(ended.lines[3].id)
    assert.same({ 1, 1, 0 }, { ended.json.total, ended.json.done, ended.json.left })
    assert.matches("/index%.html$", ended.json.page)
  end)

  it("ends with 9 if jobs failed at the server, and shows why, even with -q", function()
    local path, out = jobs("Oslo", "Rome")
    assert(workspace.box:fault { operation = "create_generation", fail = "the model is <tired>", times = 1 })
    local ended = run(path, out, "-q")
    assert.equal(9, ended.code, ended.err)
    assert.matches("^devkit4ai: %a+%.png failed: the model is <tired>\ndevkit4ai: 1 job failed\n$", ended.err)
    assert.is_truthy(page_of(out):find("the model is &lt;tired&gt;", 1, true))
  end)

  it("ends with 6 if a job is undecided; the line that it prints sends the job again", function()
    local path, out = jobs("Oslo", "Rome")
    assert(workspace.box:fault { operation = "create_generation", cut = "before", times = 1 })
    local before = workspace:count_generations()
    local ended = run(path, out)
    assert.equal(6, ended.code, ended.err)
    local line = assert(ended.err:match "To send it again, which may pay again, run:\n  ([^\n]+)\n", ended.err)
    assert.matches("\ndevkit4ai: 1 job is undecided; nothing was sent again\n$", ended.err)
    assert.is_truthy(page_of(out):find("Undecided jobs (1)", 1, true))
    assert.is_truthy(page_of(out):find("--again", 1, true))
    assert.equal(6, run(path, out).code) -- another run decides nothing by itself
    assert.equal(before + 1, workspace:count_generations())
    local again = workspace:run_in_shell(line)
    assert.equal(0, again.code, again.output)
    assert.equal(before + 2, workspace:count_generations())
    assert.equal(5, #child.list(out)) -- with the page, the journal and its length
  end)

  it("finds a job whose answer was lost, and pays once", function()
    local path, out = jobs("Oslo")
    assert(workspace.box:fault { operation = "create_generation", cut = "after", times = 1 })
    local before = workspace:count_generations()
    local ended = run(path, out)
    assert.equal(0, ended.code, ended.err)
    assert.equal(before + 1, workspace:count_generations())
  end)

  it("ends with 5 at a quota, and says when it can continue", function()
    local path, out = jobs("Oslo", "Rome")
    assert(workspace.box:fault { operation = "create_generation", rate_limit = 7200, times = 99 })
    local ended = run(path, out, "--json")
    assert.equal(5, ended.code, ended.err)
    assert.matches("quota is used up; it can continue on %d+%-%d%d%-%d%d at %d%d:%d%d UTC, in [12] h.*%. Not done: "
      .. "2 jobs%. To continue, which pays for nothing twice, run:\n  devkit4ai batch ", ended.err)
    assert.equal("rate_limited", ended.json.error.kind)
    assert.matches("^devkit4ai batch .* %-%-prompt '{row%.city} at night'", ended.json.error.command)
    assert.is_truthy(page_of(out):find("To continue on", 1, true))
    assert(workspace.box:clear_faults())
    assert.equal(0, run(path, out).code)
  end)

  it("ends with 4 if the key is refused; nothing is paid for", function()
    local path, out = jobs("Oslo")
    local ended = workspace:run(arguments(path, out), {
      code = FAST, env = { DEVKIT4AI_PROJECT_KEY = "pk_" .. ("x"):rep(32) },
    })
    assert.equal(4, ended.code, ended.err)
    assert.matches("Not done: 1 job%. To continue", ended.err)
  end)

  it("stops at SIGINT and SIGTERM, and says how to continue", function()
    for signal, code in pairs { INT = 8, TERM = 8 } do
      local path, out = jobs("Oslo", "Rome", "Paris")
      assert(workspace.box:fault { operation = "create_generation", hang = true, times = 99 })
      local before = workspace:count_generations()
      local ended = workspace:interrupt(arguments(path, out, "--json"), "accepted", { signals = signal, code = FAST })
      assert.equal(code, ended.code, ended.output)
      assert.matches("interrupted%. Not done: 3 jobs, of which %d accepted and paid for%. To continue", ended.output)
      assert.matches("^devkit4ai batch ", command.suggested_line(ended))
      local paid = workspace:count_generations() - before
      assert.is_true(paid >= 1)
      assert.is_truthy(page_of(out):find("Not done yet (3)", 1, true))
    end
  end)

  it("takes a folder of images, standard input, and several images", function()
    local folder = workspace.folder .. "/photos"
    os.execute(("mkdir '%s' && cp %s '%s/a.png' && cp %s '%s/b.png'"):format(folder, helper.PNG, folder, helper.PNG2,
      folder))
    local out = workspace.folder .. "/of folder"
    local ended = workspace:run({ "batch", folder, "--out", out, "--prompt", "{row.stem} in oil" }, { code = FAST })
    assert.equal(0, ended.code, ended.err)
    assert.same({ "a.png", "b.png", "index.html", "journal.jsonl", "journal.jsonl.length" }, child.list(out))
    ended = workspace:run({
      "batch", "-", "--out", workspace.folder .. "/of input", "--images", folder .. "/{row.i}.png", "--images",
      folder .. "/b.png", "--name", "{row.i}-x.png",
    }, { code = FAST, input = '{"i":"a","prompt":"neon"}\n' })
    assert.equal(0, ended.code, ended.err)
    assert.same({ "a-x.png", "index.html", "journal.jsonl", "journal.jsonl.length" },
      child.list(workspace.folder .. "/of input"))
  end)

  it("says who runs the batch already", function()
    local path, out = jobs("Oslo")
    os.execute(("mkdir %s"):format(helper.quote(out)))
    local journal = assert(require("devkit4ai.batch.journal").open(out))
    assert(journal:begin({}, {}))
    local ended = run(path, out)
    journal:close()
    assert.equal(1, ended.code, ended.err)
    assert.matches("process %d+ on .* runs this batch; wait for its end, or end it%. Nothing was sent", ended.err)
    assert.equal(0, run(path, out).code)
  end)
end)
