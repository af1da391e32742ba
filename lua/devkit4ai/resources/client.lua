--- A client: one account, one role, one address.
local call = require "devkit4ai.request.call"
local config = require "devkit4ai.config"
local validate = require "devkit4ai.util.validate"
local errors = require "devkit4ai.util.errors"
local object = require "devkit4ai.util.object"
local waits = require "devkit4ai.loop.waits"
local context = require "devkit4ai.request.context"
local host = require "devkit4ai.loop.host"
local lazy = require "devkit4ai.util.lazy"
local operations = require "devkit4ai.api.operations"
local project_context = lazy.module "devkit4ai.request.context.project"
local refresh = lazy.module "devkit4ai.auth.refresh"
local session = lazy.module "devkit4ai.auth.session"

---@class devkit4ai.Client: devkit4ai.Scope
---@field base_url string the API's address
---@field role string "developer", "end_user", "platform_operator"
---@field payments devkit4ai.Payments subscriptions and payments
---@field private _in_flight devkit4ai.InFlight? set by generation/in_flight
---@field private _answered_ids devkit4ai.AnsweredIds? set by generation/answered_ids
---@field private _paces table<string, devkit4ai.RequestPace>? by operation; set by generation/pacing/account_pace
local Client = {}
Client.__name = "devkit4ai.Client"

Client.__lazy = { payments = function(record) return require("devkit4ai.resources.payments").new(record) end }

function Client:__tostring()
  return ("devkit4ai.Client of %s (%s)"):format(self.base_url, self.role)
end

local M = {}

-- Loaded at their first use: they are a third of the code that a client loads, and many scripts need none of it.
local function project_module() return require "devkit4ai.resources.project" end
local function generation_module() return require "devkit4ai.resources.generation" end
local function create_module() return require "devkit4ai.generation.create" end
local function key_module() return require "devkit4ai.resources.key" end

--- Loads what calls load at their first use. Where the loop also serves others, or draws frames, no call may hold it up to
--- read modules: that takes milliseconds, and descriptors that may be gone when a call fails.
function M.load_modules()
  project_module()
  generation_module()
  create_module()
  key_module()
  require "devkit4ai.auth.stored_session"
  require "devkit4ai.loop.group"
  require "devkit4ai.request.headers"
  require "devkit4ai.resources.key_rotation"
  require "devkit4ai.resources.payments"
  require "devkit4ai.resources.raw_request"
  require "devkit4ai.resources.stripe"
  operations.all()
  lazy.load_all()
end

--- devkit4ai.new.
---@param options devkit4ai.Options?
---@return devkit4ai.Client?
---@return string? message
---@return devkit4ai.Error? err
function M.new(options)
  local record, message, err = context.of_client(options)
  if not record then return nil, message, err end
  if not host.blocks then M.load_modules() end
  return object.new(Client, { base_url = record.base_url, role = record.role }, record)
end

local function project_of(client, fields)
  local record, message, err = project_context.of_project(client._client, fields.id)
  if not record then return nil, message, err end
  return project_module().new(fields, record)
end

local REGISTER = validate.schema {
  email = { type = "string", required = true }, password = { type = "string", required = true },
  full_name = { type = "string" },
}

--- Registers a developer, which needs an operator key. A client with the role end_user registers an end user of the project,
--- which needs the project's id and a developer key, and no operator key. The API shows the keys once: store them. The client
--- adopts the keys and tokens that it does not hold yet. If the response has no tokens, log in. A second call may fail
--- because the account exists.
--- ```lua
--- local operator = assert(devkit4ai.new { base_url = sandbox.url, operator_key = sandbox.operator_key })
--- local account = assert(operator:register { email = "ann@example.com", password = "SecurePass123" })
--- print(account.email, account.developer_key) --> ann@example.com ak_...
--- ```
---@param options { email: string, password: string, full_name: string?, timeout: number?, headers: table<string, string>? } password: at least 8 characters, with upper case, lower case and a digit
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Account? account with developer_key, project_id and project_key
---@return string? message
---@return devkit4ai.Error? err
function Client:register(options, call_options)
  local given = validate.arguments("client:register", REGISTER, options, call_options)
  local account, message, err = call.run(self, "register", given, validate.extra_fields(given))
  if not account then return nil, message, err end
  return project_context.adopt(self._client, account)
end

--- Logs in. The client keeps and refreshes the tokens; it does not keep the password. A second call logs in again.
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
  local extra = validate.call_options("client:login", options)
  if not self._closed and not email:find("@", 1, true) then
    return errors.refuse("invalid", ("the email must have an @; %s has none. Are email and password swapped? "
      .. "Nothing was sent"):format(validate.describe(email)), "login", "client:login")
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

--- Refreshes the tokens now. The client does so by itself five minutes before the access token expires (after half its
--- lifetime, if that is below ten minutes), and once after a 401. A second call refreshes them again; during a refresh, it
--- waits for that one.
--- ```lua
--- print(assert(client:refresh_token()):me().email) --> dev@example.com
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Client? client itself
---@return string? message
---@return devkit4ai.Error? err
function Client:refresh_token(options)
  local extra = validate.call_options("client:refresh_token", options)
  local total = extra and extra.total
  if total and not validate.is_valid_timeout(total) then
    return errors.refuse("config", "client:refresh_token: " .. validate.TIMEOUT_MESSAGE, "refresh_token")
  end
  local done, message, err = refresh.refresh(self._client, total)
  if not done then return nil, message, err end
  return self
end

--- The tokens in plain text, for a program that stores an end user's session: `project:end_user(tokens)` continues it. Store
--- them where nobody else can read them. A refresh replaces them: read them after the last call of a session. Sends no
--- request.
--- ```lua
--- local tokens = assert(user:tokens())
--- local later = assert(project:end_user(tokens)) -- in another run of the program
--- print(later:me().email) --> guest@example.com
--- ```
---@return { access_token: string?, refresh_token: string? }? tokens of the client
---@return string? message
---@return devkit4ai.Error? err kind `config`: the client has none; kind `file`: the store can't be read
function Client:tokens()
  return session.tokens(self._client)
end

--- Deletes the tokens, also in the store. Sends no request, because the server keeps no session. A second call does nothing.
--- ```lua
--- assert(client:logout())
--- print(select(2, client:me())) --> client:me: the access_token is missing: call client:login first...
--- ```
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err kind `file`: the client deleted its tokens, but not those in the store
function Client:logout()
  return session.logout(self._client)
end

--- The account that is logged in. Safe to repeat.
--- ```lua
--- print(client:me().email, client:me { timeout = 5 }.role) --> dev@example.com developer
--- ```
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Account?
---@return string? message
---@return devkit4ai.Error? err
function Client:me(options)
  return call.run(self, "get_me", nil, options ~= nil and validate.call_options("client:me", options))
end

--- Requests an email with a token that verifies the account's address. The token is valid for 24 hours. Needs no login. A
--- second call sends another email.
--- ```lua
--- assert(client:request_verification(client:me().id))
--- ```
---@param user_id string a UUID: account.id
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Client? client itself
---@return string? message
---@return devkit4ai.Error? err kind `invalid`: the id is not a UUID
function Client:request_verification(user_id, options)
  validate.value("client:request_verification: user_id", { type = "string", required = true }, user_id)
  local extra = validate.call_options("client:request_verification", options)
  local done, message, err = call.run(self, "request_verification", { user_id = user_id }, extra)
  if not done then return nil, message, err end
  return self
end

local VERIFY = validate.schema {
  user_id = { type = "string", required = true }, verification_token = { type = "string", required = true },
}

--- Verifies an account's address with the token of the email. Needs no login. A token is valid once.
--- ```lua
--- local id = client:me().id
--- assert(client:request_verification(id))
--- assert(client:verify_email { user_id = id, verification_token = sandbox:verification_token(id) })
--- ```
---@param options { user_id: string, verification_token: string, timeout: number?, headers: table<string, string>? } user_id: a UUID, account.id
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Client? client itself
---@return string? message
---@return devkit4ai.Error? err kind `invalid`: the token was used, has expired, or belongs to another account
function Client:verify_email(options, call_options)
  local given = validate.arguments("client:verify_email", VERIFY, options, call_options)
  local done, message, err = call.run(self, "verify_email", given, validate.extra_fields(given))
  if not done then return nil, message, err end
  return self
end

--- Creates a developer key; an account can have ten. The API shows it once, in `key.key`. The client continues with the key
--- that it has. A second call creates another key.
--- ```lua
--- local key = assert(client:new_developer_key "laptop")
--- print(key.name, key.key) --> laptop ak_...
--- ```
---@param name string? shown in lists
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Key?
---@return string? message
---@return devkit4ai.Error? err
function Client:new_developer_key(name, options)
  name, options = validate.optional_text(name, options)
  validate.value("client:new_developer_key: name", { type = "string" }, name)
  local extra = validate.call_options("client:new_developer_key", options)
  local fields, message, err = call.run(self, "create_developer_key", { name = name }, extra)
  if not fields then return nil, message, err end
  return key_module().new(fields, self, "developer")
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
  return key_module().list(self, "developer", "client:developer_keys", options)
end

--- Creates a developer key, uses it from now on, and revokes the old one with it. Other programs that use the old key need
--- the new one. `keep` stores the new key before the old one is revoked, so a valid key is stored at every moment, even if
--- the program is killed. If the old key can't be identified, no key is created. If the rotation fails later, the new key is
--- in `err.key`. A second call rotates again.
--- ```lua
--- local stored
--- local function keep(new) stored = new.key return true end -- where the next program finds it
--- print(assert(client:rotate_developer_key("2027", { keep = keep })).key == stored) --> true
--- ```
---@param name string? of the new key
---@param options { keep: (fun(key: devkit4ai.Key): any, any)?, timeout: number?, headers: table<string, string>? }? keep: called with the new key before the old one is revoked; if it raises, or returns nil or false, the old key is not revoked; timeout: for all steps together
---@return devkit4ai.Key? key the new one
---@return string? message
---@return devkit4ai.Error? err kind `conflict`: two keys begin like the one in use, or none does; err.key: the new key, if it was created and the rotation is not complete
---@see list_developer_keys
---@see create_developer_key
---@see revoke_developer_key
function Client:rotate_developer_key(name, options)
  return require("devkit4ai.resources.key_rotation").rotate(self, "developer", name, options, function(text)
    self._secrets:set("developer_key", text)
  end)
end

local NEW_PROJECT = validate.schema {
  name = { type = "string", required = true }, description = { type = "string" },
}

--- Creates a project. A second call creates another one.
--- ```lua
--- local project = assert(client:new_project { name = "Neon", description = "signs at night" })
--- print(project.name, project.id) --> Neon ...
--- ```
---@param options { name: string, description: string?, timeout: number?, headers: table<string, string>? } name: 1 to 255 characters; description: at most 1,000
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Project?
---@return string? message
---@return devkit4ai.Error? err
function Client:new_project(options, call_options)
  options = validate.arguments("client:new_project", NEW_PROJECT, options, call_options)
  local fields, message, err = call.run(self, "create_project", options, validate.extra_fields(options))
  if not fields then return nil, message, err end
  fields.name = fields.name or options.name -- wire.md D27: the response may have the id alone
  fields.description = fields.description or options.description
  return project_of(self, fields)
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
  local list, message, err = call.run(self, "list_projects", nil, validate.call_options("client:projects", options))
  if not list then return nil, message, err end
  for i, fields in ipairs(list) do list[i] = project_of(self, fields) end
  return list
end

--- A handle on an existing project. Sends no request.
--- ```lua
--- local project = assert(client:project "550e8400-e29b-41d4-a716-446655440000")
--- print(project.id, project.name) --> 550e8400-e29b-41d4-a716-446655440000 nil
--- ```
---@param id string? default: the option project_id, or else the project that register created
---@return devkit4ai.Project?
---@return string? message
---@return devkit4ai.Error? err kind `invalid`: it is not a UUID
function Client:project(id)
  id = id or self._project_id
  if id == nil then errors.raise("client:project: " .. config.missing_advice "project_id") end
  validate.value("client:project: id", { type = "string" }, id)
  local checked, message, err = context.check_id(id)
  if not checked then return nil, message, err end
  return project_of(self, { id = id })
end

local STATS = validate.schema {
  search = { type = "string" }, is_active = { type = "boolean" }, project_id = { type = "string" },
}

--- How many projects, users and API keys the account has. Safe to repeat.
--- ```lua
--- print(client:stats().projects.total) --> 1
--- ```
---@param options { search: string?, is_active: boolean?, project_id: string?, timeout: number?, headers: table<string, string>? }? filters; project_id: a UUID
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Stats?
---@return string? message
---@return devkit4ai.Error? err
function Client:stats(options, call_options)
  options = validate.arguments("client:stats", STATS, options, call_options)
  return call.run(self, "get_global_stats", options, validate.extra_fields(options))
end

local USERS = validate.schema {
  page = { type = "number" }, page_size = { type = "number" }, search = { type = "string" },
  is_active = { type = "boolean" }, project_id = { type = "string" },
}

--- The end users of all projects, in pages. Sends no request yet.
--- ```lua
--- print(user.role, client:users { search = "guest" }:next().email) --> end_user guest@example.com
--- ```
---@param options { page: integer?, page_size: integer?, search: string?, is_active: boolean?, project_id: string?, timeout: number?, headers: table<string, string>? }? page: the first one; page_size: 1 to 100, default 50; search: in address and name; project_id: a UUID; timeout: seconds for each page, or for all()
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.User
function Client:users(options, call_options)
  local pages = require "devkit4ai.resources.pages"
  return pages.of_records(self, "list_all_users", "client:users", USERS, options, call_options)
end

--- Creates a generation in the project of the option project_id, with its key; see project:generate.
--- ```lua
--- local gen = assert(client:generate { images = { "a.png" }, instructions = { prompt = "neon", style = "noir" } })
--- print(gen.status) --> pending
--- ```
---@param options devkit4ai.GenerateOptions
---@param call_options (devkit4ai.Uploading|number)? options of every call; a number is the timeout
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err
---@see create_generation
function Client:generate(options, call_options)
  return create_module().run(self, "create_generation", "client:generate", options, call_options)
end

--- Creates a generation without an account and without keys. The server allows a few each day. Sent at most once. After an
--- unknown outcome, the generation can't be found.
--- ```lua
--- local gen = assert(client:generate_anonymous { images = { "a.png" }, prompt = "neon" })
--- print(gen:wait().status) --> completed
--- ```
---@param options devkit4ai.GenerateOptions
---@param call_options (devkit4ai.Uploading|number)? options of every call; a number is the timeout
---@return devkit4ai.Generation? gen it can't be published or deleted
---@return string? message
---@return devkit4ai.Error? err kind `rate_limited`: the limit of the day is reached
function Client:generate_anonymous(options, call_options)
  local call_name = "client:generate_anonymous"
  return create_module().run(self, "create_anonymous_generation", call_name, options, call_options)
end

local HANDLE = { anonymous = { type = "boolean" } }

--- A handle on a generation in the project of the option project_id. Sends no request.
--- ```lua
--- print(client:generation(gen.id):refresh().status) --> completed
--- ```
---@param id string a UUID: gen.id
---@param options { anonymous: boolean? }? anonymous: generate_anonymous created it
---@return devkit4ai.Generation gen
function Client:generation(id, options)
  validate.value("client:generation: id", { type = "string", required = true }, id)
  options = validate.arguments("client:generation", HANDLE, options)
  if options.anonymous then return generation_module().new_anonymous(self, id) end
  return generation_module().new(self, id)
end

--- The generations of the logged-in account, in pages. Sends no request yet: the first page reports a bad option.
--- ```lua
--- print(gen.id == client:generations { per_page = 50 }:next().id) --> true
--- ```
---@param options { page: integer?, per_page: integer?, timeout: number?, headers: table<string, string>? }? page: the first one; per_page: 1 to 100, default 20; timeout: seconds for each page, or for all()
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.Generation
function Client:generations(options, call_options)
  return generation_module().list(self, "list_generations", "client:generations", options, call_options)
end

--- The published generations of all accounts. Needs no account.
--- ```lua
--- assert(gen:publish())
--- print(client:public_generations():next().is_public) --> true
--- ```
---@param options { page: integer?, per_page: integer?, timeout: number?, headers: table<string, string>? }? page: the first one; per_page: 1 to 100, default 20; timeout: seconds for each page, or for all()
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Pages pages of devkit4ai.Generation
function Client:public_generations(options, call_options)
  return generation_module().list(self, "list_public_generations", "client:public_generations", options, call_options)
end

--- The one generation that was created with these instructions, for use after an unknown outcome. Outer spaces of the prompt,
--- the order of fields and the formatting of the JSON make no difference. Safe to repeat.
--- ```lua
--- print(gen.id == client:find_generation { instructions = "neon", since = os.time() - 60 }.id) --> true
--- ```
---@param options { instructions: table|string, since: number?, timeout: number?, headers: table<string, string>? } instructions: as you gave them to generate; since: the server's Unix time of the request, as in the line of a message; the 60 s before it count as well; without it, all generations are compared
---@param call_options (devkit4ai.Own|number)? options of every call; a number is the timeout
---@return devkit4ai.Generation?
---@return string? message
---@return devkit4ai.Error? err kind `not_found`: it may still appear for some seconds; kind `conflict`: several match, or the list does not prove that it does not exist; the message names them: compare them before you generate again
---@see list_generations
function Client:find_generation(options, call_options)
  return generation_module().find(self, "client:find_generation", options, call_options)
end

local PARTS = {
  database = "get_health_database", storage = "get_health_storage", redis = "get_health_redis",
  detailed = "get_health_detailed", simple = "get_health_simple",
}

--- Many pictures: one file and one payment for each job, whatever happens in between. Each step is in a journal beside the
--- results before it is taken. A run that ended early is continued by the same call. All jobs are checked here; nothing is sent
--- before batch:run.
--- ```lua
--- local batch = assert(client:batch {
---   jobs = { { image = "a.png", city = "Oslo" }, { image = "b.png", city = "Rome" } },
---   prompt = "{row.city} at night", name = "{row.city}.png", out = "results",
--- })
--- local summary = assert(batch:run())
--- print(summary.done, #summary.undecided) --> 2 0
--- ```
---@param options devkit4ai.BatchOptions
---@return devkit4ai.Batch? batch
---@return string? message
---@return devkit4ai.Error? err kind `invalid`: a job can't be used; kind `conflict`: the jobs do not fit the journal or the files in the folder; kind `file`: the journal can't be used, for example because another process runs the batch; kind `config`: in nginx and in games, run the command `devkit4ai batch`
function Client:batch(options)
  return require("devkit4ai.batch").new(self, options)
end

--- Puts jobs on a queue in Redis, from which workers on many machines take them (client:work_batch). All jobs are checked
--- first. Jobs that are there already stay as they are, so a push that failed can be repeated.
--- ```lua
--- local jobs = { { image = "a.png", prompt = "a lighthouse" } }
--- print(assert(client:push_batch { queue = queue_url, jobs = jobs }).added) --> 1
--- ```
---@param options devkit4ai.PushBatchOptions
---@return { total: integer, added: integer, estimate: { to_send: integer, at_once: integer, seconds: number } }? pushed estimate: of all jobs of the queue that are to be sent
---@return string? message
---@return devkit4ai.Error? err kind `invalid`: a job can't be used; kind `conflict`: a job is there with other content; kind `config`, `network`, `auth`, `server`: of Redis
function Client:push_batch(options)
  return require("devkit4ai.batch.queue.push").run(self, options)
end

--- Takes jobs from a queue in Redis and runs them: one payment for each job, also when several workers get it. Returns when all
--- jobs of the queue are done. It blocks its process while it waits for Redis, so run it in one of its own.
--- ```lua
--- assert(client:push_batch { queue = queue_url, jobs = { { image = "a.png", prompt = "a lighthouse" } } })
--- print(assert(client:work_batch { queue = queue_url, out = "results" }).saved) --> 1
--- ```
---@param options devkit4ai.WorkBatchOptions
---@return { saved: integer, failed: integer, undecided: integer, continue_after: number? }? summary of this worker; continue_after: a quota ended it, and these are the seconds until it ends
---@return string? message
---@return devkit4ai.Error? err kind `not_found`: there is no such queue; kind `config`, `network`, `auth`, `server`: of Redis; or the failure that every job would have, such as a wrong key
function Client:work_batch(options)
  return require("devkit4ai.batch.queue.work").run(self, options)
end

--- The health of the API. Needs no login. Safe to repeat.
--- ```lua
--- print(client:health().status, client:health("redis").status) --> healthy healthy
--- ```
---@param part string? "database", "storage", "redis", "detailed", or "simple" (an older form); default: a summary of all
---@param options (devkit4ai.Own|number)?
---@return devkit4ai.Health?
---@return string? message
---@return devkit4ai.Error? err
function Client:health(part, options)
  part, options = validate.optional_text(part, options)
  if part ~= nil and not PARTS[part] then
    errors.raise("client:health: part must be database, storage, redis, detailed or simple")
  end
  return call.run(self, part and PARTS[part] or "get_health", nil, validate.call_options("client:health", options))
end

--- Sends any request to the API, for operations that have no method here. Returns the complete response for every status;
--- nil if no response arrived. It is retried by the rules of the operation that matches, or else of its HTTP method.
--- ```lua
--- local response = assert(client:request { method = "GET", path = "/api/v1/auth/me" })
--- print(response.status, response.json.email) --> 200 dev@example.com
--- ```
---@param options { method: string, path: string, query: table?, json: table?, form: table?, role: string?, timeout: number?, headers: table<string, string>?, on_upload: (fun(sent: integer, total: integer))? } path: begins with /; query: values by name; json: a table, the body; form: values by name, of which one may be a list of 1 to 5 images, with at most 4 other values; role: whose headers are sent, default the client's; on_upload: called with numbers of bytes, every 0.1 s during the upload and at its end
---@param call_options (devkit4ai.Uploading|number)? options of every call; a number is the timeout
---@return devkit4ai.Response?
---@return string? message
---@return devkit4ai.Error? err
function Client:request(options, call_options)
  return require("devkit4ai.resources.raw_request").run(self, options, call_options)
end

--- Closes the client: cancels its requests in flight and wipes its secrets. Each later call that would send a request
--- raises. A second call does nothing. On Lua 5.4, `local client <close>` closes it at the end of the block.
--- ```lua
--- client:close()
--- print(pcall(client.me, client)) --> false ...the client is closed
--- ```
function Client:close()
  context.close(self._client)
end

Client.__close = Client.close

return M
