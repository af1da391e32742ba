--- Parser of the LuaLS annotations in a Lua file: classes with fields, documented functions with parameters, returns and
--- examples, and the source of each function. It complains about a line that it can't parse.
local M = {}

---@class spec.Annotated the content of a comment
---@field text string without tags and example
---@field example string? the code of its ```lua block
---@field params spec.Value[]
---@field returns spec.Value[]
---@field sees string[] operations in its @see lines
---@field generics table<string, boolean> types of its @generic lines
---@field private boolean

---@class spec.Value a parameter, a return or a field
---@field name string?
---@field type string
---@field optional boolean? the value may be nil
---@field text string

---@class spec.Function: spec.Annotated
---@field owner string the variable with the function: M, Client
---@field name string
---@field method boolean defined with a colon
---@field parameters string[] names in the source
---@field body string the source
---@field documented boolean
---@field class string? the class of the variable

---@class spec.Class
---@field name string
---@field parents string[]
---@field text string
---@field fields spec.Value[]
---@field variable string? the table after the comment
---@field file string

local CLOSERS = { ["("] = ")", ["{"] = "}", ["<"] = ">", ["["] = "]" }
local OPENERS = { [")"] = true, ["}"] = true, [">"] = true, ["]"] = true }

--- The type at the start of a text, and the rest. A type may have blanks inside brackets, around |, after the : of a
--- function, and after the commas of its return types.
---@param text string
---@return string type
---@return string rest
function M.type_of(text)
  local depth, at, gives = 0, 1, false
  while at <= #text do
    local char = text:sub(at, at)
    if char == '"' then
      at = text:find('"', at + 1, true) or #text
    elseif CLOSERS[char] then
      depth = depth + 1
    elseif OPENERS[char] then
      depth = depth - 1
    elseif char == ":" and depth == 0 then
      gives = true
    elseif char:find("%s") and depth == 0 then
      local before, after = text:sub(1, at - 1):match("(%p?)$"), text:match("^%s*(%p?)", at)
      if not (before == "|" or after == "|" or gives and (before == ":" or before == ",")) then break end
    end
    at = at + 1
  end
  return text:sub(1, at - 1), (text:sub(at):gsub("^%s+", ""))
end

--- Whether a value of the type may be nil. In a function type without brackets, the ? belongs to the return type.
---@param kind string
---@return boolean
function M.may_be_nil(kind)
  return kind:sub(-1) == "?" and not kind:find("^fun%(")
end

-- The fields of an inline table type, and the text after the brace.
local function split_table(text)
  local inner, rest = text:match("^(%b{})(.*)$")
  if not inner then return nil end
  local fields, left = {}, inner:sub(2, -2):gsub("^%s+", "")
  while left ~= "" do
    local name, mark, behind = left:match("^([%w_]+)(%??)%s*:%s*(.*)$")
    if not name then return nil end
    local value
    value, left = M.type_of(behind:gsub("^%s+", ""))
    -- the comma after a field is at depth 0, so the type ends there
    local cut = value:match("^(.-),$")
    fields[#fields + 1] = {
      name = name, type = cut or value, optional = mark == "?" or M.may_be_nil(cut or value), text = "",
    }
    if not cut and left ~= "" then return nil end
  end
  return fields, rest
end

--- The fields of an inline table type, such as `{ a: string, b: number? }?`; nil for another type.
---@param text string a type
---@return spec.Value[]? fields
---@return string? rest text after the brace: "", "?", "[]"
function M.inline(text)
  local bare = text:match("^%((.*)%)%??$") or text
  return split_table(bare)
end

--- The type names in a type, without the names of parameters and fields.
---@param text string
---@return string[]
function M.names_in(text)
  local names = {}
  text = text:gsub('"[^"]*"', "")
  for word, after in text:gmatch("([%a_][%w_.]*)(%*?%??:?)") do
    local name = word:gsub("%.+$", "")
    -- fun(...): type, and `name:` is a parameter or a field
    if name ~= "fun" and after:sub(-1) ~= ":" then names[#names + 1] = name .. (after:match("^%*") or "") end
  end
  return names
end

local function new_value(name, text)
  local kind, rest = M.type_of(text)
  local bare = name and name:match("^(.-)%?$")
  return { name = bare or name, type = kind, optional = bare ~= nil or M.may_be_nil(kind), text = rest }
end

local TAGS = {
  param = function(block, rest, wrong)
    local name, behind = rest:match("^(%S+)%s+(.+)$")
    if not name then return wrong("a @param without name and type: " .. rest) end
    table.insert(block.params, new_value(name, behind))
  end,
  ["return"] = function(block, rest)
    local kind, behind = M.type_of(rest)
    local name, text = behind:match("^([%a_][%w_]*)%s*(.*)$")
    if behind:sub(1, 3) == "..." then name, text = "...", behind:match("^%.%.%.%s*(.*)$") end
    table.insert(block.returns, {
      name = name, type = kind, optional = M.may_be_nil(kind), text = name and text or behind,
    })
  end,
  class = function(block, rest, wrong)
    local name, behind = rest:match("^([%w_.]+)%s*(.*)$")
    if not name then return wrong("a @class without a name") end
    local parents = {}
    local list, text = behind:match("^:%s*([%w_.]+)%s*(.*)$")
    while list do
      parents[#parents + 1] = list
      behind = text
      list, text = behind:match("^,%s*([%w_.]+)%s*(.*)$")
    end
    local above = table.concat(block.lines, "\n")
    block.lines = {}
    block.class = { name = name, parents = parents, fields = {}, text = above ~= "" and above or behind }
    table.insert(block.classes, block.class)
  end,
  field = function(block, rest, wrong)
    local bare = rest:match("^private%s+(.*)$") or rest:match("^package%s+(.*)$") or rest:match("^protected%s+(.*)$")
    local name, behind = (bare or rest):match("^(%S+)%s+(.+)$")
    if not name then return wrong("a @field without name and type: " .. rest) end
    if not block.class then return wrong("a @field outside a @class: " .. rest) end
    local value = new_value(name, behind)
    value.private = bare ~= nil or value.name:sub(1, 1) == "_"
    table.insert(block.class.fields, value)
  end,
  generic = function(block, rest)
    for name in rest:gmatch("[%a_][%w_]*") do block.generics[name] = true end
  end,
  see = function(block, rest) table.insert(block.sees, rest:match("^%S+")) end,
  private = function(block) block.private = true end,
  type = function() end,
  overload = function() end,
  meta = function() end,
}

local function new_block()
  return { lines = {}, params = {}, returns = {}, sees = {}, classes = {}, generics = {}, private = false }
end

-- Adds one line of a comment to its block.
local function take(block, line, wrong)
  local tag, rest = line:match("^@(%a+)%s*(.*)$")
  if tag and not block.fence then
    if not TAGS[tag] then return wrong("no annotation that the reference knows: @" .. tag) end
    return TAGS[tag](block, rest, wrong)
  end
  if line:find("^%s*```") then
    block.fence = not block.fence and {} or nil
    if block.fence then
      if block.example then wrong "two examples" end
      block.example = block.fence
    end
    return
  end
  table.insert(block.fence or block.lines, (line:gsub("^ ", "")))
end

local function paragraph(lines)
  return (table.concat(lines, "\n"):gsub("^%s+", ""):gsub("%s+$", ""))
end

local function names_of(list)
  local names = {}
  for name in list:gmatch("[%w_.]+") do names[#names + 1] = name end
  return names
end

-- The function that starts in a line, up to the `end` with the same indentation.
local function function_at(lines, i)
  local owner, mark, name, list = lines[i]:match("^function ([%w_]+)([.:])([%w_]+)%((.-)%)")
  if not owner then return nil end
  local body = { lines[i]:match("^function [^)]*%)(.*)$") }
  if not lines[i]:find("%send$") then
    for j = i + 1, #lines do
      if lines[j]:find("^end") then break end
      body[#body + 1] = lines[j]
    end
  end
  return {
    owner = owner, name = name, method = mark == ":", parameters = names_of(list), body = table.concat(body, "\n"),
    line = i,
  }
end

--- The comments and functions of a file. Only lines without indentation count.
---@param text string content of the file
---@param file string file name for complaints
---@return { classes: spec.Class[], functions: spec.Function[], head: string, complaints: string[] }
function M.read(text, file)
  local out = { classes = {}, functions = {}, complaints = {}, head = "" }
  local lines, of_variable, block = {}, {}, new_block()
  for line in (text .. "\n"):gmatch("(.-)\n") do lines[#lines + 1] = line end
  local i
  local function wrong(what)
    table.insert(out.complaints, ("%s:%d: %s"):format(file, i, what))
  end
  local begun = 1
  for number, line in ipairs(lines) do
    i = number
    local comment = line:match("^%-%-%-(.*)$")
    if comment then
      take(block, comment, wrong)
    else
      if block.fence then wrong "an example without an end" end
      local variable = line:match("^local ([%w_]+) =")
      for _, class in ipairs(block.classes) do
        class.file, class.variable = file, class == block.class and variable or nil
        table.insert(out.classes, class)
        if class.variable then of_variable[variable] = class.name end
      end
      if begun == 1 and i > 1 and not block.classes[1] then out.head = paragraph(block.lines) end
      local found = function_at(lines, i)
      if found then
        found.class = of_variable[found.owner]
        found.text, found.example = paragraph(block.lines), block.example and table.concat(block.example, "\n")
        found.params, found.returns, found.sees, found.private = block.params, block.returns, block.sees, block.private
        found.documented, found.file, found.generics = found.text ~= "", file, block.generics
        table.insert(out.functions, found)
      end
      block, begun = new_block(), i + 1
    end
  end
  return out
end

return M
