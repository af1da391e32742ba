-- client:batch with jobs that earlier runs left open: in the first 100, which are kept from the check, and behind them. One Lua is
-- enough: which jobs are kept has nothing of a Lua version.
if _VERSION ~= "Lua 5.4" then return end

local batches = require "spec.support.batches"
local child = require "spec.support.process.child"
local cjson = require "cjson"
local devkit4ai = require "devkit4ai"
local jobs_of = require "devkit4ai.batch.jobs"
local journal = require "devkit4ai.batch.journal"
local marker = require "devkit4ai.batch.run.marker"

local IMAGE, OTHER_IMAGE = batches.IMAGE, "examples/images/mountains.png"

describe("the open jobs of a batch", function()
  local sandbox, client, stop, earlier, folder

  before_each(function()
    local developer
    sandbox, client, stop, developer = batches.start()
    earlier = assert(devkit4ai.new(developer))
    folder = child.folder()
  end)
  after_each(function()
    earlier:close()
    stop()
    child.remove(folder)
  end)

  local function write_rows(lines)
    local file = assert(io.open(folder .. "/jobs.csv", "w"))
    file:write("name,image,prompt\n", table.concat(lines, "\n"), "\n")
    file:close()
  end

  local function batch_of(options)
    local given = { jobs = folder .. "/jobs.csv", out = folder .. "/out" }
    for name, value in pairs(options or {}) do given[name] = value end
    return client:batch(given)
  end

  -- The journal of an earlier run of these rows, which was killed. Gives the ledger, the jobs by name, and a function that pays for one.
  local function earlier_run(has_marker)
    local jobs, list = {}, {}
    for job in assert(jobs_of.open(folder .. "/jobs.csv", {})):each() do jobs[job.name], list[#list + 1] = job, job end
    local ledger = assert(journal.open(folder .. "/out"))
    assert(ledger:begin(list, {}))
    local function pay(job)
      return assert(earlier:generate {
        images = job.images, instructions = has_marker and marker.add(job, ledger.batch) or job.instructions,
      }).id
    end
    return ledger, jobs, pay
  end

  local function send(ledger, job)
    assert(ledger:record(job, "sending", { images = "00", since = os.time() - 5 }))
  end

  -- How often each job was paid for, by its marker.
  local function payments()
    local counts, total = {}, 0
    for _, generation in ipairs(assert(sandbox:generations())) do
      local instructions = generation.instructions
      if type(instructions) == "string" then instructions = cjson.decode(instructions) end
      local name = instructions.job:match "/(.*)$"
      counts[name], total = (counts[name] or 0) + 1, total + 1
    end
    return counts, total
  end

  it("are continued from each state, in the first 100 and behind them, and each is paid for once", function()
    local lines = {}
    for i = 1, 130 do lines[i] = ("%d.png,%s,x"):format(i, IMAGE) end
    write_rows(lines)
    local ledger, jobs, pay = earlier_run(true)
    for _, name in ipairs { "5.png", "110.png" } do -- the answer was lost
      send(ledger, jobs[name])
      pay(jobs[name])
    end
    for _, name in ipairs { "6.png", "105.png", "120.png" } do
      send(ledger, jobs[name])
      assert(ledger:record(jobs[name], "accepted", { id = pay(jobs[name]) }))
    end
    assert(ledger:record(jobs["120.png"], "completed"))
    for _, name in ipairs { "115.png", "7.png" } do send(ledger, jobs[name]) end -- nothing was created
    send(ledger, jobs["125.png"])
    assert(ledger:record(jobs["125.png"], "refused", { reason = "full" }))
    for _, name in ipairs { "8.png", "103.png", "107.png" } do
      send(ledger, jobs[name])
      assert(ledger:record(jobs[name], "undecided", { reason = "lost" }))
    end
    pay(jobs["103.png"]) -- it appears late
    send(ledger, jobs["104.png"])
    assert(ledger:record(jobs["104.png"], "failed", { paid = false, reason = "no" }))
    ledger:close()

    local sent = {}
    local batch = assert(batch_of { again = { "103.png", "104.png", "107.png" }, on_event = function(event)
      if event.type == "sending" then sent[event.job] = (sent[event.job] or 0) + 1 end
    end })
    assert.same({ 130, 122 }, { batch.plan.total, batch.plan.to_send })
    local summary = assert(batch:run())
    local undecided = {}
    for _, job in ipairs(summary.undecided) do undecided[job.name] = true end
    assert.same({ ["7.png"] = true, ["8.png"] = true, ["115.png"] = true }, undecided)
    assert.same({ 127, 0, 0 }, { summary.done, summary.failed, summary.left })
    local counts, total = payments()
    assert.equal(127, total)
    for i = 1, 130 do
      local name = i .. ".png"
      assert.equal(undecided[name] and 0 or 1, counts[name] or counts["2/" .. name] or 0, name)
    end
    for _, name in ipairs {
      "5.png", "6.png", "7.png", "8.png", "103.png", "105.png", "110.png", "115.png", "120.png",
    } do
      assert.is_nil(sent[name], name)
    end
    assert.same({ 1, 1, 1 }, { sent["104.png"], sent["107.png"], sent["125.png"] })
    assert.equal(124, summary.paid) -- 3 of them were found
  end)

  it("are not sent if their rows are not as they were checked", function()
    local row, number = { image = IMAGE, instructions = {} }, 0
    local batch = assert(batch_of { jobs = function() -- one table for all rows
      number = number + 1
      row.name, row.instructions.prompt = number .. ".png", "picture " .. number
      return number <= 3 and row or nil
    end })
    local summary, message, err = batch:run()
    assert.is_nil(summary)
    assert.equal("conflict", err.kind)
    assert.truthy(message:find("changed during the run", 1, true), message)
    assert.equal(0, #assert(sandbox:generations()))
  end)

  it("are paid for once if the job file names one twice during the run", function()
    local gone, lines = folder .. "/gone.png", {}
    local file = assert(io.open(gone, "wb"))
    file:write(child.read(IMAGE))
    file:close()
    for i = 1, 100 do lines[i] = ("%d.png,%s,x"):format(i, gone) end -- these fail before they are sent
    lines[101] = ("a.png,%s,x"):format(IMAGE)
    write_rows(lines)
    local batch = assert(batch_of { on_event = function(event)
      if event.type ~= "planned" or event.job ~= "a.png" then return end
      os.remove(gone)
      lines[102] = lines[101]
      write_rows(lines)
    end })
    local summary = assert(batch:run())
    assert.same({ 1, 100, 0, 0 }, { summary.done, summary.failed, summary.left, #summary.undecided })
    assert.equal(1, #assert(sandbox:generations()))
  end)

  it("stay undecided without markers if two were sent with the same instructions, and the run was killed", function()
    write_rows { ("a.png,%s,x"):format(IMAGE), ("b.png,%s,x"):format(OTHER_IMAGE) }
    local ledger, jobs, pay = earlier_run(false)
    send(ledger, jobs["a.png"])
    send(ledger, jobs["b.png"])
    pay(jobs["b.png"])
    ledger:close()
    local summary = assert(assert(batch_of { marker = false }):run())
    assert.same({ 0, 2 }, { summary.done, #summary.undecided })
    assert.truthy(summary.undecided[1].reason:find("b.png is unknown, too", 1, true), summary.undecided[1].reason)
    assert.truthy(summary.undecided[2].reason:find("a.png is unknown, too", 1, true), summary.undecided[2].reason)
  end)
end)
