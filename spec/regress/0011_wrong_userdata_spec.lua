-- A table with the metatable of a core object passed for that object: its methods and its finalizer crashed the process.
-- And a second copy of the module in the same Lua state took over the objects of the first.
local child = require "spec.support.process.child"

local OBJECTS = [[
  local core = require "devkit4ai.core"
  local headers = core.headers {}
  local objects = {
    engine = core.engine(), secrets = core.secrets(), headers = headers, lock = assert(core.lock(arg[1] .. "/lock")),
    request = core.request { method = "GET", url = "http://127.0.0.1:1/", headers = headers },
  }
  local NAMES = { "engine", "headers", "lock", "request", "secrets" }
]]

-- Each function of each object is called with each other thing that there is. Prints what did not raise.
local CALLS = OBJECTS .. [[
  local unpack = table.unpack or unpack
  collectgarbage("stop") -- an error in a finalizer ends the program on Lua 5.2 and 5.3
  -- before what the function works on: the arguments that let it come so far
  local ARGUMENTS = {
    set = { "name", "value" }, has = { "name" }, clear = { "name" }, mask = { "text" }, shows = { "text" },
    tag = { "name" }, begins = { "name", "text" }, json = { "{}" }, cancel = { 1 }, progress = { 1 }, next = { 0 },
    submit = { objects.request, objects.secrets },
  }
  local function wrong_for(kind)
    local wrong = { io.stdout, {}, "text", 1, true, coroutine.create(function() end), print }
    for _, name in ipairs(NAMES) do
      if name ~= kind then wrong[#wrong + 1] = objects[name] end
    end
    wrong[#wrong + 1] = setmetatable({}, debug.getmetatable(objects[kind]))
    if newproxy then wrong[#wrong + 1] = newproxy(true) end
    return wrong
  end
  local count = 0
  local function raises(what, fn, ...)
    local ok, why = pcall(fn, ...)
    count = count + 1
    if ok or not tostring(why):find("expected, got", 1, true) then print(what, why) end
  end
  for _, kind in ipairs(NAMES) do
    local meta = debug.getmetatable(objects[kind])
    local functions = {}
    for name, fn in pairs(meta.__index) do functions[name] = fn end
    for _, name in ipairs { "__gc", "__close" } do functions[name] = meta[name] end
    for name, fn in pairs(functions) do
      raises(kind .. "." .. name .. " without an argument", fn)
      for _, value in ipairs(wrong_for(kind)) do
        raises(kind .. "." .. name .. " of " .. tostring(value), fn, value, unpack(ARGUMENTS[name] or {}))
      end
    end
  end
  for _, value in ipairs(wrong_for "request") do
    raises("a request", objects.engine.submit, objects.engine, value, objects.secrets)
  end
  for _, value in ipairs(wrong_for "secrets") do
    raises("secrets", objects.engine.submit, objects.engine, objects.request, value)
    raises("a parent", core.secrets, value)
  end
  for _, value in ipairs(wrong_for "headers") do
    raises("headers", core.request, { method = "GET", url = "http://127.0.0.1:1/", headers = value })
  end
  print(count > 200, objects.engine:pending())
  io.stdout:flush()
  os.exit(0)
]]

-- A table that looks like an object is collected, in its turn or at the end.
local COLLECTED = OBJECTS .. [[
  for _, kind in ipairs(NAMES) do
    local fake = setmetatable({}, debug.getmetatable(objects[kind]))
    fake = nil
    pcall(collectgarbage)
    pcall(collectgarbage)
    assert(getmetatable(objects[kind]) == false)
  end
  print "alive"
]]

-- Two copies of the library, as two folders of a path may give them.
local COPIES = [[
  local open = "luaopen_devkit4ai_core"
  local A = assert(package.loadlib(arg[1], open))()
  local engine, secrets, headers = A.engine(), A.secrets(), A.headers {}
  local request = A.request { method = "GET", url = "http://127.0.0.1:1/", headers = headers }
  assert(engine:start())
  assert(engine:submit(request, secrets))
  local B = assert(package.loadlib(arg[2], open))()
  assert(B.engine ~= A.engine)
  local other, others = B.engine(), B.secrets()
  local fields = { method = "GET", url = "http://127.0.0.1:1/", headers = B.headers {} }
  assert(not pcall(other.submit, other, request, others))
  assert(not pcall(other.submit, other, B.request(fields), secrets))
  assert(not pcall(other.pending, engine) and not pcall(other.close, engine) and not pcall(engine.close, other))
  assert(not pcall(others.has, secrets, "name") and not pcall(B.secrets, secrets))
  fields.headers = headers
  assert(not pcall(B.request, fields))
  fields.headers = B.headers {}
  assert(other:submit(B.request(fields), others))
  assert(engine:submit(request, secrets))
  engine:close()
  other:close()
  engine, other = nil, nil
  collectgarbage()
  local third = A.engine()
  assert(third:start() and third:submit(request, secrets)) -- runs at the exit
  print "closed"
]]

-- The same library opened twice is one: what it made before still works.
local TWICE = [[
  local core = require "devkit4ai.core"
  local engine, secrets = core.engine(), core.secrets()
  package.loaded["devkit4ai.core"] = nil
  local again = require "devkit4ai.core"
  local request = again.request { method = "GET", url = "http://127.0.0.1:1/", headers = core.headers {} }
  assert(again.engine().submit(engine, request, again.secrets(secrets)))
  engine:close()
  print "works"
]]

describe("a core object", function()
  local folder
  setup(function() folder = child.folder() end)
  teardown(function() child.remove(folder) end)

  -- The library that this Lua loads.
  local function library()
    for template in package.cpath:gmatch("[^;]+") do
      local path = template:gsub("%?", "devkit4ai/core")
      local file = io.open(path, "rb")
      if file then
        file:close()
        return path
      end
    end
  end

  for what, row in pairs {
    ["is nothing but a whole userdata of its kind"] = { CALLS, "true\t0\n" },
    ["is not looked for in a table that is collected"] = { COLLECTED, "alive\n" },
    ["belongs to the copy of the library that made it"] = { COPIES, "closed\n", copies = true },
    ["works with the same library loaded again"] = { TWICE, "works\n" },
  } do
    it(what, function()
      local args = { folder }
      if row.copies then
        args = { library(), folder .. "/core.so" }
        local file = assert(io.open(args[2], "wb"))
        file:write(child.read(args[1]))
        file:close()
      end
      local ended = child.run(row[1], { args = args })
      assert.same({ 0, row[2] }, { ended.code, ended.out }, ended.err)
    end)
  end
end)
