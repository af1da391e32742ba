--- The generation that a command creates or continues: what a failure says of it, and the command that goes on from there.
local exits = require "devkit4ai.cli.errors.exit_codes"
local picture = require "devkit4ai.cli.generation.output_file"
local text = require "devkit4ai.cli.output.terminal_text"

---@class devkit4ai.cli.Order
---@field prompt string? of a request whose response is not known
---@field since integer? the Unix time of that request
---@field gen devkit4ai.Generation? one that was accepted
---@field out string? the file that its picture is for
---@field overwrite boolean?
---@field saved string? the file that its picture is in
---@field made boolean? this command created it

local M = {}

--- A request goes out that creates a generation; it may be paid for from now on.
---@param shell devkit4ai.cli.Shell
---@param prompt string
function M.send(shell, prompt)
  shell.order = { prompt = prompt, since = os.time() }
end

--- The generation was accepted.
---@param shell devkit4ai.cli.Shell
---@param gen devkit4ai.Generation
---@param options { out: string?, overwrite: boolean? }
---@param made boolean? this command created it
function M.follow(shell, gen, options, made)
  shell.order = { gen = gen, out = options.out, overwrite = options.overwrite, made = made }
end

--- Its picture is in a file.
---@param shell devkit4ai.cli.Shell
---@param path string
function M.saved(shell, path)
  shell.order.saved, shell.order.out = path, nil
end

--- Whether this command created a generation, or may have, and its picture is in no file.
---@param shell devkit4ai.cli.Shell
---@return boolean
function M.is_at_stake(shell)
  local order = shell.order
  return order ~= nil and not order.saved and (order.made or not order.gen)
end

--- Nothing was accepted, and nothing is paid for.
---@param shell devkit4ai.cli.Shell
function M.forget(shell)
  shell.order = nil
end

-- A file that can be written: another name where the wanted one was taken meanwhile.
local function file_for(shell, order)
  local id = order.gen.id
  local stem, ending = order.out:match "^(.*[^/])(%.[^./]*)$"
  for _, path in ipairs { order.out, ("%s-%s%s"):format(stem or order.out, id, ending or ""), id .. ".png" } do
    if picture.check(path, order.overwrite, shell) then return path end
  end
  return order.out
end

local function wait_line(shell, order)
  local out = order.out and " " .. text.option("--out", file_for(shell, order)) or ""
  return ("devkit4ai wait %s%s%s%s"):format(order.gen.id, out, order.out and order.overwrite and " --overwrite" or "",
    shell.again)
end

local function unknown(shell, order, message, err)
  err.outcome, err.retryable, err.operation = "unknown", false, "create_generation"
  local since = tostring(err.message):match(".*since = (%d+)") or order.since -- the library's line has the better time
  err.command = ("devkit4ai list %s --since %d%s"):format(text.option("--find", order.prompt), since, shell.again)
  return ("%s\nThe request may have arrived, and may be paid for. To find out, run:\n  %s"):format(message, err.command)
end

-- Of an id that was given to the command, nothing is known until the server has shown it.
local function is_stranger(order, err)
  return not order.made and not order.gen.status and (err.kind == "not_found" or exits.lacks_key(err))
end

--- A message without the library's words on the generation and its price: the command says its own, or nothing is paid.
---@param message string
---@return string
function M.without_price(message)
  return (message:gsub("; [%l ]*the generation [%x-]+ [%l, ]*paid for.*$", ""))
end

local function accepted(shell, order, message, err)
  local gen = order.gen
  if is_stranger(order, err) then return message end
  err.generation_id = gen.id
  message = M.without_price(message)
  if order.made then err.outcome, err.retryable = "unknown", false end -- the same command would create another one
  if gen.status == "failed" then
    err.kind = "failed"
    return ("%s\nThe generation %s has ended without a picture. There is nothing to continue."):format(message, gen.id)
  end
  err.unfinished, err.command = true, wait_line(shell, order)
  return ("%s\n%sThe generation %s was accepted and is paid for. To continue, run:\n  %s"):format(message,
    order.saved and ("The picture is in %s.\n"):format(order.saved) or "", gen.id, err.command)
end

--- The message of a failure, with what it left behind.
---@param shell devkit4ai.cli.Shell
---@param message string
---@param err table gets `command`, the line that goes on, and `unfinished`, where something was accepted
---@return string
function M.explain(shell, message, err)
  local order = shell.order
  if not order then return message end
  return (order.gen and accepted or unknown)(shell, order, message, err)
end

return M
