-- Runner of the reference's examples, in a child process: each one runs with the objects that it names
-- (client, project, gen, ...) against one sandbox; payments run against a server with fixed responses. Prints a line for
-- each example with wrong output, and at the end the number of examples.
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local child = require "spec.support.process.child"
local payments = require "spec.support.servers.payments"
local redis = require "spec.support.servers.redis"
local reference = require "spec.support.docs.reference"
local wire = require "spec.support.calls.wire"

require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 0.01 end

local PASSWORD = "SecurePass123"

-- Class -> names of the fields that the examples saw.
local seen = {}

local function note(class, object)
  seen[class] = seen[class] or {}
  for name in pairs(object) do
    if type(name) == "string" and name:sub(1, 1) ~= "_" then seen[class][name] = true end
  end
end

local errors = require "devkit4ai.util.errors"
local give = errors.fail

function errors.fail(fields) -- luacheck: ignore 122
  local none, message, err = give(fields)
  note("devkit4ai.Error", err)
  return none, message, err
end

-- Name in an example -> function that creates its object at the first use.
local function makers(folder, sandbox, server, number)
  local email = ("dev%d@example.com"):format(number)
  local make = {}
  function make.devkit4ai() return devkit4ai end
  function make.queue_url() return redis.start().url end
  function make.sandbox() return sandbox end
  function make.options()
    local options = assert(sandbox:developer { email = email, password = PASSWORD })
    options.on_event = function(event) note("devkit4ai.Event", event) end
    return options
  end
  function make.client(env)
    if server then return assert(devkit4ai.new(wire.options(server.url))) end
    return assert(devkit4ai.new(env.options))
  end
  function make.project(env) return env.client:project() end
  function make.key(env) return assert(env.project:new_key "second") end
  function make.gen(env)
    local images = { folder .. "/a.png" }
    return assert(assert(env.project:generate { images = images, prompt = "neon" }):wait())
  end
  function make.user(env)
    local user = assert(env.project:end_user())
    assert(user:register { email = "guest@example.com", password = PASSWORD })
    return assert(user:login("guest@example.com", PASSWORD))
  end
  return make, email
end

local function load_text(text, name, env)
  if setfenv then -- luacheck: ignore 113
    local chunk, why = loadstring(text, name) -- luacheck: ignore 113
    return chunk and setfenv(chunk, env), why -- luacheck: ignore 113
  end
  return load(text, name, "t", env)
end

-- Puts the files of an example into the folder of the run.
local function in_folder(code, folder, number)
  for _, kind in ipairs { "png", "json" } do
    code = code:gsub('"([%w_-]+%.' .. kind .. ')"', ('"%s/%%1"'):format(folder))
  end
  local results = ("%s/results%d"):format(folder, number) -- of a batch, which has a journal there
  return (code:gsub('"results"', function()
    assert(core.make_folder(results))
    return ("%q"):format(results)
  end))
end

-- Runs one example; returns its printed lines, or nil and the reason of its failure.
local function run(found, folder, sandbox, server, number)
  local make, email = makers(folder, sandbox, server, number)
  local env, lines = {}, {}
  function env.print(...)
    local parts = {}
    for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
    local line = table.concat(parts, " "):gsub("dev%d+@", "dev@"):gsub("\n", " ")
    lines[#lines + 1] = line:gsub(folder:gsub("%p", "%%%0") .. "/", "")
  end
  setmetatable(env, { __index = function(_, name)
    local value = make[name] and make[name](env)
    if value == nil then value = _G[name] end
    rawset(env, name, value)
    return value
  end })
  local code = in_folder(found.example, folder, number):gsub("dev@example%.com", email)
  if code:find(email, 1, true) then assert(env.options) end -- creates the account
  local chunk, why = load_text(code, "=" .. reference.spelled(found), env)
  if not chunk then return nil, why end
  local fine, failure = xpcall(chunk, debug.traceback)
  sandbox:clear_faults()
  for _, object in pairs(env) do
    local class = type(object) == "table" and (getmetatable(object) or {}).__name
    if class then note(class, object) end
  end
  if not fine then return nil, failure end
  return lines
end

-- Compares the output with the expected lines; "..." matches anything.
local function complaint(found, lines)
  local wanted = 0
  for line in found.example:gmatch("%-%-> ([^\n]+)") do
    wanted = wanted + 1
    local pattern = "^" .. line:gsub("%p", "%%%0"):gsub("%%%.%%%.%%%.", ".*") .. "$"
    if not (lines[wanted] or "nothing"):find(pattern) then
      return ("printed %s, not %s"):format(lines[wanted] or "nothing", line)
    end
  end
  if #lines ~= wanted then return ("printed %d lines, not %d"):format(#lines, wanted) end
end

-- The names in the message about an unknown field.
local function known(call)
  return tostring(select(2, pcall(call))):match("%(known: ([%w_, ]+)%)")
end

local function put(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  assert(file:close())
end

--- Runs all examples. folder: an empty folder for their files.
return function(folder)
  local library = reference.library "."
  put(folder .. "/a.png", child.read "examples/images/neon.png")
  put(folder .. "/b.png", child.read "examples/images/mountains.png")
  local sandbox = assert(require("devkit4ai.sandbox").start { step_time = 0.005 })
  local server, count = payments.start(), 0
  for _, row in ipairs(reference.pages) do
    for i = 2, #row do
      for _, found in ipairs(row[i].functions) do
        if found.example then
          count = count + 1
          local lines, why = run(found, folder, sandbox, row[1] == "payments" and server, count)
          why = lines and complaint(found, lines) or why
          if why then print(("%s: %s"):format(reference.spelled(found), why)) end
        end
      end
    end
  end
  for class, names in pairs(seen) do
    for name in pairs(names) do
      local fields = reference.fields(library, library.classes[class])
      local there = false
      for _, field in ipairs(fields) do there = there or field.name == name end
      if not there then print(("%s: %s exists and is not annotated"):format(class, name)) end
    end
  end
  print("clock knows " .. known(function() return sandbox:clock { no_such_option = 1 } end))
  print("fault knows " .. known(function() return sandbox:fault { no_such_option = 1 } end))
  print(count .. " examples")
  server:stop()
  sandbox:stop()
  redis.stop_all()
end
