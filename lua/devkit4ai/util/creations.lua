--- What the calls of a task created, or may have created, and the error that names it when the task ends without it.
local errors = require "devkit4ai.util.errors"
local suggestions = require "devkit4ai.util.suggestions"
local traceback = require "devkit4ai.util.traceback"

local M = {}

local MOST = 1000 -- notes that a task keeps; a worker that never ends must not grow

---@class devkit4ai.Note one of: a generation, a failed call with an unknown outcome, another object, a line of text
---@field gen devkit4ai.Generation?
---@field err devkit4ai.Error? its message is read late: the caller may still add the line that finds the generation
---@field value table? an object whose key is shown once
---@field text string?

local function add(task, note)
  local notes = task._creations
  if not notes then
    notes = {}
    task._creations = notes
  end
  if #notes >= MOST then notes[table.remove(notes, 1)] = nil end
  notes[#notes + 1], notes[note] = note, true -- in order, and to find it
end

--- A generation was accepted. Without a task nothing is kept: a script's main thread is no scope.
---@param task devkit4ai.loop.Waits?
---@param gen devkit4ai.Generation
function M.generation(task, gen)
  if task then add(task, { gen = gen }) end
end

--- A call failed, and nobody knows whether it was done.
---@param task devkit4ai.loop.Waits?
---@param err devkit4ai.Error
function M.open(task, err)
  if task then add(task, { err = err }) end
end

--- The same for a call that an error ended.
---@param task devkit4ai.loop.Waits
---@param text string
function M.lost(task, text)
  add(task, { text = text })
end

--- A project, a key or an account was created.
---@param task devkit4ai.loop.Waits?
---@param what string "project", "key", ...
---@param value table the answer
function M.object(task, what, value)
  if not task then return end
  local name = value.name or value.email
  local text = name and ("the %s %s (id %s) was created"):format(what, name, value.id)
    or ("the %s with the id %s was created"):format(what, value.id)
  add(task, { value = value, text = text })
end

-- ---- what a task may leave behind where an error ends its wait ----

---@class devkit4ai.Pending
---@field generation devkit4ai.Generation? the task waits for it
---@field describe (fun(): string?)? tells what is known of the generation that the task creates

local function set_pending(task, name, value)
  if not task then return end
  task._pending = task._pending or {}
  task._pending[name] = value
end

--- A task waits for a generation; nil: not any more.
---@param task devkit4ai.loop.Waits?
---@param gen devkit4ai.Generation?
function M.waits_for(task, gen)
  set_pending(task, "generation", gen)
end

--- A task creates a generation; nil: not any more.
---@param task devkit4ai.loop.Waits?
---@param describe (fun(): string?)?
function M.creates(task, describe)
  set_pending(task, "describe", describe)
end

--- Whether a task creates a generation: an error has ended its wait, and the task caught the error.
---@param task devkit4ai.loop.Waits
---@return boolean
function M.is_creating(task)
  return task._pending ~= nil and task._pending.describe ~= nil
end

--- Notes what is pending of a task.
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

--- Nothing is pending of a task any more.
---@param task devkit4ai.loop.Waits
function M.end_pending(task)
  task._pending = nil
end

--- Two jobs keep the same notes from now on.
---@param task devkit4ai.loop.Waits
---@param other devkit4ai.loop.Waits?
function M.share(task, other)
  if not other then return end
  other._creations = other._creations or {}
  task._creations = other._creations
end

--- A task answers for what the tasks that it waited for created.
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

-- A message names a generation by its line; the id alone does where it failed, and nothing is left to wait for.
local function names(message, note)
  local gen = note.gen
  local text = not gen and line_of(note) or gen.status == "failed" and gen.id or suggestions.wait(gen)
  return message:find(text, 1, true) ~= nil
end

--- A message that names each note which it does not name yet.
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

-- What a program needs of the notes: the ids, the objects.
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

--- The failure of a scope, as nil, message, err. It is the failure that was given, where nothing is to be added to it.
---@param notes devkit4ai.Note[]? of the scope
---@param message any of the failure
---@param err any of the failure; what is no devkit4ai.Error is kept as err.cause
---@param results table<integer, any>? first values of the siblings that had finished
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
  local _, text, told = errors.give(fields)
  told.retryable = retryable == true
  return nil, text, told
end

--- What is raised in place of an error that ends a scope: a text stays a text; another value becomes the cause of an error
--- that names what was created. Where there is nothing to name, it is the value itself.
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

--- Raises the error that ended a call, with what became of the call.
---@param raised { value: any, text: string }
---@param err devkit4ai.Error of the call, which was cancelled
function M.raise(raised, err)
  local text = raised.text .. (raised.text:find("\n", 1, true) and "\n" or "; ") .. err.message
  if type(raised.value) == "string" then error(text, 0) end
  err.message, err.cause = text, raised.value
  error(err, 0)
end

return M
