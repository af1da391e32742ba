-- A program that computes, or sleeps, for seconds between two steps: limits count stepped time (architecture.md, invariant 2).
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local waits = require "devkit4ai.loop.waits"

local SERVER = [[return function(conn)
  conn:read_request()
  conn:hold()
  conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" })
end]]

describe("three seconds without a step, under a limit of one,", function()
  it("find the answers that came meanwhile, by the total limit and by the idle one", function()
    local server = raw.start { script = SERVER }
    finally(function() server:stop() end)
    local answers, tasks = {}, {}
    for limit in pairs { total = true, idle = true } do
      local client = devkit4ai.new { base_url = server.url, access_token = "t", timeout = { [limit] = 1 } }
      tasks[limit] = devkit4ai.spawn(function() answers[limit] = { client:me() } end)
    end
    while #server:requests() < 2 do waits.sleep(0.001) end
    assert.same({}, answers)
    server:release()
    os.execute("sleep 3")
    for limit, task in pairs(tasks) do
      task:join()
      assert.is_table(answers[limit][1], answers[limit][2])
    end
  end)
end)
