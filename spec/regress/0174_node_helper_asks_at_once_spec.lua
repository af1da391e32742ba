-- The Node helper of docs/testing.md lets a program wait for several responses. After the first one, it let Node end
-- although a test still awaited others: the test was cancelled.
if _VERSION ~= "Lua 5.4" then return end -- Node and the sandbox are the same for each Lua

local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"

describe("the Node helper of docs/testing.md", function()
  it("waits for all concurrent requests, and ends after a failing test", function()
    local code = assert(child.read("docs/testing.md"):match("```js\n(.-)\n// the program under test"))
    local folder = child.folder()
    finally(function() child.remove(folder) end)
    local file = assert(io.open(folder .. "/one.test.js", "wb"))
    file:write("const test = require('node:test'), assert = require('node:assert')\n", code, [[

test('at once', async () => {
  const { ask, stop } = await start()
  const all = await Promise.all([ask('mails'), ask('faults'), ask('requests'), ask('generations')])
  assert.deepEqual(all.map((one) => Object.keys(one).pop()), ['mails', 'faults', 'requests', 'generations'])
  stop()
})
test('at once, the answers late', async () => {
  const path = process.env.PATH
  process.env.PATH = `${__dirname}:${path}` // the program below
  const { ask, stop } = await start()
  process.env.PATH = path
  const all = await Promise.all([ask('mails'), ask('mails'), ask('mails')])
  assert.equal(all.length, 3)
  stop()
})
test('refused among others', async () => {
  const { ask, stop } = await start()
  const all = await Promise.allSettled([ask('nope'), ask('mails'), ask('clock', { advance: 'x' }), ask('faults')])
  assert.deepEqual(all.map((one) => one.status), ['rejected', 'fulfilled', 'rejected', 'fulfilled'])
  stop()
})
test('over among others', async () => {
  const { ask } = await start()
  const all = await Promise.allSettled([ask('mails'), ask('stop'), ask('faults')])
  assert.deepEqual(all.map((one) => one.status), ['fulfilled', 'rejected', 'rejected'])
})
test('fails', async () => {
  const { ask } = await start()
  ask('mails')
  throw new Error('on purpose')
})
]])
    file:close()
    file = assert(io.open(folder .. "/devkit4ai", "wb"))
    file:write [[
#!/bin/sh
echo '{"url":"http://127.0.0.1:1"}'
while read -r line; do sleep 0.2; echo '{"mails":[]}'; done
]]
    file:close()
    os.execute("chmod +x " .. folder .. "/devkit4ai")
    local said = helper.shell("cd " .. folder .. " && timeout 60 node --test one.test.js 2>&1; echo ended with $?")
    assert.truthy(said:find("# pass 4\n# fail 1\n# cancelled 0\n", 1, true), said)
    assert.truthy(said:find("ended with 1\n", 1, true), said)
  end)
end)
