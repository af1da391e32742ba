--- A generation: an image that the API makes from example images and a prompt, as the last response described it.
local call = require "devkit4ai.request.call"
local config = require "devkit4ai.config"
local download = require "devkit4ai.generation.download"
local errors = require "devkit4ai.util.errors"
local failures = require "devkit4ai.generation.failures"
local find = require "devkit4ai.generation.find"
local images = require "devkit4ai.generation.input.images"
local in_flight = require "devkit4ai.generation.in_flight"
local object = require "devkit4ai.util.object"
local pages = require "devkit4ai.resources.pages"
local waits = require "devkit4ai.loop.waits"
local status = require "devkit4ai.generation.status"
local suggestions = require "devkit4ai.util.errors.suggestions"
local validate = require "devkit4ai.util.validate"
local wait = require "devkit4ai.generation.wait"

---@class devkit4ai.Generation
---@field id string a UUID
---@field status string? "pending", "processing", "completed", "failed"; anything else counts as unfinished
---@field image_url string? if it is completed
---@field error string? if it failed
---@field instructions string? as they were sent
---@field is_public boolean? whether client:public_generations shows it
---@field created_at string? ISO 8601
---@field updated_at string? ISO 8601
---@field example_images string[]? URLs of the images that were sent
---@field message string? the server's, in the response that created it
---@field request_id string? the X-Request-ID of the last response about it, for a support request
---@field raw table? the decoded response
---@field private _scope devkit4ai.Scope the client or project whose credentials its requests use
---@field private _shown_id string the id for messages; "..." if it is not a UUID, because it may be a key
---@field private _is_anonymous boolean it belongs to no account
---@field private _status_operation string of its status requests
---@field private _created_at number? waits.now() when the server accepted it; set by generation/create
---@field private _is_orphan boolean? an `orphan` event was sent; set by generation/failures
---@field private _is_listed_publicly boolean? it comes from client:public_generations, so this account may not pay for it
local Generation = {}
Generation.__name = "devkit4ai.Generation"

function Generation:__tostring()
  return ("devkit4ai.Generation %s (%s)"):format(self._shown_id, self.status or "status not known")
end

local M = {}

local function new(scope, id, is_anonymous, status_operation)
  return object.new(Generation, { id = id }, {
    _scope = scope, _shown_id = config.is_uuid(id) and id or "...", _is_anonymous = is_anonymous,
    _status_operation = status_operation,
  })
end

--- A handle on a generation. Sends no request.
---@param scope devkit4ai.Scope the client or project
---@param id string
---@return devkit4ai.Generation
function M.new(scope, id)
  return new(scope, id, false, "get_generation_status")
end

--- A handle on an anonymous generation. Sends no request.
---@param client devkit4ai.Client
---@param id string
---@return devkit4ai.Generation
function M.new_anonymous(client, id)
  return new(client, id, true, "get_anonymous_generation_status")
end

local LIST = validate.schema { page = { type = "number" }, per_page = { type = "number" } }

--- client:generations and its relatives.
---@param scope devkit4ai.Scope
---@param operation "list_generations"|"list_public_generations"
---@param call_name string "client:generations"
---@param options table?
---@param call_options (devkit4ai.Own|number)?
---@return devkit4ai.Pages
function M.list(scope, operation, call_name, options, call_options)
  options = validate.arguments(call_name, LIST, options, call_options)
  return pages.new(scope, operation, call_name, options, function(fields)
    local gen = status.update(M.new(scope, fields.id), fields)
    gen._is_listed_publicly = operation == "list_public_generations"
    return gen
  end)
end

--- client:find_generation and project:find_generation.
---@param scope devkit4ai.Scope
---@param call_name string "client:find_generation"
---@param options table
---@param call_options (devkit4ai.Own|number)?
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
function M.find(scope, call_name, options, call_options)
  local fields, message, err = find.run(scope, call_name, options, call_options)
  if not fields then return nil, message, err end
  return status.update(M.new(scope, fields.id), fields)
end

--- Asks for its status and its other fields. Safe to repeat.
--- ```lua
--- print(gen:refresh().status) --> completed
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Generation? gen itself, with the new fields
---@return string? message
---@return devkit4ai.Error? err
function Generation:refresh(options)
  local extra = validate.call_options("gen:refresh", options)
  local advice = failures.wait_advice(self)
  local updated, _, err = failures.protect(self, "gen:refresh", advice, status.request, self, extra)
  if updated then return updated end
  return failures.with_advice(self, err, advice)
end

local WAIT = validate.schema { interval = { type = "number" }, on_progress = { type = "function" } }

--- Waits until the image is done. Polls at once, then after 5 s; the pause grows by a factor of 1.5, up to 30 s. A failed
--- status request, a 5xx or a 429 does not end the wait; the next poll follows. Safe to repeat.
--- ```lua
--- local gen = assert(project:generate { images = { "a.png" }, prompt = "neon" })
--- assert(gen:wait { timeout = 600, on_progress = function(seen) assert(seen == gen) end })
--- print(gen.status, gen.image_url) --> completed http...
--- ```
---@param options { timeout: number?, interval: number?, on_progress: (fun(gen: devkit4ai.Generation))?, headers: table<string, string>? }? timeout: seconds, default 900; interval: the first pause between two polls, in seconds; on_progress: called after each poll that succeeded
---@return devkit4ai.Generation? gen itself, completed
---@return string? message
---@return devkit4ai.Error? err kind `failed`: the server's reason is err.detail; kind `timeout`: the generation continues, wait again
---@see get_generation_status
---@see get_anonymous_generation_status
function Generation:wait(options)
  return wait.run(self, validate.arguments("gen:wait", WAIT, options))
end

-- A call that changes a generation and returns no fields. An anonymous generation has no owner, so nobody can change it.
local function change(gen, call_name, operation, args, options)
  local extra = validate.call_options(call_name, options) or {}
  if gen._is_anonymous then
    return errors.refuse("invalid", call_name .. ": the API has no such call for an anonymous generation", operation)
  end
  args.generation_id, extra.call_name = gen.id, call_name
  local done, message, err = call.run(gen._scope, operation, args, extra)
  if done then return true end
  err.generation_id = config.is_uuid(gen.id) and gen.id or nil
  return nil, message, err
end

local function set_public(gen, call_name, is_public, options)
  local done, message, err = change(gen, call_name, "set_generation_public", { is_public = is_public }, options)
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

--- Removes it from client:public_generations. Safe to repeat.
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

--- Deletes it, with its image. A second call after a success fails with `not_found`.
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

local MAX_NAME = 255 -- bytes of a file's name, in most file systems

-- Another path next to one that exists.
local function free_path(path, id)
  local stem, ending = path:match("^(.*[^/.])(%.[^/.]+)$")
  return ("%s-%s%s"):format(stem or path, id:sub(1, 8), ending or "")
end

-- The path in the suggested line; another one if this one was refused. It recognizes the advice of util/errors.
local function path_to_suggest(gen, path, err)
  local exists = err.kind == "file" and err.message:find("{ overwrite = true }", 1, true)
  local is_no_file = err.kind == "file" and err.message:find("gen:bytes()", 1, true)
  local other = exists and free_path(path, gen.id) or path
  if is_no_file or #other:match("[^/]*$") > MAX_NAME then return gen._shown_id .. ".png" end
  return other
end

local SAVE = validate.schema { overwrite = { type = "boolean" } }

local function refuse_path(gen, path)
  local what = images.BAD_FILE_NAME:format(#path)
  local _, _, err = waits.after_refusal(errors.refuse("file", what, "get_picture", "gen:save"))
  return failures.with_advice(gen, err, "go on with " .. suggestions.save(gen, gen._shown_id .. ".png"))
end

--- Saves the image: the complete file appears under its name, or no file appears. Safe to repeat.
---
--- Without `overwrite` it fails if the name exists. With it, a regular file that you may write is replaced, and keeps its
--- permissions. A symbolic link stays, and its target is replaced. A folder, a pipe, a socket and a device are refused: write
--- the result of `gen:bytes()` there.
--- ```lua
--- print(gen:save("neon.png", { overwrite = true })) --> neon.png
--- ```
---@param path string of the file; its folder must exist
---@param options { overwrite: boolean?, timeout: number?, headers: table<string, string>? }? overwrite: replaces a regular file; default false: a name that exists is an error; headers: of the status request, if the image's URL is not known yet
---@return string? path as it was given
---@return string? message
---@return devkit4ai.Error? err
---@see get_generation_status
---@see get_anonymous_generation_status
function Generation:save(path, options)
  validate.value("gen:save: path", { type = "string", required = true }, path)
  options = validate.arguments("gen:save", SAVE, options)
  if not images.is_file_name(path) then return refuse_path(self, path) end
  local extra = validate.extra_fields(options)
  extra.save_as, extra.overwrite = path, options.overwrite
  local image, message, err = download.run(self, "gen:save", extra, function(gen, err)
    return suggestions.save(gen, path_to_suggest(gen, path, err))
  end)
  if not image then return nil, message, err end
  return path
end

--- The bytes of the image, for a program that shows it itself. Safe to repeat.
--- ```lua
--- local bytes, kind = assert(gen:bytes())
--- print(#bytes > 0, kind) --> true png
--- ```
---@param options (devkit4ai.Own|number)?
---@return string? bytes the complete file
---@return string? kind "jpeg", "png" or "webp"; the message, if bytes is nil
---@return devkit4ai.Error? err
---@see get_picture
---@see get_generation_status
---@see get_anonymous_generation_status
function Generation:bytes(options)
  local extra = validate.call_options("gen:bytes", options) or {}
  local image, message, err = download.run(self, "gen:bytes", extra, suggestions.bytes)
  if not image then return nil, message, err end
  return image.bytes, image.kind
end

return M
