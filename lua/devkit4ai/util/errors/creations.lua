--- Notes about the objects that the calls of a task created or may have created, and the error that lists them.
local errors = require "devkit4ai.util.errors"
local suggestions = require "devkit4ai.util.errors.suggestions"
local traceback = require "devkit4ai.util.errors.traceback"

local M = {}

local MAX_NOTES = 1000 -- per task: the memory of a task that never ends must not grow

---@class devkit4ai.Note a generation, a failed call with an unknown outcome, another object, or a line of text
---@field gen devkit4ai.Generation?
---@field err devkit4ai.Error? its message is read late: the caller may add the line that finds the generation
---@field value table? another object
---@field text string?

local function add(task, note)
  local notes = task._creations
  if not notes then
    notes = {}
    task._creations = notes
  end
  if #notes >= MAX_NOTES then notes[table.remove(notes, 1)] = nil end
  notes[#notes + 1], notes[note] = note, true -- in order, and by the note itself
end

--- Notes an accepted generation. The main thread of a script keeps no notes.
---@param task devkit4ai.loop.Waits?
---@param gen devkit4ai.Generation
function M.generation(task, gen)
  if task then add(task, { gen = gen }) end
end

--- Notes a failed call with an unknown outcome.
---@param task devkit4ai.loop.Waits?
---@param err devkit4ai.Error
function M.open(task, err)
  if task then add(task, { err = err }) end
end

--- Notes a call that an error ended.
---@param task devkit4ai.loop.Waits
---@param text string
function M.lost(task, text)
  add(task, { text = text })
end

--- Notes a new project, key or account.
---@param task devkit4ai.loop.Waits?
---@param what string "project", "key", ...
---@param value table the response
function M.object(task, what, value)
  if not task then return end
  local name = value.name or value.email
  local text = name and ("the %s %s (id %s) was created"):format(what, name, value.id)
    or ("the %s with the id %s was created"):format(what, value.id)
  add(task, { value = value, text = text })
end

-- ---- what is pending when an error ends the wait of a task ----

---@class devkit4ai.Pending
---@field generation devkit4ai.Generation? the task waits for it
---@field describe (fun(): string?)? describes the generation that the task creates

local function set_pending(task, name, value)
  if not task then return end
  task._pending = task._pending or {}
  task._pending[name] = value
end

--- Sets the generation that a task waits for; nil: none.
---@param task devkit4ai.loop.Waits?
---@param gen devkit4ai.Generation?
function M.waits_for(task, gen)
  set_pending(task, "generation", gen)
end

--- Sets the generation that a task creates; nil: none.
---@param task devkit4ai.loop.Waits?
---@param describe (fun(): string?)?
function M.creates(task, describe)
  set_pending(task, "describe", describe)
end

--- Whether a task creates a generation. True in a new call: the task caught the error that ended the call before.
---@param task devkit4ai.loop.Waits
---@return boolean
function M.is_creating(task)
  return task._pending ~= nil and task._pending.describe ~= nil
end

--- Notes the pending generations of a task.
---@param notes_of devkit4ai.loop.Waits
---@param task devkit4ai.loop.Waits
---@return boolean noted a generation that it creates
function M.note_pending(notes_of, task)
  local pending = task._pending
  if not pending then return false end
  if pending.generation then M.generation(notes_of, pending.generation) end
  local text = pending.describe and pending.describe()
  if text then M.lost(notes_of, text) end
  return text ~= nil
end

--- Clears what is pending of a task.
---@param task devkit4ai.loop.Waits
function M.end_pending(task)
  task._pending = nil
end

--- Makes two tasks share their notes.
---@param task devkit4ai.loop.Waits
---@param other devkit4ai.loop.Waits?
function M.share(task, other)
  if not other then return end
  other._creations = other._creations or {}
  task._creations = other._creations
end

--- Adds the notes of another task, which this task waited for.
---@param task devkit4ai.loop.Waits?
---@param other devkit4ai.loop.Waits
function M.adopt(task, other)
  if not task or not other._creations or task._creations == other._creations then return end
  for _, note in ipairs(other._creations) do
    if not (task._creations and task._creations[note]) then add(task, note) end
  end
end

local function line_of(note)
  if note.err then return note.err.message end
  if not note.gen then return note.text end
  return ("the generation %s was created and is paid for: %s"):format(note.gen.id, suggestions.wait(note.gen))
end

-- Whether a message names a note: a generation by the line that waits for it, or by its id if it failed.
local function names(message, note)
  local gen = note.gen
  local text = not gen and line_of(note) or gen.status == "failed" and gen.id or suggestions.wait(gen)
  return message:find(text, 1, true) ~= nil
end

--- A message, extended by the notes that it does not name.
---@param message string
---@param notes devkit4ai.Note[]?
---@return string
function M.name(message, notes)
  local parts, seen = {}, {}
  for _, note in ipairs(notes or {}) do
    local line = line_of(note)
    if not (seen[line] or names(message, note)) then parts[#parts + 1] = line end
    seen[line] = true
  end
  if #parts == 0 then return message end
  return ("%s; before this error: %s"):format(message, table.concat(parts, "; "))
end

-- The ids and the objects of the notes, as fields of an error.
local function collect(fields, notes)
  local ids, known, objects = {}, {}, {}
  local function id(value)
    if value and not known[value] then
      known[value], ids[#ids + 1] = true, value
    end
  end
  for _, note in ipairs(notes) do
    id(note.gen and note.gen.id or note.err and note.err.generation_id)
    local object = note.gen or note.value
    if object and not known[object] then
      known[object], objects[#objects + 1] = true, object
    end
  end
  id(fields.generation_id)
  fields.generation_id, fields.generation_ids = ids[1], ids[1] and ids or nil
  fields.created = objects[1] and objects or nil
end

--- The failure of a task or a group, as nil, message, err. Without notes, it is the given failure.
---@param notes devkit4ai.Note[]?
---@param message any of the failure
---@param err any of the failure; another value than devkit4ai.Error becomes err.cause
---@param results table<integer, any>? first values of the finished functions
---@return nil
---@return any message
---@return any err
function M.failure(notes, message, err, results)
  local ours = errors.is(err)
  local noted = notes and #notes > 0 and not (#notes == 1 and notes[1].err == err and err ~= nil)
  if not noted and not (ours and results and next(results) ~= nil) then return nil, message, err end
  local fields = ours and {} or { kind = "failed", outcome = "unknown", cause = err }
  for name, value in pairs(ours and err or fields) do fields[name] = value end
  fields.message, fields.results = M.name(traceback.text(message), notes), results or fields.results
  local retryable = fields.retryable
  if noted then
    collect(fields, notes)
    fields.outcome, retryable = "unknown", false
  end
  local _, text, told = errors.fail(fields)
  told.retryable = retryable == true
  return nil, text, told
end

--- The error value to raise at the end of a task or a group: a string stays a string; another value becomes the cause of an
--- error that lists the created objects. Without notes, it is the value itself.
---@param notes devkit4ai.Note[]?
---@param value any
---@param text string of the value, with its traceback
---@return any
function M.raised(notes, value, text)
  local named = M.name(text, notes)
  if type(value) == "string" then return named end
  if named == text then return value end
  local _, _, err = M.failure(notes, named, value)
  return err
end

--- Raises the error that ended a call, with the outcome of the call.
---@param raised { value: any, text: string }
---@param err devkit4ai.Error of the cancelled call
function M.raise(raised, err)
  local text = raised.text .. (raised.text:find("\n", 1, true) and "\n" or "; ") .. err.message
  if type(raised.value) == "string" then error(text, 0) end
  err.message, err.cause = text, raised.value
  error(err, 0)
end

return M
