--- devkit4ai sandbox: runs the sandbox in this process.
local dependencies = require "devkit4ai.util.dependencies"
local exits = require "devkit4ai.cli.exits"

local M = { name = "sandbox", summary = "Run a local server that behaves as the API does." }

M.examples = {
  { "devkit4ai sandbox --developer me@example.com", "then paste the printed lines into another terminal" },
  { "devkit4ai sandbox --developer me@example.com > sandbox.env &", "or in one terminal" },
  { "sleep 1; . ./sandbox.env" },
  { 'devkit4ai generate a.png --prompt "a city at night" --out city.png' },
}

M.handles_signals = true

local plain_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")
local WRONG_LUA = "the sandbox needs Lua 5.2 to 5.4 or LuaJIT, and this is Lua 5.1; install one of them, and build "
  .. "devkit4ai again for it"

--- Why the sandbox can't start here, or nil: it yields where plain Lua 5.1 can't, and it is a rock of its own.
---@return string?
function M.lacks()
  if plain_51 then return WRONG_LUA end
  return dependencies.lacking("the sandbox", { "cqueues", "openssl.rand", "zlib" })
    or dependencies.lacking("the sandbox", { "devkit4ai.sandbox.main" })
end

-- The value of a row's text; argparse shows the message.
local function converter(options, row)
  return function(text)
    local value, problem = options.parse(row, text)
    if problem then return nil, ("%s: %s"):format(options.flag(row), problem) end
    return value
  end
end

local function email_of(text)
  if require("devkit4ai.sandbox.api.validation").is_email(text) then return text end
  return nil, "--developer must be an e-mail address, such as me@example.com"
end

--- Adds the command's options to its parser.
---@param parser table
function M.declare(parser)
  local options = dependencies.optional "devkit4ai.sandbox.options"
  if not options then return end
  M.notes = require("devkit4ai.sandbox.dialect").help()
  for _, row in ipairs(options.rows) do
    parser:option(options.flag(row), row.help):target(row[1]):argname(options.argname(row))
      :default(row.default and tostring(row.default)):convert(converter(options, row))
  end
  parser:mutex(
    parser:option("--developer", "register a developer with a project and keys, and print the lines that export them")
      :argname("<email>"):convert(email_of),
    parser:flag("--control", "for programs: JSON lines on standard input and output; end with the input"))
  parser:option("--parent", "for programs: the process to end with"):argname("<pid>")
    :convert(function(text) return text:match("^%d+$") end)
end

--- Runs the sandbox; comes back only when it could not start.
---@param chosen table
---@param shell devkit4ai.cli.Shell
---@return boolean? done standard output took nothing, which the shell tells
---@return string? message none where the control line has said it
function M.run(chosen, shell)
  local _, reason = require("devkit4ai.sandbox.main").run(chosen, chosen.control, chosen.parent,
    function(facts, text)
      if shell.json then shell:give(facts) else shell:show(text) end
      return not shell.broken
    end, chosen.developer)
  if not reason then return true end
  local message = "the sandbox did not start: " .. reason
  if not chosen.control then return exits.fail("network", message) end
  require("devkit4ai.sandbox.control.stdio").write_line({ "error" }, { error = message })
end

return M
