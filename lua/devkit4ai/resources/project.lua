--- A project: its keys, and the generations made in it.
local call = require "devkit4ai.request.call"
local validate = require "devkit4ai.util.validate"
local errors = require "devkit4ai.util.errors"
local generation = require "devkit4ai.resources.generation"
local key = require "devkit4ai.resources.key"
local suggestions = require "devkit4ai.util.suggestions"
local object = require "devkit4ai.util.object"
local pages = require "devkit4ai.resources.pages"
local context = require "devkit4ai.request.context"

---@class devkit4ai.Project: devkit4ai.Scope
---@field id string a UUID
---@field name string? of a handle none until refresh
---@field description string?
---@field owner_id string? the account's id
---@field is_active boolean?
---@field created_at string? ISO 8601
---@field updated_at string? ISO 8601
---@field raw table? the decoded answer
---@field stripe devkit4ai.Stripe how it takes money
local Project = {}
Project.__record = object.lazy(Project, {
  stripe = function(record) return object.later("devkit4ai.resources.stripe", { _project = record }) end,
})
Project.__name = "devkit4ai.Project"

function Project:__tostring()
  return ("devkit4ai.Project %s (%s)"):format(self.name or "not asked yet", self.id)
end

local M = {}

---@param fields table of a response in its normal form, or the id alone
---@param record devkit4ai.Scope
---@return devkit4ai.Project
function M.new(fields, record)
  return object.new(Project, fields, record)
end

-- the Lua that makes the handle again, for messages
local function words_of(project)
  return suggestions.project(project._client, project.id)
end

-- One call on the project itself; what the server leaves out of its answer and said before stays.
local function ask(project, name, args, extra)
  args.project_id = project.id
  local answer, message, err = call.run(project, name, args, extra)
  if not answer then return nil, message, err end
  for field, value in pairs(answer) do project[field] = value end
  return project
end

--- Asks for its fields. Safe to repeat.
--- ```lua
--- print(project.name, assert(project:refresh()).name) --> nil ...
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Project? project itself, with the new fields
---@return string? message
---@return devkit4ai.Error? err
function Project:refresh(options)
  return ask(self, "get_project", {}, validate.own("project:refresh", options))
end

local UPDATE = validate.rows { name = { type = "string" }, description = { type = "string" } }

--- Changes its name or its description; what is left out stays. Safe to repeat.
--- ```lua
--- print(assert(project:update { description = "signs at night" }).description) --> signs at night
--- ```
---@param options { name: string?, description: string?, timeout: number?, headers: table<string, string>? } name: 1 to 255 characters; description: at most 1,000
---@param own (devkit4ai.Own|number)? what every call takes; a number is the timeout
---@return devkit4ai.Project? project itself, with the new fields
---@return string? message
---@return devkit4ai.Error? err
function Project:update(options, own)
  local given = validate.arguments("project:update", UPDATE, options, own)
  return ask(self, "update_project", { name = given.name, description = given.description }, validate.extra(given))
end

--- Deletes it; its keys are refused from then on. A repeat after a success finds none (`not_found`).
--- ```lua
--- local project = assert(client:new_project { name = "Neon" })
--- assert(project:delete())
--- ```
---@param options (devkit4ai.Own|number)?
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function Project:delete(options)
  return call.run(self, "delete_project", { project_id = self.id }, validate.own("project:delete", options))
end

local STATS = validate.rows { search = { type = "string" }, is_active = { type = "boolean" } }

--- How many users and API keys it has. Safe to repeat.
--- ```lua
--- print(project:stats().api_keys.total) --> 1
--- ```
---@param options { search: string?, is_active: boolean?, timeout: number?, headers: table<string, string>? }? what narrows the counts
---@param own (devkit4ai.Own|number)? what every call takes; a number is the timeout
---@return devkit4ai.Stats?
---@return string? message
---@return devkit4ai.Error? err
function Project:stats(options, own)
  local given = validate.arguments("project:stats", STATS, options, own)
  local args = { project_id = self.id, search = given.search, is_active = given.is_active }
  return call.run(self, "get_project_stats", args, validate.extra(given))
end

local USERS = validate.rows {
  page = { type = "number" }, page_size = { type = "number" }, search = { type = "string" },
  is_active = { type = "boolean" },
}

--- Its end users, in pages. Asks nobody yet.
--- ```lua
--- print(user.role, project:users { page_size = 10 }:next().email) --> end_user guest@example.com
--- ```
---@param options { page: integer?, page_size: integer?, search: string?, is_active: boolean?, timeout: number?, headers: table<string, string>? }? page: the first one; page_size: 1 to 100, default 50; search: in address and name; timeout: seconds for each page, or for all()
---@param own (devkit4ai.Own|number)? what every call takes; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.User
function Project:users(options, own)
  return pages.of_records(self, "list_project_users", "project:users", USERS, options, own)
end

--- Makes an API key. It is shown once, in `key.key`; where the project had no key yet, it generates with this one from now
--- on. A repeat makes another key.
--- ```lua
--- local key = assert(project:new_key "Production API Key")
--- print(key.name, key.key) --> Production API Key pk_...
--- ```
---@param name string? what the lists call it
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Key?
---@return string? message
---@return devkit4ai.Error? err
function Project:new_key(name, options)
  name, options = validate.optional_text(name, options)
  validate.value("project:new_key: name", { type = "string" }, name)
  local extra = validate.own("project:new_key", options)
  local made, message, err = call.run(self, "create_api_key", { project_id = self.id, name = name }, extra)
  if not made then return nil, message, err end
  if not self._secrets:has("project_key") then context.use_key(self, made.key) end
  return key.new(made, self, "project")
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
  local extra = validate.own("project:keys", options)
  local list, message, err = call.run(self, "list_api_keys", { project_id = self.id }, extra)
  if not list then return nil, message, err end
  return key.each(list, self, "project")
end

local ROTATE = validate.rows { keep = { type = "function" } }

--- Makes an API key, uses it from now on, and revokes the one in use. Whoever else uses the old one needs the new one then.
--- `keep` stores the new key before the old one is revoked: then a key that works is stored at each moment, also if the
--- program is killed. Where the old one can't be told from another one, nothing is made. Where the rotation fails after the
--- new key was made, it is in `err.key`. A repeat rotates again.
--- ```lua
--- local stored
--- local function keep(new) stored = new.key return true end -- where the next program finds it
--- print(assert(project:rotate_key("2027", { keep = keep })).key == stored) --> true
--- ```
---@param name string? of the new key
---@param options { keep: (fun(key: devkit4ai.Key): any, any)?, timeout: number?, headers: table<string, string>? }? keep: called with the new key before the old one is revoked; if it raises, or returns nil or false, the old key is not revoked; timeout: for all steps together
---@return devkit4ai.Key? key the new one
---@return string? message
---@return devkit4ai.Error? err kind `conflict`: two keys begin like the one in use, or none does; kind `config`: none is in use; err.key: the new key, where it was made and the rotation is not complete
---@see list_api_keys
---@see create_api_key
---@see revoke_api_key
function Project:rotate_key(name, options)
  name, options = validate.optional_text(name, options)
  validate.value("project:rotate_key: name", { type = "string" }, name)
  options = validate.arguments("project:rotate_key", ROTATE, options)
  return require("devkit4ai.auth.key_rotation").rotate(self, "project", name, options, function(text)
    context.replace_project_key(self, text)
  end)
end

--- Generates with this key from now on. Asks nobody.
--- ```lua
--- print(project:use_key(key) == project) --> true
--- ```
---@param given devkit4ai.Key|string a key that was just made, or its text
---@return devkit4ai.Project? project itself
---@return string? message
---@return devkit4ai.Error? err kind `config`: it can't be used; kind `invalid`: the key's text is not known any more
function Project:use_key(given)
  validate.value("project:use_key", { type = "table or string", required = true }, given)
  local text = type(given) == "table" and given.key or given
  if type(text) ~= "string" then
    return errors.refuse("invalid", "project:use_key: a key's text is shown once, when it is made: give that text")
  end
  local set, why = context.use_key(self, text)
  if not set then return errors.refuse("config", "project:use_key: the key can't be used: " .. why) end
  return self
end

--- Orders a picture: sends 1 to 5 example images with a prompt. It costs money, and is sent at most once: where nobody knows
--- what became of it, err.outcome is "unknown" and the message says what to do.
--- ```lua
--- local gen = assert(project:generate {
---   images = { "a.png", "b.png" },
---   prompt = "a futuristic cityscape with neon lights",
--- })
--- print(gen.status) --> pending
--- ```
---@param options devkit4ai.Order
---@param own (devkit4ai.Uploading|number)? what every call takes; a number is the timeout
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
function Project:generate(options, own)
  return generation.generate(self, words_of(self), "project:generate", options, own)
end

--- A handle on a generation of this project; asks nobody.
--- ```lua
--- print(project:generation(gen.id):wait().status) --> completed
--- ```
---@param id string a UUID: gen.id
---@return devkit4ai.Generation gen
function Project:generation(id)
  validate.value("project:generation: id", { type = "string", required = true }, id)
  return generation.of_id(self, words_of(self), id)
end

--- The generations of who is logged in, in pages; see client:generations.
--- ```lua
--- print(gen.id == project:generations():next().id) --> true
--- ```
---@param options { page: integer?, per_page: integer?, timeout: number?, headers: table<string, string>? }? page: the first one; per_page: 1 to 100, default 20; timeout: seconds for each page, or for all()
---@param own (devkit4ai.Own|number)? what every call takes; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.Generation
---@see list_generations
function Project:generations(options, own)
  return generation.list(self, words_of(self), "list_generations", "project:generations", options, own)
end

--- The one generation that was ordered with these instructions; see client:find_generation. Safe to repeat.
--- ```lua
--- print(gen.id == project:find_generation { instructions = "neon" }.id) --> true
--- ```
---@param options { instructions: table|string, since: number?, timeout: number?, headers: table<string, string>? } instructions: as generate got them; since: the server's Unix time of the order, as the line in a message has it; 60 s before it count as well; without it, all generations are looked at
---@param own (devkit4ai.Own|number)? what every call takes; a number is the timeout
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
---@see list_generations
function Project:find_generation(options, own)
  return generation.find(self, words_of(self), "project:find_generation", options, own)
end

local END_USER = { access_token = { type = "string" }, refresh_token = { type = "string" } }

--- A client for one of the project's end users, with the project's keys: give it tokens that you kept, or call its register
--- or login. It costs 1 to 2 kilobytes of memory; it ends with the client that the project is of. Asks nobody.
--- ```lua
--- local user = assert(project:end_user())
--- assert(user:register { email = "eve@example.com", password = "SecurePass123" })
--- assert(user:login("eve@example.com", "SecurePass123"))
--- print(user:me().role) --> end_user
--- ```
---@param tokens { access_token: string?, refresh_token: string? }? of a login that is to go on
---@return devkit4ai.Client? client in the role end_user
---@return string? message
---@return devkit4ai.Error? err kind `config`: a token that can't be used
function Project:end_user(tokens)
  return context.of_end_user(self, validate.arguments("project:end_user", END_USER, tokens))
end

return M
