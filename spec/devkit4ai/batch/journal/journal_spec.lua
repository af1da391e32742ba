-- The journal of a batch: what a record is, and each way in which the file can be broken.
local child = require "spec.support.process.child"
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local format = require "devkit4ai.batch.journal.format"
local journal = require "devkit4ai.batch.journal"
local reader = require "devkit4ai.batch.journal.reader"

local ID = "00000000-0000-4000-8000-000000000001"

describe("the journal of a batch", function()
  local folder, path

  before_each(function()
    folder = child.folder()
    path = folder .. "/journal.jsonl"
  end)

  after_each(function() child.remove(folder) end)

  local function job(name) return { name = name, digest = core.digest(name) } end

  local function write(text)
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
  end

  -- A journal with two jobs: one is saved, and one is being sent. Gives its text.
  local function make()
    local ledger = assert(journal.open(folder))
    local a, b = job "a.png", job 'b "\\\n.png'
    assert(ledger:begin({ a, b }, {}))
    assert(ledger:record(a, "sending", { images = "00", since = 1800000000 }))
    assert(ledger:record(a, "accepted", { id = ID }))
    assert(ledger:record(b, "sending", { images = "00", since = 1800000000 }))
    assert(ledger:record(a, "completed"))
    assert(ledger:record(a, "saved", { bytes = 5 }))
    ledger:close()
    return child.read(path)
  end

  local function fails(text)
    local ledger, message, err = journal.open(folder)
    assert.is_nil(ledger)
    assert.equal("file", err.kind)
    assert.truthy(message:find(text, 1, true), message)
  end

  it("has the state of each job, and who has a generation", function()
    make()
    local ledger = assert(journal.open(folder))
    assert.same({ step = "saved", digest = core.digest "a.png" }, ledger:state_of(job "a.png"))
    assert.same({ step = "sending", digest = core.digest 'b "\\\n.png', since = 1800000000 },
      ledger:state_of(job 'b "\\\n.png'))
    assert.same({}, ledger:state_of(job "c.png"))
    assert.is_false(ledger:is_of_other(ID, job "a.png"))
    assert.is_true(ledger:is_of_other(ID, job "c.png"))
    assert.is_false(ledger:is_of_other("x", job "a.png"))
    assert.equal(1, ledger:payments())
    assert.same({ 'b "\\\n.png' }, ledger:unfinished_names {})
    assert.same({}, ledger:unfinished_names { ['b "\\\n.png'] = true })
    ledger:close()
  end)

  it("counts the last step that only lost its line feed: the job was perhaps sent", function()
    local ledger = assert(journal.open(folder))
    local a = job "a.png"
    assert(ledger:begin({ a }, {}))
    assert(ledger:record(a, "sending", { images = "00" }))
    ledger:close()
    write((child.read(path):gsub("\n$", "")))
    ledger = assert(journal.open(folder))
    assert.equal("sending", ledger:state_of(a).step)
    assert(ledger:record(a, "accepted", { id = ID }))
    ledger:close()
    assert.equal("accepted", assert(journal.open(folder)):state_of(a).step)
  end)

  it("takes the step sending of a job once", function()
    local ledger = assert(journal.open(folder))
    local a = job "a.png"
    assert(ledger:begin({ a }, {}))
    local function send()
      local done, message, err = ledger:record(a, "sending", { images = "00" })
      return done, message and err.kind, message
    end
    local first, second = devkit4ai.spawn(send), devkit4ai.spawn(send) -- in one write
    assert.is_true((first:join()))
    assert.equal("conflict", select(2, second:join()))
    assert.equal("conflict", select(2, send()))
    assert(ledger:record(a, "refused", { reason = "full" }))
    assert.is_true((send()))
    assert.equal(2, select(2, child.read(path):gsub('"step":"sending"', "")))
    ledger:close()
  end)

  it("is refused if lines were removed from its end, or the file, and a run had written them", function()
    local text = make()
    for _, left in ipairs { text:match "^(.*\n)[^\n]+\n$", "", false } do
      if left then write(left) else os.remove(path) end
      fails("with steps of jobs that may be paid for. Nothing was sent")
    end
    write(text)
    local ledger = assert(journal.open(folder))
    assert(ledger:begin({}, {}))
    ledger:close()
    write(text) -- the line of the last run is gone
    fails("bytes at its end")
    os.remove(path .. ".length")
    assert(journal.open(folder)):close()
    for _, what in ipairs { "", "x\n", "12", ("%d\n99"):format(#text) } do -- no whole line that names a length above this one
      local file = assert(io.open(path .. ".length", "wb"))
      file:write(what)
      file:close()
      assert(journal.open(folder)):close()
    end
    local torn = assert(io.open(path .. ".length", "wb"))
    torn:write(("%d\n12"):format(#text)) -- a power failure cut the last line
    torn:close()
    for _ = 1, 2 do
      ledger = assert(journal.open(folder))
      assert(ledger:begin({}, {}))
      ledger:close()
    end
    write(text)
    fails("bytes at its end")
    os.remove(path .. ".length")
    assert(os.execute(("mkdir '%s.length'"):format(path))) -- it can't be written: the run goes on
    ledger = assert(journal.open(folder))
    assert(ledger:begin({}, {}))
    ledger:close()
  end)

  it("has at most 1 KB a job", function()
    local text = make()
    assert.is_true(#text / 2 < 1000, #text)
  end)

  it("is cut off at its last whole line, at whatever byte a crash ended it; a line may lack its line feed", function()
    local text = make()
    local function whole_of(length)
      if text:sub(length + 1, length + 1) == "\n" then return text:sub(1, length + 1) end
      return text:sub(1, length):match "^(.*\n)" or ""
    end
    for length = 0, #text do
      local read = assert(reader.read {
        read = function(_, offset, most) return text:sub(offset + 1, math.min(offset + most, length)) end,
      })
      assert.equal(#whole_of(length), read.length)
    end
    local lengths = { #text - 1, text:find("\n", 1, true) - 1 }
    for length = 1, #text, 199 do lengths[#lengths + 1] = length end
    for _, length in ipairs(lengths) do
      write(text:sub(1, length))
      os.remove(path .. ".length") -- the run was killed
      local ledger = assert(journal.open(folder))
      assert(ledger:begin({}, {}))
      ledger:close()
      assert.equal(whole_of(length), child.read(path):sub(1, #whole_of(length)))
      assert(journal.open(folder)):close() -- the new lines follow the whole ones
    end
  end)

  it("is cut off where the file was made longer, and its bytes are zeros after a power failure", function()
    local text = make()
    for _, tail in ipairs { ("\0"):rep(5000), '{"job":"a' .. ("\0"):rep(90), '{"job":"a' .. ("\0"):rep(90) .. "}\n" } do
      write(text .. tail)
      local ledger = assert(journal.open(folder))
      ledger:close()
      assert.equal(text, child.read(path))
    end
  end)

  it("is refused with the line that was changed, removed, moved or repeated by hand", function()
    local text = make()
    local lines = {}
    for line in text:gmatch "[^\n]*\n" do lines[#lines + 1] = line end
    local function with(change)
      local copy = {}
      for i, line in ipairs(lines) do copy[i] = line end
      change(copy)
      write(table.concat(copy))
    end
    with(function(copy) copy[5] = copy[5]:gsub('"sending"', '"refused"') end)
    fails("line 5 was changed or damaged")
    with(function(copy) table.remove(copy, 6) end)
    fails("line 6 was changed or damaged")
    with(function(copy) copy[6], copy[7] = copy[7], copy[6] end)
    fails("line 6 was changed or damaged")
    with(function(copy) table.insert(copy, 6, copy[5]) end)
    fails("line 6 was changed or damaged")
    with(function(copy) copy[#copy] = "\n" end)
    fails(("line %d was changed or damaged"):format(#lines))
    with(function(copy) copy[2] = copy[2]:gsub("\n", "\r\n") end)
    fails("line 2 was changed or damaged")
    assert.equal(table.concat(lines):gsub("\n", "\r\n", 2):sub(1, 20), child.read(path):sub(1, 20)) -- nothing is repaired
  end)

  it("is refused with the line that has a value of a wrong type, though its sum is right", function()
    local text = make()
    local _, count = text:gsub("\n", "")
    for _, wrong in ipairs {
      { since = "now" }, { since = -1 }, { since = 2 ^ 60 }, { attempt = true }, { digest = 5 }, { id = 7 },
      { reason = false }, { paid = "yes" }, { step = 1 }, { job = 1 }, { run = "me" }, { host = 1, run = 1 },
    } do
      local record = { job = "c.png", step = "sending", digest = core.digest "c.png" }
      for field, value in pairs(wrong) do record[field] = value end
      write(text .. format.encode(record, text:sub(-format.LINK)))
      fails(("line %d was changed or damaged"):format(count + 1))
    end
    write((format.encode({ journal = format.VERSION, batch = 5 }, "")))
    fails "line 1 was changed or damaged"
    write((format.encode({ journal = format.VERSION }, "")))
    fails "line 1 was changed or damaged"
  end)

  it("is refused if it is of another version, or no journal", function()
    local text = make()
    write((text:gsub('{"journal":1', '{"journal":2')))
    fails "it is a journal of version 2, and this library reads version 1. Nothing was sent"
    write "name,prompt\n"
    fails "it is not a journal of a batch"
    write "name,prompt"
    fails "it is not a journal of a batch"
    write '{"name":"a.png"}\n'
    fails "it is not a journal of a batch"
  end)

  it("is refused if it is a folder or a link, or its folder is a file", function()
    assert(os.execute(("mkdir '%s'"):format(path)))
    fails "Is a directory"
    assert(os.execute(("rmdir '%s' && ln -s /tmp '%s'"):format(path, path)))
    fails(path)
    os.remove(path)
    write "x"
    folder = path
    fails(("out: the folder %s can't be used: Not a directory. Nothing was sent"):format(path))
    folder = path:match "^(.*)/"
  end)

  it("tells who has it", function()
    local script = [[
      local journal = require "devkit4ai.batch.journal"
      local ledger = assert(journal.open(arg[1]))
      if arg[2] then assert(ledger:begin({}, {})) end
      local _, message = journal.open(arg[1])
      print(require("devkit4ai.core").process(), message)
    ]]
    local pid, message = child.run(script, { args = { folder, "begin" } }).out:match "^(%d+)\t(.*)\n$"
    assert.truthy(message:find(("%s: process %s on %s, since "):format(path, pid, core.host_name()), 1, true), message)
    assert(journal.open(folder)):close() -- that process has ended
  end)

  it("can be opened once", function()
    local ledger = assert(journal.open(folder))
    local _, message = journal.open(folder)
    assert.truthy(message:find("another process runs this batch", 1, true), message)
    ledger:close()
    ledger:close()
    assert(journal.open(folder)):close()
  end)

  it("is as it was after a write that failed, and is not written any more by a step that was not taken", function()
    local ended = child.run([[
      local core = require "devkit4ai.core"
      local journal = require "devkit4ai.batch.journal"
      local ledger = assert(journal.open(arg[1]))
      local function job(i) return { name = ("x"):rep(200) .. i, digest = core.digest "x" } end
      assert(ledger:begin({ job(1) }, {}))
      local i, message, err = 1, nil, nil
      repeat
        i = i + 1
        local done
        done, message, err = ledger:record(job(i), "sending", { since = i })
      until not done
      print(err.kind, ledger:state_of(job(i)).step, ledger:state_of(job(i - 1)).step)
      print(message)
    ]], { args = { folder }, before = "ulimit -f 8" }) -- KiB
    assert.equal(0, ended.code, ended.err)
    assert.truthy(ended.out:find("^file\tnil\tsending\n"), ended.out)
    assert.truthy(ended.out:find("(File too large): raise its limit (ulimit -f)", 1, true), ended.out)
    assert.equal("\n", child.read(path):sub(-1))
    local ledger = assert(journal.open(folder))
    assert(ledger:begin({ job "after.png" }, {}))
    ledger:close()
    assert(journal.open(folder)):close()
  end)

  it("writes the records of tasks that are ready at the same time at once", function()
    local ended = child.run([[
      local devkit4ai = require "devkit4ai"
      local journal = require "devkit4ai.batch.journal"
      local ledger = assert(journal.open(arg[1]))
      assert(ledger:begin({}, {}))
      local list = {}
      for i = 1, 20 do list[i] = { name = i .. ".png" } end
      devkit4ai.map(list, { concurrency = 20 }, function(job) assert(ledger:record(job, "sending")) end)
      for i = 1, 20 do assert(ledger:state_of(list[i]).step == "sending") end
    ]], { args = { folder }, wrap = "strace -f -qq -e trace=fdatasync -o " .. folder .. "/trace" })
    assert.equal(0, ended.code, ended.err)
    local _, syncs = child.read(folder .. "/trace"):gsub("fdatasync", "")
    assert.equal(2, syncs) -- of begin, and of all
  end)

  it("lets no task wait for a write that raised an error", function()
    local ended = child.run([[
      local devkit4ai = require "devkit4ai"
      local core = require "devkit4ai.core"
      local journal = require "devkit4ai.batch.journal"
      local ledger = assert(journal.open(arg[1]))
      assert(ledger:begin({}, {}))
      local list, digest, refused = { { name = "1.png" }, { name = "2.png" } }, core.digest, 0
      core.digest = function() error("not enough memory", 0) end
      pcall(devkit4ai.map, list, { concurrency = 2 }, function(job)
        local done, message, err = ledger:record(job, "sending")
        assert(not done and err.kind == "file" and message:find("not enough memory", 1, true), message)
        refused = refused + 1
        return true
      end)
      core.digest = digest
      print(refused, ledger:state_of(list[1]).step)
      assert(ledger:record(list[1], "sending"))
      ledger:close()
      assert(journal.open(arg[1])):close()
    ]], { args = { folder } })
    assert.equal(0, ended.code, ended.err)
    assert.equal("1\tnil\n", ended.out)
  end)
end)
