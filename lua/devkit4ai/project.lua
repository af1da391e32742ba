--- A project: its keys, and the generations made in it.
local call = require "devkit4ai.call"
local check = require "devkit4ai.check"
local generation = require "devkit4ai.generation"
local key = require "devkit4ai.key"
local scope = require "devkit4ai.scope"

---@class devkit4ai.Project: devkit4ai.Scope
---@field id string
---@field name string?
---@field description string?
---@field owner_id string?
---@field is_active boolean?
---@field created_at string?
---@field updated_at string?
---@field raw table? the decoded answer
local Project = {}
Project.__index = Project
Project.__name = "devkit4ai.Project"

function Project:__tostring()
  return ("devkit4ai.Project %s (%s)"):format(self.name or "not asked yet", self.id)
end

local M = {}

---@param fields devkit4ai.Scope with the fields of an answer in its normal form, or the id alone
---@return devkit4ai.Project
function M.new(fields)
  return setmetatable(fields, Project)
end

-- the Lua that makes the handle again, for messages
local function words_of(project)
  return ("client:project(%q)"):format(project.id)
end

--- Makes an API key. It is shown once, in `key.key`; where the project had no key yet, it generates with this one from now
--- on. A repeat makes another key.
---@param name string?
---@param options devkit4ai.Own?
---@return devkit4ai.Key?
---@return string? message
---@return devkit4ai.Error? err
function Project:new_key(name, options)
  check.value("project:new_key: name", { type = "string" }, name)
  local extra = check.own("project:new_key", options)
  local fields, message, err = call.run(self, "create_api_key", { project_id = self.id, name = name }, extra)
  if not fields then return nil, message, err end
  if not self._secrets:has("project_key") then self._secrets:set("project_key", fields.key) end
  return key.new(fields)
end

--- The project's keys, without the keys themselves. Safe to repeat.
---@param options devkit4ai.Own?
---@return devkit4ai.Key[]?
---@return string? message
---@return devkit4ai.Error? err
function Project:keys(options)
  local extra = check.own("project:keys", options)
  local list, message, err = call.run(self, "list_api_keys", { project_id = self.id }, extra)
  if not list then return nil, message, err end
  for i, fields in ipairs(list) do list[i] = key.new(fields) end
  return list
end

--- Orders a picture: sends 1 to 5 example images with a prompt. It costs money, and is sent at most once: where nobody knows
--- what became of it, err.outcome is "unknown" and the message says what to do.
---@param options { images: (string|{ data: string, filename: string })[], prompt: string?, instructions: (table|string)?, on_upload: (fun(sent: integer, total: integer))?, timeout: number? } images: JPEG, PNG or WebP, at most 10 MiB each; instructions in place of prompt: a table with a prompt, and style, mood, ...; on_upload: bytes, every 0.1 s while they go out, and never where that is quicker; timeout: seconds for the whole call, default none
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
function Project:generate(options)
  return generation.generate(self, words_of(self), options)
end

--- A handle on a generation of this project; asks nobody.
---@param id string
---@return devkit4ai.Generation
function Project:generation(id)
  check.value("project:generation: id", { type = "string", required = true }, id)
  return generation.handle(self, id, ("%s:generation(%q)"):format(words_of(self), id))
end

--- The generations of who is logged in, in pages; see client:generations.
---@param options { page: integer?, per_page: integer?, timeout: number?, headers: table<string, string>? }?
---@return devkit4ai.Pages of devkit4ai.Generation
function Project:generations(options)
  return generation.list(self, words_of(self), "list_generations", "project:generations", options)
end

--- The one generation that was ordered with these instructions; see client:find_generation. Safe to repeat.
---@param options { instructions: table|string, since: number?, timeout: number?, headers: table<string, string>? }
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
function Project:find_generation(options)
  return generation.find(self, words_of(self), "project:find_generation", options)
end

local END_USER = { access_token = { type = "string" }, refresh_token = { type = "string" } }

--- A client for one of the project's end users, with the project's keys: give it tokens that you kept, or call its register
--- or login. It costs a kilobyte of memory; it ends with the client that the project is of. Asks nobody.
---@param tokens { access_token: string?, refresh_token: string? }?
---@return devkit4ai.Client? client in the role end_user
---@return string? message
---@return devkit4ai.Error? err kind `config`: a token that can't be used
function Project:end_user(tokens)
  return scope.of_end_user(self, check.arguments("project:end_user", END_USER, tokens))
end

return M
