--- A client: one account, one role, one address.
local call = require "devkit4ai.call"
local check = require "devkit4ai.check"
local errors = require "devkit4ai.errors"
local fields = require "devkit4ai.fields"
local scope = require "devkit4ai.scope"
local session = require "devkit4ai.session"

---@class devkit4ai.Client: devkit4ai.Scope
---@field base_url string the API's address
---@field role string "developer", "end_user", "platform_operator"
---@field payments devkit4ai.Payments
local Client = {}
Client.__made = { payments = function(client) return require("devkit4ai.payments").new(client) end }
Client.__index = fields.index(Client, Client.__made)
Client.__name = "devkit4ai.Client"

function Client:__tostring()
  return ("devkit4ai.Client of %s (%s)"):format(self.base_url, self.role)
end

local M = {}

-- Loaded when the first one is made: a third of what a client loads, and a script that asks who it is needs none of it.
local function projects() return require "devkit4ai.project" end
local function generations() return require "devkit4ai.generation" end
local function keys() return require "devkit4ai.key" end

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

local function project_of(client, answer)
  return object_of(scope.of_project(client, answer))
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

--- Asks for a mail with a token that verifies the account's address; the token is good for 24 hours. Needs no login. A
--- repeat sends another mail.
---@param user_id string a UUID: account.id
---@param options devkit4ai.Own?
---@return devkit4ai.Client? client itself
---@return string? message
---@return devkit4ai.Error? err kind `invalid`: the id is no UUID
function Client:request_verification(user_id, options)
  check.value("client:request_verification: user_id", { type = "string", required = true }, user_id)
  local extra = check.own("client:request_verification", options)
  local done, message, err = call.run(self, "request_verification", { user_id = user_id }, extra)
  if not done then return nil, message, err end
  return self
end

local VERIFY = check.rows {
  user_id = { type = "string", required = true }, verification_token = { type = "string", required = true },
}

--- Verifies an account's address with the token of the mail. Needs no login. A token is good once.
---@param options { user_id: string, verification_token: string, timeout: number?, headers: table<string, string>? } user_id: a UUID, account.id
---@return devkit4ai.Client? client itself
---@return string? message
---@return devkit4ai.Error? err kind `invalid`: the token is used up, too old, or another one's
function Client:verify_email(options)
  local given = check.arguments("client:verify_email", VERIFY, options)
  local done, message, err = call.run(self, "verify_email", given, check.extra(given))
  if not done then return nil, message, err end
  return self
end

--- Makes a developer key; an account has ten at most. It is shown once, in `key.key`; the client goes on with the one that
--- it has. A repeat makes another key.
---@param name string?
---@param options devkit4ai.Own?
---@return devkit4ai.Key?
---@return string? message
---@return devkit4ai.Error? err
function Client:new_developer_key(name, options)
  check.value("client:new_developer_key: name", { type = "string" }, name)
  local extra = check.own("client:new_developer_key", options)
  local made, message, err = call.run(self, "create_developer_key", { name = name }, extra)
  if not made then return nil, message, err end
  return keys().new(made, self, "developer")
end

--- The account's developer keys, without the keys themselves. Safe to repeat.
---@param options devkit4ai.Own?
---@return devkit4ai.Key[]?
---@return string? message
---@return devkit4ai.Error? err
function Client:developer_keys(options)
  local extra = check.own("client:developer_keys", options)
  local list, message, err = call.run(self, "list_developer_keys", nil, extra)
  if not list then return nil, message, err end
  return keys().each(list, self, "developer")
end

--- Makes a developer key, uses it from now on, and revokes the one in use with it. Other programs that use the old one need
--- the new one then. Where the old one can't be told from another one, nothing is made; where it could not be revoked, the new
--- key comes with a message, so that it is never lost. A repeat rotates again.
---@param name string? of the new key
---@param options devkit4ai.Own? timeout: for all steps together
---@return devkit4ai.Key? key the new one; it may come with a message
---@return string? message
---@return devkit4ai.Error? err kind `conflict`: two keys begin like the one in use, or none does
function Client:rotate_developer_key(name, options)
  check.value("client:rotate_developer_key: name", { type = "string" }, name)
  local extra = check.own("client:rotate_developer_key", options)
  return require("devkit4ai.rotation").rotate(self, "developer", name, extra, function(text)
    self._secrets:set("developer_key", text)
  end)
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
  local made, message, err = call.run(self, "create_project", given, check.extra(given))
  if not made then return nil, message, err end
  made.name, made.description = made.name or given.name, made.description or given.description -- D27: the id alone may come
  return project_of(self, made)
end

--- The account's projects. Safe to repeat.
---@param options devkit4ai.Own?
---@return devkit4ai.Project[]?
---@return string? message
---@return devkit4ai.Error? err
function Client:projects(options)
  local list, message, err = call.run(self, "list_projects", nil, check.own("client:projects", options))
  if not list then return nil, message, err end
  for i, answer in ipairs(list) do list[i] = project_of(self, answer) end
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

local STATS = check.rows {
  search = { type = "string" }, is_active = { type = "boolean" }, project_id = { type = "string" },
}

--- How many projects, users and API keys the account has. Safe to repeat.
---@param options { search: string?, is_active: boolean?, project_id: string?, timeout: number?, headers: table<string, string>? }? what narrows the counts; project_id: a UUID
---@return devkit4ai.Stats?
---@return string? message
---@return devkit4ai.Error? err
function Client:stats(options)
  local given = check.arguments("client:stats", STATS, options)
  return call.run(self, "get_global_stats", given, check.extra(given))
end

local USERS = check.rows {
  page = { type = "number" }, page_size = { type = "number" }, search = { type = "string" },
  is_active = { type = "boolean" }, project_id = { type = "string" },
}

--- The end users of all projects, in pages. Asks nobody yet.
---@param options { page: integer?, page_size: integer?, search: string?, is_active: boolean?, project_id: string?, timeout: number?, headers: table<string, string>? }? page: the first one; page_size: 1 to 100, default 50; search: in address and name; project_id: a UUID; timeout: seconds for each page, or for all()
---@return devkit4ai.Pages of devkit4ai.User
function Client:users(options)
  return require("devkit4ai.pages").of_records(self, "list_all_users", "client:users", USERS, options)
end

--- Orders a picture in the project of the option project_id, with its key; see project:generate.
---@param options table as project:generate's
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
function Client:generate(options)
  return generations().generate(self, "client", "client:generate", options)
end

--- Orders a picture without an account: free, and few a day for each address. Sent at most once; an order whose outcome is
--- unknown can't be found again.
---@param options table as project:generate's
---@return devkit4ai.Generation? gen it can't be published, and is not deleted by you
---@return string? message
---@return devkit4ai.Error? err kind `rate_limited`: the day's pictures are used up
function Client:generate_anonymous(options)
  return generations().generate_anonymous(self, options)
end

local HANDLE = { anonymous = { type = "boolean" } }

--- A handle on a generation of the option project_id's project; asks nobody.
---@param id string
---@param options { anonymous: boolean? }? anonymous: it was ordered by generate_anonymous
---@return devkit4ai.Generation
function Client:generation(id, options)
  check.value("client:generation: id", { type = "string", required = true }, id)
  local given = check.arguments("client:generation", HANDLE, options)
  if given.anonymous then return generations().anonymous(self, id) end
  return generations().of_id(self, "client", id)
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

local PARTS = {
  database = "get_health_database", storage = "get_health_storage", redis = "get_health_redis",
  detailed = "get_health_detailed", simple = "get_health_simple",
}

--- How the API fares. Needs no login. Safe to repeat.
---@param part string? "database", "storage", "redis", "detailed", or "simple", which old callers know; default: all in short
---@param options devkit4ai.Own?
---@return devkit4ai.Health?
---@return string? message
---@return devkit4ai.Error? err
function Client:health(part, options)
  if part ~= nil and not PARTS[part] then
    errors.raise("client:health: part must be database, storage, redis, detailed or simple")
  end
  return call.run(self, part and PARTS[part] or "get_health", nil, check.own("client:health", options))
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
