-- Search for leaked secrets: runs every operation of a client whose secrets contain a mark, in a child process, against a
-- server that echoes requests. It looks for the mark in all returned values, and prints each finding; the spec itself
-- searches files and logs.
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local wire = require "spec.support.calls.wire"

require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 0 end
require("devkit4ai.generation.pacing.request_pacing").reserve = function(_, now) return now end

local M = {}

-- The start of each secret, so that a part is found as well; and "user:MARK" in Base64.
M.MARKS = { "MARK", "dXNlcjpNQVJL" }
local ID = wire.sample.project_id

local function is_ours(fn)
  return debug.getinfo(fn, "S").source:find("lua/devkit4ai/", 1, true) ~= nil
end

local function has_mark(text)
  for _, mark in ipairs(M.MARKS) do
    if text:find(mark, 1, true) then return true end
  end
  return false
end

local find_mark

local function find_in_function(fn, where, seen)
  for i = 1, 60 do
    local name, upvalue = debug.getupvalue(fn, i)
    if not name then return nil end
    local found = upvalue ~= _G and find_mark(upvalue, where .. "^" .. name, seen)
    if found then return found end
  end
end

local function find_in_table(value, where, seen)
  for key, item in next, value do
    local name = type(key) == "string" and not has_mark(key) and key or type(key)
    local found = find_mark(key, where .. "[key]", seen) or find_mark(item, where .. "." .. name, seen)
    if found then return found end
  end
end

-- The place of the mark in a value, its fields, metatable and the upvalues of our functions, at any depth; nil: not found.
function find_mark(value, where, seen)
  local kind = type(value)
  if kind == "string" then return has_mark(value) and where or nil end
  if kind ~= "table" and kind ~= "userdata" and kind ~= "function" or seen[value] then return nil end
  seen[value] = true
  if has_mark(tostring(value)) then return where .. ":tostring" end
  if kind == "function" then return is_ours(value) and find_in_function(value, where, seen) or nil end
  local found = kind == "table" and find_in_table(value, where, seen)
  return found or find_mark(debug.getmetatable(value), where .. "<meta>", seen)
end

-- where: the call; ...: its return values
function M.look(where, ...)
  for i = 1, select("#", ...) do
    local found = find_mark((select(i, ...)), where .. " " .. i, { [package.loaded] = true })
    if found then print("found in " .. found) end
  end
end

local look = M.look

local IMAGE = { data = wire.image.png, filename = "a.png" }
local OWN = { headers = { ["X-Call"] = "MARK-the-secret-call-header" } }

-- The six Stripe keys, each with its own mark.
local function stripe_keys()
  local keys = {}
  for _, mode in ipairs { "test", "live" } do
    for _, name in ipairs { "secret_key", "publishable_key", "webhook_secret" } do
      keys[mode .. "_" .. name] = ("MARK-the-secret-%s-%s"):format(mode, name)
    end
  end
  return keys
end

-- Removes values that are returned on purpose.
local function without(fields, value, ...)
  for _, name in ipairs(type(value) == "table" and fields or {}) do value[name] = nil end
  return value, ...
end

-- Calls for each way of sending secrets and reading responses. origin: of the images
M.CALLS = {
  { "register", function(client)
    return without({ "developer_key", "project_key" },
      client:register { email = "dev@example.com", password = "MARK-the-secret-pass\"w/ö\\rd" })
  end },
  { "login", function(client) return client:login("dev@example.com", "MARK-the-secret-pass\"w/ö\\rd", OWN) end },
  { "me", function(client) return without({ "developer_key", "project_key" }, client:me(OWN)) end },
  { "refresh_token", function(client) return client:refresh_token() end },
  { "projects", function(client) return client:projects() end },
  { "new_project", function(client) return client:new_project { name = "neon" } end },
  { "new_key", function(client) return without({ "key" }, client:project(ID):new_key("neon")) end },
  { "keys", function(client) return client:project(ID):keys() end },
  { "verify_email", function(client)
    local token = "MARK-the-secret-ver\"ification"
    return client:verify_email { user_id = ID, verification_token = token, headers = OWN.headers }
  end },
  { "new_developer_key", function(client) return without({ "key" }, client:new_developer_key("neon", OWN)) end },
  { "generate_anonymous", function(client)
    return client:generate_anonymous { images = { IMAGE }, prompt = "neon MARK-the-secret-developer" }
  end },
  { "health", function(client) return client:health "storage" end },
  { "stripe:update_config", function(client) return client:project().stripe:update_config(stripe_keys()) end },
  { "stripe:validate", function(client)
    return client:project().stripe:validate { secret_key = "MARK-the-secret-stripe/k\\ey", headers = OWN.headers }
  end },
  { "payments:checkout", function(client)
    return client.payments:checkout { price_id = "price_1", success_url = "https://example.com/paid",
      cancel_url = "https://example.com/back", metadata = { note = "MARK-the-secret-access" } }
  end },
  { "generate", function(client)
    return client:generate { images = { IMAGE }, prompt = "neon MARK-the-secret-access" }
  end },
  { "refresh", function(client) return client:generation(ID):refresh() end },
  { "wait", function(client) return client:generation(ID):wait { timeout = 0.05, interval = 0.01 } end },
  { "generations", function(client) return client:generations():page(1) end },
  { "public_generations", function(client) return client:public_generations():next() end },
  { "find_generation", function(client) return client:find_generation { instructions = "neon" } end },
  { "bytes", function(client, origin)
    local gen = client:generation(ID)
    gen.image_url = origin .. "/picture.png"
    return gen:bytes()
  end },
  { "request", function(client)
    local _, message, err = client:request { method = "POST", path = "/api/v1/anything", json = { a = 1 } }
    return nil, message, err -- the response is returned completely
  end },
  { "end_user", function(client)
    local email, password = "guest@example.com", "MARK-the-secret-guest-password"
    local guest = assert(client:project(ID):end_user {
      access_token = "MARK-the-secret-guest", refresh_token = "MARK-the-secret-guest-next",
    })
    look("end_user register", without({ "developer_key", "project_key" },
      guest:register { email = email, password = password }))
    look("end_user login", guest:login(email, password))
    return without({ "developer_key", "project_key" }, guest:me())
  end },
  { "project with a key for an id", function(client) return client:project "MARK-the-secret-project" end },
  { "generation with a key for an id", function(client)
    local _, message, err = client:generation("MARK-the-secret-project"):refresh()
    err.generation_id = nil -- the text of the program
    return nil, message, err
  end },
}

--- Options with marked secrets.
function M.options(url, more)
  local options = {
    base_url = url, developer_key = "MARK-the-secret-developer", project_id = ID,
    project_key = "MARK-the-secret-project", operator_key = "MARK-the-secret-operator",
    access_token = "MARK-the-secret-access",
    refresh_token = "MARK-the-secret-refresh", headers = { ["X-Own"] = "MARK-the-secret-own-header" },
    retry = { attempts = 2 }, timeout = { idle = 10, total = 20 },
  }
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

-- A task that fails and is not joined.
local function fail_in_task(client)
  local over = false
  devkit4ai.spawn(function()
    client:me()
    over = true
    error "it failed with MARK-the-secret-access and MARK-the-secret-developer"
  end)
  repeat devkit4ai.spawn(function() client:me() end):join() until over
  local ok, why = pcall(function()
    devkit4ai.spawn(function()
      client:me()
      error("it failed with MARK-the-secret-access")
    end):join()
  end)
  look("task:join", ok, why)
  for _ = 1, 3 do collectgarbage() end
end

-- A task that is cancelled during a call, and calls that run when their client is closed.
local function cancel(client)
  local task = devkit4ai.spawn(function() return client:generation(ID):wait() end)
  devkit4ai.spawn(function() client:me() end):join()
  look("a cancelled task", task, task:cancel():join())
  local other = devkit4ai.spawn(function() return client:login("dev@example.com", "MARK-the-secret-password") end)
  devkit4ai.update()
  client:close()
  look("a closed client's", other, other:join())
end

--- Makes all calls with a client, and checks all return values.
---@param url string
---@param origin string of the images
---@param more table? options
function M.run(url, origin, more)
  local events = {}
  local function on_event(event)
    events[#events + 1] = event
    if #events % 7 == 0 then error("on_event failed with MARK-the-secret-developer") end
  end
  for _, call in ipairs(M.CALLS) do
    local options = M.options(url, more)
    options.on_event = on_event
    local client = assert(devkit4ai.new(options))
    look(call[1], call[2](client, origin))
    look(call[1] .. "'s client", client)
    client:close()
    client = assert(devkit4ai.new(M.options(url, more))) -- only the log gets events
    look(call[1], call[2](client, origin))
    client:close()
  end
  local client = assert(devkit4ai.new(M.options(url, more)))
  fail_in_task(client)
  look("logout", client:logout())
  look("the client", client)
  client:close()
  cancel(assert(devkit4ai.new(M.options(url, more))))
  look("the events", events)
  look("the library", devkit4ai)
  print(#events > 0 and "all was looked at" or "no event came")
end

return M
