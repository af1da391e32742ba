--- devkit4ai quickstart: runs the whole workflow against a sandbox, and saves an image.
local converters = require "devkit4ai.cli.input.converters"
local devkit4ai = require "devkit4ai"
local errors = require "devkit4ai.cli.errors"
local output_file = require "devkit4ai.cli.generation.output_file"
local progress = require "devkit4ai.cli.output.progress"
local sandbox = require "devkit4ai.cli.commands.sandbox.sandbox"
local shell_quote = require "devkit4ai.cli.output.shell_quote"
local steps = require "devkit4ai.cli.generation.steps"

local M = {
  name = "quickstart", summary = "Make a first image with the sandbox; needs no account.",
  missing_dependency = sandbox.missing_dependency,
}

M.examples = {
  { "devkit4ai quickstart", "writes quickstart.png" },
  { 'devkit4ai quickstart a.png b.jpg --prompt "a lighthouse" --out lighthouse.png' },
}
M.notes = "It starts a sandbox of its own, and stops it at the end. It never calls the real API."

local EMAIL, PASSWORD = "dev@example.com", "SecurePass123"

local STEP_TIME = 0.5 -- seconds that the sandbox takes from one status to the next

-- A PNG image of one pixel, used where the user names no image.
local PIXEL = ("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c639866f4eb3f00"
  .. "05e602c2ada12e9f0000000049454e44ae426082"):gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end)

M.too_many_arguments = "at most 5 images"

--- Adds the options.
---@param parser table
function M.add_options(parser)
  parser:argument("images", "1 to 5 example images: JPEG, PNG or WebP; none: a built-in one"):argname("<image>")
    :args("0-5"):convert(converters.file "an image")
  parser:option("--prompt", "what the image is to show"):argname("<text>")
    :default("a futuristic cityscape with neon lights"):convert(converters.text "--prompt")
  parser:option("--out", "the file to write the image to"):argname("<file>"):default("quickstart.png")
  parser:flag("--overwrite", "replace the file if it exists")
end

-- Runs the workflow. The sandbox is free, so a failure leaves nothing to recover.
local function run_workflow(box, options, console)
  -- The account has all keys and tokens of the client, so the client takes none of the environment, where they are real.
  local account, reason = box:developer { email = EMAIL, password = PASSWORD }
  if not account then return errors.fail("config", reason) end
  console:info("register   " .. EMAIL)
  local client, message, err = devkit4ai.new(account)
  if not client then return nil, message, err end
  local done
  done, message, err = client:login(EMAIL, PASSWORD)
  if not done then return nil, message, err end
  console:info("log in     at " .. box.url)
  local project, key
  project, message, err = client:new_project { name = "My First AI App" }
  if not project then return nil, message, err end
  console:info(("project    %s (%s)"):format(project.name, project.id))
  key, message, err = project:new_key "Production API Key"
  if not key then return nil, message, err end
  console:hide_secret(key.key)
  console:info("key        " .. (key.key_prefix or key.id))
  local images = options.images[1] and options.images or { { data = PIXEL, filename = "pixel.png" } }
  local gen
  gen, message, err = progress.upload(console, function(on_upload)
    return project:generate { images = images, prompt = options.prompt, on_upload = on_upload }
  end)
  if not gen then return nil, message, err end
  console:info("generate   " .. gen.id)
  done, message, err = progress.wait(console, gen, function() return gen:wait { interval = STEP_TIME } end)
  if not done then return nil, steps.WAIT_MESSAGES[err.kind] or message, err end
  console:info("wait       " .. gen.status)
  return steps.save(console, gen, options)
end

-- The command line of the sandbox. Ctrl-C on the terminal reaches both processes; only this one reports it, and it stops the
-- sandbox.
local function sandbox_command(console)
  local words = {}
  for i, word in ipairs(console.command_line) do words[i] = shell_quote.word(word) end
  return ([[sh -c 'trap "" INT HUP; exec "$@"' sh %s]]):format(table.concat(words, " "))
end

--- Runs the workflow in a sandbox.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  local can_write, message, err = output_file.check(options.out, options.overwrite, console)
  if not can_write then return nil, message, err end
  local box, reason = require("devkit4ai.sandbox").start { command = sandbox_command(console), step_time = STEP_TIME }
  if not box then return errors.fail("network", reason) end
  local done
  done, message, err = run_workflow(box, options, console)
  box:stop()
  return done, message, err
end

return M
