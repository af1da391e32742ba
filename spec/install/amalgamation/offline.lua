-- A client without a server, for the test of memory: loads the modules, and says that no server is there, in a script and in tasks.
local devkit4ai = require "devkit4ai"
local options = { base_url = "http://127.0.0.1:1", access_token = "token", retry = { attempts = 1 } }
local client = assert(devkit4ai.new(options))
local user, _, err = client:me()
assert(not user)
assert(err.kind == "network")

-- The tasks of a run that a lack of memory ended go on in the next one.
local tasks = package.loaded.tasks or {}
package.loaded.tasks = tasks
for _ = 1, 3 do
  tasks[#tasks + 1] = devkit4ai.spawn(function()
    devkit4ai.sleep(0.001)
    return client:me()
  end)
end
for _, task in ipairs(tasks) do
  while not task.done do devkit4ai.update() end
end
assert(not tasks[#tasks]:join())
client:close()
