--- devkit4ai generate: sends images with a prompt, waits, saves the image.
local converters = require "devkit4ai.cli.input.converters"
local errors = require "devkit4ai.cli.errors"
local progress = require "devkit4ai.cli.output.progress"
local recovery = require "devkit4ai.cli.generation.recovery"
local steps = require "devkit4ai.cli.generation.steps"

local M = { name = "generate", summary = "Generate an image from example images and a prompt." }

M.examples = {
  { 'devkit4ai generate a.png b.jpg --prompt "a city at night" --out city.png' },
  { 'id=$(devkit4ai generate a.png --prompt "a lighthouse" --no-wait)', "do not wait; save the image later" },
  { 'devkit4ai wait "$id" --out lighthouse.png' },
}
M.notes = "Each run creates a generation, which costs money at the API. If the command fails, read its message before "
  .. "you run it again: devkit4ai help exit-codes"

M.too_many_arguments = "at most 5 images"

--- Adds the options.
---@param parser table
function M.add_options(parser)
  parser:argument("images", "1 to 5 example images: JPEG, PNG or WebP"):argname("<image>"):args("1-5")
    :convert(converters.file "an image")
  parser:option("--prompt", "what the image is to show (required)"):argname("<text>"):count(1)
    :convert(converters.prompt "--prompt")
  parser:mutex(
    parser:option("--out", "the image's file, - for standard output; or give --no-wait"):argname("<file>"),
    parser:flag("--no-wait", "print the generation's id and end; `devkit4ai wait ID` goes on"):target("no_wait"))
  steps.add_options(parser)
end

local NOT_DONE = { not_sent = "nothing was sent", refused = "the server refused it" }

-- The failure of the request. There is something to recover only if it may have arrived.
local function request_failed(console, project, options, message, err)
  if err.generation_id then
    recovery.track(console, project:generation(err.generation_id), options, true)
  elseif NOT_DONE[err.outcome] then
    recovery.clear(console)
    if err.kind == "cancelled" then
      message = ("interrupted; %s, and nothing is paid for"):format(NOT_DONE[err.outcome])
    end
  end
  return nil, message, err
end

local function create(project, options, console)
  recovery.before_request(console, options.prompt)
  local gen, message, err = progress.upload(console, function(on_upload)
    local gen, message, err = project:generate {
      images = options.images, prompt = options.prompt, on_upload = on_upload,
    }
    if not gen then recovery.set_request_time(console, err) end
    return gen, message, err
  end)
  if not gen then return request_failed(console, project, options, message, err) end
  recovery.track(console, gen, options, true)
  console:info("created: generation " .. gen.id)
  return gen
end

--- Creates a generation, waits and saves. It checks the file of --out before it sends anything.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  if not (options.out or options.no_wait) then return errors.fail("invalid", "give --out FILE, or --no-wait") end
  local project, message, err = steps.open_project(console, options)
  if not project then return nil, message, err end
  local gen
  gen, message, err = create(project, options, console)
  if not gen then return nil, message, err end
  if options.no_wait then
    console:print_record(steps.record(gen), gen.id)
    return true
  end
  if console.json then console:print_record(steps.record(gen)) end
  local done
  done, message, err = steps.wait(console, gen, options)
  if not done then return nil, message, err end
  return steps.save(console, gen, options)
end

return M
