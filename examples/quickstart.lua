-- The whole workflow of the API's guide: against the sandbox, or, where DEVKIT4AI_DEVELOPER_KEY is set, against the real
-- API with your DEVKIT4AI_EMAIL and DEVKIT4AI_PASSWORD. Images may be named as arguments.
local devkit4ai = require "devkit4ai"
local env, picture, started = os.getenv, "quickstart.png", os.time()
local email, password = env "DEVKIT4AI_EMAIL" or "dev@example.com", env "DEVKIT4AI_PASSWORD" or "SecurePass123"
local images = arg[1] and arg or { "examples/images/neon.png", "examples/images/mountains.png" }

local function say(step, ...) print(("%-9s"):format(step), string.format(...)) end
local function masked(key) return key:sub(1, 8) .. "..." end
local terminal = os.execute "test -t 2"
local function progress(...)
  if terminal == true or terminal == 0 then io.stderr:write("\r", string.format(...), "\27[K") end
end

local options, sandbox
if not env "DEVKIT4AI_DEVELOPER_KEY" then
  sandbox = assert(require("devkit4ai.sandbox").start())
  local operator = assert(devkit4ai.new { base_url = sandbox.url, operator_key = sandbox.operator_key })
  local account = assert(operator:register { email = email, password = password })
  say("register", "%s is a developer with the key %s", account.email, masked(account.developer_key))
  options = { base_url = sandbox.url, developer_key = account.developer_key }
end
local client = assert(devkit4ai.new(options))
say("log in", "as %s at %s", email, assert(client:login(email, password)).base_url)
say("who am I", "%s, a %s", assert(client:me()).email, client.role)
local project = assert(client:new_project { name = "My First AI App", description = "AI-powered image generation" })
say("project", "%s (%s)", project.name, project.id)
say("key", "%s", masked(assert(project:new_key "Production API Key").key))
local gen = assert(project:generate {
  images = images, prompt = "a futuristic cityscape with neon lights",
  on_upload = function(sent, total) progress("sent %d of %d bytes", sent, total) end,
})
say("generate", "%d images sent; generation %s is %s", #images, gen.id, gen.status)
assert(gen:wait { on_progress = function() progress("%s for %d s ", gen.status, os.time() - started) end })
progress("")
say("wait", "%s after %d s", gen.status, os.time() - started)
assert(gen:save(picture, { overwrite = true }))
local bytes = assert(io.open(picture, "rb")):read "*a"
local w1, w2, _, _, h1, h2 = bytes:byte(19, 24) -- where a PNG says its size
say("picture", "%s, %d x %d pixels, %d bytes", picture, w1 * 256 + w2, h1 * 256 + h2, #bytes)
