-- call.lua PROGRAM: the program runs a script that makes a call, in a task and while it only updates, to a server of this
-- machine. The program finds no file of the library: it has them compiled in.
local raw = require "spec.support.servers.raw"

local SCRIPT = [[
local devkit4ai = require "devkit4ai"
assert(package.preload["devkit4ai"], "the Lua files are compiled in")
local client, id = assert(devkit4ai.new { base_url = os.getenv "URL", access_token = "t" }), nil
devkit4ai.spawn(function() id = assert(client:me()).id end)
repeat devkit4ai.update() until id
assert(id == assert(client:me()).id)
local threads = io.open("/proc/self/status"):read("*a"):match("\nThreads:%s*(%d+)")
print(threads, require("devkit4ai.core").threads)
client:close()
]]

local server = raw.start { script = [[return function(conn)
  while conn:read_request() do conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000" }) end
end]] }
local path = os.tmpname()
local file = assert(io.open(path, "w"))
assert(file:write(SCRIPT))
assert(file:close())
local ended = os.execute(("env -i PATH=/usr/bin:/bin URL='%s' '%s' '%s'"):format(server.url, assert(arg[1]), path))
os.remove(path)
local count = #server:requests()
server:stop()
assert(ended, "the program failed")
assert(count == 2, count .. " requests")
