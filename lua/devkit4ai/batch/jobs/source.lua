--- The source of a batch's rows: a file in CSV or JSON Lines, an open file, a list, a function, a folder with images.
local csv = require "devkit4ai.batch.jobs.csv"
local folder = require "devkit4ai.batch.jobs.folder"
local json_lines = require "devkit4ai.batch.jobs.json_lines"
local lines = require "devkit4ai.batch.jobs.lines"

local M = {}

local READERS = { csv = csv, json_lines = json_lines }

---@class devkit4ai.batch.Source
---@field label string what the user gave: "jobs.csv"
---@field unit "line"|"job" what the number of a row counts
---@field rows fun(): function? a new iterator over all rows, from the first one (devkit4ai.batch.jobs.csv.rows); nil and why: the file can't be read

-- ---- sources that can be read only once ----

-- An iterator for each pass: the first pass keeps the rows for the next ones.
local function replayed(next_row)
  local kept, count, is_over = {}, 0, false
  local function pull()
    local row, number, why = next_row()
    if row == nil then is_over = true return nil end
    count = count + 1
    kept[count] = { row, number, why }
    return row, number, why
  end
  return function()
    local at = 0
    return function()
      if at == count then
        if is_over then return nil end
        at = at + 1
        return pull()
      end
      at = at + 1
      return kept[at][1], kept[at][2], kept[at][3]
    end
  end
end

-- ---- files ----

local function rows_of_file(file)
  local next_line, format = lines.of(file)
  if not next_line then return nil, format end
  return READERS[format].rows(next_line)
end

local function open_path(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local next_row, problem = rows_of_file(file)
  if not next_row then
    file:close()
    return nil, ("%s: %s"):format(path, problem)
  end
  return next_row, file
end

local function of_path(path)
  local next_row, file = open_path(path)
  if not next_row then return nil, file, "file" end
  local source = { label = path, unit = "line" }
  if file:seek("cur") then source.rows = function() return open_path(path) end -- a pipe can't be read again
  else source.rows = replayed(next_row) end
  return source
end

local function of_handle(file)
  local next_row, why = rows_of_file(file)
  if not next_row then return nil, "the job list: " .. why, "file" end
  return { label = "the job list", unit = "line", rows = replayed(next_row) }
end

-- ---- tables and functions ----

-- Counts the rows, and checks that each is a table.
local function checked(next_row)
  local number = 0
  return function()
    local row, why = next_row()
    if row == nil and why == nil then return nil end
    number = number + 1
    if type(row) == "table" then return row, number end
    return false, number, row == nil and tostring(why) or ("a job must be a table, not a %s"):format(type(row))
  end
end

local NO_LIST = "jobs is a table, but no list of tables, and not a table with the field folder alone"

local function of_list(list)
  local count = 0
  for key in pairs(list) do
    count = count + 1
    if type(key) ~= "number" then return nil, NO_LIST end
  end
  for i = 1, count do
    if list[i] == nil then return nil, ("jobs[%d] is nil: the list has a hole"):format(i) end
  end
  return { label = "jobs", unit = "job", rows = function()
    local at = 0
    return checked(function()
      at = at + 1
      return list[at]
    end)
  end }
end

local function of_function(fn)
  local is_over = false
  local next_row = checked(function()
    if is_over then return nil end
    local row, why = fn()
    is_over = row == nil
    return row, why
  end)
  return { label = "jobs", unit = "job", rows = replayed(next_row) }
end

local function of_folder(path)
  local rows, why = folder.rows(path)
  if not rows then return nil, why, "file" end
  local source = of_list(rows)
  source.label = path
  return source
end

--- Opens a source.
---@param given string|table|function|file* the path of a file; a list of tables; { folder = path }; a function that returns the next row, and nil after the last; an open file
---@return devkit4ai.batch.Source? source
---@return string? why
---@return "file"|nil kind of the error; nil: "invalid"
function M.open(given)
  if type(given) == "string" then return of_path(given) end
  if type(given) == "function" then return of_function(given) end
  if io.type(given) == "file" then return of_handle(given) end
  if type(given) ~= "table" then
    return nil, "jobs must be the path of a file, a list, a function or an open file, not a " .. type(given)
  end
  if type(given.folder) == "string" and next(given, next(given)) == nil then return of_folder(given.folder) end
  return of_list(given)
end

return M
