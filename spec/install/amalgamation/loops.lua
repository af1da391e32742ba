-- The loop of luv in a program with devkit4ai linked in: whether the program has its adapter.
package.path = ""
local expected = ...
local uv, devkit4ai = require "luv", require "devkit4ai"

local client, message, err = devkit4ai.new { base_url = "http://127.0.0.1:1", access_token = "token", loop = "luv" }
if expected == "without" then
  assert(not client and err.kind == "config" and message:find("needs devkit4ai.loop.hosts.luv, ", 1, true), message)
  return
end
local kind
coroutine.wrap(function() kind = select(3, client:me()).kind end)()
assert(not kind, "the call blocks the loop")
uv.run()
assert(kind == "network", kind)
