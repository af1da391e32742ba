-- A device without an end as a file name took all memory, with the message "unexpected: not enough memory". `--help --json`
-- wrote no JSON, and Ctrl-C in the shell part of the command wrote no JSON.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local limited_read = require "devkit4ai.cli.input.limited_read"
local helper = require "spec.devkit4ai.sandbox.helper"

describe("input of the command", function()
  local workspace
  setup(function() workspace = command.new() end)
  teardown(function() workspace:remove() end)

  -- Makes a fault end soon. AddressSanitizer reserves more than that at its start.
  local SMALL = child.is_sanitized() and ":" or "ulimit -v 1000000" -- KB

  for name, arguments in pairs {
    ["--env-file"] = { "me", "--env-file", "/dev/zero" },
    ["--password-file"] = { "login", "--email", "a@b.co", "--password-file", "/dev/zero" },
    ["--file"] = { "config", "--set", "developer_key", "--file", "/dev/zero" },
  } do
    it(name .. " refuses a device that never ends", function()
      local ended = workspace:run(arguments, { before = SMALL })
      assert.equal(2, ended.code, ended.err)
      assert.is_truthy(ended.err:find("/dev/zero", 1, true), ended.err)
      assert.is_truthy(ended.err:find("bytes", 1, true), ended.err)
    end)
  end

  it("--password-stdin and --stdin refuse a line that never ends", function()
    for _, arguments in ipairs { { "login", "--email", "a@b.co", "--password-stdin" },
      { "config", "--set", "developer_key", "--stdin" } } do
      local ended = workspace:run(arguments, { before = SMALL .. "\nexec </dev/zero" })
      assert.equal(2, ended.code, ended.err)
      assert.is_truthy(ended.err:find("at most 8192 bytes", 1, true), ended.err)
    end
  end)

  it("is read up to its size limit", function()
    local path = workspace:write("some", "ab\r\ncd")
    assert.equal("ab\r\ncd", limited_read.file(path, 6))
    assert.is_nil((limited_read.file(path, 5)))
    assert.equal("", limited_read.file(workspace:write("none", ""), 5))
    for content, line in pairs { ["ab\r\ncd"] = "ab", ab = "ab", ["abc"] = "abc", ["\n"] = "" } do
      local input = assert(io.open(workspace:write("some", content), "rb"))
      assert.equal(line, limited_read.line(input, 3), content)
      input:close()
    end
    for _, content in ipairs { "", "abcd", "abcd\n" } do
      local input = assert(io.open(workspace:write("some", content), "rb"))
      assert.is_nil((limited_read.line(input, 3)), content)
      input:close()
    end
  end)
end)

describe("--json", function()
  local workspace
  setup(function() workspace = command.new() end)
  teardown(function() workspace:remove() end)

  it("prints an object with the help text for --help", function()
    for _, arguments in ipairs { { "--help", "--json" }, { "me", "--json", "-h" } } do
      local ended = workspace:run(arguments)
      assert.same({ 0, 1, 1 }, { ended.code, #ended.lines, select(2, ended.out:gsub("\n", "")) })
      assert.is_truthy(ended.json.text:find("^Usage: devkit4ai"), ended.out)
    end
  end)

  it("prints an object for Ctrl-C in the shell part of the command", function()
    local bin = workspace.folder .. "/bin"
    for _, name in ipairs { "lua5.4", "lua5.3", "lua5.2", "luajit", "lua5.1", "lua" } do
      workspace:write("bin/" .. name, "#!/bin/sh\nkill -INT $PPID\nexit 1\n", "755")
    end
    local run = "PATH=%s:$PATH sh bin/devkit4ai me %s 2>%s; echo $?"
    local path = workspace.folder .. "/output"
    assert.equal('{"error":{"exit_code":130,"kind":"cancelled","message":"interrupted","outcome":"not_sent"}}\n130\n',
      helper.shell(run:format(bin, "--json", path)))
    assert.equal("130\n", helper.shell(run:format(bin, "", path)))
    assert.equal("devkit4ai: interrupted\n", child.read(path))
  end)

  it("help with an empty topic has a clear message", function()
    local ended = workspace:run { "help", "" }
    assert.equal(2, ended.code)
    assert.is_truthy(ended.err:find("this word is not a command", 1, true), ended.err)
  end)
end)
