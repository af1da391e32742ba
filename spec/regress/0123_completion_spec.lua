-- Completion in real shells on a terminal: a sourced script, a script in zsh's fpath, a script in a file. --role offered
-- file names.
if _VERSION ~= "Lua 5.4" then return end -- one Lua is enough, because the shell is the subject

local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"
local programs = require "spec.support.process.programs"
local screen = require "spec.devkit4ai.cli.screen"

describe("devkit4ai completion", function()
  local folder, one
  before_each(function()
    folder = child.folder()
    helper.shell(([[mkdir -p %s/bin %s/home
      printf 'require("devkit4ai.cli").main(arg)\n' > %s/bin/devkit4ai.lua
      printf '#!/bin/sh\nexec %s "$0.lua" "$@"\n' > %s/bin/devkit4ai
      chmod +x %s/bin/devkit4ai]]):format(folder, folder, folder, child.interpreter(), folder, folder))
  end)
  after_each(function()
    if one then one:close() end
    one = nil
    child.remove(folder)
  end)

  -- Starts a shell without a user's settings, and runs lines in it.
  local function open(shell, lines)
    one = screen.new(80, { HOME = folder .. "/home", ZDOTDIR = folder .. "/home", TERM = "xterm" }, folder)
    one:type("PATH=" .. folder .. "/bin:$PATH; export PATH; exec " .. shell)
    one:type("PS1='> '; " .. lines .. "; echo rea\"\"dy")
    local text = one:wait "\nready"
    assert.is_nil(text:find("command not found", 1, true), text)
    assert.is_nil(text:find("can only be called", 1, true), text)
  end

  -- Types words and one or two tabs, until the screen has the completion.
  local function complete(typed, wanted)
    helper.shell(("%s send-keys -l -- %s"):format(one.tmux, helper.quote(typed)))
    one:press "Tab"
    os.execute "sleep 0.3"
    if not one:text():find(wanted) then one:press "Tab" end
    one:wait(wanted)
    one:press "C-c"
    one:wait "\n> *\n*$"
  end

  local BASH, ZSH = "bash --norc --noprofile", "zsh -f"
  local CASES = {
    { "bash, sourced", BASH, "source <(devkit4ai completion bash)" },
    { "bash, from a file", BASH, "devkit4ai completion bash >c.bash; . ./c.bash" },
    { "zsh, sourced before compinit", ZSH, "source <(devkit4ai completion zsh)" },
    { "zsh, sourced after compinit", ZSH, "autoload -Uz compinit; compinit -u; source <(devkit4ai completion zsh)" },
    { "zsh, by fpath", ZSH, "mkdir f; devkit4ai completion zsh >f/_devkit4ai; fpath=($PWD/f $fpath); "
      .. "autoload -Uz compinit; compinit -u" },
  }
  for _, case in ipairs(CASES) do
    programs.it_with(it, pending, "tmux", case[2]:match "%a+")("works in " .. case[1], function()
      open(case[2], case[3])
      complete("devkit4ai gen", "devkit4ai generate ")
      complete("devkit4ai generate --over", "generate %-%-overwrite ")
      complete("devkit4ai help exit", "help exit%-codes ")
      complete("devkit4ai completion z", "completion zsh ")
      complete("devkit4ai --role plat", "%-%-role platform_operator ")
      complete("devkit4ai log", "login +.*logout")
    end)
  end

  programs.it_with(it, pending, "zsh")("writes scripts that the shells read without a message", function()
    for shell, command in pairs { bash = "bash --norc -n", zsh = "zsh -f -n" } do
      local output = helper.shell(("PATH=%s/bin:$PATH; devkit4ai completion %s >%s/script && %s %s/script 2>&1")
        :format(folder, shell, folder, command, folder))
      assert.equal("", output)
    end
  end)

  it("says in the script and in the help text where to install it", function()
    local output = helper.shell(("PATH=%s/bin:$PATH; devkit4ai help completion"):format(folder))
    for shell, place in pairs {
      bash = "~/.local/share/bash-completion/completions", zsh = "${fpath[1]}", fish = "~/.config/fish/completions/",
    } do
      local script = helper.shell(("PATH=%s/bin:$PATH; devkit4ai completion %s"):format(folder, shell))
      assert.is_truthy(script:sub(1, 400):find(place, 1, true), script:sub(1, 400))
      assert.is_truthy(output:find(place, 1, true), output)
    end
  end)
end)
