-- devkit4ai batch with folders, jobs and projects that can't be used, full disks, quotas and signals: what it prints, its exit codes, and
-- what the next run does. One Lua is enough for what the command adds.
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

  local function write(rows)
    count = count + 1
    return workspace:write(("jobs%d.csv"):format(count), "name,image,project\n" .. table.concat(rows, "\n") .. "\n")
  end

  -- A file of this many jobs, and the path of a folder that does not exist.
  local function jobs(number)
    local rows = {}
    for i = 1, number do rows[i] = ("%d.png,%s,"):format(i, image) end
    return write(rows), ("%s/out%d"):format(workspace.folder, count)
  end

  local function arguments(path, out, ...)
    if ... == "--prompt" then return { "batch", path, "--out", out, ... } end
    return { "batch", path, "--out", out, "--prompt", "a lighthouse", ... }
  end

  local function run(path, out, ...)
    local ended = workspace:run(arguments(path, out, ...), { code = FAST })
    assert.is_nil(ended.err:find("client:", 1, true), ended.err) -- no Lua in messages of the command
    assert.is_nil(ended.err:find("batch:run", 1, true), ended.err)
    return ended
  end

  -- Runs and gives the payments of the run.
  local function paid(...)
    local before = workspace:count_generations()
    local ended = run(...)
    return workspace:count_generations() - before, ended
  end

  it("--dry-run makes no folder and no file", function()
    local path, out = jobs(2)
    assert.equal(0, run(path, out .. "/a/b", "--dry-run").code)
    assert.is_nil(io.open(out))
    os.execute(("mkdir '%s'"):format(out))
    assert.equal(0, run(path, out, "--dry-run").code)
    assert.same({}, child.list(out))
    assert.equal(0, run(path, out .. "/a/b").code) -- the run makes it
    assert.equal(5, #child.list(out .. "/a/b")) -- two images, the page, the journal and its length
  end)

  it("says what is wrong with the folder, and sends nothing", function()
    local path, out = jobs(1)
    workspace:write("file", "x")
    for name, reason in pairs { [workspace.folder .. "/file"] = "Not a directory", ["/proc/none"] = "No such file" } do
      local number, ended = paid(path, name)
      assert.same({ 0, 1 }, { number, ended.code })
      assert.truthy(ended.err:find(("the folder %s can't be used: %s"):format(name, reason), 1, true), ended.err)
      assert.is_nil(ended.err:find("lock", 1, true), ended.err)
    end
    local disk = out .. " full"
    local mounted = os.execute(("mkdir '%s' && mount -t tmpfs -o size=100k none '%s' 2>/dev/null"):format(disk, disk))
    if not mounted then return end -- only the superuser may mount
    finally(function() os.execute(("umount '%s'"):format(disk)) end)
    local number, ended = paid(path, disk)
    assert.same({ 1, 8 }, { number, ended.code }, ended.err)
    assert.matches("1%.png: the disk is full %(.*%): free some space; the generation %S+ is paid for, and its image is "
      .. "not saved; the folder has to be the same: its journal has what is paid for%. Not done: 1 job, of which 1 "
      .. "accepted and paid for%. To continue", ended.err)
    number, ended = paid(path, disk) -- it found no room again: it is still paid for
    assert.same({ 0, 8 }, { number, ended.code }, ended.err)
    assert(os.execute(("mount -o remount,size=8m '%s'"):format(disk)))
    number, ended = paid(path, disk)
    assert.same({ 0, 0 }, { number, ended.code }, ended.err)
  end)

  it("counts what earlier runs paid for, also if it does not come to these jobs", function()
    local path, out = jobs(3)
    assert(workspace.box:fault { operation = "create_generation", hang = true, times = 3 })
    local before = workspace:count_generations()
    local ended = workspace:interrupt(arguments(path, out, "--json", "--concurrency", "1"), "accepted", { code = FAST })
    assert.equal(8, ended.code, ended.output)
    assert.equal(before + 1, workspace:count_generations())
    ended = workspace:run(arguments(path, out), { code = FAST, env = { DEVKIT4AI_BASE_URL = "http://127.0.0.1:9" } })
    assert.equal(8, ended.code, ended.err)
    assert.matches("Not done: 3 jobs, of which 1 accepted and paid for%. To continue", ended.err)
    assert.equal(before + 1, workspace:count_generations())
  end)

  it("goes on after each signal, and pays once", function()
    for _, signals in ipairs { "INT", "TERM", "INT INT INT", "HUP" } do
      local path, out = jobs(3)
      assert(workspace.box:clock { frozen = true })
      local before = workspace:count_generations()
      local ended = workspace:interrupt(arguments(path, out, "--json"), "accepted", { signals = signals, code = FAST })
      assert(workspace.box:clock { frozen = false })
      assert.equal(8, ended.code, ended.output)
      assert.matches("\n$", child.read(out .. "/journal.jsonl"))
      assert.matches("devkit4ai batch ", command.suggested_line(ended))
      ended = run(path, out)
      assert.equal(0, ended.code, ended.err)
      assert.equal(before + 3, workspace:count_generations())
    end
  end)

  it("ends with 2 if the jobs have to be changed", function()
    local path, out = jobs(2)
    assert.equal(0, run(path, out).code)
    for _, more in ipairs {
      { "--prompt", "a ship", "have changed since: 1.png, 2.png" }, { "--again", "1.png", "and these are not: 1.png" },
    } do
      local number, ended = paid(path, out, more[1], more[2])
      assert.same({ 0, 2 }, { number, ended.code }, ended.err)
      assert.truthy(ended.err:find(more[3], 1, true), ended.err)
    end
  end)

  it("says what to type for jobs of another project, and for a prompt that the marker makes too long", function()
    local other = "550e8400-e29b-41d4-a716-446655440000"
    local out = workspace.folder .. "/other"
    local own = workspace.developer.project_id
    local number, ended = paid(write { ("1.png,%s,%s"):format(image, own), ("2.png,%s,%s"):format(image, other) }, out)
    assert.same({ 0, 4 }, { number, ended.code }, ended.err)
    assert.truthy(ended.err:find("of that project, run:\n  devkit4ai batch FILE --out FOLDER --project " .. other,
      1, true), ended.err)
    assert.is_nil(io.open(out))
    number, ended = paid(write { ("1.png,%s,%s"):format(image, own) }, out, "--prompt", ("x"):rep(980))
    assert.same({ 0, 2 }, { number, ended.code }, ended.err)
    assert.truthy(ended.err:find("--no-marker leaves it out", 1, true), ended.err)
  end)

  it("stops at a quota that does not end, and --wait goes on until it ends", function()
    local path, out = jobs(1)
    assert(workspace.box:fault { operation = "create_generation", rate_limit = 1, times = 6 })
    local number, ended = paid(path, out)
    assert.same({ 0, 5 }, { number, ended.code }, ended.err)
    assert(workspace.box:clear_faults())
    assert(workspace.box:fault { operation = "create_generation", rate_limit = 1, times = 6 })
    number, ended = paid(path, out, "--wait")
    assert.same({ 1, 0 }, { number, ended.code }, ended.err)
  end)
end)
