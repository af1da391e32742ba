-- Examples in the docs: finds the Lua blocks that call a method.
local child = require "spec.support.process.child"

local M = {}

-- Names of an object in the docs, by its last word: `gen` in `gen:wait`, `payments` in `client.payments:history`.
local WORDS = {
  client = { client = true, user = true }, project = { project = true }, key = { key = true }, gen = { gen = true },
  ["project.stripe"] = { stripe = true }, ["client.payments"] = { payments = true }, pages = { pages = true },
}

--- Every Lua block in the README and in docs/.
---@return string[]
function M.blocks()
  local blocks = {}
  local pipe = assert(io.popen("find README.md docs -name '*.md' | sort"))
  for path in pipe:lines() do
    for block in child.read(path):gmatch("\n```lua\n(.-)```") do blocks[#blocks + 1] = block end
  end
  pipe:close()
  return blocks
end

--- The number of blocks that call a method.
---@param blocks string[]
---@param object string its name in a program
---@param method string
---@return integer
function M.count(blocks, object, method)
  local count = 0
  for _, block in ipairs(blocks) do
    for word in block:gmatch("([%w]+):" .. method .. "%f[^%w_]") do
      if WORDS[object][word] then
        count = count + 1
        break
      end
    end
  end
  return count
end

return M
