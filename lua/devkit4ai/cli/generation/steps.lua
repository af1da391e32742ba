--- What happens to a generation once it is known: it is waited for, saved, shown.
local order = require "devkit4ai.cli.generation.recovery"
local picture = require "devkit4ai.cli.generation.output_file"
local progress = require "devkit4ai.cli.output.progress"
local values = require "devkit4ai.cli.input.converters"

local M = {}

--- Adds what the commands that wait and save have in common.
---@param parser table
function M.declare(parser)
  parser:flag("--overwrite", "replace the file if it exists")
  parser:option("--timeout", "seconds to wait for the image (default: 900)"):argname("<s>")
    :convert(values.seconds "--timeout")
  parser:option("--interval", "seconds between the first two status requests (default: 5)"):argname("<s>")
    :convert(values.seconds "--interval")
end

--- What is told of a generation as data.
---@param gen devkit4ai.Generation
---@param path string? where its picture is
---@return table
function M.record(gen, path)
  return {
    id = gen.id, status = gen.status, error = gen.error, instructions = gen.instructions, image_url = gen.image_url,
    is_public = gen.is_public, created_at = gen.created_at, updated_at = gen.updated_at, path = path,
  }
end

-- Ends of a wait that say less about the shell than these words.
local ENDS = { cancelled = "interrupted", timeout = "the time is up" }

--- Waits for a generation.
---@param shell devkit4ai.cli.Shell
---@param gen devkit4ai.Generation
---@param options { timeout: number?, interval: number? }
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
function M.wait(shell, gen, options)
  local last = gen.status
  local done, message, err = progress.wait(shell, gen, function()
    return gen:wait { timeout = options.timeout, interval = options.interval, on_progress = function()
      if shell.json and gen.status ~= last and gen.status ~= "completed" then shell:give(M.record(gen)) end
      last = gen.status
    end }
  end)
  if not done then return nil, ENDS[err.kind] or message, err end
  return gen
end

-- Writes its picture to standard output, and nothing else.
local function write_out(shell, gen)
  local bytes, message, err = gen:bytes()
  if not bytes then return nil, message, err end
  shell:write(bytes)
  return true
end

--- Saves its picture, where a file is named, and gives the generation.
---@param shell devkit4ai.cli.Shell
---@param gen devkit4ai.Generation
---@param options { out: string?, overwrite: boolean? }
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function M.save(shell, gen, options)
  if picture.is_output(options.out) then return write_out(shell, gen) end
  if options.out then
    local path, message, err = gen:save(options.out, { overwrite = options.overwrite })
    if not path then return nil, message, err end
    if shell.order then order.saved(shell, path) end
    picture.show(shell, path)
  end
  shell:give(M.record(gen, options.out), options.out or gen.status)
  return true
end

return M
