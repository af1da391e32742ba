-- The pages for contributors name files that exist: a map that is out of date leads to the wrong place.
if _VERSION ~= "Lua 5.4" then return end -- the pages and the files are the same on each Lua

local child = require "spec.support.process.child"

local PAGES = { "CONTRIBUTING.md", "docs/design/architecture.md" }
local FOLDERS = { "", "lua/devkit4ai/", "src/core/" } -- a path on these pages is below one of them

local function exists(path)
  for _, folder in ipairs(FOLDERS) do
    local file = io.open(folder .. path)
    if file then
      file:close()
      return true
    end
  end
  return false
end

describe("the pages for contributors", function()
  for _, page in ipairs(PAGES) do
    it("name files that exist: " .. page, function()
      local missing, count = {}, 0
      for path in child.read(page):gsub("```.-```", ""):gmatch("`([%w_.-]+/[%w_./-]+)`") do
        count = count + 1
        if not exists(path) then missing[#missing + 1] = path end
      end
      assert.same({}, missing)
      assert.is_true(count > 30)
    end)
  end

  it("name each folder of the library and of the core", function()
    local page = child.read "CONTRIBUTING.md"
    for _, folder in ipairs { "lua/devkit4ai", "src/core" } do
      for _, name in ipairs(child.list(folder)) do
        local is_folder = not name:find(".", 1, true)
        if is_folder then assert.is_truthy(page:find("`" .. name .. "/`", 1, true), folder .. "/" .. name) end
      end
    end
  end)

  it("have each invariant that a comment cites", function()
    local page, cited = child.read "docs/design/architecture.md", 0
    local pipe = assert(io.popen "grep -rhoE 'architecture.md, invariant [0-9]+' lua src spec")
    for line in pipe:lines() do
      cited = cited + 1
      assert.is_truthy(page:find("\n**" .. line:match("%d+$") .. ". ", 1, true), line)
    end
    pipe:close()
    assert.is_true(cited > 0)
  end)
end)
