--- devkit4ai version: the version of the command and of the library.
local M = { name = "version", summary = "Show the version." }

M.examples = { { "devkit4ai version", "the same as `devkit4ai --version` and `devkit4ai -v`" } }

--- The command has no options of its own.
function M.declare() end

--- Shows it.
---@param _ table? options
---@param shell devkit4ai.cli.Shell
---@return boolean done
function M.run(_, shell)
  local version = require "devkit4ai.util.version"
  shell:give({ version = version, lua = _VERSION }, ("devkit4ai %s (%s)"):format(version, rawget(_G, "jit") and
    rawget(_G, "jit").version or _VERSION))
  return true
end

return M
