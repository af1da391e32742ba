-- A .netrc in the user's home is not read: no login in it reaches the server.
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"

describe("a .netrc", function()
  it("adds no login to a request", function()
    local home = child.folder()
    local server = raw.start { script = [[return function(conn)
      while conn:read_request() do conn:respond(200, { status = "ok" }) end end]] }
    finally(function()
      server:stop()
      child.remove(home)
    end)
    local file = assert(io.open(home .. "/.netrc", "w"))
    file:write("machine 127.0.0.1 login MARKER-USER password MARKER-WORD\n",
      "default login MARKER-USER password MARKER-WORD\n")
    file:close()
    local ended = child.run([[
      local client = assert(require("devkit4ai").new { base_url = arg[1], retry = { attempts = 1 } })
      for _ = 1, 2 do print(client:health()) end
      client:close()
    ]], { args = { server.url }, env = { HOME = home } })
    assert.equal(0, ended.code, ended.err)
    assert.is_true(#server:requests() >= 2)
    for _, request in ipairs(server:requests()) do
      assert.is_nil(request.head:lower():find("authorization", 1, true), request.head)
    end
  end)
end)
