--- Steps that the generation commands share: open a project, wait for a generation, save its image, print its record.
local clients = require "devkit4ai.cli.client"
local image_viewer = require "devkit4ai.cli.output.image_viewer"
local converters = require "devkit4ai.cli.input.converters"
local output_file = require "devkit4ai.cli.generation.output_file"
local progress = require "devkit4ai.cli.output.progress"
local recovery = require "devkit4ai.cli.generation.recovery"

local M = {}

--- Adds the argument of the commands that continue with a generation.
---@param parser table
function M.add_id(parser)
  parser:argument("id", "the generation's id"):convert(converters.uuid "the generation's id")
end

--- Adds the options of the commands that wait and save.
---@param parser table
function M.add_options(parser)
  parser:flag("--overwrite", "replace the file if it exists")
  parser:option("--timeout", "seconds to wait for the image (default: 900)"):argname("<s>")
    :convert(converters.seconds "--timeout")
  parser:option("--interval", "seconds between the first two status requests (default: 5)"):argname("<s>")
    :convert(converters.seconds "--interval")
end

--- Opens the project, and checks that the image's file can be written. Sends no request.
---@param console devkit4ai.cli.Console
---@param options { out: string?, overwrite: boolean? }
---@return devkit4ai.Project?
---@return string? message
---@return table? err
function M.open_project(console, options)
  local project, message, err = clients.open_project(options, console)
  if not project then return nil, message, err end
  local can_write
  can_write, message, err = output_file.check(options.out, options.overwrite, console)
  if not can_write then return nil, message, err end
  return project
end

--- A handle on the generation of the argument `id`, which `recovery` names after a failure. Sends no request.
---@param console devkit4ai.cli.Console
---@param options { id: string, out: string?, overwrite: boolean? }
---@return devkit4ai.Generation?
---@return string? message
---@return table? err
function M.open_generation(console, options)
  local project, message, err = M.open_project(console, options)
  if not project then return nil, message, err end
  local gen = project:generation(options.id)
  recovery.track(console, gen, options)
  return gen
end

--- The record of a generation, for --json.
---@param gen devkit4ai.Generation
---@param path string? the file that has the image
---@return table
function M.record(gen, path)
  return {
    id = gen.id, status = gen.status, error = gen.error, instructions = gen.instructions, image_url = gen.image_url,
    is_public = gen.is_public, created_at = gen.created_at, updated_at = gen.updated_at, path = path,
  }
end

--- By the kind of the error, the message of a wait that ended early. recovery.lua adds the rest.
M.WAIT_MESSAGES = { cancelled = "interrupted", timeout = "timed out" }

--- Waits for a generation.
---@param console devkit4ai.cli.Console
---@param gen devkit4ai.Generation
---@param options { timeout: number?, interval: number? }
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
function M.wait(console, gen, options)
  local last = gen.status
  local done, message, err = progress.wait(console, gen, function()
    return gen:wait { timeout = options.timeout, interval = options.interval, on_progress = function()
      if console.json and gen.status ~= last and gen.status ~= "completed" then console:print_record(M.record(gen)) end
      last = gen.status
    end }
  end)
  if not done then return nil, M.WAIT_MESSAGES[err.kind] or message, err end
  return gen
end

local function write_to_stdout(console, gen)
  local bytes, message, err = gen:bytes()
  if not bytes then return nil, message, err end
  console:write(bytes)
  return true
end

--- Saves the image, if --out names a file, and prints the record.
---@param console devkit4ai.cli.Console
---@param gen devkit4ai.Generation
---@param options { out: string?, overwrite: boolean? }
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function M.save(console, gen, options)
  if output_file.is_stdout(options.out) then return write_to_stdout(console, gen) end
  if options.out then
    local path, message, err = gen:save(options.out, { overwrite = options.overwrite })
    if not path then return nil, message, err end
    if console.recovery then recovery.saved(console, path) end
    image_viewer.show(console, path)
  end
  console:print_record(M.record(gen, options.out), options.out or gen.status)
  return true
end

return M
