-- client:batch in a folder that can't be used, and on disks that are full or read-only. The disks are real. One Lua is enough: the
-- files are the core's.
if _VERSION ~= "Lua 5.4" then return end

local batches = require "spec.support.batches"
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local sandbox_module = require "devkit4ai.sandbox"

describe("the folder of a batch", function()
  local sandbox, client, stop, folder, out, paid_before

  setup(function() sandbox, client, stop = batches.start() end)
  teardown(function() stop() end)

  before_each(function()
    folder = child.folder()
    out, paid_before = folder .. "/results", #assert(sandbox:generations())
  end)
  after_each(function()
    os.execute(("umount '%s' 2>/dev/null"):format(out))
    child.remove(folder)
  end)

  local function shell(line)
    return os.execute("cd '" .. folder .. "' && " .. line)
  end

  -- A batch of jobs with one prompt, so that the sandbox draws one image.
  local function batch_of(count, options)
    local rows = {}
    for i = 1, count do rows[i] = { number = i } end
    local given = { jobs = rows, images = batches.IMAGE, prompt = "a lighthouse", name = "{row.number}.png", out = out }
    for name, value in pairs(options or {}) do given[name] = value end
    return client:batch(given)
  end

  -- The payments in this test.
  local function payments() return #assert(sandbox:generations()) - paid_before end

  local function pictures()
    local count = 0
    for _, name in ipairs(child.list(out)) do
      if name:find "%.png$" then count = count + 1 end
    end
    return count
  end

  -- A disk of this size in the place of the results; false: only the superuser may mount.
  local function mount(size)
    return shell(("mkdir results && mount -t tmpfs -o size=%s none results 2>/dev/null"):format(size))
  end

  it("is made by the run, and by nothing before", function()
    local batch = assert(batch_of(1))
    assert.equal(1, batch.plan.to_send)
    batch:close()
    assert.same({}, child.list(folder))
    assert(shell "mkdir results")
    assert(batch_of(1)):close()
    assert.same({}, child.list(out))
    out = out .. "/a/b/"
    assert.equal(1, assert(assert(batch_of(1)):run()).done)
    assert.same({ "1.png", "index.html", "journal.jsonl", "journal.jsonl.length" }, child.list(out))
  end)

  it("can be used by one run, also if two of them checked it before it was there", function()
    local first, second = assert(batch_of(2)), assert(batch_of(2))
    assert.equal(2, assert(first:run()).done)
    local _, message, err = second:run()
    assert.equal("file", err.kind)
    assert.truthy(message:find("another run has begun this batch since its jobs were checked", 1, true), message)
    assert.equal(2, payments())
    assert.equal(2, assert(batch_of(2)).plan.done)
  end)

  it("is named with the reason if it can't be used", function()
    assert(shell "echo x >file && mkfifo pipe && ln -s nowhere link")
    for name, reason in pairs { file = "Not a directory", ["file/a"] = "Not a directory", pipe = "Not a directory" } do
      local batch, message, err = batch_of(1, { out = folder .. "/" .. name })
      assert.is_nil(batch)
      assert.equal("file", err.kind)
      assert.equal(("client:batch: out: the folder %s/%s can't be used: %s. Nothing was sent"):format(folder, name,
        reason), message)
    end
    for name, reason in pairs {
      ["file/../a"] = "Not a directory", ["/proc/none/a"] = "No such file", link = "File exists",
    } do
      local path = name:find "^/" and name or folder .. "/" .. name
      local batch, message = batch_of(1, { out = path })
      if batch then message = select(2, batch:run()) end
      assert.truthy(message:find(("the folder %s can't be used: %s"):format(path, reason), 1, true), message)
    end
    assert.has_error(function() batch_of(1, { out = " " }) end)
    assert.equal(0, payments())
  end)

  it("may be on a read-only disk only as long as nothing is to be done", function()
    if not mount "64m" then return end
    assert.equal(2, assert(assert(batch_of(2)):run()).done)
    assert(shell "mount -o remount,ro results")
    local _, message, err = batch_of(3)
    assert.equal("file", err.kind)
    assert.truthy(message:find(out .. " can't be used: the file system is read-only (", 1, true), message)
    assert.is_nil(message:find("give a path", 1, true), message)
    assert(shell "mount -o remount,rw results")
    assert.equal(3, assert(assert(batch_of(3)):run()).done)
    assert.equal(3, payments())
  end)

  it("may fill up while images are saved: none is lost, and none is paid for twice", function()
    if not mount "300k" then return end
    local batch = assert(batch_of(4))
    local _, message, err = batch:run()
    local summary = batch.summary
    assert.equal("file", err.kind)
    assert.matches("%.png: the disk is full %(.*%): free some space; the generation %S+ is paid for, and its image is "
      .. "not saved; then run the batch again with the same folder", message)
    assert.is_nil(message:find("another disk", 1, true), message)
    assert.is_true(summary.left > 0 and summary.unsaved > 0)
    assert.equal(payments(), summary.done + summary.unsaved)
    for _, name in ipairs(child.list(out)) do assert.is_nil(name:find("unfinished", 1, true), name) end
    assert(shell "mount -o remount,size=64m results")
    assert.equal(4, assert(assert(batch_of(4)):run()).done)
    assert.same({ 4, 4 }, { payments(), pictures() })
  end)

  it("may be full when a step is written: the step is not taken, and another run continues", function()
    if not mount "2m" then return end
    local COUNT, at_once = 30, sandbox
    sandbox = assert(sandbox_module.start { step_time = 1000, access_life = 10 ^ 7 }) -- no image is there to be saved
    local mine = client
    client = assert(devkit4ai.new(assert(sandbox:developer { email = "b@example.com", password = "SecurePass123" })))
    paid_before = 0
    finally(function()
      client:close()
      sandbox:stop()
      sandbox, client = at_once, mine
    end)
    local events, is_full = {}, false
    local batch = assert(batch_of(COUNT, { on_event = function(event)
      if event.type == "sending" then events[#events + 1] = event.job end
      if event.type == "accepted" and not is_full then
        is_full = true
        shell "cat /dev/zero >results/rest 2>/dev/null"
      end
    end }))
    local _, message, err = batch:run()
    assert.equal("file", err.kind)
    assert.matches("journal%.jsonl: the disk is full %(.*%): free some space; then run the batch again with the same "
      .. "folder", message)
    local summary, paid = batch.summary, payments()
    assert.is_true(paid > 0 and paid < COUNT, paid)
    assert.is_true(paid <= #events) -- each request was in the journal before it went out
    assert.equal(paid, summary.unsaved + summary.unknown)
    assert.equal("\n", child.read(out .. "/journal.jsonl"):sub(-1))
    local none, again = assert(batch_of(COUNT)):run() -- the disk is still full
    assert.is_nil(none)
    assert.truthy(again:find("the disk is full", 1, true), again)
    assert.equal(paid, payments())
    os.remove(out .. "/rest")
    assert(shell "mount -o remount,size=64m results")
    sandbox:advance(3000)
    local function advance(event)
      if event.type == "accepted" then sandbox:advance(3000) end
    end
    summary = assert(assert(batch_of(COUNT, { on_event = advance })):run())
    assert.same({ COUNT, 0 }, { summary.done + #summary.undecided, summary.left })
    assert.equal(payments(), summary.done)
    local names = {} -- jobs whose request did not go out, and the disk had no room to note that
    for i, job in ipairs(summary.undecided) do names[i] = job.name end
    assert.equal(COUNT, assert(assert(batch_of(COUNT, { again = names, on_event = advance })):run()).done)
    assert.same({ COUNT, COUNT }, { payments(), pictures() })
  end)

  it("may be on another file system than all other files", function()
    if not mount "64m" then return end
    assert(shell "mkdir cache other && mount -t tmpfs none other")
    finally(function() shell "umount other" end)
    assert(shell(("cp '%s/%s' other/a.png"):format(os.getenv "PWD", batches.IMAGE)))
    assert.equal(2, assert(assert(batch_of(2, { images = folder .. "/other/a.png" })):run()).done)
    assert.same({ 2, 2 }, { payments(), pictures() })
  end)

  it("may disappear during a run: nothing more is sent", function()
    local sent = 0
    local batch = assert(batch_of(9, { concurrency = 1, on_event = function(event)
      if event.type == "sending" then sent = sent + 1 end
      if event.type == "accepted" then child.remove(out) end
    end }))
    local _, message, err = batch:run()
    assert.equal("file", err.kind)
    local advice = "journal.jsonl: it was deleted while it was in use; put the journal back"
    assert.truthy(message:find(advice, 1, true), message)
    assert.same({ 1, 1 }, { sent, payments() })
  end)

  it("is locked no more after a function of the program raised", function()
    local function raise() error "mine" end
    local calls = 0
    local function rows()
      calls = calls + 1
      return calls < 3 and { number = calls } or raise()
    end
    local function run(options)
      local batch = assert(batch_of(1, options))
      return batch:run()
    end
    for what, options in pairs {
      jobs = { jobs = rows }, save = { save = raise }, on_event = { on_event = raise },
    } do
      out = folder .. "/" .. what
      local ok, why = pcall(run, options)
      assert.is_false(ok, what)
      assert.truthy(tostring(why):find("mine", 1, true), tostring(why))
      assert.equal(1, assert(run()).done, what)
    end
    assert.equal(3, payments())
  end)

  it("gets no image of a job whose own image changed or disappeared after the check, and the others go on", function()
    assert(shell(("cp '%s/%s' a.png"):format(os.getenv "PWD", batches.IMAGE)))
    local options = { concurrency = 1, images = folder .. "/a.png", on_event = function(event)
      if event.type == "accepted" then shell "echo text >a.png" end
    end }
    local summary = assert(assert(batch_of(2, options)):run())
    assert.same({ 1, 1, 1 }, { summary.done, summary.failed, payments() })
    assert.truthy(summary.reasons[1].reason:find("a.png: it is not a JPEG, PNG or WebP image", 1, true))
    os.remove(folder .. "/a.png")
    summary = assert(assert(batch_of(2, options)):run()) -- a job that failed is not sent again, and its image not missed
    assert.same({ 1, 1, 1 }, { summary.done, summary.failed, payments() })
  end)
end)
