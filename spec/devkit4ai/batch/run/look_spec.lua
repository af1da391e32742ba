-- The search for a lost generation begins at the server's time, which is asked for if no response has told it.
local batches = require "spec.support.batches"
local child = require "spec.support.process.child"
local look = require "devkit4ai.batch.run.look"
local server_clock = require "devkit4ai.request.time.server_clock"
local waits = require "devkit4ai.loop.waits"

if not child.runs_sandbox then return end

describe("the search for a lost generation", function()
  it("knows the server's time, for which it asks once", function()
    local sandbox, client, stop = batches.start()
    finally(stop)
    local function is_known() return (select(2, server_clock.at(client, waits.now()))) end
    local function requests() return #assert(sandbox:requests()) end
    local before = requests()
    assert.is_false(is_known())
    look.learn_time(client)
    assert.is_true(is_known())
    look.learn_time(client)
    assert.equal(before + 1, requests())
  end)
end)
