local devkit4ai = require "devkit4ai"
local sandbox = assert(require("devkit4ai.sandbox").start())

local path = "cityscape.png"
assert(io.open(path, "ab")):close() -- a path that can't be written fails here, before you pay

local options = assert(sandbox:developer { email = "dev@example.com", password = "SecurePass123" })
local client = assert(devkit4ai.new(options))
assert(client:login("dev@example.com", "SecurePass123"))
local project = assert(client:new_project { name = "My First AI App" })
assert(project:new_key "Production API Key") -- the project generates with its first key
local gen = assert(project:generate {
  images = { "examples/images/mountains.png", "examples/images/neon.png" }, -- 1 to 5 examples
  prompt = "a futuristic cityscape with neon lights",
})
assert(gen:wait { on_progress = function() print(gen.status) end })
assert(gen:save(path, { overwrite = true })) -- the whole file or none
