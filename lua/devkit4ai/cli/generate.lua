--- devkit4ai generate: sends images with a prompt, waits, saves the picture.
local follow = require "devkit4ai.cli.follow"
local picture = require "devkit4ai.cli.picture"
local progress = require "devkit4ai.cli.progress"
local session = require "devkit4ai.cli.session"
local text = require "devkit4ai.cli.text"

local M = { name = "generate", summary = "Order a picture, wait for it, save it." }

--- Adds the command's options to its parser.
---@param parser table
function M.declare(parser)
  parser:argument("images", "1 to 5 example images: JPEG, PNG or WebP"):args("1-5")
  parser:option("--prompt", "what the picture shall show"):argname("<text>"):count(1)
  parser:mutex(
    parser:option("--out", "where the picture goes"):argname("<file>"),
    parser:flag("--no-wait", "give the generation's id and end"):target("no_wait"))
  follow.declare(parser)
end

local DONE_NOTHING = { not_sent = "nothing was sent", refused = "the server refused it" }

-- Where nobody knows whether the order arrived, the line that finds out.
local function ordered(shell, options, since, message, err)
  if err.kind == "cancelled" and DONE_NOTHING[err.outcome] then
    message = ("interrupted; %s, and nothing is paid for"):format(DONE_NOTHING[err.outcome])
  elseif err.generation_id then
    message = ("%s; the generation %s goes on and is paid for. To go on waiting:\n  %s"):format(
      message, err.generation_id, follow.line(shell, err.generation_id, options.out))
  elseif err.outcome == "unknown" then
    since = tonumber(message:match("since = (%d+) }$")) or since -- the server's time
    local what = err.kind == "cancelled" and "interrupted" or (message:gsub("; this line looks for it: .*$", ""))
    message = ("%s. The order may have arrived, and may be paid for. To find out:\n"
      .. "  devkit4ai list --find %s --since %d%s"):format(what, text.quote(options.prompt), since, shell.again)
  end
  err.message = message
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
  fine, message, err = picture.check(options.out, options.overwrite)
  if not fine then return nil, message, err end
  local since = os.time()
  local gen, why, cause = progress.upload(shell, function(on_upload)
    return project:generate { images = options.images, prompt = options.prompt, on_upload = on_upload }
  end)
  if not gen then return ordered(shell, options, since, why, cause) end
  shell:tell("ordered: generation " .. gen.id)
  shell.paid = gen.id
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
