--- devkit4ai sandbox: runs the sandbox in this process.
local M = { name = "sandbox", summary = "Run a local server that behaves as the API does." }

-- The sandbox is a rock of its own.
local found, options = pcall(require, "devkit4ai.sandbox.options")
local installed, main = pcall(require, "devkit4ai.sandbox.main")
if not (found and installed) then
  M.lacks = "the sandbox is not installed (luarocks install devkit4ai-sandbox)\n" .. tostring(found and main or options)
end

-- The value of a row's text; argparse shows the message.
local function converter(row)
  return function(text)
    local value, complaint = options.read(row, text)
    if complaint then return nil, ("%s: %s"):format(options.flag(row), complaint) end
    return value
  end
end

--- Adds the command's options to its parser.
---@param parser table
function M.declare(parser)
  parser:epilog(require("devkit4ai.sandbox.dialect").help())
  for _, row in ipairs(options.rows) do
    parser:option(options.flag(row), row.help):target(row[1]):argname(options.argname(row))
      :default(row.default and tostring(row.default)):convert(converter(row))
  end
  parser:flag("--control", "speak JSON lines on standard input and output, and end with the input")
  parser:option("--parent", "process to end with"):argname("<pid>")
    :convert(function(text) return text:match("^%d+$") end)
end

--- Runs the sandbox; comes back only when it could not start.
---@param chosen table
---@return nil
---@return string? message none where the control line has said it
function M.run(chosen)
  local _, reason = main.run(chosen, chosen.control, chosen.parent)
  local message = "the sandbox did not start: " .. reason
  if not chosen.control then return nil, message end
  require("devkit4ai.sandbox.control").say({ "error" }, { error = message })
end

return M
