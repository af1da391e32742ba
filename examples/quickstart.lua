-- The whole workflow of the API's guide, against the sandbox:
--   build/run lua5.4 examples/quickstart.lua [--real] [IMAGE...]
-- --real: against the real API, which may cost money. DEVKIT4AI_DEVELOPER_KEY, DEVKIT4AI_EMAIL and DEVKIT4AI_PASSWORD say
-- whose account; the other variables of devkit4ai.new hold too. IMAGE: 1 to 5 images in place of the example's own.
local devkit4ai = require "devkit4ai"
local picture, started = "quickstart.png", os.time()
local email, password = "dev@example.com", "SecurePass123"

local images, real = {}, false
for _, word in ipairs(arg) do
  if word == "--real" then real = true else images[#images + 1] = word end
end
if #images == 0 then images = { "examples/images/neon.png", "examples/images/mountains.png" } end

local function say(step, ...) print(("%-9s"):format(step), string.format(...)) end
local function masked(key) return key:sub(1, 8) .. "..." end
local terminal = os.getenv "TERM" ~= "dumb" and os.execute "test -t 2"
local function progress(...)
  if terminal == true or terminal == 0 then io.stderr:write("\r", string.format(...), "\27[K") end
end

local options, sandbox
if real then
  email, password = os.getenv "DEVKIT4AI_EMAIL", os.getenv "DEVKIT4AI_PASSWORD"
  assert(email and password, "--real needs DEVKIT4AI_EMAIL and DEVKIT4AI_PASSWORD in the environment")
else
  sandbox = assert(require("devkit4ai.sandbox").start())
  options = assert(sandbox:developer { email = email, password = password })
  say("register", "%s is a developer with the key %s", email, masked(options.developer_key))
end
local client = assert(devkit4ai.new(options))
say("log in", "as %s at %s", email, assert(client:login(email, password)).base_url)
say("who am I", "%s, a %s", assert(client:me()).email, client.role)
local project = assert(client:new_project { name = "My First AI App", description = "AI-powered image generation" })
say("project", "%s (%s)", project.name, project.id)
say("key", "%s", masked(assert(project:new_key "Production API Key").key))
assert(io.open(picture, "ab")):close() -- if it can't be written, stop before you pay
local gen = assert(project:generate {
  images = images, prompt = "a futuristic cityscape with neon lights",
  on_upload = function(sent, total) progress("sent %d of %d bytes", sent, total) end,
})
say("generate", "%d images sent; generation %s is %s", #images, gen.id, gen.status)
assert(gen:wait { on_progress = function() progress("%s for %d s ", gen.status, os.time() - started) end })
progress("")
say("wait", "%s after %d s", gen.status, os.time() - started)
assert(gen:save(picture, { overwrite = true }))
say("picture", "%s, %d bytes", picture, assert(io.open(picture, "rb")):seek "end")
