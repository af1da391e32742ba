--- The public names of the library, the command and the header, as lines of text: what 1.0 promises (docs/upgrading.md). They
--- come from the pages that are made from the code, and from the code where there is no such page.
local child = require "spec.support.process.child"
local exit_codes = require "devkit4ai.cli.errors.exit_codes"

local M = {}

-- The names of a page of the reference: calls with their parameters, the fields of a table that they take, fields of classes.
local function add_reference(add, text)
  local class, call
  for line in text:gmatch "[^\n]+" do
    local heading = line:match "^## (%w+)$"
    if heading then class, call = heading, nil end
    call = line:match "^### (.*)$" or call
    if call and line:find "%($" == nil and line:sub(1, #call + 1) == call .. "(" then add(line) end
    local indent, field = line:match "^(%s*)%- `([%w_]+)` %("
    if field and not call then add(("%s.%s"):format(class, field)) end
    if field and call and #indent > 0 then add(("%s { %s }"):format(call, field)) end
  end
end

-- What a list in a text has, such as the kinds of errors.
local function add_list(add, prefix, text, before, after)
  local list = assert(text:gsub("%s+", " "):match(before .. "(.-)" .. after))
  for word in list:gmatch "[%a_]+" do add(prefix .. word) end
end

local function add_command(add, text)
  local command = ""
  for line in text:gmatch "[^\n]+" do
    command = line:match "^%$ devkit4ai (%w*) ?%-%-help$" or command
    local words = line:match "^   (%-%-?%w.*)$"
    if words then
      for option in (words:match "^(.-)  " or words):gmatch "%-%-?[%w-]+" do
        add(("devkit4ai %s %s"):format(command, option):gsub("  ", " "))
      end
    end
  end
end

--- All names, sorted; each once.
---@return string[]
function M.list()
  local lines, seen = {}, {}
  local function add(line)
    if not seen[line] then lines[#lines + 1], seen[line] = line, true end
  end
  for _, name in ipairs(child.list "docs/reference") do
    if name ~= "README.md" then add_reference(add, child.read("docs/reference/" .. name)) end
  end
  local errors, options = child.read "docs/reference/errors.md", child.read "docs/reference/options.md"
  add_list(add, "err.kind ", errors, "the cause: ", "%- ")
  add_list(add, "err.outcome ", errors, "on the server: ", "%- ")
  for variable in (options .. child.read "docs/devkit4ai.1"):gmatch "DEVKIT4AI_[A-Z_]*[A-Z]" do add(variable) end
  add_command(add, child.read "docs/command-options.md")
  for _, row in ipairs(exit_codes.MEANINGS) do add("exit code " .. row[1]) end
  for name in child.read("include/devkit4ai.h"):gmatch "\nvoid ([%w_]+ %b());" do add(name) end
  table.sort(lines)
  return lines
end

return M
