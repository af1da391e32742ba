--- The steps of one job, from its state to its end: send, wait, save. Each step is in the ledger before it is taken. If the
--- fate of a request is unknown, the job's generation is looked for; the request is never repeated on a guess.
local answered_ids = require "devkit4ai.generation.answered_ids"
local core = require "devkit4ai.core"
local create = require "devkit4ai.generation.create"
local generation = require "devkit4ai.resources.generation"
local look = require "devkit4ai.batch.run.look"
local marker = require "devkit4ai.batch.run.marker"
local save = require "devkit4ai.batch.run.save"
local server_clock = require "devkit4ai.request.time.server_clock"
local waits = require "devkit4ai.loop.waits"

local M = {}

---@class devkit4ai.batch.Context what the jobs of one run have in common
---@field client devkit4ai.Client
---@field ledger devkit4ai.batch.Ledger
---@field pace devkit4ai.batch.Pace
---@field out string folder of the results
---@field marker boolean the instructions get a marker
---@field save (fun(job: devkit4ai.batch.Job, path: string): any, any)? the program's own, called after the file is there
---@field scope_of fun(job: devkit4ai.batch.Job): devkit4ai.Scope the client or project that sends the job
---@field rival_of fun(job: devkit4ai.batch.Job): string? without markers: the name of another job with these instructions whose fate is unknown
---@field emit fun(event: devkit4ai.batch.Event)
---@field sending table<devkit4ai.batch.Job, true> jobs whose request is on its way: ending one makes its fate unknown
---@field saving integer images that are being saved
---@field unknown table<string, devkit4ai.batch.Job> jobs whose fate is unknown, by name: also those whose request is on its way

---@class devkit4ai.batch.Result how far a job came
---@field step string "saved", "failed", "undecided"; "refused": nothing was created, it may be sent again; "unfinished": another run continues with it, and pays nothing for it
---@field id string? of its generation
---@field reason string?
---@field paid boolean? of a failed job
---@field stop devkit4ai.Error? the whole batch must stop
---@field stop_until number? seconds until the account may send again, where that is the reason
---@field wait boolean? of a refused job: send it again as soon as the pace allows it

-- Failures of one job, where nothing was created. The others are failures of the batch: a key, the network, an address that the
-- server does not know (404: creating a generation has no other reason for it).
local OF_THE_JOB = { invalid = true, too_large = true, conflict = true, file = true }

-- Failures that every job would have, too.
local OF_THE_BATCH = { auth = true, forbidden = true, config = true, tls = true, file = true }

local function emit(context, job, step, fields)
  local event = { type = step, job = job.name, number = job.number }
  for name, value in pairs(fields or {}) do event[name] = value end
  context.emit(event)
end

-- Writes a step to the ledger. Gives the result of the job, if that failed.
local function write(context, job, step, fields)
  local done, message, err = context.ledger:record(job, step, fields)
  if not done then return { step = "unfinished", reason = message, stop = err, id = fields and fields.id } end
end

-- Writes a step, and then tells the program.
local function record(context, job, step, fields)
  local failed = write(context, job, step, fields)
  if not failed then emit(context, job, step, fields) end
  return failed
end

-- The end of a job: writes it to the ledger.
local function finish(context, job, step, fields)
  local failed = record(context, job, step, fields)
  if failed then return failed end
  return { step = step, id = fields.id, reason = fields.reason, paid = fields.paid }
end

-- ---- after the answer ----

-- Why a call failed, without its advice in Lua to continue with one generation: the batch continues by itself.
local function reason_of(err)
  if err.kind == "cancelled" then return "the run was stopped before the job ended" end
  return err._parts and err._parts.what or err.message
end

local function unfinished(id, err)
  return { step = "unfinished", id = id, reason = reason_of(err), stop = OF_THE_BATCH[err.kind] and err or nil }
end

local GONE = "the server does not know the generation %s, which it had accepted (404), and the list does not have "
  .. "it: %s"

-- The server accepted the job, and answers 404 to the status of its generation. That alone proves nothing: a machine of the service
-- may not have it yet. The list of generations decides whether it is still there.
local function look_for_accepted(context, job, gen, err)
  answered_ids.remove(context.client, gen.id) -- else the search passes over it
  local found = look.run(context, job, context.ledger:state_of(job))
  if found.err or found.id == gen.id then return unfinished(gen.id, found.err or err) end
  return finish(context, job, "undecided", { reason = GONE:format(gen.id, found.reason or "it has another one") })
end

local function save_image(context, job, gen)
  context.saving = context.saving + 1
  local bytes, _, err = save.run(context, job, gen)
  context.saving = context.saving - 1
  if bytes then return finish(context, job, "saved", { bytes = bytes }) end
  if err.kind == "not_found" then return look_for_accepted(context, job, gen, err) end
  return unfinished(gen.id, err)
end

local function wait(context, job, gen)
  local done, _, err = gen:wait()
  if done then
    local failed = record(context, job, "completed")
    context.pace:finish(job)
    return failed or save_image(context, job, gen)
  end
  if err.kind == "failed" then
    return finish(context, job, "failed", { id = gen.id, paid = true, reason = err.detail or reason_of(err) })
  end
  if err.kind == "not_found" then return look_for_accepted(context, job, gen, err) end
  return unfinished(gen.id, err)
end

-- ---- the request ----

-- The digest of the bytes of the images.
local function digest_of_images(job)
  local digests = {}
  for i, path in ipairs(job.images) do
    local digest, _, why = core.digest_file(path)
    if not digest then return nil, why end
    digests[i] = digest
  end
  return core.digest(table.concat(digests))
end

-- The server's time, in case that the answer is lost. nil: it is not known, and this machine's clock may be wrong.
local function time_of_server(client)
  local time, is_known = server_clock.at(client, waits.now())
  return is_known and math.floor(time) or nil
end

local function accept(context, job, gen)
  context.pace:accepted(job)
  answered_ids.remove(context.client, gen.id) -- if it can't be written, another batch of this program looks for it
  local failed = write(context, job, "accepted", { id = gen.id })
  if not failed then
    answered_ids.add(context.client, gen.id)
    context.unknown[job.name] = nil -- not before: until then, another job could take the generation
    emit(context, job, "accepted", { id = gen.id })
    return wait(context, job, gen)
  end
  failed.reason = ("the generation %s was created and is paid for, but the journal can't be written: %s; another run "
    .. "looks for it"):format(gen.id, failed.reason)
  return failed
end

-- Looks for the generation of a lost answer.
local function search(context, job)
  local state = context.ledger:state_of(job)
  local found = look.run(context, job, state)
  if found.err then return unfinished(nil, found.err) end
  if found.id then return accept(context, job, generation.new(context.scope_of(job), found.id)) end
  if not state.again then return finish(context, job, "undecided", { reason = found.reason }) end
  local failed = write(context, job, "planned", { attempt = (state.attempt or 1) + 1 })
  return failed or { step = "refused", reason = found.reason, wait = true }
end

-- The server, or this machine, certainly created nothing.
local function refuse(context, job, err)
  context.unknown[job.name] = nil
  if OF_THE_JOB[err.kind] then
    return finish(context, job, "failed", { paid = false, reason = reason_of(err) })
  end
  local result = finish(context, job, "refused", { reason = reason_of(err) })
  if result.stop or err.kind == "cancelled" then return result end
  if err.kind ~= "rate_limited" and not err.retryable then
    result.stop = err
    return result
  end
  local decision, seconds = context.pace:refused(job, err)
  result.wait = decision == "wait"
  result.stop, result.stop_until = decision == "stop" and err or nil, seconds
  return result
end

local TAKEN = "%s: a file has this name, and is no result of this batch; it is never overwritten: move it away, or "
  .. "give the job another name"

-- Why a job must not be sent; else the digest of its images.
local function check(context, job)
  if save.is_taken(context.out, job) then return TAKEN:format(save.path_of(context.out, job)) end
  local images, why = digest_of_images(job)
  return why, images
end

local function send(context, job)
  local why, images = check(context, job)
  if why then return finish(context, job, "failed", { paid = false, reason = why }) end
  local attempt = context.ledger:state_of(job).attempt
  local fields = { images = images, since = time_of_server(context.client) }
  emit(context, job, "sending", fields) -- before it is written: if the program's function raises, the job was not sent
  local failed = write(context, job, "sending", fields)
  if failed then return failed end
  context.sending[job], context.unknown[job.name] = true, job
  local gen, _, err = create.run_once(context.scope_of(job), "batch:run", {
    images = job.images,
    instructions = context.marker and marker.add(job, context.ledger.batch, attempt) or job.instructions,
  })
  context.sending[job] = nil
  if gen then return accept(context, job, gen) end
  if err.outcome ~= "unknown" then return refuse(context, job, err) end
  context.pace:lost(job, err)
  return search(context, job)
end

-- What to do in a state that is not the end of a job.
local CONTINUE = {
  planned = send, refused = send, sending = search, undecided = search,
  accepted = function(context, job, state)
    return wait(context, job, generation.new(context.scope_of(job), state.id))
  end,
  completed = function(context, job, state)
    context.pace:finish(job)
    return save_image(context, job, generation.new(context.scope_of(job), state.id))
  end,
}

--- Whether a job in this state is sent when it continues; else it was sent before.
---@param state devkit4ai.batch.State
---@return boolean
function M.sends(state)
  return CONTINUE[state.step] == send
end

--- Whether nothing is left to do for a job in this state.
---@param state devkit4ai.batch.State
---@return boolean
function M.has_ended(state)
  return CONTINUE[state.step] == nil
end

local NEEDS_ID = { accepted = true, completed = true }

--- Whether a job can continue from a state that another program, or a person, may have written.
---@param state devkit4ai.batch.State
---@return boolean
function M.can_continue(state)
  return CONTINUE[state.step] ~= nil and (state.id ~= nil or not NEEDS_ID[state.step])
end

--- Continues a job from its state to its end. The pace has given it a place (pace:begin), which is free again afterwards.
---@param context devkit4ai.batch.Context
---@param job devkit4ai.batch.Job
---@return devkit4ai.batch.Result
function M.run(context, job)
  local state = context.ledger:state_of(job)
  local result = CONTINUE[state.step](context, job, state)
  context.pace:finish(job)
  return result
end

return M
