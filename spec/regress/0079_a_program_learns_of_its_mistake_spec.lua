-- A program that starts `devkit4ai sandbox --control` gets a line after each failure, and its failing test ends.
if _VERSION ~= "Lua 5.4" then return end -- Node and the sandbox are the same for each Lua

local child = require "spec.support.process.child"
local cjson = require("cjson").new()
local helper = require "spec.devkit4ai.sandbox.helper"

describe("devkit4ai sandbox --control", function()
  it("writes a line for each usage error and for a missing rock", function()
    for arguments, said in pairs {
      ["--steptime 60"] = "unknown option '--steptime'", ["--port x"] = "port must be a whole number",
      ["--step-time"] = "requires an argument", ["--parent x"] = "malformed argument", ["fly"] = "too many arguments",
      ["--tier gold"] = "tier must be one of", ["--dialect x"] = "dialect",
    } do
      local line, code = helper.shell("devkit4ai sandbox --control " .. arguments .. " 2>/dev/null </dev/null; echo $?")
        :match("^([^\n]+)\n(%d+)\n$")
      assert.equal("2", code, arguments)
      assert.truthy(cjson.decode(line).error:find(said, 1, true), line)
    end
    assert.truthy(cjson.decode(helper.shell "devkit4ai sandbx --control 2>/dev/null").error:find("sandbx", 1, true))
    for module, said in pairs {
      ["devkit4ai.sandbox.main"] = "the sandbox needs devkit4ai.sandbox.main", argparse = "the command needs argparse",
    } do
      local ended = child.run(('require "spec.support.process.hide_modules" "%s"\n'):format(module)
        .. 'require("devkit4ai.cli").main { "sandbox", "--control" }')
      assert.truthy(cjson.decode(ended.out).error:find(said, 1, true), ended.out)
    end
    assert.equal("", helper.shell "devkit4ai sandbox --steptime 60 2>/dev/null")
  end)
end)

describe("the Node helper of docs/testing.md", function()
  it("lets a failing test end, and reports a mistake in its options", function()
    local page = child.read "docs/testing.md"
    local code = assert(page:match("```js\n(.-)\n// the program under test"))
    local folder = child.folder()
    finally(function() child.remove(folder) end)
    local file = assert(io.open(folder .. "/one.test.js", "wb"))
    file:write("const test = require('node:test'), assert = require('node:assert')\n", code, [[

test('fails', async () => { const sandbox = await start(); assert.equal(1, 2); sandbox.stop() })
test('passes', async () => { const s = await start(); assert.equal((await s.ask('mails')).mails.length, 0) })
test('is told', async () => { await assert.rejects(start('--steptime', '1'), /unknown option/) })
test('is over', async () => {
  const sandbox = await start()
  const ended = sandbox.ask('stop')
  await assert.rejects(ended, /the sandbox has ended/)
})
]])
    file:close()
    local said = helper.shell("cd " .. folder .. " && timeout 60 node --test one.test.js 2>&1; echo ended with $?")
    assert.truthy(said:find("# pass 3\n# fail 1\n", 1, true), said)
    assert.truthy(said:find("ended with 1\n", 1, true), said)
  end)
end)
