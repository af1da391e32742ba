--- devkit4ai version: shows the version of the command and of Lua.
local M = { name = "version", summary = "Show the version." }

M.examples = { { "devkit4ai version", "the same as `devkit4ai --version` and `devkit4ai -v`" } }

--- The command has no options of its own.
function M.add_options() end

--- Shows the version.
---@param _ table? options
---@param console devkit4ai.cli.Console
---@return boolean done
function M.run(_, console)
  local version, jit = require "devkit4ai.util.version", rawget(_G, "jit")
  console:print_record({ version = version, lua = _VERSION },
    ("devkit4ai %s (%s)"):format(version, jit and jit.version or _VERSION))
  return true
end

return M
