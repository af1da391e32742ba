--- Content of the reference: the comments of the library, and the operations that each method sends. The table of pages is
--- here; everything else is in the code.
local annotations = require "spec.support.docs.annotations"
local operations = require "devkit4ai.api.operations"

local M = {}

-- Parts of each page: a class, or a module with functions. word: the name of the object in a program.
M.pages = {
  { "devkit4ai", { class = "devkit4ai", word = "devkit4ai" } },
  { "options", { class = "devkit4ai.Options" }, { class = "devkit4ai.Timeout" }, { class = "devkit4ai.Retry" },
    { class = "devkit4ai.Own" },
    { class = "devkit4ai.Uploading" } },
  { "client", { class = "devkit4ai.Client", word = "client" } },
  { "project", { class = "devkit4ai.Project", word = "project" } },
  { "batch", { class = "devkit4ai.Batch", word = "batch" }, { class = "devkit4ai.BatchOptions" },
    { class = "devkit4ai.BatchSummary" }, { class = "devkit4ai.batch.Job" }, { class = "devkit4ai.batch.Event" },
    { class = "devkit4ai.batch.Counts" }, { class = "devkit4ai.batch.Estimate" },
    { class = "devkit4ai.PushBatchOptions" }, { class = "devkit4ai.WorkBatchOptions" } },
  { "key", { class = "devkit4ai.Key", word = "key" } },
  { "generation", { class = "devkit4ai.Generation", word = "gen" }, { class = "devkit4ai.GenerateOptions" } },
  { "pages", { class = "devkit4ai.Pages", word = "pages" } },
  { "task", { class = "devkit4ai.Task", word = "task" } },
  { "payments", { class = "devkit4ai.Payments", word = "client.payments" },
    { class = "devkit4ai.Stripe", word = "project.stripe" }, { class = "devkit4ai.Checkout" },
    { class = "devkit4ai.Portal" }, { class = "devkit4ai.Subscription" }, { class = "devkit4ai.Cancellation" },
    { class = "devkit4ai.Change" }, { class = "devkit4ai.Payment" }, { class = "devkit4ai.PaymentProject" },
    { class = "devkit4ai.PaymentStats" }, { class = "devkit4ai.StripeConfig" }, { class = "devkit4ai.WebhookUrls" },
    { class = "devkit4ai.Validation" } },
  { "stores", { class = "devkit4ai.Store" },
    { module = "devkit4ai.store.memory", word = 'require("devkit4ai.store.memory")' },
    { module = "devkit4ai.store.file", word = 'require("devkit4ai.store.file")' },
    { module = "devkit4ai.store.nginx", word = 'require("devkit4ai.store.nginx")' } },
  { "records", { class = "devkit4ai.Account" }, { class = "devkit4ai.User" }, { class = "devkit4ai.Stats" },
    { class = "devkit4ai.Count" }, { class = "devkit4ai.Health" } },
  { "response", { class = "devkit4ai.Response" } },
  { "errors", { class = "devkit4ai.Error" } },
  { "events", { class = "devkit4ai.Event" } },
  { "sandbox", { module = "devkit4ai.sandbox", word = 'require("devkit4ai.sandbox")' },
    { class = "devkit4ai.Sandbox", word = "sandbox" }, { class = "devkit4ai.sandbox.Start" },
    { class = "devkit4ai.sandbox.Fault" } },
}

-- ---- the library ----

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function module_of(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

-- Sets the page and the heading of each class and each module.
local function place(library)
  for _, page in ipairs(M.pages) do
    for i = 2, #page do
      local part = page[i]
      local class = library.classes[part.class]
      part.page, part.functions = page[1], {}
      if class then class.page, class.part = page[1], part end
      for _, found in ipairs(library.functions) do
        local here = part.class and found.class == part.class
          or part.module == found.module and found.owner == "M" and not found.class
        if here and M.is_public(found) then
          found.part = part
          table.insert(part.functions, found)
        end
      end
    end
  end
end

--- Whether a function is public: no "_" at the start of its name, and no @private.
---@param found spec.Function
---@return boolean
function M.is_public(found)
  return found.name:sub(1, 1) ~= "_" and not found.private
end

--- Reads the comments of all files of the library.
---@param root string folder of the project
---@return { classes: table<string, spec.Class>, functions: spec.Function[], complaints: string[] }
function M.library(root)
  local library = { classes = {}, functions = {}, complaints = {} }
  local pipe = assert(io.popen(("cd '%s' && find lua -name '*.lua' | LC_ALL=C sort"):format(root)))
  local list = pipe:read("*a")
  pipe:close()
  for path in list:gmatch("[^\n]+") do
    local said = annotations.read(read(root .. "/" .. path), path)
    for _, class in ipairs(said.classes) do
      class.module = module_of(path)
      if class.text == "" and class.variable then class.text = said.head end
      if library.classes[class.name] then
        table.insert(said.complaints, ("%s: %s is declared twice"):format(path, class.name))
      end
      library.classes[class.name] = class
    end
    for _, found in ipairs(said.functions) do
      found.module, found.head = module_of(path), said.head
      table.insert(library.functions, found)
    end
    for _, complaint in ipairs(said.complaints) do table.insert(library.complaints, complaint) end
  end
  place(library)
  return library
end

--- The call in a program: client:login.
---@param found spec.Function
---@return string
function M.spelled(found)
  return found.part.word .. (found.method and ":" or ".") .. found.name
end

--- The fields of a class and its parents.
---@param library table
---@param class spec.Class
---@return spec.Value[]
function M.fields(library, class)
  local fields, seen = {}, {}
  local function take(one)
    for _, field in ipairs(one.fields) do
      if not field.private and not seen[field.name] then
        seen[field.name] = true
        fields[#fields + 1] = field
      end
    end
    for _, parent in ipairs(one.parents) do
      -- a class without a page is internal
      if library.classes[parent] and library.classes[parent].page then take(library.classes[parent]) end
    end
  end
  take(class)
  return fields
end

-- ---- operations of a method ----

local GENERIC_CALL = "client:request" -- call_name of the operations without a method

--- The operations that a method sends: by their call_name, and by the @see lines of the method.
---@param found spec.Function
---@return string[] names
function M.operations_of(found)
  local names = {}
  local call_name = M.spelled(found)
  for name, row in pairs(operations.all()) do
    if row.call_name == call_name and call_name ~= GENERIC_CALL then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(found.sees) do
    if operations.get(name) then names[#names + 1] = name end
  end
  return names
end

return M
