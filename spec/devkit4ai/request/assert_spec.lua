-- assert(...) around a call, at the top of a program: the whole message is on standard error, on each Lua.
local child = require "spec.support.process.child"

describe("assert around a call that fails", function()
  it("prints the whole message, with the program's line", function()
    local ended = child.run [[
      local client = assert(require("devkit4ai").new { base_url = "http://127.0.0.1:1", access_token = "t" })
      assert(client:me())
    ]]
    assert.equal(1, ended.code)
    assert.matches("client:me: 127%.0%.0%.1:1 %(connect, after %d+%.%d+ s%): [^\n]*; check that the server runs, "
      .. "and that base_url is correct\n", ended.err)
    assert.matches("script%.lua:2:", ended.err)
  end)

  it("prints the message of new", function()
    local ended = child.run [[assert(require("devkit4ai").new { base_url = "ftp://host" })]]
    assert.equal(1, ended.code)
    assert.is_truthy(ended.err:find(
      "devkit4ai.new: the option base_url can't be used: it must look like https://host", 1,
      true), ended.err)
  end)

  it("prints the error of a mistake, with the program's line", function()
    local ended = child.run "local x\nrequire('devkit4ai').new { base_uri = 'x' }"
    assert.equal(1, ended.code)
    assert.matches("script%.lua:2: devkit4ai: devkit4ai%.new: unknown option 'base_uri'; known are ", ended.err)
  end)
end)
