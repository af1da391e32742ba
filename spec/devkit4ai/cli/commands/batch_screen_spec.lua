-- The bar of devkit4ai batch: its text, and on terminals of 80 and of 40 columns. One Lua is enough: the terminal is the subject.
if _VERSION ~= "Lua 5.4" then return end

local bar = require "devkit4ai.cli.batch.bar"
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"
local programs = require "spec.support.process.programs"
local screen = require "spec.devkit4ai.cli.screen"

local function counts(changes)
  local c = { total = 200, done = 50, running = 3, failed = 2, undecided = 1, rate = 0.08, seconds_left = 4200 }
  for name, value in pairs(changes or {}) do c[name] = value or nil end
  return c
end

describe("the bar of a batch", function()
  it("leaves out what matters least, where the terminal is narrow", function()
    for columns, line in pairs {
      [88] = "[###............]  50/200  3 running  2 failed  1 undecided  4.8/min  1 h 10 min left",
      [80] = "[####............]  50/200  3 running  2 failed  1 undecided  1 h 10 min left",
      [60] = "[#####................]  50/200  2 failed  1 undecided", [44] = "[##......]  50/200  2 failed  1 undecided",
      [40] = "[####..............]  50/200  2 failed",
    } do assert.equal(line, bar.line(counts(), columns)) end
    assert.equal("50/200", bar.line(counts(), 12))
  end)

  it("is never as wide as the terminal", function()
    for columns = 20, 200 do
      for _, c in ipairs { counts(), counts { rate = false, seconds_left = false, failed = 0, undecided = 0 } } do
        assert.is_true(#bar.line(c, columns) < columns, columns)
        assert.is_true(#bar.line(c, columns, "stopping") < columns, columns)
      end
    end
  end)

  it("shows no rate and no time left before the first job ended, and none while it stops", function()
    local start = counts { done = 0, failed = 0, undecided = 0, rate = false, seconds_left = false }
    assert.equal("[" .. ("."):rep(40) .. "]  0/200  3 running", bar.line(start, 80))
    assert.matches("%]  50/200  3 running  2 failed  1 undecided  stopping$", bar.line(counts(), 80, "stopping"))
    assert.equal("0/0", bar.line({ total = 0, done = 0, running = 0, failed = 0, undecided = 0 }, 8))
  end)

  it("has readable times and rates", function()
    for seconds, text in pairs {
      [0] = "0 s", [0.2] = "1 s", [59] = "59 s", [60] = "1 min", [3599] = "59 min", [3600] = "1 h",
      [4200] = "1 h 10 min", [90000] = "1 d 1 h", [86400] = "1 d",
    } do assert.equal(text, bar.duration(seconds)) end
    for rate, text in pairs { [12] = "12/s", [1.5] = "1.5/s", [0.5] = "30/min", [0.01] = "36/h", [0.0001] = "0.4/h" } do
      assert.is_truthy(bar.text(counts { rate = rate }):find(", " .. text .. ", ", 1, true), text)
    end
  end)
end)

describe("on a terminal devkit4ai batch", function()
  local it = programs.it_with(it, pending, "tmux")
  local workspace, shown
  setup(function()
    workspace = command.new { step_time = 0.05 }
    workspace:login()
    workspace:write("a.png", child.read(helper.PNG))
    workspace:write("jobs.csv", "name,image,prompt\na.png,a.png,neon\nb.png,a.png,neon\nc.png,a.png,neon\n")
  end)
  teardown(function() workspace:remove() end)
  after_each(function()
    if shown then shown:close() end
    shown = nil
    assert(workspace.box:clear_faults())
  end)

  for _, columns in ipairs { 80, 40 } do
    it(("shows a bar on %d columns; Ctrl-C stops, and says how to continue"):format(columns), function()
      assert(workspace.box:fault { operation = "create_generation", hang = true, times = 3 })
      shown = screen.new(columns, workspace:env(), workspace.folder)
      shown:type(("devkit4ai batch jobs.csv --out o%d; echo \"END:\"$?"):format(columns))
      shown:wait "\n%[%.+%]  0/3  3 running *\n"
      os.execute "sleep 0.5"
      local text = shown:text()
      assert.equal(1, select(2, text:gsub("0/3", "")), text) -- a line as wide as the terminal would wrap, and stay
      shown:press "C-c"
      text = shown:wait "END:%d+"
      assert.is_truthy(text:find("END:8", 1, true), text)
      assert.is_nil(text:find("running", 1, true), "the bar is gone")
      text = text:gsub("\n", " "):gsub(" +", " ")
      assert.matches("0 of 3 jobs done, 3 not done, %d payments? in this run", text)
      assert.matches("devkit4ai: interrupted%. Not done: 3 jobs, of which %d accepted and paid for%. To continue, which "
        .. "pays for nothing twice, run: devkit4ai batch jobs%.csv %-%-out o" .. columns, text)
    end)
  end

  it("shows no bar with TERM=dumb or -q", function()
    for changes, flag in pairs { [{ TERM = "dumb" }] = "", [{}] = "-q" } do
      shown = screen.new(80, workspace:env(changes), workspace.folder)
      shown:type(("devkit4ai batch jobs.csv --out dumb%s %s >output 2>errors; echo \"END:\"$?"):format(flag, flag))
      shown:wait "END:0"
      for _, name in ipairs { "output", "errors" } do
        assert.is_nil(child.read(workspace.folder .. "/" .. name):find "[\r\27%[]")
      end
      shown:close()
      shown = nil
    end
  end)
end)
