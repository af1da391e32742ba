--- A project: its keys and its generations.
local call = require "devkit4ai.request.call"
local validate = require "devkit4ai.util.validate"
local errors = require "devkit4ai.util.errors"
local create = require "devkit4ai.generation.create"
local generation = require "devkit4ai.resources.generation"
local key = require "devkit4ai.resources.key"
local object = require "devkit4ai.util.object"
local pages = require "devkit4ai.resources.pages"
local context = require "devkit4ai.request.context"

---@class devkit4ai.Project: devkit4ai.Scope
---@field id string a UUID
---@field name string? nil in a handle, until refresh
---@field description string?
---@field owner_id string? the account's id
---@field is_active boolean?
---@field created_at string? ISO 8601
---@field updated_at string? ISO 8601
---@field raw table? the decoded response
---@field stripe devkit4ai.Stripe its Stripe configuration and payments
---@field private _held table? keeps the remembered key of the project alive; set by request/context
---@field private _users table? what the clients of its end users have in common; set by request/context
local Project = {}
Project.__name = "devkit4ai.Project"
Project.__lazy = { stripe = function(record) return require("devkit4ai.resources.stripe").new(record) end }

function Project:__tostring()
  return ("devkit4ai.Project %s (%s)"):format(self.name or "name not known", self.id)
end

local M = {}

--- Makes an object of a project.
---@param fields table of a response in its normal form, or the id alone
---@param record devkit4ai.Scope
---@return devkit4ai.Project
function M.new(fields, record)
  return object.new(Project, fields, record)
end

-- Sends a call whose response is the project. A field that the response lacks keeps its value.
local function send(project, operation, args, extra)
  args.project_id = project.id
  local fields, message, err = call.run(project, operation, args, extra)
  if not fields then return nil, message, err end
  for name, value in pairs(fields) do project[name] = value end
  return project
end

--- Reads its fields from the API. Safe to repeat.
--- ```lua
--- print(project.name, assert(project:refresh()).name) --> nil ...
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Project? project itself, with the new fields
---@return string? message
---@return devkit4ai.Error? err
function Project:refresh(options)
  return send(self, "get_project", {}, validate.call_options("project:refresh", options))
end

local UPDATE = validate.schema { name = { type = "string" }, description = { type = "string" } }

--- Changes its name or its description; a field that you leave out stays. Safe to repeat.
--- ```lua
--- print(assert(project:update { description = "signs at night" }).description) --> signs at night
--- ```
---@param options { name: string?, description: string?, timeout: number?, headers: table<string, string>? } name: 1 to 255 characters; description: at most 1,000
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Project? project itself, with the new fields
---@return string? message
---@return devkit4ai.Error? err
function Project:update(options, call_options)
  options = validate.arguments("project:update", UPDATE, options, call_options)
  local args = { name = options.name, description = options.description }
  return send(self, "update_project", args, validate.extra_fields(options))
end

--- Deletes it; the API refuses its keys from then on. A second call after a success fails with `not_found`.
--- ```lua
--- local project = assert(client:new_project { name = "Neon" })
--- assert(project:delete())
--- ```
---@param options (devkit4ai.Own|number)?
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function Project:delete(options)
  return call.run(self, "delete_project", { project_id = self.id }, validate.call_options("project:delete", options))
end

local STATS = validate.schema { search = { type = "string" }, is_active = { type = "boolean" } }

--- How many users and API keys it has. Safe to repeat.
--- ```lua
--- print(project:stats().api_keys.total) --> 1
--- ```
---@param options { search: string?, is_active: boolean?, timeout: number?, headers: table<string, string>? }? filters
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Stats?
---@return string? message
---@return devkit4ai.Error? err
function Project:stats(options, call_options)
  options = validate.arguments("project:stats", STATS, options, call_options)
  local args = { project_id = self.id, search = options.search, is_active = options.is_active }
  return call.run(self, "get_project_stats", args, validate.extra_fields(options))
end

local USERS = validate.schema {
  page = { type = "number" }, page_size = { type = "number" }, search = { type = "string" },
  is_active = { type = "boolean" },
}

--- Its end users, in pages. Sends no request yet.
--- ```lua
--- print(user.role, project:users { page_size = 10 }:next().email) --> end_user guest@example.com
--- ```
---@param options { page: integer?, page_size: integer?, search: string?, is_active: boolean?, timeout: number?, headers: table<string, string>? }? page: the first one; page_size: 1 to 100, default 50; search: in address and name; timeout: seconds for each page, or for all()
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.User
function Project:users(options, call_options)
  return pages.of_records(self, "list_project_users", "project:users", USERS, options, call_options)
end

--- Creates an API key. The API shows it once, in `key.key`. A project that had no key uses this one from now on. A second
--- call creates another key.
--- ```lua
--- local key = assert(project:new_key "Production API Key")
--- print(key.name, key.key) --> Production API Key pk_...
--- ```
---@param name string? shown in lists
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Key?
---@return string? message
---@return devkit4ai.Error? err
function Project:new_key(name, options)
  name, options = validate.optional_text(name, options)
  validate.value("project:new_key: name", { type = "string" }, name)
  local extra = validate.call_options("project:new_key", options)
  local fields, message, err = call.run(self, "create_api_key", { project_id = self.id, name = name }, extra)
  if not fields then return nil, message, err end
  if not self._secrets:has("project_key") then context.use_key(self, fields.key) end
  return key.new(fields, self, "project")
end

--- The project's keys, without the keys themselves. Safe to repeat.
--- ```lua
--- for _, key in ipairs(assert(project:keys())) do print(key.key_prefix, key.key) end --> pk_... nil
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Key[]?
---@return string? message
---@return devkit4ai.Error? err
function Project:keys(options)
  return key.list(self, "project", "project:keys", options)
end

--- Creates an API key, uses it from now on, and revokes the old one. Other programs that use the old key need the new one.
--- `keep` stores the new key before the old one is revoked, so a valid key is stored at every moment, even if the program is
--- killed. If the old key can't be identified, no key is created. If the rotation fails later, the new key is in `err.key`.
--- A second call rotates again.
--- ```lua
--- local stored
--- local function keep(new) stored = new.key return true end -- where the next program finds it
--- print(assert(project:rotate_key("2027", { keep = keep })).key == stored) --> true
--- ```
---@param name string? of the new key
---@param options { keep: (fun(key: devkit4ai.Key): any, any)?, timeout: number?, headers: table<string, string>? }? keep: called with the new key before the old one is revoked; if it raises, or returns nil or false, the old key is not revoked; timeout: for all steps together
---@return devkit4ai.Key? key the new one
---@return string? message
---@return devkit4ai.Error? err kind `conflict`: two keys begin like the one in use, or none does; kind `config`: no key is in use; err.key: the new key, if it was created and the rotation is not complete
---@see list_api_keys
---@see create_api_key
---@see revoke_api_key
function Project:rotate_key(name, options)
  return require("devkit4ai.resources.key_rotation").rotate(self, "project", name, options, function(text)
    context.replace_project_key(self, text)
  end)
end

--- Uses this key from now on. Sends no request.
--- ```lua
--- print(project:use_key(key) == project) --> true
--- ```
---@param new_key devkit4ai.Key|string a key that was just created, or its text
---@return devkit4ai.Project? project itself
---@return string? message
---@return devkit4ai.Error? err kind `config`: the key can't be used; kind `invalid`: the object no longer has the key's text
function Project:use_key(new_key)
  validate.value("project:use_key", { type = "table or string", required = true }, new_key)
  local text = type(new_key) == "table" and new_key.key or new_key
  if type(text) ~= "string" then
    return errors.refuse("invalid", "project:use_key: the object has no key text, which is shown once, when the key is "
      .. "created; give that text")
  end
  local set, why = context.use_key(self, text)
  if not set then return errors.refuse("config", "project:use_key: the key can't be used: " .. why) end
  return self
end

--- Creates a generation: sends 1 to 5 example images with a prompt. It costs money and is sent at most once. If the outcome
--- is unknown, err.outcome is "unknown" and the message says what to do.
--- ```lua
--- local gen = assert(project:generate {
---   images = { "a.png", "b.png" },
---   prompt = "a futuristic cityscape with neon lights",
--- })
--- print(gen.status) --> pending
--- ```
---@param options devkit4ai.GenerateOptions
---@param call_options (devkit4ai.Uploading|number)? options of every call; a number is the timeout
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
function Project:generate(options, call_options)
  return create.run(self, "create_generation", "project:generate", options, call_options)
end

--- A handle on a generation of this project. Sends no request.
--- ```lua
--- print(project:generation(gen.id):wait().status) --> completed
--- ```
---@param id string a UUID: gen.id
---@return devkit4ai.Generation gen
function Project:generation(id)
  validate.value("project:generation: id", { type = "string", required = true }, id)
  return generation.new(self, id)
end

--- The generations of the logged-in account, in pages; see client:generations.
--- ```lua
--- print(gen.id == project:generations():next().id) --> true
--- ```
---@param options { page: integer?, per_page: integer?, timeout: number?, headers: table<string, string>? }? page: the first one; per_page: 1 to 100, default 20; timeout: seconds for each page, or for all()
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.Generation
---@see list_generations
function Project:generations(options, call_options)
  return generation.list(self, "list_generations", "project:generations", options, call_options)
end

--- The one generation that was created with these instructions; see client:find_generation. Safe to repeat.
--- ```lua
--- print(gen.id == project:find_generation { instructions = "neon" }.id) --> true
--- ```
---@param options { instructions: table|string, since: number?, timeout: number?, headers: table<string, string>? } instructions: as you gave them to generate; since: the server's Unix time of the request, as in the line of a message; the 60 s before it count as well; without it, all generations are compared
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
---@see list_generations
function Project:find_generation(options, call_options)
  return generation.find(self, "project:find_generation", options, call_options)
end

local END_USER = { access_token = { type = "string" }, refresh_token = { type = "string" } }

--- A client for one of the project's end users, with the project's keys: give it tokens that you stored, or call its register
--- or login. It uses 1 to 2 kilobytes of memory. Closing the project's client closes it too. Sends no request.
--- ```lua
--- local user = assert(project:end_user())
--- assert(user:register { email = "eve@example.com", password = "SecurePass123" })
--- assert(user:login("eve@example.com", "SecurePass123"))
--- print(user:me().role) --> end_user
--- ```
---@param tokens { access_token: string?, refresh_token: string? }? of a session to continue
---@return devkit4ai.Client? client in the role end_user
---@return string? message
---@return devkit4ai.Error? err kind `config`: a token that can't be used
function Project:end_user(tokens)
  return context.of_end_user(self, validate.arguments("project:end_user", END_USER, tokens))
end

return M
