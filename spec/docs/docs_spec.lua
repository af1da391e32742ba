-- The pages are correct: each program in docs/ and in the README runs, and prints the text after `-->` (in Lua), `// ->` or
-- `# ->`. All Lua of a page is one program, and so are all lines for the shell; Node's and Python's blocks are
-- programs of their own. What can't run here has a fence that says not-run, and is counted below. `make clean-room` runs the
-- blocks whose fence says clean-room: they install.
local child = require "spec.support.process.child"
local pages = require "spec.support.docs.pages"

-- Blocks that are not run: other systems' lines, what installs, what asks the live API, what ends with Ctrl-C alone.
local NOT_RUN = {
  ["README.md"] = 1, ["docs/batch-queue.md"] = 1, ["docs/building.md"] = 8,
  ["docs/embedding.md"] = 2, ["docs/first-steps.md"] = 3,
  ["docs/hosts/kong-apisix.md"] = 1, ["docs/hosts/love.md"] = 3, ["docs/hosts/nginx.md"] = 6, ["docs/proxy.md"] = 2,
  ["docs/sandbox.md"] = 2,
}

-- What a page takes as given, beside pictures in the folder where it runs: the lines of docs/README.md, here with a library that
-- waits for less.
local BEGINNING = assert(child.read("docs/README.md"):match("\n```lua\n(.-)```"))
local PRELUDE = [[
package.path = package.path .. ";" .. (...) .. "/?.lua"
]] .. BEGINNING:gsub('require "devkit4ai"\n', 'require "spec.support.calls.no_retry_pauses"\n') .. [[
require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 0.03 end
local print = function(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
  io.stdout:write((table.concat(parts, " "):gsub("\n", " ")), "\n")
end
]]

-- What a page takes as given beyond that: payments, which the sandbox does not have, and an end user's client.
local OF_PAGE = { ["docs/payments.md"] = [[
local payments = require("spec.support.servers.payments").start()
client = assert(devkit4ai.new(require("spec.support.calls.wire").options(payments.url)))
project = client:project()
local user = assert(project:end_user { access_token = "of a user" })
]] }

-- The functions and the main loop around the game of docs/hosts.md.
local GAME = { [[
local love, shown = {}, nil
local function show_bar() end
local function show(bytes) shown = bytes end
]], "repeat love.update() until shown" }

-- The folder of the tree.
local HERE = assert(io.popen("pwd")):read("*l")

local FILES = { ["a.png"] = "neon.png", ["b.png"] = "mountains.png" }

-- A folder with what the pages' programs find there.
local function folder_of_files()
  local folder = child.folder()
  local function put(name, text)
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(text)
    file:close()
  end
  for name, picture in pairs(FILES) do put(name, child.read("examples/images/" .. picture)) end
  put("a.gif", "GIF89a...")
  finally(function() child.remove(folder) end)
  return folder
end

-- The lines that it must print, by the language's arrow; "..." stands for anything.
local function compare(texts, arrow, out)
  local wanted, lines = {}, {}
  for line in table.concat(texts):gmatch(arrow .. " ([^\n]+)") do wanted[#wanted + 1] = line end
  for line in out:gmatch("[^\n]+") do lines[#lines + 1] = line end
  for i, line in ipairs(wanted) do
    local pattern = "^%s*" .. line:gsub("%p", "%%%0"):gsub("%%%.%%%.%%%.", ".*") .. "$"
    assert.matches(pattern, lines[i] or "(nothing)")
  end
  assert.equal(#wanted, #lines, out)
end

local function run_lua(path, texts)
  local game = path == "docs/hosts.md" and GAME or { "", "" }
  local folder = folder_of_files()
  local code = table.concat(texts, "\n"):gsub("%.start%(%)", ".start { step_time = 0.05 }")
  code = PRELUDE .. (OF_PAGE[path] or "") .. game[1] .. code .. game[2]
  local ended = child.run(code, { args = { HERE }, before = "cd '" .. folder .. "'" })
  assert.equal(0, ended.code, ended.err .. ended.out)
  compare(texts, "%-%->", ended.out)
end

-- A program in a file, by another interpreter than ours.
local function run_file(interpreter, texts, arrow)
  local folder = folder_of_files()
  local file = assert(io.open(folder .. "/program", "wb"))
  file:write(table.concat(texts, "\n"))
  file:close()
  local ended = child.run(([[
    local here = %q
    local code = os.execute("cd '" .. here .. "' && " .. %q .. " ./program")
    os.exit((code == true or code == 0) and 0 or 1)]]):format(folder, interpreter))
  assert.equal(0, ended.code, ended.err .. ended.out)
  compare(texts, arrow, ended.out)
end

local RUN = {
  lua = run_lua,
  sh = function(_, texts) run_file("sh -e", texts, "# %->") end,
  js = function(_, texts)
    for _, text in ipairs(texts) do run_file("node --input-type=commonjs - <", { text }, "// %->") end
  end,
  python = function(_, texts)
    for _, text in ipairs(texts) do run_file("python3", { text }, "# %->") end
  end,
}

describe("the blocks of the pages", function()
  local one_lua = _VERSION == "Lua 5.4" -- other languages, and what is the same on each Lua

  for _, path in ipairs(pages.list()) do
    for language, texts in pairs(pages.programs_of(path)) do
      if language == "lua" or one_lua then
        it(("in %s run, and print the expected output: %s"):format(path, language), function()
          assert(RUN[language], "nobody runs " .. language)(path, texts)
        end)
      end
    end
  end

  if not one_lua then return end

  it("name the lines that run before them", function()
    for _, path in ipairs(pages.list()) do
      local text = child.read(path)
      if path:find("^docs/[^/]+$") and text:find("\n```lua\n") and not text:find('require "devkit4ai"\n', 1, true) then
        assert.is_truthy(text:find("(README.md#how-the-programs-begin)", 1, true), path)
      end
    end
  end)

  it("are run here, by another spec, or are counted as not run", function()
    local counted = {}
    for _, path in ipairs(pages.list()) do
      for _, block in ipairs(pages.blocks_of(path)) do
        assert.is_truthy(({ [""] = true, ["not-run"] = true, ["clean-room"] = true })[block.info], path)
        if block.info == "not-run" then
          counted[path] = (counted[path] or 0) + 1
        end
      end
    end
    assert.same(NOT_RUN, counted)
    for path, languages in pairs(pages.ELSEWHERE) do
      for _, spec in pairs(languages) do
        assert.is_truthy(path:find("/$") or child.read(spec):find(path, 1, true), spec)
      end
    end
  end)
end)

-- A heading's address, as the pages are shown.
local function anchor(heading)
  return (heading:lower():gsub("`", ""):gsub("[^%w%- _]", ""):gsub(" ", "-"))
end

local function has_anchor(path, wanted)
  for heading in ("\n" .. child.read(path)):gmatch("\n#+ ([^\n]+)") do
    if anchor(heading) == wanted then return true end
  end
  return false
end

if _VERSION ~= "Lua 5.4" then return end

describe("the links of the pages", function()
  it("lead to existing files and headings", function()
    local list = pages.list()
    for _, path in ipairs { "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md" } do list[#list + 1] = path end
    for _, path in ipairs(list) do
      local folder = path:match("^.*/") or ""
      for target in child.read(path):gmatch("%]%(([^)%s]+)%)") do
        if not target:find("^https?:") then
          local name, heading = target:match("^([^#]*)#?(.*)$")
          local file = name == "" and path or (folder .. name):gsub("[^/]+/%.%./", "")
          local there = io.open(file)
          assert.is_truthy(there, ("%s: %s"):format(path, target))
          there:close()
          if heading ~= "" then assert.is_true(has_anchor(file, heading), ("%s: %s"):format(path, target)) end
        end
      end
    end
  end)

  it("reach every page from the README, directly or by the list in docs/README.md", function()
    local readme, list = child.read "README.md", child.read "docs/README.md"
    for _, path in ipairs(pages.list()) do
      if not path:find("^docs/reference/%l") and path ~= "README.md" then
        local linked = readme:find("(" .. path, 1, true) or list:find("(" .. path:gsub("^docs/", ""), 1, true)
        assert.is_truthy(linked, path)
      end
    end
  end)
end)
