--- devkit4ai generate: sends images with a prompt, waits, saves the picture.
local follow = require "devkit4ai.cli.generation.steps"
local order = require "devkit4ai.cli.generation.recovery"
local picture = require "devkit4ai.cli.generation.output_file"
local progress = require "devkit4ai.cli.output.progress"
local session = require "devkit4ai.cli.client"
local values = require "devkit4ai.cli.input.converters"

local M = { name = "generate", summary = "Generate an image from example images and a prompt." }

M.examples = {
  { 'devkit4ai generate a.png b.jpg --prompt "a city at night" --out city.png' },
  { 'id=$(devkit4ai generate a.png --prompt "a lighthouse" --no-wait)', "do not wait; save the image later" },
  { 'devkit4ai wait "$id" --out lighthouse.png' },
}
M.notes = "Each run creates a generation, which costs money at the API. If the command fails, read its message before "
  .. "you run it again: devkit4ai help exit-codes"

M.too_many = "at most 5 images"

--- Adds the command's options to its parser.
---@param parser table
function M.declare(parser)
  parser:argument("images", "1 to 5 example images: JPEG, PNG or WebP"):argname("<image>"):args("1-5")
  parser:option("--prompt", "what the image is to show (required)"):argname("<text>"):count(1)
    :convert(values.prompt "--prompt")
  parser:mutex(
    parser:option("--out", "the image's file, - for standard output; or give --no-wait"):argname("<file>"),
    parser:flag("--no-wait", "print the generation's id and end; `devkit4ai wait ID` goes on"):target("no_wait"))
  follow.declare(parser)
end

local DONE_NOTHING = { not_sent = "nothing was sent", refused = "the server refused it" }

-- The request failed. Only where it may have arrived is there something to say of a generation.
local function no_answer(shell, project, options, message, err)
  if err.generation_id then
    order.follow(shell, project:generation(err.generation_id), options, true)
  elseif DONE_NOTHING[err.outcome] then
    order.forget(shell)
    if err.kind == "cancelled" then
      message = ("interrupted; %s, and nothing is paid for"):format(DONE_NOTHING[err.outcome])
    end
  end
  return nil, message, err
end

--- Orders, waits, saves. What can be wrong with the file is told before anything is sent.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, shell)
  if not (options.out or options.no_wait) then
    return nil, "give --out FILE, or --no-wait", { kind = "invalid", outcome = "not_sent" }
  end
  local project, message, err = session.open_project(options, shell)
  if not project then return nil, message, err end
  local fine
  fine, message, err = picture.check(options.out, options.overwrite, shell)
  if not fine then return nil, message, err end
  order.send(shell, options.prompt)
  local gen, why, cause = progress.upload(shell, function(on_upload)
    return project:generate { images = options.images, prompt = options.prompt, on_upload = on_upload }
  end)
  if not gen then return no_answer(shell, project, options, why, cause) end
  order.follow(shell, gen, options, true)
  shell:tell("ordered: generation " .. gen.id)
  if options.no_wait then
    shell:give(follow.record(gen), gen.id)
    return true
  end
  if shell.json then shell:give(follow.record(gen)) end
  local done
  done, message, err = follow.wait(shell, gen, options)
  if not done then return nil, message, err end
  return follow.save(shell, gen, options)
end

return M
