-- A client without a server, for the test of memory: loads the modules, and says that no server is there.
local devkit4ai = require "devkit4ai"
local client = assert(devkit4ai.new { base_url = "http://127.0.0.1:1", access_token = "token" })
local user, _, err = client:me()
assert(not user)
assert(err.kind == "network")
client:close()
