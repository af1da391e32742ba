-- The server's part alone, with a program of the spec's in place of the API.
local found, cqueues = pcall(require, "cqueues")

describe("the sandbox's server", function()
  if not found then
    pending "needs cqueues"
    return
  end

  local server = require "devkit4ai.sandbox.server"
  local socket = require "cqueues.socket"

  it("answers 500 for a mistake of its own, reports it, and goes on", function()
    local queue, listener, port = cqueues.new(), server.listen(0)
    local answers, reported, stderr = {}, {}, io.stderr
    server.serve(queue, listener, function(request)
      if request.path == "/mistake" then
        cqueues.sleep(0) -- after a yield, which no pcall of plain Lua 5.1 survives
        error "on purpose"
      end
      return { status = 200, body = "{}" }
    end)
    queue:wrap(function()
      for _, path in ipairs { "/mistake", "/fine" } do
        local client = socket.connect("127.0.0.1", port)
        client:setmode("b", "bn")
        client:write("GET " .. path .. " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        answers[#answers + 1] = client:read("*a")
        client:close()
      end
    end)
    io.stderr = { write = function(_, ...) reported[#reported + 1] = table.concat { ... } end } -- luacheck: ignore
    while #answers < 2 do assert(queue:step(10)) end
    io.stderr = stderr -- luacheck: ignore
    assert.truthy(answers[1]:find("^HTTP/1.1 500 Internal Server Error\r\n"))
    assert.truthy(answers[2]:find("^HTTP/1.1 200 OK\r\n"))
    assert.equal(1, #reported)
    assert.truthy(reported[1]:find("on purpose", 1, true))
  end)

  it("says why it cannot listen", function()
    local listener, port = server.listen(0)
    local other, reason = server.listen(port)
    assert.is_nil(other)
    assert.equal(("port %d is in use"):format(port), reason)
    listener:close()
  end)
end)
