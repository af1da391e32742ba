-- client:batch against the sandbox: one payment and one file for each job, after each kind of failure.
local batches = require "spec.support.batches"
local child = require "spec.support.process.child"
local create = require "devkit4ai.generation.create"
local devkit4ai = require "devkit4ai"

if not child.runs_sandbox then return end

describe("client:batch", function()
  local sandbox, client, stop, folder, events

  local function start(options)
    sandbox, client, stop = batches.start(options)
  end

  before_each(function()
    folder = child.folder()
  end)

  after_each(function()
    if stop then stop() end
    stop = nil
    child.remove(folder)
  end)

  local function batch_of(count, options)
    events = {}
    local given = batches.options(count, folder, options)
    given.on_event = given.on_event or function(event) events[#events + 1] = { type = event.type, job = event.job } end
    return client:batch(given)
  end

  it("refuses a second run while one is running, and pays once", function()
    start()
    local batch, refused
    batch = assert(batch_of(1, { on_event = function()
      if refused == nil then refused = { pcall(batch.run, batch) } end
    end }))
    assert.equal(1, assert(batch:run()).done)
    assert.is_false(refused[1])
    assert.match("is running already", tostring(refused[2]))
    assert.equal(1, #sandbox:generations())
  end)

  local function run(count, options)
    return assert(batch_of(count, options)):run()
  end

  -- How many events of a type there were.
  local function seen(kind)
    local number = 0
    for _, event in ipairs(events) do number = number + (event.type == kind and 1 or 0) end
    return number
  end

  local function payments() return #assert(sandbox:generations()) end

  local function pictures()
    local names = {}
    for _, name in ipairs(child.list(folder)) do
      if name:find "%.png$" then names[#names + 1] = name end
    end
    return names
  end

  -- Each job has one payment and one file.
  local function is_complete(summary, count)
    assert.same({ count, 0, 0, 0 }, { summary.done, summary.failed, #summary.undecided, summary.left })
    assert.equal(count, payments())
    assert.equal(count, #pictures())
  end

  it("makes a file for each job, and nothing more in the next run", function()
    start {}
    local batch = assert(batch_of(3))
    assert.same({ 3, 3, 0, 0 }, { batch.plan.total, batch.plan.to_send, batch.plan.done, payments() })
    is_complete(assert(batch:run()), 3)
    assert.same({ 3, 3, 3, 3, 1 }, { seen "planned", seen "sending", seen "accepted", seen "saved", seen "stopped" })
    batch = assert(batch_of(3))
    assert.same({ 0, 3 }, { batch.plan.to_send, batch.plan.done })
    is_complete(assert(batch:run()), 3)
    assert.equal(0, seen "sending")
    assert.has_error(function() batch:run() end)
  end)

  it("sends no job again after an answer that was lost", function()
    start {}
    for _, fault in ipairs {
      { cut = "after" }, { cut = "after", reset = true }, { status = 500, work = true }, { html = true, work = true },
      { broken = true }, { cut = "during" },
    } do
      fault.operation = "create_generation"
      sandbox:fault(fault)
    end
    is_complete(assert(run(8)), 8)
    assert.equal(8, seen "sending")
  end)

  it("lists a job that was perhaps not created, and sends it again only when the user decides so", function()
    start {}
    sandbox:fault { operation = "create_generation", cut = "before" }
    local summary = assert(run(3, { concurrency = 1 }))
    assert.same({ 2, 1, 0, 2 }, { summary.done, #summary.undecided, summary.left, payments() })
    local undecided = summary.undecided[1]
    assert.same({ "1.png", 'again = { "1.png" }' }, { undecided.name, undecided.line })
    assert.truthy(undecided.reason:find("none of the ", 1, true), undecided.reason)
    summary = assert(run(3))
    assert.same({ 2, 1, 2 }, { summary.done, #summary.undecided, payments() })
    is_complete(assert(run(3, { again = { "1.png" } })), 3)
    local _, message, err = batch_of(3, { again = { "2.png", "none.png" } })
    assert.equal("conflict", err.kind)
    assert.truthy(message:find("can be sent again, and these are not: 2.png, none.png", 1, true), message)
  end)

  it("finds a generation that appears late, and pays for no other", function()
    start {}
    sandbox:fault { operation = "create_generation", cut = "after" }
    sandbox:fault { operation = "list_generations", status = 200, body = '{"generations":[],"total":0}', times = 2 }
    local summary = assert(run(1))
    assert.same({ 1, 1 }, { #summary.undecided, payments() })
    sandbox:clear_faults()
    is_complete(assert(run(1, { again = { "1.png" } })), 1) -- it looks once more before it pays
  end)

  it("never takes the generation of another job", function()
    start {}
    assert(run(2, { marker = false }))
    sandbox:fault { operation = "create_generation", cut = "before" }
    local summary = assert(run(3, { marker = false }))
    assert.same({ 2, 1, 2 }, { summary.done, #summary.undecided, payments() })
  end)

  it("finds a lost job without the marker if no other one has its instructions", function()
    start {}
    sandbox:fault { operation = "create_generation", cut = "after" }
    is_complete(assert(run(1, { marker = false })), 1)
    assert.falsy(assert(sandbox:generations())[1].instructions:find("job", 1, true))
  end)

  it("decides nothing without the marker if two lost jobs have the same instructions", function()
    start {}
    sandbox:fault { operation = "create_generation", cut = "after" }
    sandbox:fault { operation = "create_generation", cut = "before" }
    local summary = assert(run(2, { marker = false }))
    assert.same({ 0, 2, 1 }, { summary.done, #summary.undecided, payments() })
    local reason = summary.undecided[1].reason
    assert.truthy(reason:find("it has the same instructions", 1, true), reason)
  end)

  it("sends a job again that the server refused for now", function()
    start {}
    sandbox:fault { refuse = true, times = 1 }
    sandbox:fault { operation = "create_generation", rate_limit = 1 }
    is_complete(assert(run(4)), 4)
    assert.equal(1, seen "refused")
  end)

  it("learns how many jobs the account may have at once", function()
    start { generation_limit = 3, step_time = 0.05 }
    sandbox:clock { frozen = true } -- no generation finishes before the first refusal
    local accepted, at_refusal = 0, nil
    is_complete(assert(run(20, { on_event = function(event)
      if event.type == "accepted" then accepted = accepted + 1 end
      if event.type == "refused" and not at_refusal then
        at_refusal = accepted
        sandbox:clock { frozen = false }
      end
    end })), 20)
    assert.is_true(at_refusal == 2 or at_refusal == 3, at_refusal) -- 2: the third answer was on its way
  end)

  it("stops at a quota, and says until when", function()
    start { monthly_generation_limit = 3 }
    local summary = assert(run(6))
    assert.same({ 3, 3, 3 }, { summary.done, summary.left, payments() })
    assert.is_true(summary.continue_at > os.time())
    assert.is_true(seen "refused" <= 4)
    sandbox:advance(31 * 86400)
    assert(client:login("a@example.com", "SecurePass123"))
    is_complete(assert(run(6)), 6)
  end)

  it("has the step sending in the journal before the request goes out", function()
    start {}
    local paid, written, send = {}, {}, create.run_once
    create.run_once = function(...)
      paid[#paid + 1] = payments()
      written[#written + 1] = select(2, child.read(folder .. "/journal.jsonl"):gsub('"step":"sending"', ""))
      return send(...)
    end
    local summary = run(2, { concurrency = 1 })
    create.run_once = send
    is_complete(assert(summary), 2)
    assert.same({ { 0, 1 }, { 1, 2 } }, { paid, written })
  end)

  it("waits in place of stopping if it is told to, says so, and counts a job in its event", function()
    start {}
    sandbox:fault { operation = "create_generation", rate_limit = 1 }
    local paused, done = {}, {}
    is_complete(assert(run(2, { wait = true, concurrency = 1, on_event = function(event)
      if event.type == "paused" then paused[#paused + 1] = event end
      if event.type == "saved" then done[#done + 1] = event.counts.done end
    end })), 2)
    assert.equal(1, #paused)
    assert.is_true(paused[1].seconds > 0 and type(paused[1].reason) == "string")
    assert.same({ 1, 2 }, done)
  end)

  it("stops for a wrong key, with nothing paid", function()
    start {}
    local options = assert(sandbox:developer { email = "b@example.com", password = "SecurePass123" })
    options.project_key = "pk_wrong"
    client:close()
    client = assert(devkit4ai.new(options))
    local batch = assert(batch_of(5))
    local summary, _, err = batch:run()
    assert.is_nil(summary)
    assert.is_true(err.kind == "auth" or err.kind == "forbidden", err.kind)
    assert.same({ 0, 5, 0 }, { batch.summary.done, batch.summary.left, payments() })
  end)

  it("goes on after a job that the server refuses, and after one that fails there", function()
    start {}
    sandbox:fault { operation = "create_generation", status = 422, detail = "no" }
    sandbox:fault { operation = "create_generation", fail = "the sky fell" }
    local summary = assert(run(3, { concurrency = 1 }))
    assert.same({ 1, 2, 0 }, { summary.done, summary.failed, summary.left })
    assert.truthy(summary.reasons[1].reason:find("no", 1, true))
    assert.same({ name = "2.png", reason = "the sky fell" }, summary.reasons[2])
    summary = assert(run(3, { again = { "1.png", "2.png" } }))
    assert.same({ 3, 4 }, { summary.done, payments() }) -- the one that failed was paid for
  end)

  it("never overwrites a file that is no result of the batch", function()
    start {}
    local file = assert(io.open(folder .. "/2.png", "w"))
    file:write "mine"
    file:close()
    local batch, message, err = batch_of(3)
    assert.is_nil(batch)
    assert.equal("conflict", err.kind)
    assert.truthy(message:find("these files exist already, and are no results of this batch: 2.png", 1, true), message)
    assert.same({ "mine", 0 }, { child.read(folder .. "/2.png"), payments() })
  end)

  it("keeps a file that appeared during the run, and saves the image when the name is free", function()
    start {}
    local summary = assert(run(1, { on_event = function(event)
      if event.type ~= "completed" then return end
      local file = assert(io.open(folder .. "/1.png", "w"))
      file:write "mine"
      file:close()
    end }))
    assert.same({ 0, 1, "mine" }, { summary.done, summary.left, child.read(folder .. "/1.png") })
    os.remove(folder .. "/1.png")
    is_complete(assert(run(1)), 1)
  end)

  it("counts a changed row before it is sent, and refuses one after it", function()
    start { monthly_generation_limit = 1 }
    assert(run(2, { concurrency = 1 }))
    sandbox:advance(31 * 86400)
    assert(client:login("a@example.com", "SecurePass123"))
    local function with(prompts)
      local list = batches.options(2, folder).jobs
      for i, prompt in ipairs(prompts) do list[i].prompt = prompt end
      return { jobs = list, prompt = "{row.prompt}" }
    end
    is_complete(assert(run(2, with { "a lighthouse", "a ship" })), 2)
    local _, message, err = batch_of(2, with { "a house", "a ship" })
    assert.equal("conflict", err.kind)
    assert.truthy(message:find("were sent in an earlier run, and have changed since: 1.png;", 1, true), message)
  end)

  it("calls the program's function for each file, and again in the next run if that failed", function()
    start {}
    local given, fails = {}, true
    local function save(job, path)
      given[#given + 1] = job.row.number .. " " .. path
      if fails then return nil, "no room" end
      return true
    end
    local summary = assert(run(1, { save = save }))
    assert.same({ 0, 1 }, { summary.done, summary.left })
    assert.truthy(summary.reasons[1].reason:find("the function save failed for", 1, true))
    fails = false
    is_complete(assert(run(1, { save = save })), 1)
    assert.same({ "1 " .. folder .. "/1.png", "1 " .. folder .. "/1.png" }, given)
  end)

  it("stops soon when it is told to, and another run continues", function()
    start { step_time = 1000, access_life = 86400 } -- no session ends when the clock is moved
    local batch
    batch = assert(batch_of(4, { on_event = function(event)
      if event.type == "accepted" then batch:stop() end
    end }))
    local summary = assert(batch:run())
    assert.equal(0, summary.done)
    for _, left in ipairs(summary.reasons) do assert.equal("the run was stopped before the job ended", left.reason) end
    sandbox:advance(3000) -- and for each job that is sent now
    is_complete(assert(run(4, { on_event = function(event)
      if event.type == "accepted" then sandbox:advance(3000) end
    end })), 4)
  end)

  it("does not run in a program that it would hold up", function()
    start {}
    rawset(_G, "love", {})
    local _, message, err = batch_of(1)
    rawset(_G, "love", nil)
    assert.equal("config", err.kind)
    assert.truthy(message:find("run `devkit4ai batch` in a process of its own", 1, true))
  end)
end)
