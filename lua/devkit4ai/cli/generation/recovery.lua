--- Recovery after a failure: what became of the generation that this run creates or continues, and the command that goes on.
local exit_codes = require "devkit4ai.cli.errors.exit_codes"
local output_file = require "devkit4ai.cli.generation.output_file"
local shell_quote = require "devkit4ai.cli.output.shell_quote"

---@class devkit4ai.cli.Recovery
---@field prompt string? of a request without a known outcome
---@field request_time integer? the Unix time of that request
---@field generation devkit4ai.Generation? an accepted generation
---@field out string? the path that the image goes to
---@field overwrite boolean?
---@field saved_path string? the file that has the image
---@field created boolean? this run created the generation

local M = {}

--- Before a request that creates a generation: from now on something may be paid for.
---@param console devkit4ai.cli.Console
---@param prompt string
function M.before_request(console, prompt)
  console.recovery = { prompt = prompt, request_time = os.time() }
end

--- After a request without a known outcome: the library knows its time by the server's clock.
---@param console devkit4ai.cli.Console
---@param err devkit4ai.Error
function M.set_request_time(console, err)
  console.recovery.request_time = err._since or console.recovery.request_time
end

--- The generation was accepted.
---@param console devkit4ai.cli.Console
---@param generation devkit4ai.Generation
---@param options { out: string?, overwrite: boolean? }
---@param created boolean? this run created it
function M.track(console, generation, options, created)
  console.recovery = {
    generation = generation, out = options.out, overwrite = options.overwrite, created = created,
  }
end

--- The image is in a file.
---@param console devkit4ai.cli.Console
---@param path string
function M.saved(console, path)
  console.recovery.saved_path = path
end

--- Whether this run created a generation, or may have, and no file has its image.
---@param console devkit4ai.cli.Console
---@return boolean
function M.is_pending(console)
  local recovery = console.recovery
  return recovery ~= nil and not recovery.saved_path and (recovery.created or not recovery.generation)
end

--- Nothing was accepted, and nothing is paid for.
---@param console devkit4ai.cli.Console
function M.clear(console)
  console.recovery = nil
end

-- A path that can be written: another name if another program has taken the wanted one.
local function free_path(console, recovery)
  local id = recovery.generation.id
  local stem, ending = recovery.out:match "^(.*[^/])(%.[^./]*)$"
  for _, path in ipairs { recovery.out, ("%s-%s%s"):format(stem or recovery.out, id, ending or ""), id .. ".png" } do
    if output_file.check(path, recovery.overwrite, console) then return path end
  end
  return recovery.out
end

local function wait_command(console, recovery)
  local out = recovery.out and " " .. shell_quote.option("--out", free_path(console, recovery)) or ""
  return ("devkit4ai wait %s%s%s%s"):format(recovery.generation.id, out,
    recovery.out and recovery.overwrite and " --overwrite" or "", console.common_options)
end

local function explain_unknown(console, recovery, message, err)
  err.outcome, err.retryable, err.operation = "unknown", false, "create_generation"
  err.command = ("devkit4ai list %s --since %d%s"):format(shell_quote.option("--find", recovery.prompt),
    recovery.request_time, console.common_options)
  return ("%s\nThe request may have arrived, and may be paid for. To find out, run:\n  %s"):format(message, err.command)
end

-- Whether nothing is known of an id that the user gave: the server has not confirmed it.
local function is_unconfirmed(recovery, err)
  return not recovery.created and not recovery.generation.status
    and (err.kind == "not_found" or exit_codes.is_key_missing(err))
end

local function explain_saved(recovery, message)
  return ("%s\nThe image is in %s. There is nothing to continue."):format(message, recovery.saved_path)
end

local function explain_accepted(console, recovery, message, err)
  local generation = recovery.generation
  if is_unconfirmed(recovery, err) then return message end
  err.generation_id = generation.id
  if recovery.created then err.outcome, err.retryable = "unknown", false end -- a repeat would create another generation
  if recovery.saved_path then return explain_saved(recovery, message) end
  if generation.status == "failed" then
    err.kind = "failed"
    return ("%s\nThe generation %s has ended without an image. There is nothing to continue."):format(message,
      generation.id)
  end
  err.unfinished, err.command = true, wait_command(console, recovery)
  return ("%s\nThe generation %s was accepted and is paid for. To continue, run:\n  %s"):format(message, generation.id,
    err.command)
end

--- The message of a failure, with what became of the generation.
---@param console devkit4ai.cli.Console
---@param message string
---@param err table gets `command`, the command line that continues, and `unfinished`, if a generation was accepted
---@return string
function M.explain(console, message, err)
  local recovery = console.recovery
  if not recovery then return message end
  return (recovery.generation and explain_accepted or explain_unknown)(console, recovery, message, err)
end

return M
