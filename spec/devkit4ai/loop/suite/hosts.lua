-- The hosts of the suite. A host is one line here, and one file in hosts/, which runs inside the host. In the spec's process.
local child = require "spec.support.child"

local M = {}

-- Runs a case in a process of its own, whose main chunk starts the host's loop.
local function in_a_process(options)
  return child.start('require("spec.devkit4ai.loop.suite.run").main(...)', options)
end

---@class suite.Place a host of the suite
---@field name string value of the option `loop`, and the file in hosts/
---@field modules string[] the host exists on a Lua that finds them
---@field start fun(options: table): fun(): spec.Ended runs a case; options: of child.start, args: those of run.main
local PLACES = {
  { name = "own", modules = {}, start = in_a_process },
  { name = "cqueues", modules = { "cqueues" }, start = in_a_process },
  { name = "copas", modules = { "copas" }, start = in_a_process },
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

--- The hosts of the Lua that runs the spec.
---@return suite.Place[]
function M.list()
  local list = {}
  for _, place in ipairs(PLACES) do
    local is_here = true
    for _, module in ipairs(place.modules) do is_here = is_here and is_installed(module) end
    if is_here then list[#list + 1] = place end
  end
  return list
end

return M
