-- The raw server's log, read while its last line was being written, took a spec minutes: the pattern that looked for whole
-- lines began anew at each byte of the unfinished one, so 100 KB were tried ten thousand million times.
local child = require "spec.support.process.child"

describe("the raw server's log", function()
  it("is read quickly, also while a long line is written", function()
    local ended = child.run([[
      local server = require("spec.support.servers.raw").start { script = "return function() end" }
      local log = assert(io.open(server._base .. ".log", "ab"))
      log:write('{"connection":1}\n{"request":1,"body":"', ("x"):rep(300000))
      log:close()
      print(server:connections(), #server:requests())
      server:stop()
    ]], { before = "ulimit -t 5" }) -- seconds of the processor, of which this needs none, and once needed hundreds
    assert.same({ code = 0, out = "1\t0\n", err = "" }, ended)
  end)
end)
