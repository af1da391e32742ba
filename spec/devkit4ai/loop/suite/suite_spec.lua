-- Every host runs every case, on each Lua that it has. A host: a line in hosts.lua, a file in hosts/. A case: cases/.
local hosts = require "spec.devkit4ai.loop.suite.hosts"

for _, place in ipairs(hosts.list()) do
  describe("in the host " .. place.name .. ":", function()
    hosts.each_case(place, function(file, case)
      it(case.name, function() hosts.run(place, file, case, assert) end)
    end)
  end)
end
