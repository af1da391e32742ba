--- devkit4ai completion: a script that completes the command's words in a shell.
local core = require "devkit4ai.core"

local M = { name = "completion", summary = "Write a script that completes the command's words in bash, zsh or fish." }

M.examples = {
  { "source <(devkit4ai completion bash)", "bash, for this shell" },
  { "dir=~/.local/share/bash-completion/completions; mkdir -p $dir", "bash, for all shells" },
  { "devkit4ai completion bash > $dir/devkit4ai" },
  { "source <(devkit4ai completion zsh)", "zsh, for this shell; in ~/.zshrc after compinit for all" },
  { 'devkit4ai completion zsh > "${fpath[1]}/_devkit4ai"', "zsh, by fpath; then start a new shell" },
  { "devkit4ai completion fish > ~/.config/fish/completions/devkit4ai.fish" },
}

M.SHELLS = { "bash", "zsh", "fish" }

--- Adds the command's argument to its parser.
---@param parser table
function M.declare(parser)
  parser:argument("shell", "bash, zsh or fish"):argname("<shell>"):choices(M.SHELLS)
end

-- Where a script is installed; the words of its first lines.
local PLACES = {
  bash = [[
# bash completion for devkit4ai. For this shell:
#   source <(devkit4ai completion bash)
# For all shells, write it to the file devkit4ai in ~/.local/share/bash-completion/completions/
]],
  zsh = [[
# zsh completion for devkit4ai. For this shell:
#   source <(devkit4ai completion zsh)
# For all shells, write it to the file _devkit4ai in a folder of $fpath, such as "${fpath[1]}".
]],
  fish = [[
# fish completion for devkit4ai. Write it to ~/.config/fish/completions/devkit4ai.fish
]],
}

-- The last line of argparse's script calls the function, which is right for a file that zsh loads by fpath. A script that is
-- sourced must tell zsh of the function in place of calling it.
local ZSH_END = [[
if [ "$funcstack[1]" = "_devkit4ai" ]; then
  _devkit4ai "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
  compdef _devkit4ai devkit4ai
fi]]

-- argparse's script for bash completes commands, options and files. These are the commands whose argument is a word.
local BASH_WORDS = [[
    elif [ "$cmd" = %s ]; then
        COMPREPLY=($(compgen -W "%s" -- "$cur"))
]]

local function bash_script(parser, topics)
  local words = BASH_WORDS:format("help", table.concat(topics, " "))
    .. BASH_WORDS:format("completion", table.concat(M.SHELLS, " "))
  local body, last = parser:get_bash_complete():match "^(.*\n)(    fi\n}\n.*)$"
  return PLACES.bash .. body .. words .. last
end

-- By shell: argparse's script, as the shell needs it.
local SCRIPTS = {
  bash = bash_script,
  zsh = function(parser)
    local head, rest = parser:get_zsh_complete():match "^(#compdef [^\n]*\n)(.*)\n_devkit4ai\n$"
    return head .. PLACES.zsh .. rest .. "\n" .. ZSH_END
  end,
  fish = function(parser) return PLACES.fish .. parser:get_fish_complete() end,
}

--- Writes the script.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean done
function M.run(options, shell)
  local topics = require("devkit4ai.cli.commands.help").offer()
  local script = SCRIPTS[options.shell](shell.parser, topics)
  if shell.json then
    shell:give({ shell = options.shell, script = script })
    return true
  end
  shell:show((script:gsub("\n$", "")))
  if core.terminal(1) then shell:tell "to install it, see: devkit4ai help completion" end
  return true
end

return M
