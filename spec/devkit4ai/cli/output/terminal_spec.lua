-- The command on terminals of 80 and of 20 columns. One Lua is enough, because the terminal is the subject.
if _VERSION ~= "Lua 5.4" then return end

local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"
local programs = require "spec.support.process.programs"
local raw = require "spec.support.servers.raw"
local screen = require "spec.devkit4ai.cli.screen"

local ID = "550e8400-e29b-41d4-a716-446655440000"

-- Reads half of a request, and then nothing.
local HALF = [[return function(conn)
  local head = conn:read_head()
  conn:read(tonumber(head:match("Content%-Length: (%d+)")) // 2)
  conn:sleep(1000)
end]]

describe("on a terminal devkit4ai", function()
  local it = programs.it_with(it, pending, "tmux", "chafa")
  local workspace, shown, here
  setup(function()
    here = helper.shell "pwd":match "[^\n]+"
    workspace = command.new { step_time = 0.05 }
    workspace:login()
    workspace:write("big.jpg", "\255\216\255" .. ("x"):rep(9000000))
  end)
  teardown(function() workspace:remove() end)
  after_each(function()
    if shown then shown:close() end
    shown = nil
    assert(workspace.box:clear_faults())
  end)

  local function open(columns, changes)
    shown = screen.new(columns, workspace:env(changes), workspace.folder)
    return shown
  end

  -- The status line is on the screen once: a line as wide as the terminal would wrap, and stay.
  local function assert_once(one, pattern)
    os.execute "sleep 0.5"
    local text = one:text()
    local _, count = text:gsub(pattern, "")
    assert.equal(1, count, text)
  end

  local function generate_line(more)
    return ("devkit4ai generate %s/%s --prompt 'näon 日本' --interval 0.1 %s"):format(here, helper.PNG, more or "")
  end

  local function upload(columns)
    local server = raw.start { script = HALF }
    finally(function() server:stop() end)
    local one = open(columns, { DEVKIT4AI_BASE_URL = server.url, DEVKIT4AI_JWT_TOKEN = "token-12345" })
    one:type "devkit4ai generate big.jpg big.jpg --prompt 'a city' --out o.png; echo \"END:\"$?"
    return one, server
  end

  it("shows a progress bar during the upload; Ctrl-C says what may be paid for and how to find out", function()
    local one = upload(80)
    local text = one:wait "%[#+%.+%] %d+%.%d/17%.2 MB"
    assert.is_nil(text:find("END:1", 1, true))
    assert_once(one, "MB")
    one:press "C-c"
    text = one:wait "END:%d+"
    assert.is_truthy(text:find("END:6", 1, true), text)
    assert.matches("\ndevkit4ai: interrupted[^\n]*\nThe request may have arrived, and may be paid for%.", text)
    assert.matches("\n  devkit4ai list %-%-find 'a city' %-%-since %d+ *\n", text)
    assert.is_nil(text:find("MB", 1, true), "the bar is gone")
  end)

  it("shows the progress bar on 20 columns, too", function()
    local one = upload(20)
    one:wait "%d/17%.2 MB"
    assert_once(one, "MB")
  end)

  it("cuts a status line at 20 columns, and no character in half", function()
    local server = raw.start { script = [[return function(conn)
      while conn:read_request() do
        conn:respond(200, { id = "]] .. ID .. [[", status = "späte 日本日本日本日本" })
      end
    end]] }
    finally(function() server:stop() end)
    local one = open(20, { DEVKIT4AI_BASE_URL = server.url, DEVKIT4AI_JWT_TOKEN = "token-12345" })
    one:type("devkit4ai wait " .. ID)
    one:wait "\n. späte 日本日本日 *\n"
    assert_once(one, "späte")
  end)

  for _, columns in ipairs { 80, 20 } do
    it(("shows status and time during the wait, on %d columns; Ctrl-C says how to continue"):format(columns), function()
      assert(workspace.box:fault { operation = "create_generation", hang = true })
      local one = open(columns)
      one:type(generate_line "--out o.png; echo \"END:\"$?")
      one:wait "[|/\\-] %l+ %d+ s *\n"
      local text = one:wait "[|/\\-] %l+ [1-9] s *\n"
      assert_once(one, "[|/\\-] %l+ %d+ s")
      assert.is_nil(text:find("%%"))
      one:press "C-c"
      text = one:wait "END:%d+"
      assert.is_truthy(text:find("END:8", 1, true), text)
      local id = text:match "generation ([%x-]+) was accepted and is paid for"
      assert.is_truthy(text:find("devkit4ai wait " .. id .. " --out o.png", 1, true), text)
    end)
  end

  it("shows a failure on its own line", function()
    assert(workspace.box:fault { operation = "create_generation", fail = "the model is tired" })
    local one = open(80)
    one:type(generate_line "--out o.png; echo \"END:\"$?")
    local text = one:wait "END:%d+"
    assert.is_truthy(text:find("END:9", 1, true))
    assert.matches("\ndevkit4ai: the generation [%x-]+ failed: the model is tired *\n", text)
  end)

  it("shows the image by chafa, and always its path", function()
    local one = open(80)
    one:type(generate_line "--out \"a b's.png\"; echo \"END:\"$?")
    local text = one:wait "END:%d+"
    assert.is_truthy(text:find("END:0", 1, true), text)
    assert.is_truthy(text:find("\na b's.png", 1, true), text)
    assert.is_truthy(text:find("[\226][\150][\128-\159]"), "block characters:\n" .. text)
  end)

  for columns, most in pairs { [80] = 16, [20] = 16 } do -- two thirds of 24 rows
    it(("shows the image in at most two thirds of the rows, on %d columns"):format(columns), function()
      local one = open(columns)
      one:type "clear"
      one:type(generate_line "--overwrite --out r.png; echo \"END:\"$?")
      local text = one:wait "END:0"
      local picture = assert(text:match "created: generation [%x-]+[^\n]*\n(.-)\nr%.png", text)
      local _, rows = picture:gsub("\n", "")
      assert.is_true(rows > 5 and rows < most, text)
    end)
  end

  it("shows no image, progress bar or spinner with TERM=dumb or -q", function()
    for changes, flag in pairs { [{ TERM = "dumb" }] = "", [{}] = "-q" } do
      assert(workspace.box:fault { operation = "create_generation", delay = 1 })
      local one = open(80, changes)
      one:type(("%s %s >output 2>&1; echo \"END:\"$?"):format(generate_line "--out dumb.png --overwrite", flag))
      one:wait "END:0"
      assert.is_nil(child.read(workspace.folder .. "/output"):find("[\r\27]"))
      one:type(generate_line "--out dumb.png --overwrite " .. flag .. "; echo \"AGAIN:\"$?")
      local text = one:wait "AGAIN:0"
      assert.is_nil(text:find("\226\150", 1, true), text)
      shown:close()
      shown = nil
    end
  end)

  it("asks for missing values, and shows no password", function()
    local one = open(80)
    one:type "devkit4ai login; echo \"END:\"$?"
    one:wait "E%-mail address: "
    one:type(command.EMAIL)
    one:wait "Password: "
    one:type(command.PASSWORD)
    local text = one:wait "END:%d"
    assert.is_truthy(text:find("signed in as " .. command.EMAIL, 1, true), text)
    assert.is_nil(text:find(command.PASSWORD, 1, true), text)
    one:type "devkit4ai config --set project_key; echo \"END:\"$?"
    one:wait "Project_key: "
    one:press "C-c"
    one:wait "END:130" -- the screen still has the first command's 0
    one:type "echo visible" -- the echo is back
    one:wait "%$ echo visible"
  end)
end)
