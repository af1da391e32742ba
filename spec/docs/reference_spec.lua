-- The reference is generated from comments; this spec compares both with the library: its functions, their parameters, and
-- the records of the vendor's OpenAPI file.
local annotations = require "spec.support.docs.annotations"
local child = require "spec.support.process.child"
local cjson = require "cjson"
local devkit4ai = require "devkit4ai"
local operations = require "devkit4ai.api.operations"
local pages = require "spec.support.docs.reference_pages"
local reference = require "spec.support.docs.reference"
local wire = require "spec.support.calls.wire"

local unpack = table.unpack or unpack -- luacheck: ignore 113

local ID = "550e8400-e29b-41d4-a716-446655440000"

local started = os.clock()
local library = reference.library "."
local texts = pages.markdown(library)
local took = os.clock() - started -- of the five seconds that it may take

-- The functions that a program may call, page by page.
local function public_functions()
  local list = {}
  for _, page in ipairs(reference.pages) do
    for i = 2, #page do
      for _, found in ipairs(page[i].functions) do list[#list + 1] = found end
    end
  end
  return list
end

local PUBLIC = public_functions()

-- Fails with all complaints at once.
local function none(complaints)
  assert.equal("", table.concat(complaints, "\n"))
end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return set
end

-- The difference of two sets, both ways.
local function differences(what, said, real, complaints)
  for name in pairs(said) do
    if not real[name] then table.insert(complaints, ("%s: %s is annotated and does not exist"):format(what, name)) end
  end
  for name in pairs(real) do
    if not said[name] then table.insert(complaints, ("%s: %s exists and is not annotated"):format(what, name)) end
  end
end

local function names_of(fields)
  local set = {}
  for _, field in ipairs(fields) do set[field.name] = true end
  return set
end

describe("docs/reference", function()
  teardown(function()
    print(("\nreference: %d pages, %d functions, made in %.2f s"):format(#reference.pages + 1, #PUBLIC, took))
  end)

  it("equals the output of tools/reference", function()
    local complaints = {}
    for _, name in ipairs(child.list "docs/reference") do
      if not texts[name] then table.insert(complaints, name .. " belongs to no page") end
    end
    for name, text in pairs(texts) do
      local file = io.open("docs/reference/" .. name, "rb")
      local there = file and file:read("*a")
      if file then file:close() end
      if there ~= text then table.insert(complaints, name .. " differs: run tools/reference") end
    end
    none(complaints)
  end)

  it("has no broken links", function()
    local complaints = {}
    for name, text in pairs(texts) do
      for file, heading in text:gmatch("%]%(([%w_./-]*)#?([%w_-]*)%)") do
        local target = file == "" and text or texts[file]
        if not target and not io.open("docs/reference/" .. file) then
          table.insert(complaints, ("%s: no file %s"):format(name, file))
        elseif target and heading ~= "" then
          local there = false
          for line in target:gmatch("\n#+ ([^\n]+)") do there = there or pages.anchor(line) == heading end
          if not there then table.insert(complaints, ("%s: no heading %s#%s"):format(name, file, heading)) end
        end
      end
    end
    none(complaints)
  end)

  it("names no folder of this machine", function()
    local pipe = assert(io.popen("pwd"))
    local here = pipe:read("*l")
    pipe:close()
    for name, text in pairs(texts) do assert.is_nil(text:find(here, 1, true), name) end
  end)

  it("names the method that sends each operation, or says that there is none", function()
    local without = {}
    local sent = {}
    for _, found in ipairs(PUBLIC) do
      for _, name in ipairs(reference.operations_of(found)) do sent[name] = true end
    end
    for name in pairs(operations.all()) do
      if not sent[name] then without[#without + 1] = name end
    end
    table.sort(without)
    assert.same({ "get_root", "post_stripe_webhook" }, without) -- wire.md 3.1, rows 53 and 41
  end)
end)

describe("the comments", function()
  it("can all be parsed", function() none(library.complaints) end)

  it("describe each public function and class, with an example", function()
    local complaints = {}
    for _, found in ipairs(PUBLIC) do
      local name = reference.spelled(found)
      if not found.documented then table.insert(complaints, name .. " has no comment") end
      if not found.example then table.insert(complaints, name .. " has no example") end
      for value in found.body:gmatch("return%s+([^\n]+)") do
        -- update returns nothing
        if not value:find("^end") and name ~= "devkit4ai.update" and not found.returns[1] then
          table.insert(complaints, name .. " has no @return")
        end
      end
    end
    for name, class in pairs(library.classes) do
      if class.page and class.text == "" then table.insert(complaints, name .. " has no words") end
    end
    none(complaints)
  end)

  it("name each parameter of a public function, and no parameter that does not exist", function()
    local complaints = {}
    for _, found in ipairs(library.functions) do
      local said, real = {}, set_of(found.parameters)
      for i, value in ipairs(found.params) do said[i] = value.name end
      local what = ("%s:%d: %s"):format(found.file, found.line, found.name)
      if found.part then
        assert.equal(table.concat(found.parameters, ", "), table.concat(said, ", "), what)
      else
        for _, name in ipairs(said) do
          if not real[name] then table.insert(complaints, ("%s has no parameter %s"):format(what, name)) end
        end
      end
    end
    none(complaints)
  end)

  it("name declared types, and in public functions only types with a page", function()
    local PLAIN = set_of { "any", "boolean", "fun", "function", "integer", "nil", "number", "string", "table", "true",
      "false", "userdata", "file*", "thread" }
    local complaints = {}
    local function judge(what, kind, public, generics)
      for _, name in ipairs(annotations.names_in(kind)) do
        local class = library.classes[name]
        if not (PLAIN[name] or generics and generics[name]) and not class then
          table.insert(complaints, ("%s: no class %s"):format(what, name))
        elseif class and public and not class.page then
          table.insert(complaints, ("%s: %s is on no page"):format(what, name))
        end
      end
    end
    for _, found in ipairs(library.functions) do
      local what = ("%s:%d: %s"):format(found.file, found.line, found.name)
      for _, list in ipairs { found.params, found.returns } do
        for _, value in ipairs(list) do judge(what, value.type, found.part, found.generics) end
      end
      for _, see in ipairs(found.sees) do
        if not operations.get(see) then table.insert(complaints, ("%s: no operation %s"):format(what, see)) end
      end
    end
    for name, class in pairs(library.classes) do
      for _, field in ipairs(class.fields) do judge(name, field.type, class.page and not field.private) end
      for _, parent in ipairs(class.parents) do judge(name, parent) end
    end
    none(complaints)
  end)

  it("put each public class on a page", function()
    for _, page in ipairs(reference.pages) do
      for i = 2, #page do
        local part = page[i]
        assert.is_truthy(part.module or library.classes[part.class], part.class)
      end
    end
  end)
end)

-- ---- against the library ----

-- The table that a local variable of a module holds, looked for among what its functions see.
local function local_of(module, variable, file)
  local seen = {}
  local function look(value)
    if seen[value] then return nil end
    seen[value] = true
    if type(value) == "table" then
      for _, inner in pairs(value) do
        local found = type(inner) == "function" and look(inner)
        if found then return found end
      end
    elseif debug.getinfo(value, "S").source:sub(-#file) == file then
      local i = 1
      local name, inner = debug.getupvalue(value, i)
      while name do
        if name == variable and type(inner) == "table" then return inner end
        local found = (type(inner) == "function" or type(inner) == "table") and look(inner)
        if found then return found end
        i = i + 1
        name, inner = debug.getupvalue(value, i)
      end
    end
  end
  return look(module)
end

-- The real table that a part's functions stand in.
local function real_table(part)
  local class = library.classes[part.class]
  local module = require(class and class.module or part.module)
  if part.module or class.variable == "M" then return module end
  if type(module) == "table" and module.class then return module.class end -- of a field that is loaded when it is used
  if class.variable then return local_of(module, class.variable, class.file) end
end

describe("the functions", function()
  it("of the library are those in the comments", function()
    if _VERSION == "Lua 5.5" then return end -- it loads the sandbox's modules
    local complaints, count = {}, 0
    for _, page in ipairs(reference.pages) do
      for i = 2, #page do
        local part, said, real = page[i], {}, {}
        local there = real_table(part)
        local what = part.class or part.module
        for _, found in ipairs(library.functions) do
          local here = found.class and found.class == part.class or found.module == part.module and found.owner == "M"
          if here and found.name:sub(1, 2) ~= "__" then said[found.name] = true end
        end
        for name, value in pairs(there or {}) do
          if type(value) == "function" and name:sub(1, 2) ~= "__" then real[name], count = true, count + 1 end
        end
        if next(said) and not there then table.insert(complaints, what .. " was not found") end
        differences(what, said, real, complaints)
      end
    end
    none(complaints)
    assert.is_true(count >= #PUBLIC)
  end)

  it("have the parameters of their source", function()
    if not pcall(debug.getlocal, none, 1) then return end -- plain Lua 5.1 tells no names
    local complaints = {}
    for _, found in ipairs(PUBLIC) do
      local fn, names = real_table(found.part)[found.name], {}
      repeat
        names[#names + 1] = debug.getlocal(fn, #names + 1)
      until not debug.getlocal(fn, #names + 1)
      if found.method then table.remove(names, 1) end
      if debug.getinfo(fn, "u").isvararg then names[#names + 1] = "..." end
      local said = table.concat(found.parameters, ", ")
      if said ~= table.concat(names, ", ") then
        local takes = table.concat(names, ", ")
        table.insert(complaints, ("%s takes (%s), not (%s)"):format(reference.spelled(found), takes, said))
      end
    end
    none(complaints)
  end)
end)

-- ---- tables of arguments ----

local BOGUS = "no_such_option"

-- What a function is called on, made without asking anybody; by class.
local function selves()
  local client = assert(devkit4ai.new(wire.options "http://127.0.0.1:1"))
  local project = assert(client:project(ID))
  return {
    ["devkit4ai.Client"] = client, ["devkit4ai.Project"] = project,
    ["devkit4ai.Generation"] = client:generation(ID), ["devkit4ai.Pages"] = client:generations(),
    ["devkit4ai.Key"] = require("devkit4ai.resources.key").new({ id = ID }, project, "project"),
    ["devkit4ai.Payments"] = client.payments, ["devkit4ai.Stripe"] = project.stripe,
  }
end

local SAMPLES = {
  string = "x", number = 1, integer = 1, boolean = true, table = {}, ["function"] = function() end,
}

local function sample(kind)
  for name, value in pairs(SAMPLES) do
    if kind:find("^%(?" .. name) then return value end
  end
  return kind:find("^%(?fun") and SAMPLES["function"] or {}
end

-- The fields that a type of a table of arguments declares; nil: it is none. list: it is one of such tables.
local function options_of(kind)
  local inline = kind:match("%b{}")
  if inline then return annotations.inline(inline), kind:match("%b{}(.*)$"):find("[]", 1, true) ~= nil end
  kind = kind:match("^%(([%w_.]+)|number%)%??$") or kind -- the timeout in place of the table
  local class = library.classes[annotations.may_be_nil(kind) and kind:sub(1, -2) or kind]
  if class and class.page and not class.variable and class.name ~= "devkit4ai.Store" then
    return reference.fields(library, class), false
  end
end

-- The names in the message about an unknown option.
local function known(call)
  local fine, message = pcall(call)
  local list = not fine and (tostring(message):match("known are ([%w_, ]+)$") or message:match("%(known: ([%w_, ]+)%)"))
  if not list then return nil, tostring(message) end
  local names = {}
  for name in list:gmatch("[%w_]+") do names[name] = true end
  return names
end

-- Compares the fields of a table of arguments, and of the tables in it, with what the call says that it knows. with: gives
-- a call whose table is the one that is handed over.
local function compare(what, fields, with, complaints)
  local real, message = known(function() return with { [BOGUS] = true } end)
  if not real then return table.insert(complaints, ("%s takes %s: %s"):format(what, BOGUS, message)) end
  differences(what, names_of(fields), real, complaints)
  for _, field in ipairs(fields) do
    local inner, list = options_of(field.type)
    if inner then
      compare(what .. "." .. field.name, inner, function(value)
        local given = {}
        for _, other in ipairs(fields) do
          if not other.optional or other.name == "prompt" then given[other.name] = sample(other.type) end
        end
        given[field.name] = list and { value } or value
        return with(given)
      end, complaints)
    end
  end
end

-- What the sandbox's own process judges, or takes as it is.
local OF_SANDBOX = { ["sandbox:developer"] = true, ["sandbox:clock"] = true, ["sandbox:fault"] = true }

describe("a table of arguments", function()
  it("has the fields of its comment", function()
    local complaints, count, of_class = {}, 0, selves()
    for _, found in ipairs(PUBLIC) do
      local name = reference.spelled(found)
      for i, value in ipairs(found.params) do
        if value.type:find("^table%??$") then
          table.insert(complaints, ("%s: which fields has %s?"):format(name, value.name))
        end
        local fields = options_of(value.type)
        if fields and not OF_SANDBOX[name] then
          count = count + 1
          local fn = real_table(found.part)[found.name]
          compare(name, fields, function(given)
            local args, n = {}, #found.params
            for j, other in ipairs(found.params) do
              if j == i then args[j] = given elseif not other.optional then args[j] = sample(other.type) end
            end
            if found.method then return fn(of_class[found.class], unpack(args, 1, n)) end
            return fn(unpack(args, 1, n))
          end, complaints)
        end
      end
    end
    none(complaints)
    assert.is_true(count > 40)
  end)
end)

-- ---- what is given ----

local SCHEMAS = cjson.decode(child.read "spec/fixtures/contract/openapi.json")

local function schema_of(reference_text)
  return SCHEMAS.components.schemas[reference_text:match("([^/]+)$")]
end

-- What a row's operation answers, as the vendor has it: the schema of one record.
local function answer_of(row)
  local path = SCHEMAS.paths[row.path]
  for status, answer in pairs(path[row.method:lower()].responses) do
    local schema = status:find("^2") and answer.content and answer.content["application/json"].schema
    while schema do
      local inner = schema["$ref"] and schema_of(schema["$ref"]) or schema.items
      for _, one in ipairs(schema.anyOf or {}) do
        if one["$ref"] then inner = schema_of(one["$ref"]) end
      end
      for _, property in pairs(not inner and schema.properties or {}) do
        if property.type == "array" and property.items["$ref"] then inner = property.items end -- of a page
      end
      if not inner then return schema.properties or {} end
      schema = inner
    end
  end
  return {}
end

-- The class of what a function gives: itself, of each of a list, or of a list in pages.
local function given_class(found)
  local first = found.returns[1]
  if not first then return nil end
  local name = first.type:match("^([%w_.]+)")
  if name == "devkit4ai.Pages" then name = first.text:match("^of (devkit4ai%.[%w_]+)") end
  return library.classes[name]
end

-- Answers that hold everything: each field of a form that is read is there.
local function everything(value)
  return setmetatable({ id = "i", key = "k" }, { __index = function() return value end })
end

local FORMS = {
  ["devkit4ai.Account"] = { "account" }, ["devkit4ai.Project"] = { "project" }, ["devkit4ai.Key"] = { "key" },
  ["devkit4ai.Generation"] = { "generation" },
}

local OF_THE_HEAD = { ["devkit4ai.Generation"] = { request_id = true } } -- a response's head tells these

local function add_keys(set, object)
  for name, value in pairs(object) do
    if type(name) == "string" and name:sub(1, 1) ~= "_" and type(value) ~= "function" then set[name] = true end
  end
end

-- Whether any of the library's code sets a field of that name.
local function is_set(name)
  for _, module in ipairs {
    "util/errors/init", "request/send", "request/classify", "request/failures", "request/events", "resources/pages",
    "loop/task", "generation/wait", "generation/find", "auth/session", "auth/refresh", "util/errors/creations",
  } do
    local code = child.read("lua/devkit4ai/" .. module .. ".lua"):gsub("%-%-[^\n]*", "")
    local alone, among = "[%s.,{]" .. name .. "%s*=[^=]", "[%s.,{]" .. name .. ",[^\n]*=[^=]"
    if code:find(alone) or code:find(among) then return true end
  end
end

describe("the fields", function()
  it("of API objects are those of the normalized responses", function()
    local responses = require "devkit4ai.api.responses"
    local complaints, objects = {}, selves()
    for name, forms in pairs(FORMS) do
      local real = {}
      for field in pairs(OF_THE_HEAD[name] or {}) do real[field] = true end
      for _, form in ipairs(forms) do
        for _, value in ipairs { "text", true, 1 } do
          add_keys(real, responses[form](everything(value), everything "s"))
        end
      end
      local said = names_of(reference.fields(library, library.classes[name]))
      for field in pairs(said) do
        if objects[name] and objects[name][field] ~= nil then real[field] = true end -- made when it is asked for
      end
      differences(name, said, real, complaints)
    end
    none(complaints)
  end)

  it("of records are those of the OpenAPI file", function()
    local complaints, real_of, count = {}, {}, 0
    local function compare_schema(class, properties)
      real_of[class.name] = real_of[class.name] or { raw = true }
      for name, property in pairs(properties) do
        real_of[class.name][name] = true
        for _, field in ipairs(class.fields) do
          local inner = property["$ref"] and field.name == name and library.classes[field.type:match("^[%w_.]+")]
          if inner then
            compare_schema(inner, schema_of(property["$ref"]).properties)
            real_of[inner.name].raw = nil
          end
        end
      end
    end
    for _, found in ipairs(PUBLIC) do
      local class = given_class(found)
      if class and class.module == "devkit4ai.api.records" then
        for _, name in ipairs(reference.operations_of(found)) do
          count = count + 1
          compare_schema(class, answer_of(operations.get(name)))
        end
      end
    end
    for name, class in pairs(library.classes) do
      if class.module == "devkit4ai.api.records" then
        differences(name, names_of(class.fields), real_of[name] or {}, complaints)
      end
    end
    none(complaints)
    assert.is_true(count > 15)
  end)

  it("of the library's own tables exist", function()
    local responses, file = require "devkit4ai.api.responses", require "devkit4ai.store.file"
    local memory = require "devkit4ai.store.memory"
    local objects = selves()
    local real = {
      ["devkit4ai"] = devkit4ai, ["devkit4ai.Client"] = objects["devkit4ai.Client"],
      ["devkit4ai.Response"] = responses.response(200, "{}", ""),
    }
    local complaints = {}
    for name, object in pairs(real) do
      local there, said = {}, names_of(reference.fields(library, library.classes[name]))
      add_keys(there, object)
      for field in pairs(said) do there[field] = there[field] or object[field] ~= nil or nil end
      differences(name, said, there, complaints)
    end
    for _, store in ipairs { memory.new(), file.new "nowhere" } do
      differences("devkit4ai.Store", names_of(library.classes["devkit4ai.Store"].fields), store, complaints)
    end
    none(complaints)
  end)

  it("of errors, events and lists are set in the code", function()
    local complaints = {}
    for _, name in ipairs { "devkit4ai.Error", "devkit4ai.Event", "devkit4ai.Pages" } do
      for _, field in ipairs(reference.fields(library, library.classes[name])) do
        if not is_set(field.name) then table.insert(complaints, ("%s: nothing sets %s"):format(name, field.name)) end
      end
    end
    none(complaints)
  end)
end)

describe("docs/overview.md's table of methods", function()
  it("names existing methods only", function()
    local overview, complaints, count = child.read "docs/overview.md", {}, 0
    local page_names = {}
    for _, found in ipairs(PUBLIC) do page_names[found.part.page .. " " .. found.name] = true end
    for page, cells in overview:gmatch("\n| `?(%l[%w]*)`? | ([^\n]+)") do
      if texts[page .. ".md"] then
        for name in cells:gmatch("`([%l_]+)[({]") do
          count = count + 1
          if not page_names[page .. " " .. name] then table.insert(complaints, ("%s: no %s"):format(page, name)) end
        end
      end
    end
    none(complaints)
    assert.is_true(count > 20)
  end)
end)
