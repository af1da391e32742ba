-- Some cases of the suite under valgrind, which sees what the C core does with memory: the part `valgrind` of tools/test.
local hosts = require "spec.devkit4ai.loop.suite.hosts"

local VALGRIND = "valgrind -q --error-exitcode=99 --num-callers=30 --trace-children=yes "
  .. "--trace-children-skip='*/sh,*/rm' --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite"

for _, place in ipairs(hosts.list()) do
  if place.is_process then
    describe("under valgrind, in the host " .. place.name .. ":", function()
      hosts.each_case(place, function(file, case)
        if not case.valgrind then return end
        it(case.name, function() hosts.run(place, file, case, assert, { wrap = VALGRIND }) end)
      end)
    end)
  end
end
