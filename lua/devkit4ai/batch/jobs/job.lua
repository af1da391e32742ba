--- One job of a batch: a row and the options of the batch become images, instructions, the name of the result and a project.
local core = require "devkit4ai.core"
local json = require "devkit4ai.util.json"
local template = require "devkit4ai.batch.jobs.template"

local M = {}

---@class devkit4ai.batch.Job one job of a batch
---@field number integer position in the batch, from 1
---@field line integer where its row begins, in a file; else the same as number
---@field name string of the file with the result
---@field images string[] paths
---@field instructions string|table as project:generate takes them; without the marker of the batch
---@field project string? id; nil: the client's
---@field row table as the user gave it, with all its fields
---@field digest string of instructions, image paths and project: it shows that a job changed between two runs

---@class devkit4ai.batch.JobOptions the templates of all jobs; nil: the row has the value
---@field images (string|string[])? paths; several paths in one text are separated by semicolons; else row.images or row.image
---@field prompt string? else row.prompt
---@field instructions (string|table)? else row.instructions; a JSON text is the same as its table
---@field name string? else row.name, or the position: 0001.png
---@field project string? id; else row.project

-- ---- values of a row, where the options have no template ----

-- A text in the row; a field that is empty is absent: a CSV file has a field in each row.
local function row_text(row, field)
  local value = row[field]
  if value == nil or value == "" then return nil end
  local text = template.text_of(value)
  if text then return text end
  return nil, ("%s is a %s, not a text"):format(field, type(value))
end

local function split(text)
  local paths = {}
  for path in text:gmatch("[^;]+") do
    local trimmed = path:match("^%s*(.-)%s*$")
    if trimmed ~= "" then paths[#paths + 1] = trimmed end
  end
  return paths
end

local function row_images(row)
  local given = row.images
  if type(given) == "table" then
    local paths = {}
    for i, path in ipairs(given) do
      if type(path) ~= "string" then return nil, ("images[%d] is a %s, not a path"):format(i, type(path)) end
      paths[i] = path
    end
    return paths
  end
  local text, why = row_text(row, "images")
  if why then return nil, why end
  if text then return split(text) end
  text, why = row_text(row, "image")
  return not why and { text } or nil, why
end

local BOTH = "it has both a prompt and instructions; give one of them"

local function row_instructions(row)
  local prompt, why = row_text(row, "prompt")
  if why then return nil, why end
  local instructions = row.instructions
  if type(instructions) ~= "table" then instructions, why = row_text(row, "instructions") end
  if why then return nil, why end
  if prompt and instructions then return nil, BOTH end
  if prompt or instructions then return prompt or instructions end
  return nil, "it has no prompt; add a field named prompt, or a template for all jobs"
end

-- ---- templates ----

-- Each function returns how to get a value from a row: fill(row) -> value; nil and why. Without an option it is `from_row`.

local function images_filler(given)
  if given == nil then return row_images end
  local fills = {}
  for i, text in ipairs(type(given) == "table" and given or { given }) do
    local fill, why = template.compile(text)
    if not fill then return nil, why end
    fills[i] = fill
  end
  return function(row)
    local paths = {}
    for _, fill in ipairs(fills) do
      local text, why = fill(row)
      if not text then return nil, why end
      for _, path in ipairs(split(text)) do paths[#paths + 1] = path end
    end
    return paths
  end
end

-- A JSON text becomes its table first, so that a quote in a field can't break the JSON.
local function instructions_filler(options)
  local given = options.prompt or options.instructions
  if given == nil then return row_instructions end
  if options.prompt and options.instructions then return nil, "give prompt or instructions, not both" end
  if type(given) == "string" and given:find("^%s*{%s*[\"}]") then
    local object, why = json.decode_object(given)
    if not object then return nil, "the instructions begin like a JSON object but are not one: " .. why end
    given = object
  end
  return template.compile_value(given)
end

local function text_filler(given, field)
  if given == nil then return function(row) return row_text(row, field) end end
  return template.compile(given)
end

-- ---- the digest ----

-- A text for each value, the same in every run: the order of fields does not count.
local function canonical(value)
  if type(value) ~= "table" then return type(value) .. " " .. tostring(template.text_of(value)) end
  local parts = {}
  for key, item in pairs(value) do
    local text = canonical(item)
    parts[#parts + 1] = ("%s %s %d %s"):format(type(key), tostring(key), #text, text)
  end
  table.sort(parts)
  return "{" .. table.concat(parts) .. "}"
end

local function digest(images, instructions, project)
  local paths = images[2] and table.concat(images, "\n") or images[1] or ""
  local text = type(instructions) == "string" and instructions or canonical(instructions)
  return core.digest(text .. "\n" .. paths .. "\n" .. (project or ""))
end

-- ---- the job ----

--- Compiles the options. The function that it returns makes a job.
---@param options devkit4ai.batch.JobOptions
---@return (fun(row: table, number: integer, line: integer): devkit4ai.batch.Job?, string?)? make returns nil and why, if a field is missing or has no use
---@return string? why a template can't be used
function M.maker(options)
  local images_of, wrong = images_filler(options.images)
  if not images_of then return nil, "images: " .. wrong end
  local instructions_of
  instructions_of, wrong = instructions_filler(options)
  if not instructions_of then return nil, wrong end
  local name_of
  name_of, wrong = text_filler(options.name, "name")
  if not name_of then return nil, "name: " .. wrong end
  local project_of
  project_of, wrong = text_filler(options.project, "project")
  if not project_of then return nil, "project: " .. wrong end

  return function(row, number, line)
    local images, instructions, name, project, why
    images, why = images_of(row)
    if why then return nil, why end
    instructions, why = instructions_of(row)
    if why then return nil, why end
    name, why = name_of(row)
    if why then return nil, why end
    project, why = project_of(row)
    if why then return nil, why end
    return {
      number = number, line = line, name = name or ("%04d.png"):format(number), project = project,
      images = images, instructions = instructions, row = row, digest = digest(images, instructions, project),
    }
  end
end

return M
