-- Strict globals and a missing debug library: the library could not be loaded, or the first task that failed lost its error,
-- and its join waited forever.
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"

local ENVIRONMENTS = {
  ["strict globals"] = [[
    setmetatable(_G, {
      __index = function(_, name) error("variable '" .. tostring(name) .. "' is not declared", 2) end,
      __newindex = function(_, name) error("assignment to undeclared variable '" .. tostring(name) .. "'", 2) end,
    })
  ]],
  ["no debug library"] = "debug = nil package.loaded.debug = nil",
  ["no debug library and strict globals"] = [[
    debug = nil
    package.loaded.debug = nil
    setmetatable(_G, {
      __index = function(_, name) error("variable '" .. tostring(name) .. "' is not declared", 2) end,
    })
  ]],
}

local SCRIPT = [[
  local devkit4ai = require "devkit4ai"
  local task = devkit4ai.spawn(function() error("mine", 0) end)
  for _ = 1, 2 do
    local ok, why = pcall(task.join, task)
    print(ok, (why:match("^[^\n]+")))
  end
  local value = setmetatable({}, { __tostring = function() error("no words") end })
  local ok, why = pcall(devkit4ai.all, { function() error(value) end })
  print(ok, rawequal(why, value))
  local client = devkit4ai.new { base_url = arg[1], access_token = "t", on_event = function() error(value) end }
  print(assert(client:me()).id, (devkit4ai.spawn(function() return client:me().id end):join()))
  devkit4ai.spawn(function() error "nobody hears this" end)
  devkit4ai.update()
  print((devkit4ai.map({ 1 }, nil, function(i) devkit4ai.sleep(0.001) return i end))[1])
  task = devkit4ai.spawn(function() devkit4ai.sleep(1000) end)
  devkit4ai.sleep(0.001)
  print(select(3, task:cancel():join()).kind)
  task = nil
  collectgarbage() collectgarbage()
]]

describe("tasks work with", function()
  local server
  setup(function()
    server = raw.start { script = [[return function(conn)
      while conn:read_request() do conn:respond(200, { id = "u" }) end
    end]] }
  end)
  teardown(function() server:stop() end)

  for what, environment in pairs(ENVIRONMENTS) do
    it(what, function()
      local ended = child.run(environment .. SCRIPT, { args = { server.url } })
      local out = "false\tmine\nfalse\tmine\nfalse\ttrue\nu\tu\n1\ncancelled\n"
      assert.same({ 0, out }, { ended.code, ended.out }, ended.err)
      assert.matches("nobody hears this", ended.err)
    end)
  end
end)
