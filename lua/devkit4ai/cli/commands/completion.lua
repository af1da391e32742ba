--- devkit4ai completion: writes a completion script for a shell.
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

local SHELLS = { "bash", "zsh", "fish" }

--- Adds the argument.
---@param parser table
function M.add_options(parser)
  parser:argument("shell", "bash, zsh or fish"):argname("<shell>"):choices(SHELLS).completions = SHELLS
end

-- By shell: the first lines of the script, which say where to install it.
local HEADERS = {
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

-- The last line of argparse's script calls the function, which fits a file that zsh loads by fpath. A sourced script must
-- register the function and not call it.
local ZSH_END = [[
if [ "$funcstack[1]" = "_devkit4ai" ]; then
  _devkit4ai "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
  compdef _devkit4ai devkit4ai
fi]]

-- argparse's bash script completes commands, options and files, but no words of an argument.
local BASH_WORDS = [[
    elif [ "$cmd" = %s ]; then
        COMPREPLY=($(compgen -W "%s" -- "$cur"))
]]

local function bash_script(parser, command_parsers)
  local words = {}
  for _, name in ipairs { "help", "completion" } do
    for _, argument in ipairs(command_parsers[name]._arguments) do
      words[#words + 1] = BASH_WORDS:format(name, table.concat(argument.completions, " "))
    end
  end
  local body, last = parser:get_bash_complete():match "^(.*\n)(    fi\n}\n.*)$"
  return HEADERS.bash .. body .. table.concat(words) .. last
end

-- By shell: argparse's script with the changes that the shell needs.
local SCRIPTS = {
  bash = bash_script,
  zsh = function(parser)
    local head, rest = parser:get_zsh_complete():match "^(#compdef [^\n]*\n)(.*)\n_devkit4ai\n$"
    return head .. HEADERS.zsh .. rest .. "\n" .. ZSH_END
  end,
  fish = function(parser) return HEADERS.fish .. parser:get_fish_complete() end,
}

-- Lets argparse complete the words. They are choices only here: a help text would list them all.
local function set_choices(parser)
  for _, list in ipairs { parser._options, parser._arguments } do
    for _, element in ipairs(list) do
      if element.completions then element:choices(element.completions) end
    end
  end
end

--- Writes the script.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean done
function M.run(options, console)
  set_choices(console.parser)
  for _, parser in pairs(console.command_parsers) do set_choices(parser) end
  local script = SCRIPTS[options.shell](console.parser, console.command_parsers)
  if console.json then
    console:print_record({ shell = options.shell, script = script })
    return true
  end
  console:print((script:gsub("\n$", "")))
  if core.terminal(1) then console:info "to install it, see: devkit4ai help completion" end
  return true
end

return M
