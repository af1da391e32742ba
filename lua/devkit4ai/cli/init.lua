--- The command devkit4ai. Exit codes: 0 done, 1 failed, 2 wrong use.
local M = {}

local FAILED, WRONG_USE = 1, 2

local function fail(code, message)
  if message then io.stderr:write("devkit4ai: ", message, "\n") end
  os.exit(code)
end

-- The commands are files beside this one: name, summary, declare(parser), run(options) -> ok, message; and lacks,
-- a text, where something that the command needs is not installed.
local COMMANDS = { (require "devkit4ai.cli.sandbox") }

--- Runs the command.
---@param arguments string[]
function M.main(arguments)
  local found, argparse = pcall(require, "argparse")
  if not found then fail(FAILED, "the command needs argparse (luarocks install argparse)\n" .. tostring(argparse)) end
  local parser = argparse("devkit4ai", "The Dev Kit for AI Cloud API from the shell.")
  local actions = {}
  local parsers = { parser }
  parser:require_command(true):command_target("command")
  for _, command in ipairs(COMMANDS) do
    if command.lacks and arguments[1] == command.name then fail(FAILED, command.lacks) end
    local own = parser:command(command.name, command.summary)
    if not command.lacks then command.declare(own) end
    actions[command.name] = command.run
    parsers[#parsers + 1] = own
  end
  for _, one in ipairs(parsers) do
    one.error = function(self, message) -- argparse itself exits with 255
      io.stderr:write(self:get_usage(), "\n\n")
      fail(WRONG_USE, message)
    end
  end
  local options = parser:parse(arguments)
  local ok, message = actions[options.command](options)
  if not ok then fail(FAILED, message) end
end

return M
