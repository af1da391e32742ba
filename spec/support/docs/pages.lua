-- The pages for users: README.md and docs/, and their fenced blocks.
local child = require "spec.support.process.child"

local M = {}

-- Blocks that other specs run: by page, languages.
M.ELSEWHERE = {
  ["docs/batch.md"] = { sh = "spec/devkit4ai/cli/docs_spec.lua" },
  ["docs/building.md"] = { cmake = "spec/install/cmake_projects.sh", sh = "spec/install/cmake_projects.sh" },
  ["docs/command.md"] = { sh = "spec/devkit4ai/cli/docs_spec.lua" },
  ["docs/embedding.md"] = {
    c = "spec/install/amalgamation.lua", lua = "spec/install/amalgamation.lua", sh = "spec/install/amalgamation.lua",
  },
  ["docs/hosts/defold.md"] = { lua = "spec/examples/defold_spec.lua", sh = "spec/examples/defold_spec.lua" },
  ["docs/hosts/kong-apisix.md"] = { lua = "spec/examples/plugins_spec.lua" },
  ["docs/hosts/nginx.md"] = {
    lua = "spec/devkit4ai/loop/hosts/nginx_docs_spec.lua", nginx = "spec/devkit4ai/loop/hosts/nginx_docs_spec.lua",
  },
  ["docs/hosts/copas.md"] = { lua = "spec/devkit4ai/loop/hosts/copas_spec.lua" }, -- Luas that have copas
  ["docs/processes.md"] = { lua = "spec/devkit4ai/loop/process/fork_spec.lua" }, -- which needs fork
  ["docs/hosts/luv.md"] = { lua = "spec/devkit4ai/loop/hosts/luv_spec.lua" },
  ["docs/hosts/programs.md"] = { lua = "spec/devkit4ai/loop/hosts/programs_spec.lua" },
  ["docs/hosts/cqueues.md"] = { lua = "spec/devkit4ai/loop/hosts/cqueues_spec.lua" },
  ["README.md"] = { lua = "spec/docs/readme_spec.lua" },
  ["docs/sandbox.md"] = { lua = "spec/devkit4ai/sandbox/docs_spec.lua", sh = "spec/devkit4ai/sandbox/docs_spec.lua" },
  ["docs/reference/"] = { lua = "spec/docs/reference_examples_spec.lua" },
}

local SHOWN = { console = true, json = true, [""] = true } -- what a program prints, or how a call looks

-- The fenced blocks of a page: { language, info, text }.
function M.blocks_of(path)
  local list, open = {}, nil
  for line in child.read(path):gmatch("([^\n]*)\n") do
    local language, info = line:match("^```(%l*) *(.*)$")
    if open and language then
      open.text = table.concat(open.lines, "\n") .. "\n"
      open = nil
    elseif language then
      open = { language = language, info = info, lines = {} }
      list[#list + 1] = open
    elseif open then
      open.lines[#open.lines + 1] = line
    end
  end
  assert(not open, path .. ": a block is not closed")
  return list
end

-- Who else runs the blocks of a language on a page.
local function elsewhere(path, language)
  local row = M.ELSEWHERE[path] or M.ELSEWHERE[path:match("^.*/")]
  return row and row[language]
end

-- The blocks of a page that are to run here, by language.
function M.programs_of(path)
  local programs = {}
  for _, block in ipairs(M.blocks_of(path)) do
    if block.info == "" and not SHOWN[block.language] and not elsewhere(path, block.language) then
      programs[block.language] = programs[block.language] or {}
      table.insert(programs[block.language], block.text)
    end
  end
  return programs
end

-- The paths of all pages.
function M.list()
  local list = { "README.md" }
  local pipe = assert(io.popen("find docs -name '*.md' | LC_ALL=C sort"))
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  return list
end

return M
