--- The pages of docs/reference as Markdown.
local annotations = require "spec.support.docs.annotations"
local operations = require "devkit4ai.api.operations"
local header_profiles = require "devkit4ai.api.header_profiles"
local reference = require "spec.support.docs.reference"

local M = {}

local WIDTH = 110 -- columns of a line of prose

-- Retry class -> its name in the reference, and its meaning.
local RETRY_CLASSES = {
  { "safe", "safe to retry", "it only reads: the library retries it if that may help" },
  { "idempotent", "idempotent", "a second request changes nothing more: the library retries it if that may help" },
  { "delete", "idempotent delete", "the library retries it if that may help; on a retry, \"not found\" is a success" },
  { "if_not_sent", "retried only if it was not sent", "a login: many logins lock an account" },
  { "one_retry", "retried once", "a refresh of the tokens" },
  { "never", "sent once", "it may cost money or create a second object: the library sends it again only if it did not "
    .. "leave this machine, or if the server refused it: with a 429, with a 401 that new tokens may solve, with a 422 "
    .. "that asks for the other name of the images" },
}

local function retry_class_of(row)
  for _, class in ipairs(RETRY_CLASSES) do
    if class[1] == row.retry_class then return class[2] end
  end
end

local ROLES = { "developer", "end_user", "platform_operator" }

local function header_names(profile)
  local names = {}
  for _, line in ipairs(header_profiles[profile]) do
    local mark, name = line:match("^(%??)([%w-]+):")
    names[#names + 1] = ("`%s`%s"):format(name, mark == "?" and " if the client has it" or "")
  end
  return #names > 0 and table.concat(names, ", ") or "none"
end

-- Roles with the same headers are in one line.
local function header_lines(row)
  local lines, order = {}, {}
  for _, role in ipairs(ROLES) do
    local said = row.profile[role] and header_names(row.profile[role]) or "not allowed"
    if not lines[said] then
      lines[said] = {}
      order[#order + 1] = said
    end
    table.insert(lines[said], ("`%s`"):format(role))
  end
  if #order == 1 then return { "headers: " .. order[1] } end
  local out = {}
  for _, said in ipairs(order) do
    out[#out + 1] = ("headers as %s: %s"):format(table.concat(lines[said], ", "), said)
  end
  return out
end

local function code_list(names)
  local out = {}
  for _, name in ipairs(names) do
    local bare = name:match("^%??(.*)$")
    out[#out + 1] = ("`%s`"):format(bare)
  end
  return table.concat(out, ", ")
end

local function joined(a, b)
  local list = {}
  for _, name in ipairs(a or {}) do list[#list + 1] = name end
  for _, name in ipairs(b or {}) do list[#list + 1] = name end
  return list
end

local function body_line(row)
  local body = row.body
  if not body then return nil end
  local form = body.multipart
  if form then return ("multipart form: the files as `%s`, and `%s`"):format(form.file_fields[1], form.text_field) end
  if body.urlencoded then return "form: " .. code_list(body.urlencoded) end
  local names = joined(body.json, row.secret_fields)
  return "JSON: " .. (#names > 0 and code_list(names) or "`{}`")
end

local function sent(name, row)
  local lines = header_lines(row)
  local function add(line) lines[#lines + 1] = line end
  if row.query and row.query[1] then add("query: " .. code_list(row.query)) end
  local body = body_line(row)
  if body then add(body) end
  if row.paging then
    local paging = row.paging
    add(("page size: %d by default; `%s` sets 1 to %d"):format(paging.default, paging.size_argument, paging.max))
  end
  local address = row.path and ("`%s %s`"):format(row.method, row.path) or "`GET` to the URL of the image"
  return ("%s (`%s`); %s"):format(address, name, retry_class_of(row)), lines
end

-- ---- Markdown ----

local function new_page()
  local page = { lines = {} }
  function page.line(text) page.lines[#page.lines + 1] = text or "" end
  -- Adds wrapped text. first: prefix of the first line; indent: of the others; has_text: `first` has words already.
  function page.prose(text, first, indent, has_text)
    local line = first or ""
    local blank = not has_text
    for word in text:gmatch("%S+") do
      if not blank and #line + 1 + #word > WIDTH then
        page.line(line)
        line, blank = indent or "", true
      end
      line = line .. (blank and "" or " ") .. word
      blank = false
    end
    page.line(line)
  end
  return page
end

--- The anchor of a heading, as Markdown hosts make it.
---@param heading string
---@return string
function M.anchor(heading)
  return (heading:lower():gsub("[^%w _-]", ""):gsub(" ", "-"))
end

local function short(kind)
  return (kind:gsub("devkit4ai%.(%u)", "%1"):gsub("devkit4ai%.sandbox%.(%u)", "%1"))
end

local function class_heading(class)
  return short(class.name)
end

local function link_to_method(found)
  local name = reference.spelled(found)
  return ("[`%s`](%s.md#%s)"):format(name, found.part.page, M.anchor(name))
end

local function link_to(class, page)
  local file = class.page == page and "" or class.page .. ".md"
  return ("[`%s`](%s#%s)"):format(short(class.name), file, M.anchor(class_heading(class)))
end

-- A type for the reader: a class with a page is a link.
local function type_text(library, kind, page)
  if annotations.may_be_nil(kind) then kind = kind:sub(1, -2):gsub("^%((fun.*)%)$", "%1") end
  local bare, many = kind:match("^([%w_.]+)(%[?%]?)$")
  local class = bare and library.classes[bare]
  if not class or not class.page then return ("`%s`"):format(short(kind)) end
  return (many ~= "" and "list of " or "") .. link_to(class, page)
end

-- A text with links to classes.
local function linked(library, text, page)
  return (text:gsub("%f[%w]devkit4ai%.[%w_.]+", function(name)
    local bare, dots = name:match("^(.-)(%.*)$")
    local class = library.classes[bare]
    return class and class.page and bare ~= "devkit4ai" and link_to(class, page) .. dots or nil
  end))
end

-- The text of each field in the text of a table parameter: "page: the first one; per_page: 1 to 100".
local function words_of_fields(text, fields)
  local known, descriptions, rest = {}, {}, {}
  for _, field in ipairs(fields) do known[field.name] = true end
  local current
  for part in (text .. "; "):gmatch("(.-); ") do
    local name, said = part:match("^([%w_]+): (.*)$")
    if name and known[name] then
      current = name
      descriptions[name] = said
    elseif current then
      descriptions[current] = descriptions[current] .. "; " .. part
    else
      rest[#rest + 1] = part
    end
  end
  return descriptions, table.concat(rest, "; ")
end

local function value_line(library, page, value, name_page, indent, text)
  local said = linked(library, text or value.text, name_page)
  local kind = type_text(library, value.type, name_page) .. (value.optional and ", or nil" or "")
  local head = value.name and ("- `%s` (%s)"):format(value.name, kind) or "- " .. kind
  page.prose(said ~= "" and head .. ": " .. said or head, indent, indent .. "  ")
end

local OWN = { timeout = true, headers = true } -- options of every call

local function parameter(library, page, value, name_page)
  local fields = annotations.inline(value.type)
  if not fields then return value_line(library, page, value, name_page, "") end
  local descriptions, rest = words_of_fields(value.text, fields)
  local head = ("- `%s` (table%s)"):format(value.name, value.optional and ", or nil" or "")
  page.prose(head .. (rest ~= "" and ": " .. rest or ""), "", "  ")
  local own = {}
  for _, field in ipairs(fields) do
    if OWN[field.name] and not descriptions[field.name] then
      own[#own + 1] = ("`%s`"):format(field.name)
    else
      value_line(library, page, field, name_page, "  ", descriptions[field.name] or "")
    end
  end
  if own[1] then
    page.prose(("- %s: [options of every call](options.md#own)"):format(table.concat(own, ", ")), "  ", "    ")
  end
end

local function signature(found)
  local names = {}
  for i, name in ipairs(found.parameters) do
    local value = found.params[i]
    names[i] = value and value.optional and "[" .. name .. "]" or name
  end
  return ("%s(%s)"):format(reference.spelled(found), table.concat(names, ", "))
end

local function returns(library, page, found, name_page)
  local list = found.returns
  if not list[1] then return end
  local first, err = list[1], list[3]
  local fails = list[2] and list[2].name == "message"
  if not fails and list[2] then
    page.line "Returns:"
    page.line()
    for _, value in ipairs(list) do value_line(library, page, value, name_page, "") end
    return page.line()
  end
  local what = type_text(library, first.type, name_page)
  local comma = first.text:find("^of ") and " " or ", "
  if first.text ~= "" then what = what .. comma .. linked(library, first.text, name_page) end
  if fails then
    local description = err and err.text ~= "" and ("; `err`: %s"):format((err.text:gsub("%.$", ""))) or ""
    what = ("%s. Or `nil, %s`%s"):format(what, err and "message, err" or "message", description)
  end
  page.prose(("Returns %s."):format(what))
  page.line()
end

local function method(library, page, found, name_page)
  page.line("### " .. reference.spelled(found))
  page.line()
  page.line "```"
  page.line(signature(found))
  page.line "```"
  page.line()
  page.prose(linked(library, found.text, name_page))
  page.line()
  if found.params[1] then
    for _, value in ipairs(found.params) do parameter(library, page, value, name_page) end
    page.line()
  end
  returns(library, page, found, name_page)
  local names = reference.operations_of(found)
  for _, name in ipairs(names) do
    local head, lines = sent(name, operations.get(name))
    page.prose("Sends " .. head .. ":")
    page.line()
    for _, line in ipairs(lines) do page.prose(line, "- ", "  ") end
    page.line()
  end
  if found.example then
    page.line "```lua"
    page.line(found.example)
    page.line "```"
    page.line()
  end
end

-- A name of the code keeps its first letter.
local function sentence(text)
  if not text:find("^%S*[._]%a") then text = text:sub(1, 1):upper() .. text:sub(2) end
  return text:sub(-1) == "." and text or text .. "."
end

local function part_of(library, page, part)
  local class = library.classes[part.class]
  page.line("## " .. (class and class_heading(class) or part.word or part.class))
  page.line()
  local text = class and class.text or part.functions[1] and part.functions[1].head or ""
  if text ~= "" then
    page.prose(linked(library, sentence(text), part.page))
    page.line()
  end
  local fields = class and reference.fields(library, class) or {}
  if fields[1] then
    for _, field in ipairs(fields) do value_line(library, page, field, part.page, "") end
    page.line()
  end
  for _, found in ipairs(part.functions) do method(library, page, found, part.page) end
end

local NOTICE = "<!-- Generated by tools/reference from the comments in lua/ and the operations table. Do not edit. -->"

local function object_page(library, row)
  local page = new_page()
  page.line(NOTICE)
  page.line()
  page.line("# " .. row[1])
  page.line()
  page.line "[The reference](README.md)"
  page.line()
  for i = 2, #row do part_of(library, page, row[i]) end
  return page
end

-- Operation -> links to the methods that send it.
local function callers()
  local lists = {}
  for _, row in ipairs(reference.pages) do
    for i = 2, #row do
      for _, found in ipairs(row[i].functions) do
        for _, name in ipairs(reference.operations_of(found)) do
          lists[name] = lists[name] or {}
          table.insert(lists[name], link_to_method(found))
        end
      end
    end
  end
  return lists
end

local INTRODUCTION = {
  "The objects, their fields and methods. A call returns its value, or `nil, message, err`: `message` is for a person, "
    .. "[`err`](errors.md#error) for the program. A mistake in the program itself (a wrong type, an unknown option, a "
    .. "closed client) raises an error at its line.",
  "An argument in brackets, `[x]`, is optional. Every call to the server takes [`timeout` and "
    .. "`headers`](options.md#own) in its table of arguments, or in a last table. "
    .. "Times of the API (`created_at`) are strings, as the server sends them.",
  "Each example runs as it is (`spec/docs/reference_examples_spec.lua`), and prints the text after `-->`. "
    .. "These objects exist before it: a `sandbox`, the `options` and the `client` of a developer, a `project` with a "
    .. "second `key`, a completed generation `gen`, the client of an end user `user`.",
}

local function index_page(library)
  local page = new_page()
  page.line(NOTICE)
  page.line()
  page.line "# Reference"
  page.line()
  for _, text in ipairs(INTRODUCTION) do
    page.prose(text)
    page.line()
  end
  for _, row in ipairs(reference.pages) do
    local links = {}
    for i = 2, #row do
      local class = library.classes[row[i].class]
      if class and not row[i].functions[1] then links[#links + 1] = link_to(class) end
      for _, found in ipairs(row[i].functions) do links[#links + 1] = link_to_method(found) end
    end
    page.prose(table.concat(links, ", "), ("- **[%s](%s.md)**:"):format(row[1], row[1]), "  ", true)
  end
  page.line()
  page.line "## Retry classes"
  page.line()
  for _, class in ipairs(RETRY_CLASSES) do page.prose(("**%s**: %s."):format(class[2], class[3]), "- ", "  ") end
  page.line()
  page.prose("Pauses, limits and the number of tries: [retries](../retries.md).")
  page.line()
  page.line "## Operations of the API"
  page.line()
  page.line "| operation | method and path | sent by |"
  page.line "| --- | --- | --- |"
  local sends, names = callers(), {}
  for name, row in pairs(operations.all()) do
    if row.path then names[#names + 1] = name end
  end
  table.sort(names, function(a, b)
    local x, y = operations.get(a), operations.get(b)
    if x.path ~= y.path then return x.path < y.path end
    return x.method < y.method
  end)
  for _, name in ipairs(names) do
    local row = operations.get(name)
    page.line(("| `%s` | `%s %s` | %s |"):format(name, row.method, row.path,
      sends[name] and table.concat(sends[name], " · ") or "no method: [client:request](client.md#clientrequest)"))
  end
  page.line()
  return page
end

local function text_of(page)
  return (table.concat(page.lines, "\n"):gsub("\n+$", "") .. "\n")
end

--- The pages, by file name.
---@param library table from reference.library
---@return table<string, string>
function M.markdown(library)
  local texts = { ["README.md"] = text_of(index_page(library)) }
  for _, row in ipairs(reference.pages) do texts[row[1] .. ".md"] = text_of(object_page(library, row)) end
  return texts
end

return M
