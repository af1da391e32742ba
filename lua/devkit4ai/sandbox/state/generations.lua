--- Generations. Nothing runs in the background: the status follows from a generation's age.
local digest = require "openssl.digest"
local encoding = require "devkit4ai.sandbox.util.encoding"

local M = {}

---@class devkit4ai.sandbox.Generations
---@field private _now fun(): number
---@field private _step_time number  seconds in each of the two statuses before the end
---@field private _records devkit4ai.sandbox.Records
---@field private _by_id table<string, devkit4ai.sandbox.Generation>
---@field private _by_user table<string, devkit4ai.sandbox.Generation[]>
---@field private _existing devkit4ai.sandbox.Generation[]  those that are not deleted
---@field private _created devkit4ai.sandbox.Generation[]  also those that are deleted
local Generations = {}
Generations.__index = Generations

local DEFAULT_FAILURE = "The image could not be generated"

---@class devkit4ai.sandbox.Generation a generation; only this module writes it
---@field id string
---@field user_id string
---@field project_id string
---@field instructions string  as sent
---@field seed string  of the image, in base64url: the same prompt and uploads give the same image
---@field failure string?  the reason why it will fail
---@field hangs boolean  it will never end
---@field created number  Unix time
---@field is_public boolean
---@field is_deleted boolean?

---@param now fun(): number Unix time
---@param step_time number seconds in each of the two statuses before the end
---@param records devkit4ai.sandbox.Records
---@return devkit4ai.sandbox.Generations
function M.new(now, step_time, records)
  local self = setmetatable({
    _now = now, _step_time = step_time, _records = records, _by_id = {}, _by_user = {}, _existing = {}, _created = {},
  }, Generations)
  for _, generation in records:each "generation" do self:_add(generation) end
  return self
end

function Generations:_add(generation)
  table.insert(self._created, generation)
  if generation.is_deleted then return end
  local list = self._by_user[generation.user_id] or {}
  list[#list + 1] = generation
  self._by_id[generation.id], self._by_user[generation.user_id] = generation, list
  table.insert(self._existing, generation)
end

function Generations:_keep(generation)
  self._records:put("generation", generation.id, generation)
end

-- A prompt with [fail] or [fail: reason] makes a generation that fails.
local function failure_in(prompt)
  local reason = prompt:match("%[fail:?%s*(.-)%s*%]")
  return reason and (reason ~= "" and reason or DEFAULT_FAILURE)
end

local function seed_of(upload)
  local hash = digest.new("sha256")
  hash:update(upload.prompt .. "\0")
  for _, image in ipairs(upload.images) do hash:update(image.digest) end
  return encoding.base64url_encode(hash:final())
end

---@param user_id string
---@param project_id string
---@param upload devkit4ai.sandbox.GenerationUpload
---@return devkit4ai.sandbox.Generation
function Generations:create(user_id, project_id, upload)
  local generation = {
    id = encoding.new_uuid(), user_id = user_id, project_id = project_id, instructions = upload.instructions,
    seed = seed_of(upload), failure = failure_in(upload.prompt), hangs = false, created = self._now(),
    is_public = false,
  }
  self:_add(generation)
  self:_keep(generation)
  return generation
end

--- Changes how a generation ends.
---@param generation devkit4ai.sandbox.Generation
---@param fail (boolean|string)? it fails, for this reason
---@param hang boolean? it never ends
function Generations:set_outcome(generation, fail, hang)
  if fail then generation.failure = fail == true and DEFAULT_FAILURE or fail end
  generation.hangs = hang or false
  self:_keep(generation)
end

---@param generation devkit4ai.sandbox.Generation
---@param is_public boolean
function Generations:set_public(generation, is_public)
  generation.is_public = is_public
  self:_keep(generation)
end

--- Finds a user's generation in a project.
---@param user_id string
---@param project_id string
---@param id string
---@return devkit4ai.sandbox.Generation?
function Generations:find(user_id, project_id, id)
  local generation = self._by_id[id:lower()]
  if not generation or generation.user_id ~= user_id or generation.project_id ~= project_id then return nil end
  return generation
end

-- The items of a list that a filter accepts, newest first.
local function filter_newest_first(list, accepts)
  local found = {}
  for i = #list, 1, -1 do
    if accepts(list[i]) then found[#found + 1] = list[i] end
  end
  return found
end

--- A user's generations in a project, newest first.
---@param user_id string
---@param project_id string
---@return devkit4ai.sandbox.Generation[]
function Generations:list_by_user(user_id, project_id)
  return filter_newest_first(self._by_user[user_id] or {}, function(generation)
    return generation.project_id == project_id
  end)
end

--- The public generations, newest first.
---@return devkit4ai.sandbox.Generation[]
function Generations:list_public()
  return filter_newest_first(self._existing, function(generation) return generation.is_public end)
end

--- Every generation that was created, also those that are deleted, oldest first.
---@return devkit4ai.sandbox.Generation[]
function Generations:list_created()
  return self._created
end

local function remove(list, item)
  for i = #list, 1, -1 do
    if list[i] == item then return table.remove(list, i) end
  end
end

---@param generation devkit4ai.sandbox.Generation
function Generations:delete(generation)
  self._by_id[generation.id] = nil
  remove(self._by_user[generation.user_id], generation)
  remove(self._existing, generation)
  generation.is_deleted = true
  self:_keep(generation)
end

--- Finds a generation of any user.
---@param id string
---@return devkit4ai.sandbox.Generation?
function Generations:get(id)
  return self._by_id[id]
end

--- The status of a generation, and when it began.
---@param generation devkit4ai.sandbox.Generation
---@return "pending"|"processing"|"completed"|"failed" status
---@return number? since Unix time; nil: pending
function Generations:status(generation)
  local age, step = self._now() - generation.created, self._step_time
  if age < step then return "pending" end
  if age < 2 * step or generation.hangs then return "processing", generation.created + step end
  return generation.failure and "failed" or "completed", generation.created + 2 * step
end

--- Counts a user's generations that have not ended.
---@param user_id string
---@return integer
function Generations:count_unfinished(user_id)
  local count = 0
  for _, generation in ipairs(self._by_user[user_id] or {}) do
    local status = self:status(generation)
    if status == "pending" or status == "processing" then count = count + 1 end
  end
  return count
end

return M
