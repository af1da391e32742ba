local devkit4ai = require "devkit4ai"
local email, password = "dev@example.com", "SecurePass123"
local sandbox = assert(require("devkit4ai.sandbox").start())
local options = assert(sandbox:developer { email = email, password = password })
local client = assert(devkit4ai.new(options))
assert(client:login(email, password))
local project = assert(client:new_project { name = "My First AI App" })
assert(project:new_key "Production API Key") -- its first key: it generates with it

local path = "cityscape.png"
assert(io.open(path, "ab")):close() -- if it can't be written, stop before you pay
local gen = assert(project:generate {
  images = { "examples/images/mountains.png", "examples/images/neon.png" }, -- 1 to 5
  prompt = "a futuristic cityscape with neon lights",
})
assert(gen:wait { on_progress = function() print(gen.status) end })
assert(gen:save(path, { overwrite = true })) -- the whole file or none
