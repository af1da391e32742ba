--- Check of all jobs before the first payment: their names, images, instructions and projects.
local config = require "devkit4ai.config"
local core = require "devkit4ai.core"
local display = require "devkit4ai.util.display"
local images_of = require "devkit4ai.generation.input.images"
local instructions_of = require "devkit4ai.generation.input.instructions"
local limits = require "devkit4ai.api.limits"
local names = require "devkit4ai.batch.jobs.name"

local M = {}

local MOST_SHOWN = 20 -- problems in the message
local MOST_IMAGES = 10000 -- whose checks are remembered: many jobs may use the same images, and memory must stay flat

-- Checks of image files, each path once. Returns a function: path -> why the image can't be sent, or nil.
local function image_checker()
  local known, count = {}, 0
  return function(path)
    local why = known[path]
    if why == nil then
      if count == MOST_IMAGES then known, count = {}, 0 end
      local ok, _, text = core.check_image(path, limits.MAX_IMAGE_BYTES)
      why = not ok and text
      known[path], count = why, count + 1
    end
    return why or nil
  end
end

local function problems_of_job(job, image_problem, instructions_problem, add)
  if job.project and not config.is_uuid(job.project) then add "the project is not a UUID" end
  local paths, why = images_of.copy("client:batch", "images", job.images, limits.MAX_IMAGES)
  if not paths then add(why) end
  for _, path in ipairs(paths or {}) do
    why = image_problem(path)
    if why then add(why) end
  end
  why = instructions_problem(job)
  if why then add(why) end
end

local function default_instructions_problem(job)
  local text, why = instructions_of.encode(job.instructions)
  return not text and why or nil
end

local DUPLICATE = "the name %s is taken by %s %d; names must differ in more than upper and lower case"

---@class devkit4ai.batch.CheckOptions
---@field is_done (fun(job: devkit4ai.batch.Job): any)? true: the job will not be sent, so only its name is checked; called once for each job that can be read, in their order
---@field instructions_problem (fun(job: devkit4ai.batch.Job): string?)? why the instructions can't be sent; default: as project:generate checks them

---@class devkit4ai.batch.Checked
---@field total integer jobs
---@field done integer jobs for which is_done was true
---@field problem_count integer
---@field problems { line: integer, text: string }[] the first 20

--- Checks all jobs.
---@param next_job fun(): (devkit4ai.batch.Job|false|nil), integer?, string? as devkit4ai.batch.Jobs:each
---@param unit "line"|"job"
---@param options devkit4ai.batch.CheckOptions
---@return devkit4ai.batch.Checked
function M.run(next_job, unit, options)
  local checked = { total = 0, done = 0, problem_count = 0, problems = {} }
  local is_done, image_problem = options.is_done, image_checker()
  local instructions_problem = options.instructions_problem or default_instructions_problem
  local lines_of = core.text_numbers() -- by the folded name
  local line
  local function add(text)
    checked.problem_count = checked.problem_count + 1
    if #checked.problems < MOST_SHOWN then table.insert(checked.problems, { line = line, text = text }) end
  end
  while true do
    local job, number, why = next_job()
    if job == nil then break end
    checked.total = checked.total + 1
    line = job and job.line or number
    if job then
      local folded, wrong = names.fold(job.name), names.problem(job.name)
      local other = not wrong and lines_of:add(folded, line)
      if other then wrong = DUPLICATE:format(display.text(job.name), unit, other) end
      if wrong then add(wrong) end
      if not wrong and is_done and is_done(job) then checked.done = checked.done + 1
      else problems_of_job(job, image_problem, instructions_problem, add) end
    else
      add(why)
    end
  end
  lines_of:clear()
  return checked
end

--- The message about the problems.
---@param checked devkit4ai.batch.Checked
---@param source devkit4ai.batch.Source
---@return string? message nil: there is none
function M.message(checked, source)
  if checked.total == 0 then return source.label .. ": there are no jobs in it" end
  local count = checked.problem_count
  if count == 0 then return nil end
  local texts = { ("%s: %d problem%s in %d job%s; nothing was sent"):format(
    source.label, count, count == 1 and "" or "s", checked.total, checked.total == 1 and "" or "s") }
  for _, problem in ipairs(checked.problems) do
    texts[#texts + 1] = ("  %s %d: %s"):format(source.unit, problem.line, problem.text)
  end
  if count > #checked.problems then texts[#texts + 1] = ("  and %d more"):format(count - #checked.problems) end
  return table.concat(texts, "\n")
end

return M
