-- The hosts of the suite. A host is one line here, and one file in hosts/, which runs inside the host. In the spec's process.
local child = require "spec.support.process.child"
local core = require "devkit4ai.core"
local server_module = require "spec.devkit4ai.loop.suite.server"

local M = {}

local FILES = { "calls", "limits", "tasks", "cancel", "ends", "errors", "waits" }

---@class suite.Case
---@field name string
---@field server string? routes of its server; see server.lua
---@field in_main boolean? runs where the host starts, not in a coroutine of it
---@field except table<string, string>? host -> why it has no such case
---@field valgrind boolean? it runs under valgrind, too
---@field run fun(run: suite.Run) inside the host
---@field check fun(assert: table, seen: (fun(path: string): integer), ended: spec.Ended)? in the spec; without it, nothing may be on standard error

-- Runs a case in a process of its own, whose main chunk starts the host's loop.
local function in_a_process(options)
  return child.start('require("spec.devkit4ai.loop.suite.run").main(...)', options)
end

local HANDLER = [[location = / { content_by_lua_block {
  local ok, why = xpcall(require("spec.devkit4ai.loop.suite.run").main, debug.traceback, ARGS)
  ngx.status = ok and 200 or 500
  ngx.print(tostring(why))
} }]]

-- What the library has logged, without what nginx itself tells.
local function lines_of(log)
  local lines, is_ours = {}, false
  for line in log:gmatch("[^\n]+") do
    local level = line:match("^%d+/%d+/%d+ [%d:]+ %[(%a+)%]")
    if level then is_ours = level ~= "notice" or line:find("[lua]", 1, true) end
    if is_ours then lines[#lines + 1] = line end
  end
  return table.concat(lines, "\n")
end

-- Runs a case in the handler of a request of an nginx of its own.
local function in_nginx(options)
  local nginx, args = require "spec.support.servers.nginx", {}
  for i, arg in ipairs(options.args) do args[i] = ("%q"):format(arg) end
  local server = nginx.start { server = HANDLER:gsub("ARGS", (table.concat(args, ", "):gsub("%%", "%%%%"))) }
  return function()
    local body, status = server:get("/")
    server:stop()
    local err = lines_of(server:log())
    if status ~= 200 then err = body .. err end
    return { code = status == 200 and 0 or status, out = "", err = err }
  end
end

---@class suite.Place a host of the suite
---@field name string value of the option `loop`, and the file in hosts/
---@field modules string[] the host exists on a Lua that finds them, and can load them
---@field is_luajit boolean? it exists on LuaJIT alone
---@field is_process boolean? a case runs in a process of its own, and start takes options.wrap
---@field start fun(options: table): fun(): spec.Ended runs a case; options: of child.start, args: those of run.main
local PLACES = {
  { name = "own", modules = {}, start = in_a_process, is_process = true },
  { name = "cqueues", modules = { "cqueues" }, start = in_a_process, is_process = true },
  { name = "luv", modules = { "luv" }, start = in_a_process, is_process = true },
  { name = "nginx", modules = { "ngx.semaphore" }, is_luajit = true, start = in_nginx },
  { name = "copas", modules = { "copas" }, start = in_a_process, is_process = true },
}

local function is_installed(module)
  for _, template in ipairs { package.path, package.cpath } do
    for path in template:gmatch("[^;]+") do
      local file = io.open((path:gsub("%?", (module:gsub("%.", "/")))))
      if file then
        file:close()
        return true
      end
    end
  end
  return false
end

-- Debian 13's copas for Lua 5.2 needs a module that Debian 13 has for other Luas alone. In a process of its own: a host's modules
-- change the process that loads them.
local function is_loadable(module)
  return child.run(("require %q"):format(module)).code == 0
end

--- The hosts of the Lua that runs the spec.
---@return suite.Place[]
function M.list()
  local list = {}
  for _, place in ipairs(PLACES) do
    local is_here = (core.threads or place.name == "own") and (not place.is_luajit or rawget(_G, "jit") ~= nil)
    for _, module in ipairs(place.modules) do
      is_here = is_here and is_installed(module) and (not place.is_process or is_loadable(module))
    end
    if is_here then list[#list + 1] = place end
  end
  return list
end

--- Calls fn for each case of a host.
---@param place suite.Place
---@param fn fun(file: string, case: suite.Case)
function M.each_case(place, fn)
  for _, file in ipairs(FILES) do
    for _, case in ipairs(require("spec.devkit4ai.loop.suite.cases." .. file)) do
      if not (case.except and case.except[place.name]) then fn(file, case) end
    end
  end
end

--- Runs a case in a host, and checks it.
---@param place suite.Place
---@param file string in cases/
---@param case suite.Case
---@param assert table of busted
---@param options table? more options of child.start
function M.run(place, file, case, assert, options)
  local server, more = server_module.start(case.server), {}
  for name, value in pairs(options or {}) do more[name] = value end
  more.args = { place.name, file, case.name, server.url }
  local ended = place.start(more)()
  local function seen(path) return server_module.count(server, path) end
  server:stop()
  assert.equal(0, ended.code, ended.err)
  if case.check then case.check(assert, seen, ended) else assert.equal("", ended.err) end
end

return M
