--- devkit4ai help: shows the help text of a command, a topic, or the whole manual as a man page.
local errors = require "devkit4ai.cli.errors"
local topics = require "devkit4ai.cli.help.topics"

local M = { name = "help", summary = "Explain a command or a topic." }

M.examples = {
  { "devkit4ai help generate" },
  { "devkit4ai help exit-codes" },
  { "devkit4ai help --man | man -l -", "the manual as one page" },
}

local function find(list, name)
  for _, entry in ipairs(list) do
    if entry.name == name then return entry end
  end
end

local function names_of(...)
  local names = {}
  for _, list in ipairs { ... } do
    for _, entry in ipairs(list) do names[#names + 1] = entry.name end
  end
  return names
end

--- Adds the argument and the option.
---@param parser table
---@param commands table[]
function M.add_options(parser, commands)
  local topic_names = table.concat(names_of(topics), ", ")
  local argument = parser:argument("topic", "a command, or one of: " .. topic_names):argname("<topic>"):args("?")
    :convert(function(name)
      if find(commands, name) or find(topics, name) then return name end
      return nil, ("%s is not a command and not a topic; the topics are %s"):format(
        errors.shown_name(name, "this word"), topic_names)
    end)
  argument.completions = names_of(topics, commands)
  parser:flag("--man", "write the whole manual as a man page (roff)")
end

local function text_of(name, console)
  if not name then return console.parser:get_help() end
  local topic = find(topics, name)
  return topic and topic.text() or console.command_parsers[name]:get_help()
end

--- Shows the text.
---@param options { topic: string?, man: boolean? }
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  if options.topic and options.man then
    return errors.fail("invalid", "--man takes no topic: it writes the whole manual")
  end
  local text = options.man and require("devkit4ai.cli.help.man_page").make(console) or text_of(options.topic, console)
  text = text:gsub("\n$", "")
  if console.json then
    console:print_record { topic = options.topic, text = text }
  else
    console:print(text)
  end
  return true
end

return M
