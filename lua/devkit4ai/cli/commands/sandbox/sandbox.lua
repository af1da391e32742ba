--- devkit4ai sandbox: runs the sandbox in this process.
local dependencies = require "devkit4ai.util.dependencies"
local errors = require "devkit4ai.cli.errors"
local folder = require "devkit4ai.cli.output.folder"
local system = require "devkit4ai.util.system"

local M = { name = "sandbox", summary = "Run a local server that behaves as the API does." }

M.examples = {
  { "devkit4ai sandbox --developer me@example.com", "then paste the printed lines into another terminal" },
  { "devkit4ai sandbox --developer me@example.com > sandbox.env &", "or in one terminal" },
  { "sleep 1; . ./sandbox.env" },
  { 'devkit4ai generate a.png --prompt "a city at night" --out city.png' },
}

M.handles_signals = true

local is_plain_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")
local WRONG_LUA = "the sandbox needs Lua 5.2 to 5.4 or LuaJIT, and this is %s; install one of them, and build "
  .. "devkit4ai again for it"

--- The dependency that is missing, as a message; nil: none. Plain Lua 5.1 can't yield where the sandbox does. No release of
--- cqueues works with Lua 5.5 yet, so advice to install it would not help there.
---@return string?
function M.missing_dependency()
  if system.is_windows then
    return "the sandbox needs Unix: run this command in WSL or in a container, and use the address that it prints"
  end
  if is_plain_51 or _VERSION == "Lua 5.5" and not dependencies.optional "cqueues" then
    return WRONG_LUA:format(_VERSION)
  end
  return dependencies.missing_message("the sandbox", { "cqueues", "openssl.rand", "zlib" })
    or dependencies.missing_message("the sandbox", { "devkit4ai.sandbox.main" })
end

-- The converter of a setting's value, for argparse.
local function converter(options, row)
  return function(text)
    local value, reason = options.parse(row, text)
    if reason then return nil, ("%s: %s"):format(options.flag(row), reason) end
    return value
  end
end

local function email(text)
  if require("devkit4ai.sandbox.api.validation").is_email(text) then return text end
  return nil, "--developer must be an e-mail address, such as me@example.com"
end

--- Adds the options. Each setting of the sandbox is an option.
---@param parser table
function M.add_options(parser)
  local options = dependencies.optional "devkit4ai.sandbox.options"
  if not options then return end
  M.notes = require("devkit4ai.sandbox.dialect").help()
  for _, row in ipairs(options.rows) do
    parser:option(options.flag(row), row.help):target(row[1]):argname(options.argname(row))
      :default(row.default and tostring(row.default)):convert(converter(options, row))
  end
  parser:mutex(
    parser:option("--developer", "register a developer with a project and keys, and print the lines that export them")
      :argname("<email>"):convert(email),
    parser:flag("--control", "for programs: JSON lines on standard input and output; end with the input"))
  parser:option("--parent", "for programs: the process to end with"):argname("<pid>")
    :convert(function(text) return text:match("^%d+$") end)
end

-- Runs the sandbox; gives the reason why it could not start.
local function run(options, console)
  if options.data then
    local made, reason = folder.make(options.data, true)
    if not made then return reason end
  end
  local function announce(facts, text)
    if console.json then console:print_record(facts) else console:print(text) end
    return not console.output_error
  end
  local main = require "devkit4ai.sandbox.main"
  return select(2, main.run(options, options.control, options.parent, announce, options.developer))
end

--- Runs the sandbox. Returns only if it could not start.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done standard output failed; the caller reports it
---@return string? message nil: the control line has reported it
function M.run(options, console)
  local reason = run(options, console)
  if not reason then return true end
  local message = "the sandbox did not start: " .. reason
  if not options.control then return errors.fail("network", message) end
  require("devkit4ai.sandbox.control.stdio").write_line({ "error" }, { error = message })
end

return M
