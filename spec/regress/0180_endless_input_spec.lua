-- A file name that is a device without an end took all memory, and the message was "unexpected: not enough memory". `--help
-- --json` wrote no JSON, and Ctrl-C while the shell part of the command ran wrote none either.
local bounded = require "devkit4ai.cli.bounded"
local child = require "spec.support.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

describe("input of the command", function()
  local desk
  setup(function() desk = command.new() end)
  teardown(function() desk:remove() end)

  -- A fault ends soon; AddressSanitizer reserves more than that at its start.
  local SMALL = child.is_sanitized() and ":" or "ulimit -v 1000000" -- KB

  for name, words in pairs {
    ["--env-file"] = { "me", "--env-file", "/dev/zero" },
    ["--password-file"] = { "login", "--email", "a@b.co", "--password-file", "/dev/zero" },
    ["--file"] = { "config", "--set", "developer_key", "--file", "/dev/zero" },
  } do
    it(name .. " refuses a device that never ends", function()
      local ended = desk:run(words, { before = SMALL })
      assert.equal(2, ended.code, ended.err)
      assert.is_truthy(ended.err:find("/dev/zero", 1, true), ended.err)
      assert.is_truthy(ended.err:find("bytes", 1, true), ended.err)
    end)
  end

  it("--password-stdin and --stdin refuse a line that never ends", function()
    for _, words in ipairs { { "login", "--email", "a@b.co", "--password-stdin" },
      { "config", "--set", "developer_key", "--stdin" } } do
      local ended = desk:run(words, { before = SMALL .. "\nexec </dev/zero" })
      assert.equal(2, ended.code, ended.err)
      assert.is_truthy(ended.err:find("at most 8192 bytes", 1, true), ended.err)
    end
  end)

  it("is read up to its cap, and not beyond", function()
    local path = desk:write("some", "ab\r\ncd")
    assert.equal("ab\r\ncd", bounded.content(path, 6))
    assert.is_nil((bounded.content(path, 5)))
    assert.equal("", bounded.content(desk:write("none", ""), 5))
    for content, line in pairs { ["ab\r\ncd"] = "ab", ab = "ab", ["abc"] = "abc", ["\n"] = "" } do
      local input = assert(io.open(desk:write("some", content), "rb"))
      assert.equal(line, bounded.line(input, 3), content)
      input:close()
    end
    for _, content in ipairs { "", "abcd", "abcd\n" } do
      local input = assert(io.open(desk:write("some", content), "rb"))
      assert.is_nil((bounded.line(input, 3)), content)
      input:close()
    end
  end)
end)

describe("--json", function()
  local desk
  setup(function() desk = command.new() end)
  teardown(function() desk:remove() end)

  it("gives an object for --help, with the words of help", function()
    for _, words in ipairs { { "--help", "--json" }, { "me", "--json", "-h" } } do
      local ended = desk:run(words)
      assert.same({ 0, 1, 1 }, { ended.code, #ended.lines, select(2, ended.out:gsub("\n", "")) })
      assert.is_truthy(ended.json.text:find("^Usage: devkit4ai"), ended.out)
    end
  end)

  it("gives an object for Ctrl-C while a shell looks for Lua", function()
    local bin = desk.folder .. "/bin"
    for _, name in ipairs { "lua5.4", "lua5.3", "lua5.2", "luajit", "lua5.1", "lua" } do
      desk:write("bin/" .. name, "#!/bin/sh\nkill -INT $PPID\nexit 1\n", "755")
    end
    local run = "PATH=%s:$PATH sh bin/devkit4ai me %s 2>%s; echo $?"
    local said = desk.folder .. "/said"
    assert.equal('{"error":{"exit_code":130,"kind":"cancelled","message":"interrupted","outcome":"not_sent"}}\n130\n',
      helper.shell(run:format(bin, "--json", said)))
    assert.equal("130\n", helper.shell(run:format(bin, "", said)))
    assert.equal("devkit4ai: interrupted\n", child.read(said))
  end)

  it("help names an empty word in plain English", function()
    local ended = desk:run { "help", "" }
    assert.equal(2, ended.code)
    assert.is_truthy(ended.err:find("this word is not a command", 1, true), ended.err)
  end)
end)
