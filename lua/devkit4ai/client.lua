--- A client: one account, one role, one address.
local call = require "devkit4ai.call"
local check = require "devkit4ai.check"
local scope = require "devkit4ai.scope"
local session = require "devkit4ai.session"

---@class devkit4ai.Client: devkit4ai.Scope
---@field base_url string
---@field role string
local Client = {}
Client.__index = Client
Client.__name = "devkit4ai.Client"

function Client:__tostring()
  return ("devkit4ai.Client of %s (%s)"):format(self.base_url, self.role)
end

local M = {}

-- Loaded when the first one is made: a third of what a client loads, and a script that asks who it is needs none of it.
local function projects() return require "devkit4ai.project" end
local function generations() return require "devkit4ai.generation" end

--- devkit4ai.new; see there.
function M.new(options)
  local client, message, err = scope.of_client(options)
  if not client then return nil, message, err end
  return setmetatable(client, Client)
end

local function object_of(project, message, err)
  if not project then return nil, message, err end
  return projects().new(project)
end

local function project_of(client, fields)
  return object_of(scope.of_project(client, fields))
end

local REGISTER = check.rows {
  email = { type = "string", required = true }, password = { type = "string", required = true },
  full_name = { type = "string" },
}

--- Registers a developer, which needs an operator key; with the role end_user an end user of the project, which needs its
--- id and a developer key. The keys in the answer are shown once: keep them. The client takes those keys and tokens that it
--- does not hold yet; where no tokens came, log in. A repeat may find the account there already.
---@param options { email: string, password: string, full_name: string?, timeout: number? }
---@return devkit4ai.Account? account with developer_key, project_id and project_key
---@return string? message
---@return devkit4ai.Error? err
function Client:register(options)
  local given = check.arguments("client:register", REGISTER, options)
  local account, message, err = call.run(self, "register", given, check.extra(given))
  if not account then return nil, message, err end
  return scope.adopt(self, account)
end

--- Logs in; the tokens are kept and renewed by the client, the password is not kept. A repeat logs in anew.
---@param email string
---@param password string
---@param options devkit4ai.Own?
---@return devkit4ai.Client? client itself
---@return string? message
---@return devkit4ai.Error? err
function Client:login(email, password, options)
  check.value("client:login: email", { type = "string", required = true }, email)
  check.value("client:login: password", { type = "string", required = true }, password)
  local extra = check.own("client:login", options)
  local tokens, message, err = call.run(self, "login", { email = email, password = password }, extra)
  if not tokens then return nil, message, err end
  local accepted
  accepted, message, err = session.accept(self, tokens, "login", email)
  if not accepted then return nil, message, err end
  return self
end

--- Renews the tokens now. The client does it by itself five minutes ahead of their end, and once when the server answers 401.
--- A repeat renews them again; while one is under way, it waits for that one.
---@param options devkit4ai.Own?
---@return devkit4ai.Client? client itself
---@return string? message
---@return devkit4ai.Error? err
function Client:refresh_token(options)
  local extra = check.own("client:refresh_token", options)
  local done, message, err = session.renew(self, call.run, extra and extra.total)
  if not done then return nil, message, err end
  return self
end

--- Forgets the tokens, also in the store; asks nobody, since the server keeps no session. A repeat does nothing.
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err kind `file`: the tokens are forgotten here, but the store could not be emptied
function Client:logout()
  return session.logout(self)
end

--- Who is logged in. Safe to repeat.
---@param options devkit4ai.Own?
---@return devkit4ai.Account?
---@return string? message
---@return devkit4ai.Error? err
function Client:me(options)
  return call.run(self, "get_me", nil, options ~= nil and check.own("client:me", options))
end

local NEW_PROJECT = check.rows {
  name = { type = "string", required = true }, description = { type = "string" },
}

--- Makes a project. A repeat makes another one.
---@param options { name: string, description: string?, timeout: number? }
---@return devkit4ai.Project?
---@return string? message
---@return devkit4ai.Error? err
function Client:new_project(options)
  local given = check.arguments("client:new_project", NEW_PROJECT, options)
  local fields, message, err = call.run(self, "create_project", given, check.extra(given))
  if not fields then return nil, message, err end
  fields.name, fields.description = fields.name or given.name, fields.description or given.description -- D27: the id alone may come
  return project_of(self, fields)
end

--- The account's projects. Safe to repeat.
---@param options devkit4ai.Own?
---@return devkit4ai.Project[]?
---@return string? message
---@return devkit4ai.Error? err
function Client:projects(options)
  local list, message, err = call.run(self, "list_projects", nil, check.own("client:projects", options))
  if not list then return nil, message, err end
  for i, fields in ipairs(list) do list[i] = project_of(self, fields) end
  return list
end

--- A handle on a project that exists; asks nobody.
---@param id string? default: the option project_id, or where that is empty the project that register brought
---@return devkit4ai.Project?
---@return string? message
---@return devkit4ai.Error? err kind `invalid`: it is no UUID
function Client:project(id)
  id = id or self._project_id
  check.value("client:project: id", { type = "string", required = true }, id)
  return object_of(scope.of_id(self, id))
end

--- Orders a picture in the project of the option project_id, with its key; see project:generate.
---@param options table as project:generate's
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
function Client:generate(options)
  return generations().generate(self, "client", options)
end

--- A handle on a generation of the option project_id's project; asks nobody.
---@param id string
---@return devkit4ai.Generation
function Client:generation(id)
  check.value("client:generation: id", { type = "string", required = true }, id)
  return generations().handle(self, id, ("client:generation(%q)"):format(id))
end

--- The generations of who is logged in, in pages. Asks nobody yet: what is wrong is told by the first page that is read.
---@param options { page: integer?, per_page: integer?, timeout: number?, headers: table<string, string>? }? page: the first one; per_page: 1 to 100, default 20; timeout: seconds for each page, or for all()
---@return devkit4ai.Pages of devkit4ai.Generation
function Client:generations(options)
  return generations().list(self, "client", "list_generations", "client:generations", options)
end

--- The generations that were published, of anyone; needs no account.
---@param options { page: integer?, per_page: integer?, timeout: number?, headers: table<string, string>? }? as client:generations'
---@return devkit4ai.Pages of devkit4ai.Generation
function Client:public_generations(options)
  return generations().list(self, "client", "list_public_generations", "client:public_generations", options)
end

--- The one generation that was ordered with these instructions: what became of an order whose outcome is unknown. Blanks at
--- the prompt's ends, the order of fields and how the JSON is written make no difference. Safe to repeat.
---@param options { instructions: table|string, since: number?, timeout: number?, headers: table<string, string>? } instructions: as generate got them; since: Unix time of the order by this machine's clock, which is set right by the server's; 60 s before it count as well; without it, all generations are looked at
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err kind `not_found`: it may still appear for some seconds; kind `conflict`: several fit, and their ids stand in the message
function Client:find_generation(options)
  return generations().find(self, "client", "client:find_generation", options)
end

--- Any request of the API, for what this library has no method for. The answer is the server's, whole, whatever its status;
--- nil where none came. It is repeated by the rules of the operation that fits, else of its method.
---@param options { method: string, path: string, query: table?, json: table?, form: table?, role: string?, timeout: number?, headers: table?, on_upload: (fun(sent: integer, total: integer))? } path: from /; query: values by name; json: a table, the body; form: values by name, one of them may be a list of images; role: whose headers go out, default the client's
---@return devkit4ai.Response?
---@return string? message
---@return devkit4ai.Error? err
function Client:request(options)
  return require("devkit4ai.request").run(self, options)
end

--- Ends the client: what it has under way is cancelled, its secrets are wiped, and each later call raises. Twice is once.
function Client:close()
  scope.close(self)
end

Client.__close = Client.close

return M
