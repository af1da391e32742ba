local devkit4ai = require "devkit4ai"
local sandbox = assert(require("devkit4ai.sandbox").start())
local account = { email = "dev@example.com", password = "SecurePass123" }
local client = assert(devkit4ai.new(assert(sandbox:developer(account))))
assert(io.open("cityscape.png", "ab")):close() -- if this fails, you pay nothing
local gen = assert(client:generate {
  images = { "examples/images/mountains.png", "examples/images/neon.png" }, -- 1 to 5
  prompt = "a futuristic cityscape with neon lights",
})
assert(gen:wait { on_progress = function() print(gen.status) end })
assert(gen:save("cityscape.png", { overwrite = true }))
