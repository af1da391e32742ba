-- client:batch with rows that change between two runs, with rows of other projects, and with very many rows. One Lua is enough: the
-- comparison has nothing of a Lua version.
if _VERSION ~= "Lua 5.4" then return end

local batches = require "spec.support.batches"
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"

local OTHER = "550e8400-e29b-41d4-a716-446655440000"

describe("the rows of a batch", function()
  local sandbox, client, stop, developer, folder, paid_before

  setup(function() sandbox, client, stop, developer = batches.start() end)
  teardown(function() stop() end)
  before_each(function()
    folder, paid_before = child.folder(), #assert(sandbox:generations())
  end)
  after_each(function()
    sandbox:clear_faults()
    child.remove(folder)
  end)

  local function payments() return #assert(sandbox:generations()) - paid_before end

  -- A batch of the rows of a CSV file with these lines.
  local function batch_of(lines, options)
    local file = assert(io.open(folder .. "/jobs.csv", "w"))
    file:write("name,prompt,project\n", table.concat(lines, "\n"), "\n")
    file:close()
    local given = { jobs = folder .. "/jobs.csv", images = batches.IMAGE, out = folder .. "/out", concurrency = 1 }
    for name, value in pairs(options or {}) do given[name] = value end
    return client:batch(given)
  end

  local function run(...) return assert(assert(batch_of(...)):run()) end

  local function refused(fragment, ...)
    local before = payments()
    local batch, message, err = batch_of(...)
    assert.is_nil(batch)
    assert.truthy(message:find(fragment, 1, true), message)
    assert.equal(before, payments())
    return err
  end

  it("may be added, moved and removed", function()
    assert.equal(2, run { "a.png,x,", "b.png,x," }.done)
    assert.equal(3, run { "c.png,x,", "b.png,x,", "a.png,x," }.done)
    assert.equal(1, run { "c.png,x," }.done)
    assert.equal(3, payments())
  end)

  it("may not change, or be removed, when they were sent and their images are not there", function()
    assert(sandbox:fault { operation = "create_generation", cut = "before" })
    local summary = run { "a.png,x,", "b.png,x," }
    assert.same({ "a.png", 1 }, { summary.undecided[1].name, payments() })
    refused("have changed since: a.png; put them back", { "a.png,y,", "b.png,x," })
    refused("are not among the jobs now: a.png; put them back", { "b.png,x," })
    refused("have changed since: b.png; put them back", { "a.png,x,", "b.png,y," })
    refused("have changed since: a.png; put them back", { "a.png,y,", "b.png,x," }, { again = { "a.png" } })
    assert.equal(2, run({ "a.png,x,", "b.png,x," }, { again = { "a.png" } }).done)
    assert.equal(2, payments())
  end)

  it("may not change when the last run was killed while it sent them", function()
    local script = [[
      local devkit4ai = require "devkit4ai"
      local client = assert(devkit4ai.new(require("cjson").decode(arg[1])))
      require("devkit4ai.generation.create").run_once = function() os.exit(9) end
      assert(client:batch { jobs = arg[2], images = arg[3], out = arg[4] }):run()
    ]]
    assert(batch_of { "a.png,x," }):close()
    local ended = child.run(script, {
      args = { require("cjson").encode(developer), folder .. "/jobs.csv", batches.IMAGE, folder .. "/out" },
    })
    assert.equal(9, ended.code, ended.err)
    assert.truthy(child.read(folder .. "/out/journal.jsonl"):find('"step":"sending"', 1, true))
    refused("have changed since: a.png; put them back", { "a.png,y," })
    refused("are not among the jobs now: a.png", { "b.png,x," })
    assert.equal("a.png", run { "a.png,x," }.undecided[1].name) -- and is not sent on a guess
    assert.equal(0, payments())
  end)

  it("have no two jobs of one name, whatever their lines are", function()
    local err = refused("line 4: the name A.png is taken by line 2", { "a.png,x,", "b.png,x,", "A.png,x," })
    assert.equal("invalid", err.kind)
    assert.is_nil(io.open(folder .. "/out/journal.jsonl"))
  end)

  it("that are undecided are all listed by a run that stops early", function()
    assert(sandbox:fault { operation = "create_generation", cut = "before", times = 2 })
    local rows = { "a.png,x,", "b.png,x,", "c.png,x," }
    assert.equal(2, #run(rows).undecided)
    rows[4] = "d.png,x,"
    local batch = assert(batch_of(rows))
    batch:stop() -- before it began: nothing to stop
    batch:close()
    batch = assert(batch_of(rows, { on_event = function(event)
      if event.type == "planned" then batch:stop() end
    end }))
    local summary = assert(batch:run())
    local names = {}
    for i, job in ipairs(summary.undecided) do names[i] = job.name end
    assert.same({ { "a.png", "b.png" }, 1, 1 }, { names, summary.left, payments() })
    assert.truthy(summary.undecided[1].reason:find("none of the ", 1, true))
    assert.truthy(summary.undecided[2].line:find("b.png", 1, true))
  end)

  it("may have another project whose key is known; a missing key is named before anything is paid", function()
    local project = assert(client:new_project { name = "Other" })
    local rows = { "a.png,x,", "b.png,x," .. project.id, "c.png,x," .. OTHER, "d.png,x," .. OTHER }
    local err = refused(("the key of the project %s is not known"):format(project.id), rows)
    assert.same({ "config", "project_key" }, { err.kind, err.option })
    assert(client:project(project.id):use_key(assert(project:new_key("k")).key))
    refused(('the key of the project %s is not known, and 2 jobs need it: give it first, with client:project("%s")')
      :format(OTHER, OTHER), rows)
    assert.is_nil(io.open(folder .. "/out/journal.jsonl"))
    assert.equal(2, run({ rows[1], rows[2] }).done)
    assert.equal(2, payments())
    assert.equal(2, assert(batch_of { rows[1], rows[2] }).plan.done)
  end)

  it("are found by their name when the server is not there at the start, and when it comes back", function()
    local options = assert(sandbox:developer { email = "c@example.com", password = "SecurePass123" })
    local real = options.base_url
    options.base_url = "http://127.0.0.1:9" -- nothing listens there
    local away = assert(devkit4ai.new(options))
    local mine, batch = client, nil
    finally(function() client = mine end)
    client = away
    local paused = 0
    batch = assert(batch_of({ "a.png,x,", "b.png,x," }, { on_event = function(event)
      if event.type == "paused" then
        paused = paused + 1
        batch:stop()
      end
    end }))
    local summary = assert(batch:run())
    assert.same({ 0, 2, 0, 0, 0 }, { summary.done, summary.left, summary.unsaved, summary.unknown, #summary.undecided })
    assert.equal(1, paused)
    away:close()
    options.base_url = real
    client = assert(devkit4ai.new(options))
    assert.equal(2, run { "a.png,x,", "b.png,x," }.done)
    client:close()
    assert.equal(2, payments())
  end)

  it("are paid for once if the server breaks off in the middle and comes back", function()
    local rows = {}
    for i = 1, 6 do rows[i] = i .. ".png,x," end
    local batch
    batch = assert(batch_of(rows, { on_event = function(event)
      if event.type == "saved" then assert(sandbox:fault { refuse = true, times = 99 }) end
      if event.type == "paused" then batch:stop() end
    end }))
    batch:run()
    local summary = batch.summary
    assert.is_true(summary.left + #summary.undecided > 0)
    sandbox:clear_faults()
    summary = run(rows)
    local names = {}
    for i, job in ipairs(summary.undecided) do names[i] = job.name end
    assert.same({ 6, payments() }, { summary.done + #names, summary.done })
    assert.equal(6, run(rows, { again = names }).done)
    assert.equal(6, payments())
  end)
end)
