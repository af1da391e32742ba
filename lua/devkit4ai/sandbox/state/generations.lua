--- Generations. Nothing runs for them: what state one is in follows from its age and the time of a step.
local digest = require "openssl.digest"
local encoding = require "devkit4ai.sandbox.util.encoding"

local M = {}
local Generations = {}
Generations.__index = Generations

---@class devkit4ai.sandbox.Generation
---@field id string
---@field user_id string
---@field project_id string
---@field instructions string  as they were sent
---@field seed string  of the picture: the same prompt and uploads give the same
---@field failure string?  why it will fail
---@field hangs boolean?  it will never end
---@field created number  Unix time
---@field is_public boolean

---@param clock fun(): number Unix time
---@param step_time number seconds in each of the two states before the end
function M.new(clock, step_time)
  return setmetatable({ clock = clock, step_time = step_time, by_id = {}, by_user = {}, all = {}, made = {} },
    Generations)
end

-- A prompt that holds [fail] or [fail: why] makes a generation that fails: a test's way to the sad ending.
local function failure(prompt)
  local why = prompt:match("%[fail:?%s*(.-)%s*%]")
  return why and (why ~= "" and why or "The image could not be generated")
end

--- Accepts a generation.
---@param user devkit4ai.sandbox.User
---@param project_id string
---@param submission devkit4ai.sandbox.Submission
---@return devkit4ai.sandbox.Generation
function Generations:create(user, project_id, submission)
  local hash = digest.new("sha256")
  hash:update(submission.prompt .. "\0")
  for _, image in ipairs(submission.images) do hash:update(image.digest) end
  local generation = {
    id = encoding.uuid(), user_id = user.id, project_id = project_id, instructions = submission.instructions,
    seed = hash:final(), failure = failure(submission.prompt), created = self.clock(), is_public = false,
  }
  local list = self.by_user[user.id] or {}
  list[#list + 1] = generation
  self.by_id[generation.id], self.by_user[user.id] = generation, list
  table.insert(self.all, generation)
  table.insert(self.made, generation)
  return generation
end

--- A user's generation in a project, or nil.
---@param user_id string
---@param project_id string
---@param id string
---@return devkit4ai.sandbox.Generation?
function Generations:of(user_id, project_id, id)
  local generation = self.by_id[id:lower()]
  if not generation or generation.user_id ~= user_id or generation.project_id ~= project_id then return nil end
  return generation
end

-- Those of a list that a filter lets through, newest first.
local function newest(list, fits)
  local found = {}
  for i = #list, 1, -1 do
    if fits(list[i]) then found[#found + 1] = list[i] end
  end
  return found
end

--- A user's generations in a project, newest first.
---@param user_id string
---@param project_id string
---@return devkit4ai.sandbox.Generation[]
function Generations:in_project(user_id, project_id)
  return newest(self.by_user[user_id] or {}, function(generation) return generation.project_id == project_id end)
end

--- What has been made public, newest first.
---@return devkit4ai.sandbox.Generation[]
function Generations:public()
  return newest(self.all, function(generation) return generation.is_public end)
end

local function remove(list, item)
  for i = #list, 1, -1 do
    if list[i] == item then return table.remove(list, i) end
  end
end

--- Forgets a generation.
---@param generation devkit4ai.sandbox.Generation
function Generations:delete(generation)
  self.by_id[generation.id] = nil
  remove(self.by_user[generation.user_id], generation)
  remove(self.all, generation)
end

--- The generation of an id, whoever owns it.
---@param id string
---@return devkit4ai.sandbox.Generation?
function Generations:get(id)
  return self.by_id[id]
end

--- Where a generation stands: its status, and when it came there (nil while it is pending).
---@param generation devkit4ai.sandbox.Generation
---@return "pending"|"processing"|"completed"|"failed" status
---@return number? since Unix time
function Generations:state(generation)
  local age = self.clock() - generation.created
  if age < self.step_time then return "pending" end
  if age < 2 * self.step_time or generation.hangs then return "processing", generation.created + self.step_time end
  return generation.failure and "failed" or "completed", generation.created + 2 * self.step_time
end

--- How many of a user's generations have not ended yet.
---@param user_id string
---@return integer
function Generations:running(user_id)
  local n = 0
  for _, generation in ipairs(self.by_user[user_id] or {}) do
    local status = self:state(generation)
    if status == "pending" or status == "processing" then n = n + 1 end
  end
  return n
end

return M
