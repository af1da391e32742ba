--- Creating a generation: checks the options, sends one request, and says after an error what may have been created.
local answered_ids = require "devkit4ai.generation.answered_ids"
local call = require "devkit4ai.request.call"
local concurrency_limit = require "devkit4ai.generation.concurrency_limit"
local creations = require "devkit4ai.util.errors.creations"
local errors = require "devkit4ai.util.errors"
local failures = require "devkit4ai.generation.failures"
local find = require "devkit4ai.generation.find"
local generation = require "devkit4ai.resources.generation"
local images_of = require "devkit4ai.generation.input.images"
local limits = require "devkit4ai.api.limits"
local in_flight = require "devkit4ai.generation.in_flight"
local instructions_of = require "devkit4ai.generation.input.instructions"
local operations = require "devkit4ai.api.operations"
local waits = require "devkit4ai.loop.waits"
local tasks = require "devkit4ai.loop.tasks"
local status = require "devkit4ai.generation.status"
local suggestions = require "devkit4ai.util.errors.suggestions"
local validate = require "devkit4ai.util.validate"

local M = {}

---@class devkit4ai.GenerateOptions: devkit4ai.Uploading what generate takes
---@field images (string|{ data: string, filename: string })[] 1 to 5 example images: paths, or bytes with a name; JPEG, PNG or WebP, at most 10 MiB each
---@field prompt string? what the image is to show; a text that is a JSON object is read as instructions
---@field instructions (table|string)? in place of prompt: a table with a prompt, and style, mood, ...; or a text: a JSON object with a prompt is sent as it is, any other text is the prompt
---@field timeout number? seconds for the whole call; default none

local OPTIONS = validate.schema {
  images = { type = "table", required = true },
  prompt = { type = "string" }, instructions = { type = "table or string" },
  on_upload = { type = "function" },
}

---@class devkit4ai.Creation a create call: what an error that ends it can report
---@field scope devkit4ai.Scope
---@field call_name string "project:generate"
---@field operation string
---@field instructions string? the prompt, or the JSON text of the instructions; nil: find_generation can't find the result
---@field send function of concurrency_limit: what a 429 leads to
---@field sent_at number? of waits.now()
---@field sent boolean? it may have been sent; the request pipeline sets this
---@field answer table? the server's; the request pipeline sets this
---@field is_reported boolean? the error that is raised says what became of the call

local HANDLES = { create_generation = generation.new, create_anonymous_generation = generation.new_anonymous }

--- A handle on the generation that a call created.
---@param creation devkit4ai.Creation
---@param id string
---@return devkit4ai.Generation
function M.handle(creation, id)
  return HANDLES[creation.operation](creation.scope, id)
end

local function created_message(creation, id)
  return ("%s: the generation %s was created and is paid for: %s"):format(
    creation.call_name, id, suggestions.wait(M.handle(creation, id)))
end

local function find_advice(creation)
  return creation.instructions and find.advice(creation.scope, creation.instructions, creation.sent_at) or ""
end

-- The id in the server's answer; client:request has it in the decoded body.
local function id_in(answer)
  local fields = answer.json or answer
  return type(fields) == "table" and type(fields.id) == "string" and fields.id or nil
end

-- What became of the call, as far as it is known; nil: nothing was sent.
local function describe(creation)
  local id = creation.answer and id_in(creation.answer)
  if id then return created_message(creation, id) end
  if not creation.sent then return nil end
  return ("%s: an error ended the call; %s%s"):format(
    creation.call_name, operations.get(creation.operation).unknown_advice, find_advice(creation))
end

--- The failure of a create call. An error that ended the call is raised again, and says what became of the call.
---@param creation devkit4ai.Creation
---@param err devkit4ai.Error
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.failure(creation, err)
  if err.outcome == "unknown" and err.operation == creation.operation then
    err.message = err.message .. find_advice(creation)
    err._since = creation.instructions and (find.since(creation.scope, creation.sent_at)) or nil
  end
  local raised = err.raised
  if not raised then return nil, err.message, err end
  err.raised = nil
  if err.generation_id then err.message = created_message(creation, err.generation_id) end
  creation.is_reported = true
  creations.raise(raised, err)
end

local function report(creation, value, text)
  local message = not creation.is_reported and describe(creation)
  if not message then error(value, 0) end
  local _, _, err = errors.fail({
    kind = "cancelled", outcome = "unknown", operation = creation.operation, message = message,
    generation_id = creation.answer and id_in(creation.answer),
  })
  creations.raise({ value = value, text = text }, err)
end

--- Runs a create call. An error that ends it says what became of the call: in a script the error itself, in a task the error
--- of the task.
---@param creation devkit4ai.Creation
---@param fn fun(creation: devkit4ai.Creation, ...): any, string?, devkit4ai.Error?
---@param ... any
---@return any
---@return string? message
---@return devkit4ai.Error? err
function M.protect(creation, fn, ...)
  local task = tasks.current()
  if not task then
    return waits.protect(function(value, text) report(creation, value, text) end, fn, creation, ...)
  end
  -- an error may have ended an earlier wait, in a task that caught it
  if creations.is_creating(task) then waits.abandon(task) else waits.recover(task) end
  creations.creates(task, function() return describe(creation) end)
  local result, message, err = fn(creation, ...)
  creations.creates(task, nil)
  return result, message, err
end

local function accept(creation, fields, head)
  local gen, client = M.handle(creation, fields.id), creation.scope._client
  if creation.instructions then answered_ids.add(client, gen.id) end
  gen._created_at = waits.now()
  in_flight.add(client, gen)
  creations.generation(tasks.current(), gen)
  if waits.is_cancelled() then failures.cancelled(gen, creation.call_name) end
  return status.update(gen, fields, head)
end

-- Checks everything before a byte is sent.
local function check(creation, options)
  local call_name, row = creation.call_name, operations.get(creation.operation)
  local given = options.instructions or options.prompt
  if (options.prompt == nil) == (options.instructions == nil) then
    errors.raise(call_name .. ": give either prompt or instructions")
  end
  local images, wrong = images_of.copy(call_name, "images", options.images, limits.MAX_IMAGES)
  local text, why = instructions_of.encode(given)
  if not images or not text then
    return waits.after_refusal(errors.refuse("invalid", wrong or why, creation.operation, call_name))
  end
  if row.listed then creation.instructions = type(given) == "table" and text or given end
  return { files = images, instructions = text }
end

local function send(creation, options)
  local args, message, err = check(creation, options)
  if not args then return nil, message, err end
  local function request(left, max_wait)
    creation.sent_at = waits.now()
    return call.run(creation.scope, creation.operation, args, {
      total = left, max_wait = max_wait, headers = options.headers, call_name = creation.call_name, creation = creation,
    }, options.on_upload)
  end
  local fields, _, failure, head = creation.send(creation.scope._client, options.timeout, request)
  if not fields then return M.failure(creation, failure) end
  return accept(creation, fields, head)
end

--- Creates a generation. If the outcome is unknown, the message ends with the line that finds the generation.
---@param scope devkit4ai.Scope the client or project
---@param operation "create_generation"|"create_anonymous_generation"
---@param call_name string "project:generate"
---@param options devkit4ai.GenerateOptions
---@param call_options (devkit4ai.Uploading|number)?
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
function M.run(scope, operation, call_name, options, call_options)
  options = validate.arguments(call_name, OPTIONS, options, call_options)
  return M.protect({
    scope = scope, operation = operation, call_name = call_name, send = concurrency_limit.run,
  }, send, options)
end

--- Creates a generation for a batch, which has a pace of its own: a 429 is not waited out.
---@param scope devkit4ai.Scope the client or project
---@param call_name string "batch:run"
---@param options devkit4ai.GenerateOptions
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
function M.run_once(scope, call_name, options)
  return M.protect({
    scope = scope, operation = "create_generation", call_name = call_name, send = concurrency_limit.send_once,
  }, send, options)
end

return M
