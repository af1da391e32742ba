-- The pages of docs/ say what is: all Lua of a page runs as one program against a sandbox, and prints what the page says
-- behind `-->`.
local child = require "spec.support.child"

local PAGES = { "errors", "retries", "tokens", "security" }

-- What a page takes as given: a sandbox, a developer's client with a project, two pictures in the folder where it runs.
local PRELUDE = [[
local folder, examples = ...
local devkit4ai = require "devkit4ai"
local sandbox = assert(require("devkit4ai.sandbox").start { step_time = 0.05 })
require("devkit4ai.poll").pause = function() return 0.1 end
local options = assert(sandbox:developer { email = "dev@example.com", password = "SecurePass123" })
local client = assert(devkit4ai.new(options))
local project = client:project()
local print = function(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
  io.stdout:write(table.concat(parts, " "):gsub(folder, ""):gsub("\n", " "), "\n")
end
for name, picture in pairs { ["a.png"] = "neon.png", ["b.png"] = "mountains.png" } do
  local from, to = assert(io.open(examples .. picture, "rb")), assert(io.open(folder .. name, "wb"))
  to:write(from:read("*a"))
  from:close()
  to:close()
end
]]

-- The page's Lua as one program; pictures and files are named as a reader would, and live in a folder of the run.
local function program(page)
  local parts = { PRELUDE }
  for block in page:gmatch("\n```lua\n(.-)```") do
    parts[#parts + 1] = block:gsub('"([%w_-]+%.%l+)"', 'folder .. "%1"')
  end
  return table.concat(parts, "\n")
end

-- The lines that it must print; "..." stands for anything.
local function expected(page)
  local list = {}
  for line in page:gmatch("%-%-> ([^\n]+)") do list[#list + 1] = line end
  return list
end

local function pattern(line)
  return "^" .. line:gsub("%p", "%%%0"):gsub("%%%.%%%.%%%.", ".*") .. "$"
end

local function here()
  local pipe = io.popen("pwd")
  local path = pipe:read("*l")
  pipe:close()
  return path
end

for _, name in ipairs(PAGES) do
  describe("docs/" .. name .. ".md", function()
    it("runs, and prints what it says", function()
      local page, folder = child.read("docs/" .. name .. ".md"), child.folder()
      finally(function() child.remove(folder) end)
      local ended = child.run(program(page), { args = { folder .. "/", here() .. "/examples/images/" } })
      assert.equal(0, ended.code, ended.err .. ended.out)
      local lines, wanted = {}, expected(page)
      for line in ended.out:gmatch("[^\n]+") do lines[#lines + 1] = line end
      for i, line in ipairs(wanted) do assert.matches(pattern(line), lines[i] or "(nothing)") end
      assert.equal(#wanted, #lines, ended.out)
    end)
  end)
end
