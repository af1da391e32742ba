--- devkit4ai quickstart: the whole workflow against the sandbox, with a picture on disk at the end.
local devkit4ai = require "devkit4ai"
local exits = require "devkit4ai.cli.errors.exit_codes"
local follow = require "devkit4ai.cli.generation.steps"
local order = require "devkit4ai.cli.generation.recovery"
local picture = require "devkit4ai.cli.generation.output_file"
local progress = require "devkit4ai.cli.output.progress"
local sandbox = require "devkit4ai.cli.commands.sandbox.sandbox"
local text = require "devkit4ai.cli.output.terminal_text"
local values = require "devkit4ai.cli.input.converters"

local M = {
  name = "quickstart", summary = "Make a first image with the sandbox; needs no account.", lacks = sandbox.lacks,
}

M.examples = {
  { "devkit4ai quickstart", "writes quickstart.png" },
  { 'devkit4ai quickstart a.png b.jpg --prompt "a lighthouse" --out lighthouse.png' },
}
M.notes = "It starts a sandbox of its own, and stops it at the end. It never calls the real API."

local EMAIL, PASSWORD = "dev@example.com", "SecurePass123"

local STEP = 0.5 -- seconds that the sandbox takes from one status to the next

-- A picture of one pixel, where no image is named.
local DOT = ("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c639866f4eb3f00"
  .. "05e602c2ada12e9f0000000049454e44ae426082"):gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end)

M.too_many = "at most 5 images"

--- Adds the command's options to its parser.
---@param parser table
function M.declare(parser)
  parser:argument("images", "1 to 5 example images: JPEG, PNG or WebP; none: a built-in one"):argname("<image>")
    :args("0-5")
  parser:option("--prompt", "what the image is to show"):argname("<text>")
    :default("a futuristic cityscape with neon lights"):convert(values.text "--prompt")
  parser:option("--out", "the file to write the image to"):argname("<file>"):default("quickstart.png")
  parser:flag("--overwrite", "replace the file if it exists")
end

-- One step after another; the first that fails ends it. The sandbox takes no money, so a failure leaves nothing to continue.
local function work(box, options, shell)
  -- It has each key and token that the client uses, so that none of the environment, a real one, is taken instead.
  local account, reason = box:developer { email = EMAIL, password = PASSWORD }
  if not account then return exits.fail("config", reason) end
  shell:tell("register   " .. EMAIL)
  local client, message, err = devkit4ai.new(account)
  if not client then return nil, message, err end
  local done
  done, message, err = client:login(EMAIL, PASSWORD)
  if not done then return nil, message, err end
  shell:tell("log in     at " .. box.url)
  local project, key
  project, message, err = client:new_project { name = "My First AI App" }
  if not project then return nil, message, err end
  shell:tell(("project    %s (%s)"):format(project.name, project.id))
  key, message, err = project:new_key "Production API Key"
  if not key then return nil, message, err end
  shell:hide(key.key)
  shell:tell("key        " .. (key.key_prefix or key.id))
  local images = options.images[1] and options.images or { { data = DOT, filename = "dot.png" } }
  local gen
  gen, message, err = progress.upload(shell, function(on_upload)
    return project:generate { images = images, prompt = options.prompt, on_upload = on_upload }
  end)
  if not gen then return nil, message, err end
  shell:tell("generate   " .. gen.id)
  done, message, err = progress.wait(shell, gen, function() return gen:wait { interval = 0.5 } end)
  if not done then return nil, message, err end
  shell:tell("wait       " .. gen.status)
  return follow.save(shell, gen, options)
end

--- Runs the workflow.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, shell)
  local fine, message, err = picture.check(options.out, options.overwrite, shell)
  if not fine then return nil, message, err end
  local words = {}
  for i, word in ipairs(shell.words) do words[i] = text.quote(word) end
  local box, why = require("devkit4ai.sandbox").start { command = table.concat(words, " "), step_time = STEP }
  if not box then return exits.fail("network", why) end
  local done
  done, message, err = work(box, options, shell)
  box:stop()
  return done, message and order.without_price(message), err -- the sandbox takes no money
end

return M
