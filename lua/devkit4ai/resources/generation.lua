--- A generation: a picture that was ordered, with what the server said of it last.
local call = require "devkit4ai.request.call"
local validate = require "devkit4ai.util.validate"
local classify = require "devkit4ai.request.classify"
local config = require "devkit4ai.config"
local creations = require "devkit4ai.util.creations"
local errors = require "devkit4ai.util.errors"
local find = require "devkit4ai.generation.find"
local image_url = require "devkit4ai.generation.image_url"
local images_of = require "devkit4ai.generation.images"
local instructions = require "devkit4ai.generation.instructions"
local suggestions = require "devkit4ai.util.suggestions"
local object = require "devkit4ai.util.object"
local operations = require "devkit4ai.api.operations"
local pages = require "devkit4ai.resources.pages"
local waits = require "devkit4ai.loop.waits"
local tasks = require "devkit4ai.loop.tasks"
local in_flight = require "devkit4ai.generation.in_flight"
local wait = require "devkit4ai.generation.wait"

---@class devkit4ai.Generation
---@field id string a UUID
---@field status string? "pending", "processing", "completed", "failed"; anything else counts as not finished
---@field image_url string? when it is completed
---@field error string? when it failed
---@field instructions string? as they were sent
---@field is_public boolean? whether client:public_generations shows it
---@field created_at string? ISO 8601
---@field updated_at string? ISO 8601
---@field example_images string[]? addresses of the images that were sent
---@field message string? of the server, when it was ordered
---@field request_id string? the X-Request-ID of the last response about it: name it when you ask for support
---@field raw table? the decoded answer
local Generation = {}
Generation._looks = "get_generation_status" -- the operation that tells how far it is
Generation.__name = "devkit4ai.Generation"

local M = {}

-- An id as a message may show it: a key in its place is no UUID.
local function shown(id)
  return config.is_uuid(id) and id or "..."
end

local FRESH = 30 -- seconds after an order in which the server may not know the generation yet
local MAX_PICTURE = 64 * 1024 * 1024 -- bytes; architecture.md, invariant 8

function Generation:__tostring()
  return ("devkit4ai.Generation %s (%s)"):format(shown(self.id), self.status or "not asked yet")
end

local ENDED = { completed = true, failed = true }

-- What the server left out now and said before stays. head: of the response, where it is about this one alone
local function absorb(gen, fields, head)
  for name, value in pairs(fields) do gen[name] = value end
  gen.request_id = head and classify.request_id(gen._scope._secrets, head) or gen.request_id
  if ENDED[gen.status] then in_flight.remove(gen._scope._client, gen.id) end
  return gen
end

-- words: the Lua that makes such a handle, for messages; looks: the operation that tells how far it is, if not the usual one
local function handle(scope, id, words, looks)
  return object.new(Generation, { id = id }, { _scope = scope, _words = words, _looks = looks })
end

--- A handle on a generation; asks nobody.
---@param scope devkit4ai.Scope
---@param words string the Lua of the object that it is of
---@param id string
---@return devkit4ai.Generation
function M.of_id(scope, words, id)
  return handle(scope, id, suggestions.generation(words, shown(id)))
end

--- The same for an anonymous one.
---@param client devkit4ai.Client
---@param id string
---@return devkit4ai.Generation
function M.anonymous(client, id)
  local words = suggestions.generation(client._called, shown(id), "{ anonymous = true }")
  return handle(client, id, words, "get_anonymous_generation_status")
end

---@class devkit4ai.Order: devkit4ai.Uploading what generate takes
---@field images (string|{ data: string, filename: string })[] 1 to 5 examples: paths, or bytes with a name; JPEG, PNG or WebP, at most 10 MiB each
---@field prompt string? what the picture is to show; a text that is a JSON object is read as instructions
---@field instructions (table|string)? in place of prompt: a table with a prompt, and style, mood, ...; or a text: a JSON object with a prompt is sent as it is, any other text is the prompt
---@field timeout number? seconds for the whole call; default none

local GENERATE = validate.rows {
  images = { type = "table", required = true },
  prompt = { type = "string" }, instructions = { type = "table or string" },
  on_upload = { type = "function" },
}

local function look(gen, extra)
  local fields, message, err, head = call.run(gen._scope, gen._looks, { generation_id = gen.id }, extra)
  if fields then return absorb(gen, fields, head), nil, nil, head end
  err.generation_id = config.is_uuid(gen.id) and gen.id or nil
  if err.kind == "not_found" and gen._ordered and waits.now() - gen._ordered < FRESH then
    err.retryable = true
    err.message = message .. "; it was ordered a moment ago, and may be there in some seconds"
  end
  return nil, err.message, err
end

-- A look of a wait: a lost one is made up for by the next.
local function glance(gen, left, headers)
  local most = gen._scope._client._limits.total
  return look(gen, {
    total = left and math.min(left, most), headers = headers, says = "gen:wait", tries = 1, max_wait = 0,
  })
end

---@class devkit4ai.Creation a creating call that is under way: what an error that ends it can say
---@field says string how the user knows the call
---@field operation string
---@field sent boolean? it may have been sent
---@field answer table? the server's
---@field told boolean? the error that is raised says what became of the call
---@field handle fun(id: string): devkit4ai.Generation
---@field wanted string? the prompt, or the JSON text of the instructions
---@field moment number? of waits.now(), when it went out
---@field search fun(creation: devkit4ai.Creation): string the text that leads to a generation of which the id is not known

local function was_created(creation, id)
  return ("%s: the generation %s was created and is paid for: %s"):format(
    creation.says, id, suggestions.wait(creation.handle(id)))
end

-- The id in the server's answer; client:request has it in the decoded body.
local function id_of(answer)
  local fields = answer.json or answer
  return type(fields) == "table" and type(fields.id) == "string" and fields.id or nil
end

-- What is known of a creating call; nil: it was not sent.
local function describe(creation)
  local id = creation.answer and id_of(creation.answer)
  if id then return was_created(creation, id) end
  if not creation.sent then return nil end
  return ("%s: an error ended the call; %s%s"):format(
    creation.says, operations[creation.operation].unknown, creation.search(creation))
end

--- The failure of a creating call. An error that ended it is raised, and says what became of it.
---@param creation devkit4ai.Creation
---@param err devkit4ai.Error
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.fail(creation, err)
  local raised = err.raised
  if not raised then return nil, err.message, err end
  err.raised = nil
  if err.generation_id then err.message = was_created(creation, err.generation_id) end
  creation.told = true
  creations.raise(raised, err)
end

--- Runs a creating call, so that an error says what became of it wherever it ends it: in a script the error itself, in a
--- task the error of the task.
---@param creation devkit4ai.Creation
---@param fn fun(creation: devkit4ai.Creation): any, string?, devkit4ai.Error?
---@return any
---@return string? message
---@return devkit4ai.Error? err
function M.guard(creation, fn)
  local job = tasks.current()
  if job then
    if creations.is_creating(job) then waits.abandon(job) end -- an error ended another one, and the task caught it
    creations.creates(job, function() return describe(creation) end)
    local gen, message, err = fn(creation)
    creations.creates(job, nil)
    return gen, message, err
  end
  return waits.protect(function(value, text)
    local message = not creation.told and describe(creation)
    if not message then error(value, 0) end
    local _, _, err = errors.give({
      kind = "cancelled", outcome = "unknown", operation = creation.operation, message = message,
      generation_id = creation.answer and id_of(creation.answer),
    })
    creations.raise({ value = value, text = text }, err)
  end, fn, creation)
end

-- An order: what it holds is looked at before a byte is sent.
local function order(scope, creation, given)
  local says, name = creation.says, creation.operation
  if (given.prompt == nil) == (given.instructions == nil) then
    errors.raise(says .. ": give either prompt or instructions")
  end
  local images, wrong = images_of.copy(says, "images", given.images, operations[name].body.form.most)
  local text, why = instructions.text(given.instructions or given.prompt)
  wrong = wrong or why
  if wrong then return waits.after_refusal(errors.refuse("invalid", ("%s: %s"):format(says, wrong), name)) end
  local args = { files = images, instructions = text }
  creation.wanted = type(given.instructions) == "table" and text or given.instructions or given.prompt
  return wait.with_room(scope._client, given.timeout, glance, function(left, max_wait)
    creation.moment = waits.now()
    local extra = { total = left, max_wait = max_wait, headers = given.headers, says = says, creation = creation }
    return call.run(scope, name, args, extra, given.on_upload)
  end)
end

local function of_answer(scope, words, fields)
  return absorb(M.of_id(scope, words, fields.id), fields)
end

local function accept(gen, says, fields, head)
  gen._ordered = waits.now()
  wait.accept(gen, says)
  return absorb(gen, fields, head)
end

--- project:generate; see there. Where nobody knows whether it was made, the message ends with the line that finds it.
function M.generate(scope, words, says, given, own)
  given = validate.arguments(says, GENERATE, given, own)
  return M.guard({
    says = says, operation = "create_generation", handle = function(id) return M.of_id(scope, words, id) end,
    search = function(creation) return find.way(scope, words, creation.wanted, creation.moment) end,
  }, function(creation)
    local fields, _, err, head = order(scope, creation, given)
    if fields then
      find.remember(scope._client, fields.id)
      return accept(creation.handle(fields.id), says, fields, head)
    end
    if err.operation == "create_generation" then find.tell_lost(err, scope, words, creation.wanted, creation.moment) end
    return M.fail(creation, err)
  end)
end

--- client:generate_anonymous; see there.
function M.generate_anonymous(client, given, own)
  local says = "client:generate_anonymous"
  given = validate.arguments(says, GENERATE, given, own)
  return M.guard({
    says = says, operation = "create_anonymous_generation", handle = function(id) return M.anonymous(client, id) end,
    search = function() return "" end,
  }, function(creation)
    local fields, _, err, head = order(client, creation, given)
    if not fields then return M.fail(creation, err) end
    return accept(creation.handle(fields.id), says, fields, head)
  end)
end

local LIST = validate.rows { page = { type = "number" }, per_page = { type = "number" } }

--- client:generations and its relatives; see there.
function M.list(scope, words, name, says, given, own)
  return pages.new(scope, name, says, validate.arguments(says, LIST, given, own), function(fields)
    local gen = of_answer(scope, words, fields)
    gen._is_public = name == "list_public_generations"
    return gen
  end)
end

--- client:find_generation; see there.
function M.find(scope, words, says, given, own)
  local fields, message, err = find.find(scope, says, given, own)
  if not fields then return nil, message, err end
  return of_answer(scope, words, fields)
end

--- Asks how far it is. Safe to repeat.
--- ```lua
--- print(gen:refresh().status) --> completed
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Generation? gen itself, with the new fields
---@return string? message
---@return devkit4ai.Error? err
function Generation:refresh(options)
  options = validate.own("gen:refresh", options)
  local way = "go on waiting with " .. suggestions.wait(self)
  local seen, _, err = wait.protect(self, "gen:refresh", way, look, self, options)
  if seen then return seen end
  return wait.fail(self, err, way)
end

local WAIT = validate.rows { interval = { type = "number" }, on_progress = { type = "function" } }

--- Waits until the picture is done: looks at once, then after 5 s, growing by 1.5 up to 30 s. A look that gets lost, and a
--- 429, only make it wait on. Safe to repeat.
--- ```lua
--- local gen = assert(project:generate { images = { "a.png" }, prompt = "neon" })
--- assert(gen:wait { timeout = 600, on_progress = function(seen) assert(seen == gen) end })
--- print(gen.status, gen.image_url) --> completed http...
--- ```
---@param options { timeout: number?, interval: number?, on_progress: (fun(gen: devkit4ai.Generation))?, headers: table<string, string>? }? timeout: seconds, default 900; interval: the first gap between two looks, in seconds; on_progress: called after each look that was answered
---@return devkit4ai.Generation? gen itself, completed
---@return string? message
---@return devkit4ai.Error? err kind `failed`: the server's reason is err.detail; kind `timeout`: it goes on, wait again
---@see get_generation_status
---@see get_anonymous_generation_status
function Generation:wait(options)
  options = validate.arguments("gen:wait", WAIT, options)
  local own = options.headers
  return wait.until_done(self, options, function(left) return glance(self, left, own) end)
end

-- A call on one's own generation that gives nothing of its own; nobody owns an anonymous one.
local function change(gen, says, name, args, options)
  local extra = validate.own(says, options) or {}
  if gen._looks ~= Generation._looks then
    return errors.refuse("invalid", says .. ": the API has no such call for an anonymous generation", name)
  end
  args.generation_id, extra.says = gen.id, says
  local done, message, err = call.run(gen._scope, name, args, extra)
  if done then return true end
  err.generation_id = config.is_uuid(gen.id) and gen.id or nil
  return nil, message, err
end

local function set_public(gen, says, is_public, options)
  local done, message, err = change(gen, says, "set_generation_public", { is_public = is_public }, options)
  if not done then return nil, message, err end
  gen.is_public = is_public
  return gen
end

--- Shows it to everybody, in client:public_generations. Safe to repeat.
--- ```lua
--- print(gen:publish() == gen, gen:refresh().is_public) --> true true
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Generation? gen itself
---@return string? message
---@return devkit4ai.Error? err
function Generation:publish(options)
  return set_public(self, "gen:publish", true, options)
end

--- Takes it out of client:public_generations. Safe to repeat.
--- ```lua
--- print(gen:unpublish() == gen, gen:refresh().is_public) --> true false
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Generation? gen itself
---@return string? message
---@return devkit4ai.Error? err
---@see set_generation_public
function Generation:unpublish(options)
  return set_public(self, "gen:unpublish", false, options)
end

--- Deletes it, with its picture. A repeat after a success finds none (`not_found`).
--- ```lua
--- assert(gen:delete())
--- ```
---@param options (devkit4ai.Own|number)?
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function Generation:delete(options)
  local done, message, err = change(self, "gen:delete", "delete_generation", {}, options)
  if not done then return nil, message, err end
  in_flight.remove(self._scope._client, self.id)
  return true
end

local function read_url(gen)
  return image_url.read(gen._scope._client.base_url, gen.image_url)
end

-- What came in the place of a URL.
local function describe_url(gen)
  local raw = gen.raw or {}
  local came = raw.result_image_url or raw.generated_image_url or raw.result
  if type(came) == "table" then return came[1] ~= nil and "a list" or "an object" end
  return came == nil and "none" or type(came) == "string" and "a text that is no URL" or "a " .. type(came)
end

local function no_url(gen, says)
  if gen.status == "completed" then
    return errors.give({
      kind = "protocol", outcome = "not_sent", operation = "get_picture", generation_id = gen.id,
      message = ("%s: the generation %s is completed, but the response has no image URL that can be used (%s)"):format(
        says, gen.id, describe_url(gen)),
    })
  end
  return errors.give({
    kind = "invalid", outcome = "not_sent", operation = "get_picture", generation_id = gen.id,
    message = (gen.status == "failed" and "%s: the generation %s has no picture: it %s"
      or "%s: the generation %s has no picture yet (%s): call gen:wait() first"):format(says, gen.id, gen.status),
  })
end

-- Fetches the image once. anew: asks for its URL, also where one is known.
local function fetch_once(gen, extra, left, anew)
  if anew or not read_url(gen) then
    local seen, message, err = look(gen, { total = left(), headers = extra.headers, says = extra.says })
    if not seen then return nil, message, err end
  end
  local url = read_url(gen)
  if not url then return no_url(gen, extra.says) end
  extra.total, extra.url = left(), url
  return call.run(gen._scope, "get_picture", {}, extra)
end

-- Fetches the image; a URL that has expired is asked for anew once. way: for the message of a failure
local function fetch_image(gen, says, extra, way)
  local left = wait.countdown(extra.total)
  extra.max_answer, extra.says = MAX_PICTURE, says
  local picture, message, err = fetch_once(gen, extra, left)
  if not picture and err.operation == "get_picture" and operations.get_picture.stale[err.status] then
    local fresh, why, trouble = fetch_once(gen, extra, left, true)
    if fresh or trouble.operation == "get_picture" then picture, message, err = fresh, why, trouble end
  end
  if picture then return picture end
  err.generation_id = config.is_uuid(gen.id) and gen.id or nil
  if gen.status == "failed" then return nil, message, err end
  local is_open = gen.status and gen.status ~= "completed" and not gen.image_url
  local advice = is_open and "go on waiting with " .. suggestions.wait(gen) or "go on with " .. way(gen, err)
  return wait.fail(gen, err, advice)
end

-- The same; an error that ends it in a script names the generation.
local function fetch(gen, says, extra, way)
  return wait.protect(gen, says, "go on with " .. way(gen, {}), fetch_image, gen, says, extra, way)
end

local LONGEST_NAME = 255 -- bytes that file systems take

-- Another name beside one that is taken.
local function free_name(path, id)
  local stem, ending = path:match("^(.*[^/.])(%.[^/.]+)$")
  return ("%s-%s%s"):format(stem or path, id:sub(1, 8), ending or "")
end

-- The path that the suggested line has: where the file was refused, another one. By the advice of errors.lua.
local function path_for(gen, path, err)
  local is_taken = err.kind == "file" and err.message:find("{ overwrite = true }", 1, true)
  local is_no_file = err.kind == "file" and err.message:find("gen:bytes()", 1, true)
  local other = is_taken and free_name(path, gen.id) or path
  if is_no_file or #other:match("[^/]*$") > LONGEST_NAME then return shown(gen.id) .. ".png" end
  return other
end

local SAVE = validate.rows { overwrite = { type = "boolean" } }

--- Saves the picture: the whole file appears under its name, or none. Safe to repeat.
---
--- Without `overwrite` it fails where anything has that name. With it, a regular file that you may write is replaced, and its
--- permissions stay. A symbolic link stays, and the file that it leads to is replaced. A folder, a pipe, a socket and a device
--- are refused: write what `gen:bytes()` gives there.
--- ```lua
--- print(gen:save("neon.png", { overwrite = true })) --> neon.png
--- ```
---@param path string of the file; its folder must be there
---@param options { overwrite: boolean?, timeout: number?, headers: table<string, string>? }? overwrite: a regular file is replaced; default false, whatever has the name is an error; headers: of the look, where the picture's address is not known yet
---@return string? path as it was given
---@return string? message
---@return devkit4ai.Error? err
---@see get_generation_status
---@see get_anonymous_generation_status
function Generation:save(path, options)
  validate.value("gen:save: path", { type = "string", required = true }, path)
  options = validate.arguments("gen:save", SAVE, options)
  if not images_of.is_name(path) then
    local message = "gen:save: " .. images_of.NO_NAME:format(#path)
    local _, _, err = waits.after_refusal(errors.refuse("file", message, "get_picture"))
    return wait.fail(self, err, "go on with " .. suggestions.save(self, shown(self.id) .. ".png"))
  end
  local extra = validate.extra(options)
  extra.save_as, extra.overwrite = path, options.overwrite
  local picture, message, err = fetch(self, "gen:save", extra, function(gen, err)
    return suggestions.save(gen, path_for(gen, path, err))
  end)
  if not picture then return nil, message, err end
  return path
end

--- The picture's bytes, for a program that shows it itself. Safe to repeat.
--- ```lua
--- local bytes, kind = assert(gen:bytes())
--- print(#bytes > 0, kind) --> true png
--- ```
---@param options (devkit4ai.Own|number)?
---@return string? bytes the whole file
---@return string? kind "jpeg", "png" or "webp"; the message, where bytes is nil
---@return devkit4ai.Error? err
---@see get_picture
---@see get_generation_status
---@see get_anonymous_generation_status
function Generation:bytes(options)
  local picture, message, err = fetch(self, "gen:bytes", validate.own("gen:bytes", options) or {}, suggestions.bytes)
  if not picture then return nil, message, err end
  return picture.bytes, picture.kind
end

return M
