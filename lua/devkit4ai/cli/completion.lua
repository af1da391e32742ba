--- devkit4ai completion: a script that completes the command's words in a shell.
local M = { name = "completion", summary = "Write a script that completes the command in bash, zsh or fish." }

--- Adds the command's argument to its parser.
---@param parser table
function M.declare(parser)
  parser:argument("shell", "the shell"):choices { "bash", "zsh", "fish" }
end

--- Writes the script.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean done
function M.run(options, shell)
  local script = shell.parser[("get_%s_complete"):format(options.shell)](shell.parser)
  if shell.json then
    shell:give({ shell = options.shell, script = script })
  else
    shell:show((script:gsub("\n$", "")))
  end
  return true
end

return M
