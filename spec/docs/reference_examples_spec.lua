-- Examples of the reference: each one runs and prints the expected output. The options of the sandbox's commands are also
-- compared with their comments.
local child = require "spec.support.process.child"
local reference = require "spec.support.docs.reference"

local library = reference.library "."

local GIVEN = { number = true, left = true } -- fields of a fault that the sandbox sets

local function sorted(names)
  table.sort(names)
  return table.concat(names, ", ")
end

-- The names in a line of the output, sorted.
local function known(out, command)
  local names = {}
  for name in assert(out:match(command .. " knows ([^\n]+)"), out):gmatch("[%w_]+") do names[#names + 1] = name end
  return sorted(names)
end

describe("the examples of the reference", function()
  it("run, and print the expected output", function()
    local folder = child.folder()
    finally(function() child.remove(folder) end)
    local ended = child.run('require "spec.support.programs.example_run" (...)', { args = { folder } })
    assert.equal(0, ended.code, ended.err .. ended.out)
    local complaints = ended.out:gsub("%l+ knows [^\n]+\n", "")
    local count = tonumber(complaints:match("(%d+) examples\n$"))
    assert.equal("", (complaints:gsub("%d+ examples\n$", "")))
    assert.is_true(count > 80)
    local fault, clock = {}, { "advance", "frozen" }
    for _, field in ipairs(library.classes["devkit4ai.sandbox.Fault"].fields) do
      if not GIVEN[field.name] then fault[#fault + 1] = field.name end
    end
    assert.equal(sorted(clock), known(ended.out, "clock"))
    assert.equal(sorted(fault), known(ended.out, "fault"))
  end)
end)
