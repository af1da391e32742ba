local devkit4ai = require "devkit4ai"
local sandbox = assert(require("devkit4ai.sandbox").start())

local options = assert(sandbox:developer { email = "dev@example.com", password = "SecurePass123" })
local client = assert(devkit4ai.new(options))
assert(client:login("dev@example.com", "SecurePass123"))
local project = assert(client:new_project { name = "My First AI App" })
assert(project:new_key "Production API Key") -- the project had no key yet: it now generates with this one
assert(not io.open("cityscape.png"), "cityscape.png exists already") -- before anything is paid for
local gen = assert(project:generate {
  images = { "examples/images/mountains.png", "examples/images/neon.png" }, -- 1 to 5 examples
  prompt = "a futuristic cityscape with neon lights",
})
assert(gen:wait { on_progress = function() print(gen.status) end })
assert(gen:save "cityscape.png") -- the whole file or none
