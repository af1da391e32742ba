-- Every host runs every case, on each Lua that it has. A host: hosts.lua. A case: cases/.
local hosts = require "spec.devkit4ai.loop.suite.hosts"
local server_module = require "spec.devkit4ai.loop.suite.server"

---@class suite.Case
---@field name string
---@field server string? routes of its server; see server.lua
---@field in_main boolean? runs where the host starts, not in a coroutine of it
---@field except table<string, string>? host -> why it has no such case
---@field run fun(run: suite.Run) inside the host
---@field check fun(assert: table, seen: fun(path: string): integer, ended: spec.Ended)? in the spec

local FILES = { "calls", "limits", "tasks", "cancel", "ends", "errors", "waits" }

local function run(place, file, case)
  local server = server_module.start(case.server)
  finally(function() server:stop() end)
  local ended = place.start({ args = { place.name, file, case.name, server.url } })()
  assert.equal(0, ended.code, ended.err)
  local function seen(path) return server_module.count(server, path) end
  if case.check then case.check(assert, seen, ended) else assert.equal("", ended.err) end
end

for _, place in ipairs(hosts.list()) do
  describe("in the host " .. place.name .. ":", function()
    for _, file in ipairs(FILES) do
      for _, case in ipairs(require("spec.devkit4ai.loop.suite.cases." .. file)) do
        if not (case.except and case.except[place.name]) then
          it(case.name, function() run(place, file, case) end)
        end
      end
    end
  end)
end
