-- A response whose head was larger than libcurl's limit raised "not enough memory" after the generation was created and paid.
local failures = require "devkit4ai.request.failures"
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

-- What the server writes after it has read the request; all of it is past some limit.
local RESPONSES = {
  ["one header line of 200 KB"] = [[conn:write("HTTP/1.1 201 Created\r\n"
    .. "X-Long: " .. ("x"):rep(200000) .. "\r\n\r\n{}")]],
  ["a status line of 200 KB"] = [[conn:write("HTTP/1.1 201 " .. ("x"):rep(200000) .. "\r\n\r\n{}")]],
  ["a line without an end"] = [[conn:write("HTTP/1.1 201 Created\r\nX-Long: " .. ("x"):rep(200000))]],
  ["many header lines"] = [[conn:write("HTTP/1.1 201 Created\r\n"
    .. ("X-Long: " .. ("x"):rep(1000) .. "\r\n"):rep(300) .. "\r\n{}")]],
  ["a long line after an interim response"] = [[conn:write("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n")
    conn:write("HTTP/1.1 201 " .. ("x"):rep(200000) .. "\r\n\r\n{}")]],
  ["a long interim response"] = [[conn:write("HTTP/1.1 103 Early Hints\r\nLink: " .. ("x"):rep(200000) .. "\r\n\r\n")]],
  ["a body past the cap"] = [[conn:write("HTTP/1.1 201 Created\r\nContent-Length: 20000000\r\n\r\n")
    for _ = 1, 20 do if not conn:write(("x"):rep(1000000)) then break end end]],
}

describe("a call whose response is larger than a limit", function()
  for what, response in pairs(RESPONSES) do
    it("fails with an outcome: " .. what, function()
      local script = ("return function(conn) conn:read_request() %s conn:close() end"):format(response)
      local server = raw.start { script = script }
      local client = devkit4ai.new(wire.options(server.url, { retry = { attempts = 1 } }))
      finally(function()
        client:close()
        server:stop()
      end)
      local gen, message, err = client:generate { images = { "examples/images/neon.png" }, prompt = "neon" }
      assert.is_nil(gen)
      assert.same({ "protocol", "unknown", false }, { err.kind, err.outcome, err.retryable }, message)
      assert.equal(1, #server:requests())
      local answer
      answer, message, err = client:request { method = "GET", path = "/x" }
      assert.is_nil(answer)
      assert.same({ "protocol", "unknown" }, { err.kind, err.outcome }, message)
      assert.equal(2, #server:requests())
    end)
  end
end)

describe("failures.of_exchange", function()
  for fate, outcome in pairs { not_sent = "not_sent", unknown = "unknown", answered = "unknown" } do
    it("gives an outcome when memory is lacking and the request is " .. fate, function()
      local trouble = { name = "memory", text = "no memory", step = "wait", seconds = 1, fate = fate }
      local secrets = require("devkit4ai.core").secrets()
      local failure = failures.of_exchange("http://127.0.0.1:1/", secrets, 0, trouble)
      assert.same({ "network", outcome, true }, { failure.kind, failure.outcome, failure.transient })
      assert.is_truthy(failure.what:find("no memory", 1, true))
    end)
  end
end)
