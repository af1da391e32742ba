-- The scripts of a queue on a real Redis, and on Valkey where it is installed: who may take which step, leases, dead letters; and
-- the model with all faults.
local child = require "spec.support.process.child"
local queues = require "devkit4ai.batch.queue"
local redis_servers = require "spec.support.servers.redis"

local programs = { ["redis-server"] = true }
local status = os.execute "command -v valkey-server >/dev/null"
if status == true or status == 0 then programs["valkey-server"] = true end

for program in pairs(programs) do describe("a queue of " .. program, function()
  local server, queue, name = nil, nil, 0

  setup(function() server = redis_servers.start(nil, { program = program }) end)
  teardown(redis_servers.stop_all)

  before_each(function()
    name = name + 1
    queue = assert(assert(queues.open(server.url, "q" .. name)):create {})
  end)

  local function add(...)
    local list = {}
    for i, job in ipairs { ... } do
      list[i] = { name = job, digest = "d", images = { "a.png" }, row = { city = "Oslo" } }
    end
    return assert(queue:add(list))
  end

  local function claim(worker, lease, deliveries)
    local list = assert(queue:claim(worker, lease or 60, 10, deliveries or 5))
    local names = {}
    for i, claimed in ipairs(list) do names[i] = claimed.name end
    return table.concat(names, " "), list[1]
  end

  local function step(worker, new, request, fields)
    local taken, found = queue:record(worker, "a.png", new, request or "", fields or {})
    return taken, found
  end

  it("exists after the first push, and has each job once", function()
    local _, message, err = assert(queues.open(server.url, "other")):open {}
    assert.equal("not_found", err.kind)
    assert.truthy(message:find("batch push", 1, true))
    assert.equal(2, add("a.png", "b.png"))
    assert.equal(1, add("a.png", "b.png", "c.png"))
    assert.same({ "a.png" }, queue:changed { { name = "a.png", digest = "other" }, { name = "c.png", digest = "d" } })
    local _, claimed = claim "one"
    assert.equal("Oslo", claimed.job.row.city)
    assert.equal("planned", claimed.state.step)
    assert.equal(3, queue:counts().total)
  end)

  it("refuses another version", function()
    server:cli(("hset 'devkit4ai:{q%d}:batch' version 2"):format(name))
    local _, message, err = queue:open {}
    assert.equal("conflict", err.kind)
    assert.truthy(message:find("version 2", 1, true))
  end)

  it("lets only the owner send, and only once", function()
    add "a.png"
    assert.equal("a.png", (claim "one"))
    assert.is_false((step("two", "sending", "r2")))
    assert.is_true((step("one", "sending", "r1", { since = 12 })))
    assert.is_true((step("one", "sending", "r1"))) -- the answer was lost, and the script ran again
    assert.is_false((step("one", "sending", "r9")))
    assert.equal("a.png", (claim("two", 0)))
    assert.is_false((step("two", "sending", "r2")))
    assert.is_false((step("two", "refused", "r2")))
    assert.is_false((step("one", "failed")))
    assert.equal(12, queue:state("a.png").since)
    assert.equal("sending", queue:state("a.png").step)
  end)

  it("takes the late answer of the worker that sent, although the job is undecided meanwhile", function()
    add "a.png"
    claim "one"
    step("one", "sending", "r1")
    claim("two", 0)
    assert.is_true((step("two", "undecided", "", { reason = "not found" })))
    assert.equal("not found", queue:dead()[1].reason)
    assert.is_false((step("two", "accepted", "r2", { id = "g1" })))
    assert.is_true((step("one", "accepted", "r1", { id = "g1" })))
    assert.equal(0, #queue:dead())
    assert.equal("a.png", (claim "three")) -- it is on the stream again, should the worker end now
    assert.is_false((step("one", "completed", "r1", { id = "g1" }))) -- so it does not save
    assert.is_true((step("three", "saved", "", { id = "g1" })))
    assert.is_true((step("three", "saved", "", { id = "g1" }))) -- the answer was lost
    assert.is_false((step("one", "saved", "r1", { id = "g1" })))
    local counts = queue:counts()
    assert.same({ 1, 1, 0 }, { counts.total, counts.saved, counts.open })
  end)

  it("gives a generation to one job", function()
    add("a.png", "b.png")
    claim "one"
    step("one", "sending", "r1")
    step("one", "accepted", "r1", { id = "g1" })
    assert.is_true((queue:record("one", "b.png", "sending", "r2", {})))
    assert.is_false((queue:record("one", "b.png", "accepted", "r2", { id = "g1" })))
    assert.equal("a.png", queue:owner_of "g1")
    assert.is_nil((queue:owner_of "g2"))
  end)

  it("keeps a renewed lease, and gives released jobs to another worker at once", function()
    add("a.png", "b.png")
    claim "one"
    assert.same({}, queue:renew("one", { "a.png", "b.png" }))
    assert.equal("", (claim "two"))
    assert.truthy((queue:release("one", "a.png", 60)))
    local names, claimed = claim "two"
    assert.equal("a.png", names)
    assert.equal(1, claimed.state.deliveries)
    assert.same({ "a.png" }, queue:renew("one", { "a.png", "b.png" }))
    assert.is_nil((queue:release("one", "a.png", 60)))
  end)

  it("makes a job a dead letter that no worker finishes, and puts it back for a person", function()
    add("a.png", "b.png", "c.png")
    claim "one"
    step("one", "sending", "r1")
    queue:record("one", "b.png", "sending", "r2", {})
    queue:record("one", "b.png", "accepted", "r2", { id = "g1" })
    queue:release("one", "c.png", 0, "the disk is full")
    assert.equal("a.png b.png c.png", (claim("two", 0, 2)))
    assert.equal("", (claim("three", 0, 2)))
    local letters = {}
    for _, letter in ipairs(queue:dead()) do letters[letter.name] = letter.step .. " " .. letter.id .. letter.reason end
    assert.truthy(letters["a.png"]:find "^undecided ")
    assert.truthy(letters["b.png"]:find "^accepted g1")
    assert.truthy(letters["c.png"]:find "^failed .*the disk is full")
    assert.equal(0, queue:counts().open)
    assert.same({ "d.png" }, queue:not_dead { "a.png", "b.png", "c.png", "d.png" })
    assert.equal(3, queue:again { "a.png", "b.png", "c.png", "d.png" })
    assert.equal(0, queue:again { "a.png", "b.png", "c.png" }) -- the answer was lost
    assert.equal("a.png b.png c.png", (claim "four"))
    local a = queue:state "a.png" -- it is looked for before it is sent again
    assert.same({ "sending", "1", nil }, { a.step, a.again, a.attempt })
    assert.is_false((step("other", "planned", "", { attempt = 2 })))
    assert.is_true((step("four", "planned", "", { attempt = 2 })))
    assert.is_true((step("four", "planned", "", { attempt = 2 }))) -- the answer was lost
    a = queue:state "a.png"
    assert.same({ "planned", nil, 2 }, { a.step, a.again, a.attempt })
    assert.is_true((step("four", "sending", "r3")))
    assert.is_false((step("four", "planned", "", { attempt = 3 })))
    assert.equal("accepted", queue:state("b.png").step) -- it is paid for: nothing is sent
    assert.same({ "planned", 2 }, { queue:state("c.png").step, queue:state("c.png").attempt })
    assert.equal(0, #queue:dead())
  end)

  it("delivers nothing while Redis has no memory, and counts no delivery", function()
    add "a.png"
    server:cli "config set maxmemory 1"
    for _ = 1, 7 do
      local _, message, err = queue:claim("one", 60, 1, 5)
      assert.equal("server", err.kind)
      assert.is_true(err.retryable)
      assert.truthy(message:find("maxmemory", 1, true))
    end
    server:cli "config set maxmemory 0"
    assert.equal(1, select(2, claim "one").state.deliveries)
    server:cli "config set maxmemory 1"
    assert.is_nil((step("one", "sending", "r1")))
    assert.same({}, queue:renew("one", { "a.png" })) -- the lease lives on
    server:cli "config set maxmemory 0"
    assert.equal("planned", queue:state("a.png").step)
  end)

  it("says that its data are gone", function()
    add "a.png"
    server:cli "flushall"
    local _, message, err = queue:claim("one", 60, 1, 5)
    assert.equal("not_found", err.kind)
    assert.truthy(message:find("is gone", 1, true))
    assert.is_nil((queue:state "a.png"))
  end)
end) end

describe("a queue", function()
  it("pays for no job twice and loses none in the model, with all faults", function()
    local ended = child.run([[
      local model = require "spec.devkit4ai.batch.queue.model.run"
      local totals = model.run(1000, 30, 0.04, 2)
      print(totals.twice, totals.lost)
    ]])
    assert.equal("0\t0\n", ended.out, ended.err)
  end)
end)
