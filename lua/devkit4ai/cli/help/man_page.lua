--- The man page in roff: the help texts of all commands, and the topics.
local topics = require "devkit4ai.cli.help.topics"

local M = {}

-- Escapes what roff would interpret.
local function escape(text)
  text = text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("'", "\\(aq"):gsub("`", "\\(ga")
  return (text:gsub("^%.", "\\&."))
end

-- The kind of a line in a help text, by its indent. argparse and topics.lua indent in the same way.
local function kind_of(line)
  if line == "" then return "blank" end
  if line:find "^Usage: " then return "verbatim" end
  local indent = #line:match "^ *"
  if indent == 0 then return line:find ":$" and line:find "^[%u][%w ]*:$" and "heading" or "text" end
  if indent == 3 then return "item" end
  return indent == 25 and "more" or "verbatim"
end

local WRITERS = {
  heading = function(line) return (".PP\n.B %s"):format(escape(line)) end,
  text = escape,
  item = function(line)
    local name, words = line:sub(4, 25):match "^(.-) *$", line:sub(26)
    if line:sub(25, 25) ~= " " then name, words = line:sub(4), "" end -- a long name has a line of its own
    return (".TP\n.B %s%s"):format(escape(name), words ~= "" and "\n" .. escape(words) or "")
  end,
  more = function(line) return escape(line:sub(26)) end,
  verbatim = function(line) return escape(line) end,
  blank = function() return ".PP" end,
}

-- The body of a section. roff must not fill verbatim lines.
local function body(text)
  local out, verbatim = {}, false
  for line in (text:gsub("\n+$", "") .. "\n"):gmatch "([^\n]*)\n" do
    local kind = kind_of(line)
    if (kind == "verbatim") ~= verbatim then
      verbatim = kind == "verbatim"
      out[#out + 1] = verbatim and ".PP\n.nf" or ".fi"
    end
    out[#out + 1] = WRITERS[kind](line)
  end
  if verbatim then out[#out + 1] = ".fi" end
  return table.concat(out, "\n")
end

local SECTIONS = { ["exit-codes"] = "EXIT STATUS" }

--- The page.
---@param console devkit4ai.cli.Console
---@return string
function M.make(console)
  local version = require "devkit4ai.util.version"
  local out = {
    '.\\" Made by `devkit4ai help --man`; do not change it by hand.',
    ('.TH DEVKIT4AI 1 "" "devkit4ai %s" "User Commands"'):format(version), ".nh\n.ad l",
    ".SH NAME\ndevkit4ai \\- the Dev Kit for AI Cloud API from the shell",
    ".SH DESCRIPTION", body(console.parser:get_help()),
    ".SH COMMANDS",
  }
  local names = {}
  for name in pairs(console.command_parsers) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    out[#out + 1] = ".SS devkit4ai " .. name
    out[#out + 1] = body(console.command_parsers[name]:get_help())
  end
  for _, topic in ipairs(topics) do
    out[#out + 1] = ".SH " .. (SECTIONS[topic.name] or topic.name:upper():gsub("%-", " "))
    out[#out + 1] = body((topic.text():gsub("^[^\n]+:\n", "")))
  end
  return table.concat(out, "\n") .. "\n"
end

return M
