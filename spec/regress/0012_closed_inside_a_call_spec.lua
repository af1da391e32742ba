-- A finalizer, a hook or a metamethod that runs inside a call of the core may close what the call works on, or change what
-- it measured. The call then used freed memory.
local child = require "spec.support.process.child"

local START = [[
  local core = require "devkit4ai.core"
  if jit then jit.off() end -- compiled code under a collector that never rests can run for minutes
  local headers = core.headers {}
  local PNG = "\137PNG\r\n\26\n" .. ("x"):rep(50)
  local function new_request(form)
    return core.request { method = "POST", url = "http://127.0.0.1:1/", headers = headers, form = form and {
      part = "images", max_bytes = 100, files = { { data = PNG, filename = "a.png" } } } or nil }
  end
  local function new_secrets(parent)
    local secrets = core.secrets(parent)
    assert(secrets:set("token", ("a.secret"):rep(20), "body"))
    return secrets
  end
]]

-- A hook closes the engine at the n-th function that is called inside submit and next: before, between and after all of
-- the core's own steps.
local HOOKS = START .. [[
  local function with_hook(n, fn, act)
    local count, live = -1, true -- the first is pcall
    debug.sethook(function()
      count = count + 1
      if live and count == n then act() end
    end, "c")
    local ok, first, second = pcall(fn)
    live = false
    debug.sethook()
    return ok, first, second
  end
  local closed, sent, given, raised = 0, 0, 0, 0
  for n = 1, 12 do
    for _, form in ipairs { false, true } do
      for _, started in ipairs { false, true } do
        local engine, secrets, request = core.engine(), new_secrets(), new_request(form)
        if started then assert(engine:start()) end
        local function close() engine:close() end
        local ok, id = with_hook(n, function() return engine:submit(request, secrets) end, close)
        if not ok then closed = closed + 1 end
        assert(ok or id:find("the engine is closed", 1, true), id)
        if ok and id then sent = sent + 1 end
      end
    end
    for _, act in ipairs { "close", "raise" } do
      for _, form in ipairs { false, true } do
        local engine, secrets, request = core.engine(), new_secrets(), new_request(form)
        assert(engine:start())
        local id = assert(engine:submit(request, secrets))
        repeat until engine:ready()
        local ok, got = with_hook(n, function() return engine:next(1) end, function()
          engine:close()
          if act == "raise" then error("the hook's own", 0) end
        end)
        if ok and got == id then given = given + 1 end
        if not ok then raised = raised + 1 end
        assert(ok or got:find("the engine is closed", 1, true) or got == "the hook's own", got)
      end
    end
  end
  print(closed > 0, sent > 0, given > 0, raised > 0)
]]

-- Finalizers close everything, again and again, while every function of the core allocates.
local FINALIZERS = START .. [[
  local over = false
  local function when_collected(fn)
    if not newproxy then return setmetatable({}, { __gc = fn }) end
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = fn
  end
  local current = {}
  local function trap()
    when_collected(function()
      if over then return end
      trap()
      for _, object in ipairs(current) do object:close() end
      if current.lines then
        for i = 1, #current.lines do current.lines[i] = ("Y"):rep(300) end
      end
    end)
  end
  for _ = 1, 3 do trap() end
  local is_55 = _VERSION == "Lua 5.5" -- which has other names for them
  collectgarbage(is_55 and "param" or "setpause", is_55 and "pause" or 0, 0)
  collectgarbage(is_55 and "param" or "setstepmul", is_55 and "stepmul" or 1000, 1000)
  collectgarbage()
  local calls, refused = 0, 0
  local function try(fn, ...)
    local ok, why = pcall(fn, ...)
    calls = calls + 1
    if ok then return end
    refused = refused + 1
    assert(tostring(why):find("closed", 1, true), why)
  end
  local text = ("a.secret"):rep(20) .. ("b"):rep(5000)
  for round = 1, 150 do
    local engine, parent = core.engine(), new_secrets()
    local secrets, request = core.secrets(parent), new_request(round % 2 == 0)
    local masking = new_secrets()
    current = { engine, parent, secrets, masking }
    try(engine.submit, engine, request, secrets)
    try(engine.next, engine, 0)
    try(core.secrets, parent)
    try(parent.set, parent, round, round * 3)
    try(parent.has, parent, round)
    try(parent.begins, parent, round, round)
    try(parent.mask, parent, text)
    try(masking.mask, masking, text)
    try(masking.json, masking, '{"a":1}', "token", round)
    try(masking.shows, masking, round + 0.5)
    try(masking.tag, masking, round)
    try(masking.clear, masking, round)
    try(engine.progress, engine, 1)
    current = { lines = {} }
    for i = 1, 40 do current.lines[i] = "X-A: b" end
    try(core.headers, current.lines)
    current = {}
    engine:close()
  end
  over = true
  print(calls, refused > 0)
]]

-- A mask inside a mask: the buffer was shared by all calls on one set.
local MASKS = START .. [[
  local secrets, inside, over, count = new_secrets(), false, false, 0
  local text = ("a.secret"):rep(20)
  local function trap()
    local function fn()
      if over then return end
      trap()
      if inside then return end
      inside = true
      count = count + 1
      assert(secrets:mask(text .. ("c"):rep(count % 100)) == "***" .. ("c"):rep(count % 100))
      inside = false
    end
    if not newproxy then return setmetatable({}, { __gc = fn }) end
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = fn
  end
  for _ = 1, 3 do trap() end
  local is_55 = _VERSION == "Lua 5.5" -- which has other names for them
  collectgarbage(is_55 and "param" or "setpause", is_55 and "pause" or 0, 0)
  collectgarbage(is_55 and "param" or "setstepmul", is_55 and "stepmul" or 1000, 1000)
  for i = 1, 2000 do
    assert(secrets:mask(("b"):rep(i % 50) .. text) == ("b"):rep(i % 50) .. "***")
  end
  over = true
  print(count > 0)
]]

-- A metamethod changes the table that core.request reads.
local METAMETHODS = START .. [[
  local n = 0
  local files, slots = {}, {}
  local function answer(name)
    n = n + 1
    for i = 1, 30 do files[i], slots[i] = ("f"):rep(n + i), ("s"):rep(n + i) end
    collectgarbage()
    if name == "method" then return "POST" end
    if name == "url" then return "http://127.0.0.1:1/" .. n end
    if name == "headers" then return core.headers { "X-N: " .. n } end
    if name == "files" then return files end
    if name == "slots" then return slots end
    if name == "json" then return '{"n":' .. n .. "}" end
  end
  local request = setmetatable({}, { __index = function(_, name) return answer(name) end })
  local ok, why = pcall(core.request, request)
  assert(not ok and why:find("more than 8", 1, true), why)
  files = setmetatable({}, { __index = function(_, name) return answer(name) end, __len = function() return 1000 end })
  slots = setmetatable({}, { __len = function() return 1000 end })
  local engine = core.engine()
  local given = setmetatable({}, { __index = function(_, name)
    if name == "slots" then return setmetatable({}, { __len = function() return 1000 end }) end
    return answer(name)
  end })
  assert(engine:submit(core.request(given), core.secrets()))
  engine:close()
  print "fine"
]]

describe("a call of the core", function()
  for what, row in pairs {
    ["may lose its engine in a hook"] = { HOOKS, "true\ttrue\ttrue\ttrue\n" },
    ["may lose its object in a finalizer"] = { FINALIZERS, "2100\ttrue\n" },
    ["may be nested"] = { MASKS, "true\n" },
    ["may have its arguments changed by a metamethod"] = { METAMETHODS, "fine\n" },
  } do
    it(what, function()
      local ended = child.run(row[1])
      assert.same({ 0, row[2] }, { ended.code, ended.out }, ended.err)
    end)
  end
end)
