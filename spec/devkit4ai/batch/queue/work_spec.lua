-- Workers of a queue against the sandbox: results, two workers with one job, a quota, the end of a worker.
local child = require "spec.support.process.child"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local helper = require "spec.devkit4ai.sandbox.helper"
local queues = require "devkit4ai.batch.queue"
local redis_servers = require "spec.support.servers.redis"
local pacing = require "devkit4ai.generation.pacing.request_pacing"
local schedule = require "devkit4ai.generation.pacing.poll_schedule"

describe("a worker", function()
  local server, box, client, project, out, queue_name, image
  local pause, reserve, count = schedule.pause, pacing.reserve, 0

  setup(function()
    schedule.pause = function() return 0.02 end
    pacing.reserve = function(_, now) return now end
    server = redis_servers.start()
    image = server.folder .. "/small.png"
    local file = assert(io.open(image, "wb"))
    file:write "\137PNG\r\n\26\n\0\0\0\13IHDR not a whole picture" -- the sandbox draws small results for it
    file:close()
    box = helper.start { step_time = 0 }
    local developer = assert(box:developer { email = "dev@example.com", password = "SecurePass123" })
    client = assert(devkit4ai.new { base_url = box.url, developer_key = developer.developer_key })
    assert(client:login("dev@example.com", "SecurePass123"))
    project = client:project(developer.project_id)
    project:use_key(developer.project_key)
  end)

  teardown(function()
    schedule.pause, pacing.reserve = pause, reserve
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
      prompt = queue_name .. " {row.city}", name = "{row.city}.png" })
  end

  local function work(options)
    local given = { queue = server.url, queue_name = queue_name, out = out, project = project, lease = 5 }
    for name, value in pairs(options or {}) do given[name] = value end
    return client:work_batch(given)
  end

  local function payments()
    local paid = 0
    for _, gen in ipairs(box:generations()) do
      if gen.instructions:find(queue_name .. " c", 1, true) then paid = paid + 1 end
    end
    return paid
  end

  local function open() return assert(assert(queues.open(server.url, queue_name)):open()) end

  it("makes one file and one payment for each job, and gives each file to the program", function()
    assert.same({ total = 3, added = 3 }, push(3))
    assert.same({ total = 3, added = 0 }, push(3))
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

  it("saves one file when two workers finish the same job", function()
    push(1)
    local other = open()
    local rival -- takes the job from the worker whose answer has just come
    local summary = assert(work {
      on_event = function(event)
        if event.type == "accepted" and not rival then
          rival = other:claim("rival", 0, 1, 5)[1]
          assert.equal("accepted", rival.state.step)
          assert.is_true((other:record("rival", "c1.png", "completed", "", { id = event.id })))
          assert.is_true((other:record("rival", "c1.png", "saved", "", { id = event.id })))
        end
      end,
    })
    assert.equal(1, summary.saved)
    assert.same({ "c1.png" }, child.list(out))
    assert.equal(1, payments())
    assert.equal(1, other:counts().saved)
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

  it("learns the account's limit together, and stops at a quota", function()
    push(3)
    box:fault { operation = "create_generation", status = 429, headers = { ["Retry-After"] = "86000" }, times = 1e9 }
    local summary = assert(work())
    assert.equal(0, summary.saved)
    assert.is_true(summary.continue_after > 85000 and summary.continue_after <= 86000)
    box:clear_faults()
    local again = assert(work()) -- another worker knows the quota without a request
    assert.is_true(again.continue_after > 85000)
    assert.equal(3, open():counts().open)
    server:cli(("del 'devkit4ai:{%s}:pace'"):format(queue_name))
    assert.equal(3, assert(work()).saved)
    assert.equal(3, payments())
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
