-- Ctrl-C in a call that blocks: the server sends SIGINT when the request is there.
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"

local SERVER = [[return function(conn)
  local head = conn:read_head()
  local pid = head and head:match("User%-Agent: pid (%d+)")
  if not pid then return conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" }) end
  os.execute("kill -INT " .. pid)
  conn:sleep(1000)
end]]

local PRELUDE = [[
  local devkit4ai = require "devkit4ai"
  local stat = io.open("/proc/self/stat")
  local pid = stat:read("*n")
  stat:close()
  local client = devkit4ai.new { base_url = arg[1], access_token = "t", user_agent = ("pid %d"):format(pid) }
]]

describe("Ctrl-C", function()
  local server
  setup(function() server = raw.start { script = SERVER } end)
  teardown(function() server:stop() end)

  for what, script in pairs {
    ["in a call"] = "client:me()",
    ["in task:join"] = "devkit4ai.spawn(function() client:me() end):join()",
    ["in a call while a thread steps"] = "devkit4ai.update() client:me()",
  } do
    it(what .. " ends the program with its message", function()
      local ended = child.run(PRELUDE .. script, { args = { server.url } })
      assert.equal(1, ended.code, ended.err)
      assert.is_truthy(ended.err:find("interrupted!", 1, true), ended.err)
    end)
  end

  it("that a program catches leaves everything in order", function()
    local ended = child.run(PRELUDE .. [[
      local ok, why = pcall(client.me, client)
      print(ok, (tostring(why):gsub("^.-:%d+: ", "")))
      local other = devkit4ai.new { base_url = arg[1], access_token = "t" }
      print(other:me().id)
      print(devkit4ai.spawn(function() return other:me().id end):join())
      client:close()
    ]], { args = { server.url } })
    assert.equal(0, ended.code, ended.err)
    local id = "550e8400-e29b-41d4-a716-446655440000"
    assert.equal("false\tinterrupted!\n" .. id .. "\n" .. id .. "\n", ended.out)
  end)
end)
