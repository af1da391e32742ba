-- Workers of a queue against the sandbox: results, two workers with one job, a quota, the end of a worker.
local child = require "spec.support.process.child"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local ledgers = require "devkit4ai.batch.queue.ledger"
local look = require "devkit4ai.batch.run.look"
local paces = require "devkit4ai.batch.queue.shared_pace"
local helper = require "spec.devkit4ai.sandbox.helper"
local queues = require "devkit4ai.batch.queue"
local redis_servers = require "spec.support.servers.redis"
local pacing = require "devkit4ai.generation.pacing.request_pacing"
local schedule = require "devkit4ai.generation.pacing.poll_schedule"

describe("a worker", function()
  local server, box, client, project, out, queue_name, image, stranger -- stranger: a developer with another account
  local pause, reserve, pauses, count = schedule.pause, pacing.reserve, look.PAUSES, 0

  setup(function()
    schedule.pause, look.PAUSES = function() return 0.02 end, { 0, 0.02 }
    pacing.reserve = function(_, now) return now end
    server = redis_servers.start()
    image = server.folder .. "/small.png"
    local file = assert(io.open(image, "wb"))
    file:write "\137PNG\r\n\26\n\0\0\0\13IHDR not a whole picture" -- the sandbox draws small results for it
    file:close()
    box = helper.start { step_time = 0 }
    local developer = assert(box:developer { email = "dev@example.com", password = "SecurePass123" })
    stranger = assert(box:developer { email = "other@example.com", password = "SecurePass123" })
    client = assert(devkit4ai.new { base_url = box.url, developer_key = developer.developer_key })
    assert(client:login("dev@example.com", "SecurePass123"))
    project = client:project(developer.project_id)
    project:use_key(developer.project_key)
  end)

  teardown(function()
    schedule.pause, pacing.reserve, look.PAUSES = pause, reserve, pauses
    redis_servers.stop_all()
    helper.stop_all()
  end)

  before_each(function()
    count = count + 1
    queue_name, out = "w" .. count, child.folder()
    box:clear_faults()
  end)

  after_each(function() child.remove(out) end)

  local function push(jobs)
    local list = {}
    for i = 1, jobs do list[i] = { image = image, city = "c" .. i } end
    return assert(client:push_batch { queue = server.url, queue_name = queue_name, jobs = list,
      prompt = "a lighthouse", name = "{row.city}.png" })
  end

  local function work(options)
    local given = { queue = server.url, queue_name = queue_name, out = out, project = project, lease = 5 }
    for name, value in pairs(options or {}) do given[name] = value end
    return client:work_batch(given)
  end

  local function open_new() return assert(assert(queues.open(server.url, queue_name)):create {}) end

  local function open() return assert(assert(queues.open(server.url, queue_name)):open {}) end

  local function payments()
    local paid, marker = 0, ('"%s/'):format(open().id)
    for _, gen in ipairs(box:generations()) do
      if gen.instructions:find(marker, 1, true) then paid = paid + 1 end
    end
    return paid
  end

  it("makes one file and one payment for each job, and gives each file to the program", function()
    local pushed = push(3)
    assert.same({ 3, 3, 3 }, { pushed.total, pushed.added, pushed.estimate.to_send })
    assert.is_true(pushed.estimate.at_once >= 1 and pushed.estimate.seconds >= 120)
    pushed = push(3)
    assert.same({ 3, 0, 3 }, { pushed.total, pushed.added, pushed.estimate.to_send })
    local saved, types = {}, {}
    local summary = assert(work {
      save = function(job, path)
        saved[job.row.city] = path
        return true
      end,
      on_event = function(event) types[event.type] = (types[event.type] or 0) + 1 end,
    })
    assert.same({ saved = 3, failed = 0, undecided = 0 }, summary)
    assert.equal(3, #child.list(out))
    assert.equal(out .. "/c3.png", saved.c3)
    assert.equal(3, payments())
    assert.same({ 3, 3, 3, 1 }, { types.sending, types.accepted, types.saved, types.stopped })
    assert.equal("", server:cli(("xinfo consumers 'devkit4ai:{%s}:jobs' workers"):format(queue_name)):gsub("%s", ""))
  end)

  it("refuses a queue that nobody pushed, and a job that changed", function()
    assert.equal("not_found", select(3, work()).kind)
    push(1)
    local _, message, err = client:push_batch { queue = server.url, queue_name = queue_name, name = "c1.png",
      jobs = { { image = image, prompt = "other" } } }
    assert.equal("conflict", err.kind)
    assert.truthy(message:find("c1.png", 1, true))
  end)

  it("gets nothing from a push of which a part can't be done", function()
    push(1)
    box:fault { operation = "create_generation", fail = "too dark", times = 1 }
    assert.equal(1, assert(work()).failed)
    local function fails(kind, options)
      options.queue, options.queue_name = server.url, queue_name
      local _, message, err = client:push_batch(options)
      assert.equal(kind, err.kind, message)
      assert.same({ 1, 0 }, { #open():dead(), open():counts().open })
      return message
    end
    fails("not_found", { again = { "c1.png", "none.png" } })
    fails("invalid", { again = { "c1.png" }, jobs = { { image = "missing.png", prompt = "a", name = "a" } } })
    local message = fails("invalid", { jobs = { { image = image, prompt = "a", name = "a", value = print } } })
    assert.truthy(message:find("the row can't be written as JSON", 1, true), message)
  end)

  it("finds the generation of a lost answer, and does not pay again", function()
    push(1)
    box:fault { operation = "create_generation", cut = "after", times = 1 }
    assert.equal(1, assert(work()).saved)
    assert.equal(1, payments())
  end)

  it("lists a job that failed, and sends it again when a person says so", function()
    push(2)
    box:fault { operation = "create_generation", fail = "too dark", times = 1 }
    local summary = assert(work())
    assert.same({ 1, 1 }, { summary.saved, summary.failed })
    local letter = open():dead()[1]
    assert.truthy(letter.reason:find("too dark", 1, true))
    assert(client:push_batch { queue = server.url, queue_name = queue_name, again = { letter.name } })
    assert.equal(1, assert(work()).saved)
    assert.equal(2, #child.list(out))
    assert.equal("not_found", select(3, client:push_batch { queue = server.url, queue_name = queue_name,
      again = { letter.name } }).kind)
  end)

  -- Another worker, with a folder of its own, takes the job and finishes it.
  local function finish_as_rival(id)
    local other = open()
    assert.equal("c1.png", other:claim("rival", 0, 1, 5)[1].name)
    other:record("rival", "c1.png", "completed", "", { id = id })
    assert.is_true((other:record("rival", "c1.png", "saved", "", { id = id })))
  end

  it("saves no file of a job that another worker has taken, although it has sent it", function()
    push(1)
    local rival
    local summary = assert(work {
      on_event = function(event)
        if event.type ~= "accepted" then return end
        finish_as_rival(event.id)
        rival = true
      end,
    })
    assert.is_true(rival)
    assert.equal(0, summary.saved)
    assert.same({}, child.list(out)) -- the file is in the rival's folder
    assert.equal(1, payments())
    local counts = open():counts()
    assert.same({ 1, 0 }, { counts.saved, counts.open })
  end)

  it("counts a job once when two workers finish it, and says whose file counts", function()
    push(1)
    local id
    local summary = assert(work {
      on_event = function(event) id = event.id or id end,
      save = function()
        finish_as_rival(id)
        return true
      end,
    })
    assert.equal(0, summary.saved)
    assert.equal(1, open():counts().saved)
    assert.equal("rival", open():state("c1.png").by)
    assert.equal(1, payments())
    assert.same({ "c1.png" }, child.list(out)) -- a second, equal file: it stood still while it saved
  end)

  it("can't send a job that another worker has taken", function()
    push(1)
    local other = open()
    box:fault { operation = "create_generation", status = 429, headers = { ["Retry-After"] = "1" }, times = 1 }
    local taken
    local summary = assert(work {
      on_event = function(event)
        if event.type == "refused" and not taken then
          taken = other:claim("rival", 0, 1, 5)[1]
          assert.equal("refused", taken.state.step)
          assert.is_true((other:record("rival", "c1.png", "failed", "", { reason = "by the rival" })))
        end
      end,
    })
    assert.truthy(taken)
    assert.equal(0, summary.saved)
    assert.equal(0, payments())
  end)

  it("learns the account's limits together with the workers of its other queues, and stops at a quota", function()
    push(3)
    box:fault { operation = "create_generation", status = 429, headers = { ["Retry-After"] = "86000" }, times = 1e9 }
    local summary = assert(work())
    assert.equal(0, summary.saved)
    assert.is_true(summary.continue_after > 85000 and summary.continue_after <= 86000)
    box:clear_faults()
    local again = assert(work()) -- another worker knows the quota without a request
    assert.is_true(again.continue_after > 85000)
    assert.equal(3, open():counts().open)
    local first = queue_name
    queue_name = first .. "other"
    push(1)
    assert.is_true(assert(work()).continue_after > 85000)
    local other = assert(devkit4ai.new { base_url = box.url, developer_key = stranger.developer_key })
    assert(other:login("other@example.com", "SecurePass123"))
    local theirs = other:project(stranger.project_id)
    theirs:use_key(stranger.project_key)
    queue_name = first .. "theirs"
    assert(other:push_batch { queue = server.url, queue_name = queue_name,
      jobs = { { image = image, prompt = "a lighthouse", name = "c1.png" } } })
    local folder = child.folder()
    assert.equal(1, assert(other:work_batch { queue = server.url, queue_name = queue_name, out = folder,
      project = theirs }).saved) -- the quota is not theirs
    child.remove(folder)
    queue_name = first
    server:cli(("del $(redis-cli -s %s --scan --pattern 'devkit4ai:account:*:pace')"):format(server.socket))
    assert.equal(3, assert(work()).saved)
    assert.equal(3, payments())
  end)

  it("takes a 429 for the limit of generations at once while another queue of the account has one in flight", function()
    local queue = open_new()
    local function pace(worker)
      local ledger = ledgers.new(queue, worker, function() end)
      return paces.new(queue, "account", ledger, false, function() end)
    end
    local one, two = pace "one", pace "two"
    local err = { kind = "rate_limited", retry_after = 86000 }
    assert.is_true((one:begin { name = "a" }))
    one:accepted { name = "a" }
    assert.is_true((two:begin { name = "b" })) -- it tries one more than was proven
    assert.equal("wait", (two:refused({ name = "b" }, err)))
    one:finish { name = "a" }
    assert.is_true((two:begin { name = "b" }))
    assert.equal("stop", (two:refused({ name = "b" }, err)))
  end)

  it("ends when a function of the program raises, gives the job back, and raises again", function()
    push(2)
    for _, options in ipairs { -- the lease is longer than the spec may take
      { save = function() error "boom" end },
      { on_event = function(event) if event.type == "accepted" then error "boom" end end },
    } do
      options.concurrency, options.lease = 1, 600
      local ok, raised = pcall(work, options)
      assert.is_false(ok)
      assert.truthy(tostring(raised):find("boom", 1, true), raised)
    end
    assert(work { lease = 600 })
    assert.equal(2, open():counts().saved)
    assert.equal(2, payments())
  end)

  it("ends its other jobs, too, when a function of the program raises", function()
    push(2)
    box:fault { operation = "create_generation", hang = true, times = 1 }
    local accepted = 0
    local ok, raised = pcall(work, { concurrency = 2, lease = 600, on_event = function(event)
      accepted = accepted + (event.type == "accepted" and 1 or 0)
      if accepted == 2 then error "boom" end
    end })
    assert.is_false(ok)
    assert.truthy(tostring(raised):find("boom", 1, true), raised)
    assert.equal(2, #open():claim("next", 600, 10, 5)) -- at once
    assert.equal(2, payments())
  end)

  -- The queue as another account's developer uses it.
  local function as_stranger()
    local other = assert(devkit4ai.new { base_url = box.url, developer_key = stranger.developer_key })
    assert(other:login("other@example.com", "SecurePass123"))
    local theirs = other:project(stranger.project_id)
    theirs:use_key(stranger.project_key)
    return function(options)
      options.queue, options.queue_name = server.url, queue_name
      if options.out then options.project = theirs end
      return other[options.out and "work_batch" or "push_batch"](other, options)
    end
  end

  it("has one account until all jobs have ended, the undecided ones, too", function()
    local others = as_stranger()
    push(1)
    box:fault { operation = "create_generation", cut = "before", times = 1 }
    assert.equal(1, assert(work()).undecided)
    assert.equal("conflict", select(3, others { out = out }).kind)
    assert.equal("conflict", select(3, others { again = { "c1.png" } }).kind)
    assert(client:push_batch { queue = server.url, queue_name = queue_name, again = { "c1.png" } })
    assert.equal(1, assert(work()).saved)
    assert(others { jobs = { { image = image, prompt = "a lighthouse", name = "c2.png" } } })
    assert.equal("conflict", select(3, work()).kind)
    assert.equal(1, assert(others { out = out }).saved)
  end)

  it("takes no job of another account that began with the queue after it", function()
    local others, pushed = as_stranger(), false
    push(1)
    local _, message, err = work { stay = true, on_event = function(event)
      if event.type ~= "saved" or pushed then return end
      pushed = true
      devkit4ai.spawn(function()
        assert(others { jobs = { { image = image, prompt = "a lighthouse", name = "c2.png" } } })
      end)
    end }
    assert.equal("conflict", err.kind)
    assert.truthy(message:find("another account", 1, true), message)
    assert.equal(1, assert(others { out = out }).saved)
  end)

  it("pays for no job whose name another file has", function()
    push(1)
    local file = assert(io.open(out .. "/c1.png", "w"))
    file:write "mine"
    file:close()
    assert.equal(1, assert(work()).failed)
    assert.truthy(open():dead()[1].reason:find("a file has this name", 1, true))
    assert.same({ "mine", 0 }, { child.read(out .. "/c1.png"), payments() })
  end)

  it("leaves a job undecided that the server accepted and does not know any more", function()
    push(1)
    box:fault { operation = "get_generation_status", status = 404, times = 1e9 }
    box:fault { operation = "list_generations", status = 200, body = '{"generations":[],"total":0}', times = 1e9 }
    assert.equal(1, assert(work()).undecided)
    assert.same({ "undecided", 1 }, { open():dead()[1].step, payments() })
    box:clear_faults()
    assert(client:push_batch { queue = server.url, queue_name = queue_name, again = { "c1.png" } })
    assert.equal(1, assert(work()).saved) -- it is found, and not sent again
    assert.equal(1, payments())
  end)

  it("sends an undecided job again when a person says so and it is not found", function()
    push(1)
    box:fault { operation = "create_generation", cut = "before", times = 1 }
    assert.equal(1, assert(work()).undecided)
    assert(client:push_batch { queue = server.url, queue_name = queue_name, again = { "c1.png" } })
    assert.equal(1, assert(work()).saved)
    assert.same({ 1, 2 }, { payments(), open():state("c1.png").attempt })
  end)

  it("is refused with another project than the one that the jobs are sent to", function()
    push(1)
    box:fault { operation = "create_generation", status = 429, headers = { ["Retry-After"] = "1" }, times = 1 }
    local second = assert(client:new_project { name = "second" })
    assert(work { on_event = function(event)
      if event.type ~= "refused" then return end
      local _, message, err = work { project = second.id }
      assert.equal("conflict", err.kind)
      assert.truthy(message:find("in another project", 1, true), message)
    end })
    assert.equal(1, payments())
  end)

  it("sends nothing for a queue that was removed and made again while it waited for jobs", function()
    push(1)
    local first, second = open(), nil
    local _, message, err = work { stay = true, on_event = function(event)
      assert(event.job ~= "c2.png", "a job of the new queue was taken")
      if event.type ~= "saved" or second then return end
      second = true
      devkit4ai.spawn(function()
        local remove = "--scan --pattern 'devkit4ai:{%s}:*' | xargs redis-cli -s %s del"
        server:cli(remove:format(queue_name, server.socket))
        assert(client:push_batch { queue = server.url, queue_name = queue_name,
          jobs = { { image = image, prompt = "a lighthouse", name = "c2.png" } } })
      end)
    end }
    assert.equal("conflict", err.kind, message)
    assert.truthy(message:find("removed and made again", 1, true), message)
    assert.equal(0, payments())
    assert.equal(1, assert(work()).saved)
    assert.are_not.equal(first.id, open().id)
  end)

  it("keeps its account after a push of another one that failed", function()
    local others = as_stranger()
    push(1)
    assert.equal(1, assert(work()).saved)
    assert.equal("file", select(3, others { jobs = "nothing.csv" }).kind)
    assert.equal("not_found", select(3, others { again = { "nothing.png" } }).kind)
    assert.equal(0, assert(work()).saved)
  end)

  it("makes dead letters of jobs whose content was changed by hand", function()
    push(7)
    for i, change in ipairs {
      "hdel %s job", "hset %s job {}", "hset %s step nonsense", "hset %s step accepted",
      [[hset %s job '{"name":"c5.png","images":["a.png"]}']],
      [[hset %s job '{"name":"c6.png","images":["a.png"],"instructions":"{\"prompt\""}']],
    } do
      server:cli(change:format(("'devkit4ai:{%s}:job:c%d.png'"):format(queue_name, i)))
    end
    local summary, message = work()
    assert.same({ 1, 1 }, { summary and summary.saved, payments() }, message)
    local dead = assert(open():dead())
    assert.equal(6, #dead)
    for _, letter in ipairs(dead) do
      assert.truthy(letter.reason:find("its content can't be read", 1, true), letter.reason)
    end
  end)

  it("refuses more jobs at once than it has tasks for", function()
    push(1)
    local _, message, err = work { concurrency = 1001 }
    assert.equal("invalid", err.kind)
    assert.truthy(message:find("at most 1000 jobs at once; start more workers", 1, true), message)
  end)

  it("gives its jobs back when a program ends it", function()
    push(3)
    local task
    task = devkit4ai.spawn(function()
      return work { on_event = function(event) if event.type == "sending" then task:cancel() end end }
    end)
    task:join()
    for _, claimed in ipairs(open():claim("next", 60, 10, 5)) do
      assert.equal(1, claimed.state.deliveries)
    end
    assert.is_true(payments() <= 3)
  end)
end)
