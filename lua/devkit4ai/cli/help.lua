--- devkit4ai help: the help text of a command, a topic, or all of it as a man page.
local checks = require "devkit4ai.util.validate"
local exits = require "devkit4ai.cli.exits"
local topics = require "devkit4ai.cli.topics"

local M = { name = "help", summary = "Explain a command or a topic." }

M.examples = {
  { "devkit4ai help generate" },
  { "devkit4ai help exit-codes" },
  { "devkit4ai help --man | man -l -", "the manual as one page" },
}

--- The names of the topics.
---@return string[]
function M.topics()
  local names = {}
  for i, topic in ipairs(topics) do names[i] = topic.name end
  return names
end

--- The end of a command's help text: its notes, its examples, and where the other options stand.
---@param command { notes: string?, examples: string[][]? }
---@return string
function M.epilog(command)
  local parts = {}
  if command.notes then parts[1] = command.notes .. "\n" end
  if command.examples then parts[#parts + 1] = "Examples:" end
  for _, example in ipairs(command.examples or {}) do
    if example[2] then parts[#parts + 1] = "  # " .. example[2] end
    parts[#parts + 1] = "  " .. example[1]
  end
  parts[#parts + 1] = "\nThe options of every command: devkit4ai help"
  return table.concat(parts, "\n")
end

local function find(list, name)
  for _, one in ipairs(list) do
    if one.name == name then return one end
  end
end

--- Adds the command's argument to its parser.
---@param parser table
---@param commands table[]
function M.declare(parser, commands)
  local names = table.concat(M.topics(), ", ")
  local argument = parser:argument("topic", "a command, or one of: " .. names):argname("<topic>"):args("?")
    :convert(function(name)
      if find(commands, name) or find(topics, name) then return name end
      local known = checks.shown(name):find "^'" and checks.shown(name) or "this word"
      return nil, ("%s is not a command and not a topic; the topics are %s"):format(known, names)
    end)
  -- A completion script offers the names. The parser has them as choices only then, since a help text would list them all.
  function M.offer()
    local words = M.topics()
    for _, command in ipairs(commands) do words[#words + 1] = command.name end
    argument:choices(words)
    return words
  end
  parser:flag("--man", "write the whole manual as a man page (roff)")
end

local function text_of(name, shell)
  if not name then return shell.parser:get_help() end
  local topic = find(topics, name)
  return topic and topic.text() or shell.parsers[name]:get_help()
end

--- Shows the text.
---@param options { topic: string?, man: boolean? }
---@param shell devkit4ai.cli.Shell
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, shell)
  if options.topic and options.man then
    return exits.fail("invalid", "--man takes no topic: it writes the whole manual")
  end
  local text = options.man and require("devkit4ai.cli.man").page(shell) or text_of(options.topic, shell)
  text = text:gsub("\n$", "")
  if shell.json then
    shell:give { topic = options.topic, text = text }
  else
    shell:show(text)
  end
  return true
end

return M
