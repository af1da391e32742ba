--- A client: one account, one role, one address.
local call = require "devkit4ai.request.call"
local validate = require "devkit4ai.util.validate"
local errors = require "devkit4ai.util.errors"
local object = require "devkit4ai.util.object"
local waits = require "devkit4ai.loop.waits"
local context = require "devkit4ai.request.context"
local session = require "devkit4ai.auth.session"

---@class devkit4ai.Client: devkit4ai.Scope
---@field base_url string the API's address
---@field role string "developer", "end_user", "platform_operator"
---@field payments devkit4ai.Payments subscriptions and payments
local Client = {}
Client.__name = "devkit4ai.Client"

function Client:__tostring()
  return ("devkit4ai.Client of %s (%s)"):format(self.base_url, self.role)
end

local M = {}

-- Loaded when the first one is made: a third of what a client loads, and a script that asks who it is needs none of it.
local function projects() return require "devkit4ai.resources.project" end
local function generations() return require "devkit4ai.resources.generation" end
local function keys() return require "devkit4ai.resources.key" end

--- devkit4ai.new; see there.
function M.new(options)
  local record, message, err = context.of_client(options)
  if not record then return nil, message, err end
  record.payments = context.payments(record)
  return object.new(Client, { base_url = record.base_url, role = record.role }, record)
end

local function project_of(client, fields)
  local record, message, err = context.of_project(client._client, fields.id)
  if not record then return nil, message, err end
  return projects().new(fields, record)
end

local REGISTER = validate.rows {
  email = { type = "string", required = true }, password = { type = "string", required = true },
  full_name = { type = "string" },
}

--- Registers a developer, which needs an operator key; with the role end_user an end user of the project, which needs the
--- project's id and a developer key, and no operator key. The keys in the answer are shown once: keep them. The client takes those keys and tokens that it
--- does not hold yet; where no tokens came, log in. A repeat may find the account there already.
--- ```lua
--- local operator = assert(devkit4ai.new { base_url = sandbox.url, operator_key = sandbox.operator_key })
--- local account = assert(operator:register { email = "ann@example.com", password = "SecurePass123" })
--- print(account.email, account.developer_key) --> ann@example.com ak_...
--- ```
---@param options { email: string, password: string, full_name: string?, timeout: number?, headers: table<string, string>? } password: at least 8 characters, with upper case, lower case and a digit
---@param own (devkit4ai.Own|number)? what every call takes; a number is the timeout
---@return devkit4ai.Account? account with developer_key, project_id and project_key
---@return string? message
---@return devkit4ai.Error? err
function Client:register(options, own)
  local given = validate.arguments("client:register", REGISTER, options, own)
  local account, message, err = call.run(self, "register", given, validate.extra(given))
  if not account then return nil, message, err end
  return context.adopt(self._client, account)
end

--- Logs in; the tokens are kept and renewed by the client, the password is not kept. A repeat logs in anew.
--- ```lua
--- assert(client:login("dev@example.com", "SecurePass123"))
--- print(client:me().email) --> dev@example.com
--- ```
---@param email string of the account
---@param password string of the account
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Client? client itself
---@return string? message
---@return devkit4ai.Error? err kind `file`: the store can't keep the session, and nothing was sent
function Client:login(email, password, options)
  validate.value("client:login: email", { type = "string", required = true }, email)
  validate.value("client:login: password", { type = "string", required = true }, password)
  local extra = validate.own("client:login", options)
  if not self._closed and not email:find("@", 1, true) then
    return errors.refuse("invalid", ("client:login: the email must have an @; %s has none. Are email and password "
      .. "swapped? Nothing was sent"):format(validate.kind(email)), "login")
  end
  local seconds, started = extra and extra.total, waits.now()
  local fine, message, err = session.check_store(self._client, "client:login", "login")
  if not fine then return nil, message, err end
  local tokens
  tokens, message, err = call.run(self, "login", { email = email, password = password }, extra)
  if not tokens then return nil, message, err end
  local accepted
  local left = seconds and seconds - (waits.now() - started)
  accepted, message, err = session.accept(self._client, tokens, "login", email, left)
  if not accepted then return nil, message, err end
  return self
end

--- Renews the tokens now. The client does it by itself five minutes before the access token ends (at half its life, if it
--- lives less than ten minutes), and once when the server answers 401. A repeat renews them again; while one is under way, it
--- waits for that one.
--- ```lua
--- print(assert(client:refresh_token()):me().email) --> dev@example.com
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Client? client itself
---@return string? message
---@return devkit4ai.Error? err
function Client:refresh_token(options)
  local extra = validate.own("client:refresh_token", options)
  local total = extra and extra.total
  if total and not validate.is_timeout(total) then
    return errors.refuse("config", "client:refresh_token: " .. validate.TIMEOUT, "refresh_token")
  end
  local done, message, err = session.renew(self._client, call.run, total)
  if not done then return nil, message, err end
  return self
end

--- The tokens in the open, for a program that keeps an end user's session: `project:end_user(tokens)` continues it. Keep them
--- where nobody else reads. The client replaces them when it renews them: read them after the last call of a session. Asks
--- nobody.
--- ```lua
--- local tokens = assert(user:tokens())
--- local later = assert(project:end_user(tokens)) -- in another run of the program
--- print(later:me().email) --> guest@example.com
--- ```
---@return { access_token: string?, refresh_token: string? }? tokens those that the client has
---@return string? message
---@return devkit4ai.Error? err kind `config`: there are none; kind `file`: the store that may have some can't be read
function Client:tokens()
  return session.tokens(self._client)
end

--- Forgets the tokens, also in the store; asks nobody, since the server keeps no session. A repeat does nothing.
--- ```lua
--- assert(client:logout())
--- print(select(2, client:me())) --> client:me: the access_token is missing: call client:login first...
--- ```
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err kind `file`: the tokens are forgotten here, but the store could not be emptied
function Client:logout()
  return session.logout(self._client)
end

--- Who is logged in. Safe to repeat.
--- ```lua
--- print(client:me().email, client:me { timeout = 5 }.role) --> dev@example.com developer
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Account?
---@return string? message
---@return devkit4ai.Error? err
function Client:me(options)
  return call.run(self, "get_me", nil, options ~= nil and validate.own("client:me", options))
end

--- Asks for a mail with a token that verifies the account's address; the token is good for 24 hours. Needs no login. A
--- repeat sends another mail.
--- ```lua
--- assert(client:request_verification(client:me().id))
--- ```
---@param user_id string a UUID: account.id
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Client? client itself
---@return string? message
---@return devkit4ai.Error? err kind `invalid`: the id is no UUID
function Client:request_verification(user_id, options)
  validate.value("client:request_verification: user_id", { type = "string", required = true }, user_id)
  local extra = validate.own("client:request_verification", options)
  local done, message, err = call.run(self, "request_verification", { user_id = user_id }, extra)
  if not done then return nil, message, err end
  return self
end

local VERIFY = validate.rows {
  user_id = { type = "string", required = true }, verification_token = { type = "string", required = true },
}

--- Verifies an account's address with the token of the mail. Needs no login. A token is good once.
--- ```lua
--- local id = client:me().id
--- assert(client:request_verification(id))
--- assert(client:verify_email { user_id = id, verification_token = sandbox:verification_token(id) })
--- ```
---@param options { user_id: string, verification_token: string, timeout: number?, headers: table<string, string>? } user_id: a UUID, account.id
---@param own (devkit4ai.Own|number)? what every call takes; a number is the timeout
---@return devkit4ai.Client? client itself
---@return string? message
---@return devkit4ai.Error? err kind `invalid`: the token is used up, too old, or another one's
function Client:verify_email(options, own)
  local given = validate.arguments("client:verify_email", VERIFY, options, own)
  local done, message, err = call.run(self, "verify_email", given, validate.extra(given))
  if not done then return nil, message, err end
  return self
end

--- Makes a developer key; an account has ten at most. It is shown once, in `key.key`; the client goes on with the one that
--- it has. A repeat makes another key.
--- ```lua
--- local key = assert(client:new_developer_key "laptop")
--- print(key.name, key.key) --> laptop ak_...
--- ```
---@param name string? what the lists call it
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Key?
---@return string? message
---@return devkit4ai.Error? err
function Client:new_developer_key(name, options)
  name, options = validate.optional_text(name, options)
  validate.value("client:new_developer_key: name", { type = "string" }, name)
  local extra = validate.own("client:new_developer_key", options)
  local made, message, err = call.run(self, "create_developer_key", { name = name }, extra)
  if not made then return nil, message, err end
  return keys().new(made, self, "developer")
end

--- The account's developer keys, without the keys themselves. Safe to repeat.
--- ```lua
--- for _, key in ipairs(assert(client:developer_keys())) do print(key.key_prefix, key.key) end --> ak_... nil
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Key[]?
---@return string? message
---@return devkit4ai.Error? err
function Client:developer_keys(options)
  local extra = validate.own("client:developer_keys", options)
  local list, message, err = call.run(self, "list_developer_keys", nil, extra)
  if not list then return nil, message, err end
  return keys().each(list, self, "developer")
end

local ROTATE = validate.rows { keep = { type = "function" } }

--- Makes a developer key, uses it from now on, and revokes the one in use with it. Other programs that use the old one need
--- the new one then. `keep` stores the new key before the old one is revoked: then a key that works is stored at each moment,
--- also if the program is killed. Where the old one can't be told from another one, nothing is made. Where the rotation fails
--- after the new key was made, it is in `err.key`. A repeat rotates again.
--- ```lua
--- local stored
--- local function keep(new) stored = new.key return true end -- where the next program finds it
--- print(assert(client:rotate_developer_key("2027", { keep = keep })).key == stored) --> true
--- ```
---@param name string? of the new key
---@param options { keep: (fun(key: devkit4ai.Key): any, any)?, timeout: number?, headers: table<string, string>? }? keep: called with the new key before the old one is revoked; if it raises, or returns nil or false, the old key is not revoked; timeout: for all steps together
---@return devkit4ai.Key? key the new one
---@return string? message
---@return devkit4ai.Error? err kind `conflict`: two keys begin like the one in use, or none does; err.key: the new key, where it was made and the rotation is not complete
---@see list_developer_keys
---@see create_developer_key
---@see revoke_developer_key
function Client:rotate_developer_key(name, options)
  name, options = validate.optional_text(name, options)
  validate.value("client:rotate_developer_key: name", { type = "string" }, name)
  options = validate.arguments("client:rotate_developer_key", ROTATE, options)
  return require("devkit4ai.auth.key_rotation").rotate(self, "developer", name, options, function(text)
    self._secrets:set("developer_key", text)
  end)
end

local NEW_PROJECT = validate.rows {
  name = { type = "string", required = true }, description = { type = "string" },
}

--- Makes a project. A repeat makes another one.
--- ```lua
--- local project = assert(client:new_project { name = "Neon", description = "signs at night" })
--- print(project.name, project.id) --> Neon ...
--- ```
---@param options { name: string, description: string?, timeout: number?, headers: table<string, string>? } name: 1 to 255 characters; description: at most 1,000
---@param own (devkit4ai.Own|number)? what every call takes; a number is the timeout
---@return devkit4ai.Project?
---@return string? message
---@return devkit4ai.Error? err
function Client:new_project(options, own)
  local given = validate.arguments("client:new_project", NEW_PROJECT, options, own)
  local made, message, err = call.run(self, "create_project", given, validate.extra(given))
  if not made then return nil, message, err end
  made.name, made.description = made.name or given.name, made.description or given.description -- wire.md D27: only the id
  return project_of(self, made)
end

--- The account's projects. Safe to repeat.
--- ```lua
--- for _, project in ipairs(assert(client:projects())) do print(project.name) end --> ...
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Project[]?
---@return string? message
---@return devkit4ai.Error? err
function Client:projects(options)
  local list, message, err = call.run(self, "list_projects", nil, validate.own("client:projects", options))
  if not list then return nil, message, err end
  for i, answer in ipairs(list) do list[i] = project_of(self, answer) end
  return list
end

--- A handle on a project that exists; asks nobody.
--- ```lua
--- local project = assert(client:project "550e8400-e29b-41d4-a716-446655440000")
--- print(project.id, project.name) --> 550e8400-e29b-41d4-a716-446655440000 nil
--- ```
---@param id string? default: the option project_id, or where that is empty the project that register brought
---@return devkit4ai.Project?
---@return string? message
---@return devkit4ai.Error? err kind `invalid`: it is no UUID
function Client:project(id)
  id = id or self._project_id
  validate.value("client:project: id", { type = "string", required = true }, id)
  local checked, message, err = context.check_id(id)
  if not checked then return nil, message, err end
  return project_of(self, { id = id })
end

local STATS = validate.rows {
  search = { type = "string" }, is_active = { type = "boolean" }, project_id = { type = "string" },
}

--- How many projects, users and API keys the account has. Safe to repeat.
--- ```lua
--- print(client:stats().projects.total) --> 1
--- ```
---@param options { search: string?, is_active: boolean?, project_id: string?, timeout: number?, headers: table<string, string>? }? what narrows the counts; project_id: a UUID
---@param own (devkit4ai.Own|number)? what every call takes; a number is the timeout
---@return devkit4ai.Stats?
---@return string? message
---@return devkit4ai.Error? err
function Client:stats(options, own)
  local given = validate.arguments("client:stats", STATS, options, own)
  return call.run(self, "get_global_stats", given, validate.extra(given))
end

local USERS = validate.rows {
  page = { type = "number" }, page_size = { type = "number" }, search = { type = "string" },
  is_active = { type = "boolean" }, project_id = { type = "string" },
}

--- The end users of all projects, in pages. Asks nobody yet.
--- ```lua
--- print(user.role, client:users { search = "guest" }:next().email) --> end_user guest@example.com
--- ```
---@param options { page: integer?, page_size: integer?, search: string?, is_active: boolean?, project_id: string?, timeout: number?, headers: table<string, string>? }? page: the first one; page_size: 1 to 100, default 50; search: in address and name; project_id: a UUID; timeout: seconds for each page, or for all()
---@param own (devkit4ai.Own|number)? what every call takes; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.User
function Client:users(options, own)
  return require("devkit4ai.resources.pages").of_records(self, "list_all_users", "client:users", USERS, options, own)
end

--- Orders a picture in the project of the option project_id, with its key; see project:generate.
--- ```lua
--- local gen = assert(client:generate { images = { "a.png" }, instructions = { prompt = "neon", style = "noir" } })
--- print(gen.status) --> pending
--- ```
---@param options devkit4ai.Order
---@param own (devkit4ai.Uploading|number)? what every call takes; a number is the timeout
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
---@see create_generation
function Client:generate(options, own)
  return generations().generate(self, self._called, "client:generate", options, own)
end

--- Orders a picture without an account and without keys. The server allows few a day. Sent at most once; an order whose
--- outcome is unknown can't be found again.
--- ```lua
--- local gen = assert(client:generate_anonymous { images = { "a.png" }, prompt = "neon" })
--- print(gen:wait().status) --> completed
--- ```
---@param options devkit4ai.Order
---@param own (devkit4ai.Uploading|number)? what every call takes; a number is the timeout
---@return devkit4ai.Generation? gen it can't be published, and is not deleted by you
---@return string? message
---@return devkit4ai.Error? err kind `rate_limited`: the day's pictures are used up
function Client:generate_anonymous(options, own)
  return generations().generate_anonymous(self, options, own)
end

local HANDLE = { anonymous = { type = "boolean" } }

--- A handle on a generation of the option project_id's project; asks nobody.
--- ```lua
--- print(client:generation(gen.id):refresh().status) --> completed
--- ```
---@param id string a UUID: gen.id
---@param options { anonymous: boolean? }? anonymous: it was ordered by generate_anonymous
---@return devkit4ai.Generation gen
function Client:generation(id, options)
  validate.value("client:generation: id", { type = "string", required = true }, id)
  local given = validate.arguments("client:generation", HANDLE, options)
  if given.anonymous then return generations().anonymous(self, id) end
  return generations().of_id(self, self._called, id)
end

--- The generations of who is logged in, in pages. Asks nobody yet: what is wrong is told by the first page that is read.
--- ```lua
--- print(gen.id == client:generations { per_page = 50 }:next().id) --> true
--- ```
---@param options { page: integer?, per_page: integer?, timeout: number?, headers: table<string, string>? }? page: the first one; per_page: 1 to 100, default 20; timeout: seconds for each page, or for all()
---@param own (devkit4ai.Own|number)? what every call takes; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.Generation
function Client:generations(options, own)
  return generations().list(self, self._called, "list_generations", "client:generations", options, own)
end

--- The generations that were published, of anyone; needs no account.
--- ```lua
--- assert(gen:publish())
--- print(client:public_generations():next().is_public) --> true
--- ```
---@param options { page: integer?, per_page: integer?, timeout: number?, headers: table<string, string>? }? page: the first one; per_page: 1 to 100, default 20; timeout: seconds for each page, or for all()
---@param own (devkit4ai.Own|number)? what every call takes; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.Generation
function Client:public_generations(options, own)
  return generations().list(self, self._called, "list_public_generations", "client:public_generations", options, own)
end

--- The one generation that was ordered with these instructions: what became of an order whose outcome is unknown. Blanks at
--- the prompt's ends, the order of fields and how the JSON is written make no difference. Safe to repeat.
--- ```lua
--- print(gen.id == client:find_generation { instructions = "neon", since = os.time() - 60 }.id) --> true
--- ```
---@param options { instructions: table|string, since: number?, timeout: number?, headers: table<string, string>? } instructions: as generate got them; since: the server's Unix time of the order, as the line in a message has it; 60 s before it count as well; without it, all generations are looked at
---@param own (devkit4ai.Own|number)? what every call takes; a number is the timeout
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err kind `not_found`: it may still appear for some seconds; kind `conflict`: several fit, or the list can't tell that there is none; the message names what it saw, and nothing may be ordered again before somebody looked
---@see list_generations
function Client:find_generation(options, own)
  return generations().find(self, self._called, "client:find_generation", options, own)
end

local PARTS = {
  database = "get_health_database", storage = "get_health_storage", redis = "get_health_redis",
  detailed = "get_health_detailed", simple = "get_health_simple",
}

--- How the API fares. Needs no login. Safe to repeat.
--- ```lua
--- print(client:health().status, client:health("redis").status) --> healthy healthy
--- ```
---@param part string? "database", "storage", "redis", "detailed", or "simple", which old callers know; default: all in short
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Health?
---@return string? message
---@return devkit4ai.Error? err
function Client:health(part, options)
  part, options = validate.optional_text(part, options)
  if part ~= nil and not PARTS[part] then
    errors.raise("client:health: part must be database, storage, redis, detailed or simple")
  end
  return call.run(self, part and PARTS[part] or "get_health", nil, validate.own("client:health", options))
end

--- Any request of the API, for what this library has no method for. The answer is the server's, whole, whatever its status;
--- nil where none came. It is repeated by the rules of the operation that fits, else of its method.
--- ```lua
--- local response = assert(client:request { method = "GET", path = "/api/v1/auth/me" })
--- print(response.status, response.json.email) --> 200 dev@example.com
--- ```
---@param options { method: string, path: string, query: table?, json: table?, form: table?, role: string?, timeout: number?, headers: table<string, string>?, on_upload: (fun(sent: integer, total: integer))? } path: from /; query: values by name; json: a table, the body; form: values by name, one of them may be a list of 1 to 5 images, with at most 4 other values; role: whose headers go out, default the client's; on_upload: bytes, every 0.1 s while they go out
---@param own (devkit4ai.Uploading|number)? what every call takes; a number is the timeout
---@return devkit4ai.Response?
---@return string? message
---@return devkit4ai.Error? err
function Client:request(options, own)
  return require("devkit4ai.request.direct").run(self, options, own)
end

--- Ends the client: what it has under way is cancelled, its secrets are wiped, and each later call that would ask the server
--- raises. Twice is once.
--- `local client <close>` does it at the end of its block, on Lua 5.4.
--- ```lua
--- client:close()
--- print(pcall(client.me, client)) --> false ...the client is closed
--- ```
function Client:close()
  context.close(self._client)
end

Client.__close = Client.close

return M
