-- How many jobs run at once, alone and beside other runs of the account on this machine. The clock is the spec's.
local child = require "spec.support.process.child"
local core = require "devkit4ai.core"
local pace_module = require "devkit4ai.batch.run.local_pace"
local waits = require "devkit4ai.loop.waits"

local CLIENT = {
  base_url = "http://127.0.0.1:1", role = "developer", _session = {}, _stored_session = { account = "ann@example.com" },
}

describe("the pace of a batch", function()
  local now, wait_for, getenv, time = waits.now, waits.wait_for, os.getenv, os.time
  local clock, folder, cache, paces, events, goes_on

  before_each(function()
    clock, paces, events, goes_on = 1000, {}, {}, false
    folder = child.folder()
    cache = folder .. "/cache"
    waits.now = function() return clock end
    waits.wait_for = function(_, seconds) -- a caller of begin waits: its time passes, or the spec ends the wait
      clock = clock + (goes_on and seconds or 0)
      return goes_on
    end
    rawset(os, "getenv", function(name) return name == "XDG_CACHE_HOME" and cache or getenv(name) end)
    rawset(os, "time", function(...) return select("#", ...) > 0 and time(...) or 1700000000 + math.floor(clock) end)
  end)

  after_each(function()
    for _, pace in ipairs(paces) do pace:close() end
    waits.now, waits.wait_for = now, wait_for
    rawset(os, "getenv", getenv)
    rawset(os, "time", time)
    child.remove(folder)
  end)

  local function new(options)
    options = options or {}
    options.on_event = function(event) events[#events + 1] = event end
    paces[#paces + 1] = pace_module.new(CLIENT, options)
    return paces[#paces]
  end

  -- Begins a job. nil: it would have to wait.
  local function begin(pace)
    local job = {}
    local begun, why, seconds = pace:begin(job)
    return begun and job or nil, why, seconds
  end

  local function limited(retry_after)
    return { kind = "rate_limited", message = "too many", retry_after = retry_after }
  end

  -- A pace whose account has a limit that it met: so many jobs are in flight.
  local function at_limit(pace, limit)
    local jobs = {}
    while true do
      local job = assert(begin(pace))
      if #jobs == limit then
        assert.equal("wait", pace:refused(job, limited()))
        return jobs
      end
      pace:accepted(job)
      jobs[#jobs + 1] = job
    end
  end

  it("grows while the server accepts, stops at a 429, and tries one more after minutes", function()
    local pace = new()
    assert.is_truthy(begin(pace))
    assert.is_truthy(begin(pace))
    assert.is_nil(begin(pace))
    pace = new { most = 9 }
    paces[1]:close()
    local jobs = at_limit(pace, 5)
    assert.is_nil(begin(pace))
    pace:finish(jobs[1])
    pace:accepted(assert(begin(pace)))
    assert.is_nil(begin(pace))
    clock = clock + 301
    assert.is_truthy(begin(pace))
  end)

  it("sends one job at a time after a refusal", function()
    local pace = new()
    local jobs = at_limit(pace, 4)
    pace:finish(jobs[1])
    pace:finish(jobs[2])
    local job = assert(begin(pace))
    assert.is_nil(begin(pace))
    pace:accepted(job)
    assert.is_truthy(begin(pace))
  end)

  it("stops at a quota, or waits for its end and tells so once", function()
    local pace = new()
    assert.same({ "stop", 3600 }, { pace:refused(assert(begin(pace)), limited(3600)) })
    pace:close()
    pace, goes_on = new { waits_for_quota = true }, true
    assert.equal("wait", (pace:refused(assert(begin(pace)), limited(3600))))
    local before = clock
    assert.is_truthy(begin(pace))
    assert.is_true(clock - before >= 3600 and clock - before < 3602, clock - before)
    assert.same({ { type = "paused", reason = "too many", seconds = 3600 } }, events)
  end)

  it("shares the limit with another run, which gets a fair part", function()
    local first, second = new(), new()
    local jobs = at_limit(first, 4)
    assert.is_nil(begin(first))
    assert.is_nil(begin(second)) -- all places are taken
    clock = clock + 1
    first:finish(jobs[1])
    assert.is_nil(begin(first)) -- it has three, and a fair part is two
    first:finish(jobs[2])
    clock = clock + 1
    assert.is_nil(begin(first))
    clock = clock + 1
    second:accepted(assert(begin(second)))
    clock = clock + 1
    second:accepted(assert(begin(second)))
    clock = clock + 1
    assert.is_nil(begin(second))
    assert.is_nil(begin(first))
    second:close()
    clock = clock + 1
    assert.is_truthy(begin(first))
  end)

  it("has a limit of its own that does not hold for another run", function()
    local first, second = new { most = 1 }, new()
    first:accepted(assert(begin(first)))
    assert.is_nil(begin(first))
    clock = clock + 1
    for _ = 1, 4 do
      second:accepted(assert(begin(second)))
      clock = clock + 1
    end
    assert.is_nil(begin(first))
  end)

  it("leaves the probe to one of the runs", function()
    local first, second = new { waits_for_quota = true }, new { waits_for_quota = true }
    local job = assert(begin(first))
    clock = clock + 1
    assert.is_nil(begin(second))
    assert.equal("wait", (first:refused(job, limited(10))))
    assert.is_nil(begin(first))
    clock = clock + 11
    assert.is_nil(begin(second)) -- the first one probes
    job = assert(begin(first))
    clock = clock + 1
    assert.is_nil(begin(second))
    first:accepted(job)
    first:finish(job)
    clock = clock + 1
    assert.is_truthy(begin(second))
  end)

  it("stops at a quota that another run found, as soon as no run has a job in flight", function()
    local first, second = new(), new()
    local job = assert(begin(first))
    assert.is_nil(begin(second))
    clock = clock + 1
    assert.is_nil(begin(first)) -- it leaves one place to the second run
    clock = clock + 1
    second:finish(assert(begin(second)))
    assert.equal("wait", (first:refused(job, limited(7200)))) -- perhaps the second run has a job in flight
    assert.is_nil(begin(first))
    clock = clock + 1
    job = assert(begin(second))
    assert.same({ "stop", 7200 }, { second:refused(job, limited(7200)) })
    begin(second)
    clock = clock + 1
    local begun, why, seconds = begin(first)
    assert.same({ "quota", true }, { why, begun == nil })
    assert.is_true(seconds > 7190 and seconds <= 7200, seconds)
  end)

  it("does not wait longer than the quota lasts if the clock is set back", function()
    local first, second = new(), new { waits_for_quota = true }
    local job = assert(begin(first))
    begin(second)
    first:refused(job, limited(100))
    begin(first)
    local real = os.time
    rawset(os, "time", function() return real() - 86400 end)
    clock, goes_on = clock + 1, true
    first:close()
    local before = clock
    assert.is_truthy(begin(second))
    assert.is_true(clock - before <= 102, clock - before)
  end)

  it("frees the places of a run that was killed", function()
    local ended = child.start(([[
      local os_getenv = os.getenv
      os.getenv = function(name) return name == "XDG_CACHE_HOME" and %q or os_getenv(name) end
      local pace = require("devkit4ai.batch.run.local_pace").new(
        {
          base_url = "http://127.0.0.1:1", role = "developer", _session = {},
          _stored_session = { account = "ann@example.com" },
        },
        { on_event = print })
      for _ = 1, 2 do assert(pace:begin {}) end
      print "has two"
      io.stdout:flush()
      os.execute "kill -9 $PPID"]]):format(cache), { wrap = "sh -c '\"$@\"; exit $?' sh" })()
    assert.equal("has two\n", ended.out)
    assert.equal(137, ended.code)
    local files = child.list(cache .. "/devkit4ai")
    assert.equal(2, #files) -- the record, and the lock of the killed run
    local pace = new()
    assert.is_truthy(begin(pace))
    assert.is_truthy(begin(pace))
    pace:close()
    assert.same({}, child.list(cache .. "/devkit4ai"))
  end)

  it("has a file for the user alone, whose name does not show the account", function()
    local pace = new()
    assert.is_truthy(begin(pace))
    local name = child.list(cache .. "/devkit4ai")[1]
    assert.matches("^batch%-%x+$", name)
    assert.is_truthy(core.load(cache .. "/devkit4ai/" .. name)) -- it refuses a file that others can read
    assert.is_nil(child.read(cache .. "/devkit4ai/" .. name):find("ann", 1, true))
  end)

  it("goes on alone if the file can't be written, and tells it once", function()
    assert(io.open(cache, "w")):close()
    local pace = new()
    assert.is_truthy(begin(pace))
    clock = clock + 2
    assert.is_truthy(begin(pace))
    assert.equal(1, #events)
    assert.equal("warning", events[1].type)
    assert.is_truthy(events[1].reason:find("does not share the account's limits", 1, true))
  end)

  it("goes on with a damaged file", function()
    local pace = new()
    assert.is_truthy(begin(pace))
    local path = cache .. "/devkit4ai/" .. child.list(cache .. "/devkit4ai")[1]
    for _, text in ipairs { "", "{", "[1]", '{"version":1,"changes":"x","runs":{"ab":1}}', '{"version":2}' } do
      assert(core.save(path, text))
      clock = clock + 2
      pace:finish {}
      local job = begin(pace)
      if job then pace:finish(job) end
    end
    assert.same({}, events)
  end)
end)
