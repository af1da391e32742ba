-- The HTTP server alone, with a handler of the spec in place of the API.
local found, cqueues = pcall(require, "cqueues")

describe("the sandbox's server", function()
  if not found then
    pending "needs cqueues"
    return
  end

  local server = require "devkit4ai.sandbox.http.server"
  local socket = require "cqueues.socket"

  -- A handler that gives the response of a function.
  local function handler(respond)
    return {
      now = os.time, accepts_connection = function() return true end, log_response = function() end,
      handle = function(_, request) return respond(request) end,
    }
  end

  it("answers 500 after an error in its code, reports it, and continues", function()
    local queue, listener, port = cqueues.new(), server.listen(0)
    local answers, reported, stderr = {}, {}, io.stderr
    server.serve(queue, listener, handler(function(request)
      if request.path == "/mistake" then
        cqueues.sleep(0) -- plain Lua 5.1 can't yield across pcall
        error "on purpose"
      end
      return { status = 200, body = "{}" }
    end))
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

  it("serves others while an upload never pauses", function()
    local queue, turns, turns_before_end = cqueues.new(), 0, nil
    local head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8388608\r\nConnection: close\r\n\r\n"
    local left = 2048
    local connection = { -- always has the next 4 KiB
      setmode = function() end, onerror = function() end, shutdown = function() end, close = function() end,
      peername = function() return 2, "127.0.0.1", 1 end,
      send = function(_, bytes) return #bytes end,
      recv = function()
        if head then
          local bytes = head
          head = nil
          return bytes
        end
        left = left - 1
        if left == 0 then turns_before_end = turns end
        return left >= 0 and ("x"):rep(4096) or nil
      end,
    }
    local accepted = { connection }
    server.serve(queue, { accept = function()
      if accepted[1] then return table.remove(accepted) end
      cqueues.sleep(1000)
    end }, handler(function() return { status = 200, body = "{}" } end))
    queue:wrap(function()
      while not turns_before_end do
        turns = turns + 1
        cqueues.sleep(0)
      end
    end)
    while not turns_before_end do assert(queue:step(10)) end
    assert.is_true(turns_before_end >= 4, tostring(turns_before_end))
  end)

  it("gives the reason why it can't listen", function()
    local listener, port = server.listen(0)
    local other, reason = server.listen(port)
    assert.is_nil(other)
    assert.equal(("port %d is in use"):format(port), reason)
    listener:close()
  end)
end)
