--- The modules that the command needs, and the rocks that have them.
local M = {}

-- By the name of a module, or its beginning.
local ROCKS = {
  argparse = "argparse", cjson = "lua-cjson", cqueues = "cqueues", _cqueues = "cqueues", openssl = "luaossl",
  _openssl = "luaossl", zlib = "lua-zlib", ["devkit4ai.sandbox"] = "devkit4ai-sandbox", devkit4ai = "devkit4ai",
}

local function rock_of(name)
  while name and not ROCKS[name] do name = name:match "^(.*)%.[^.]*$" end
  return ROCKS[name]
end

--- What is missing so that these modules can be loaded; nil: nothing. A signal does not end up here: it ends the process.
---@param names string[]
---@return string?
function M.missing(names)
  for _, name in ipairs(names) do
    local found, why = pcall(require, name)
    local absent = not found and tostring(why):match "module '([^']+)' not found"
    local rock = absent and rock_of(absent)
    if rock then
      local message = "the Lua module %s is not installed for %s. Install it: luarocks install %s"
      return message:format(absent, _VERSION, rock)
    end
    if not found then return ("the Lua module %s can't be loaded: %s"):format(name, tostring(why)) end
  end
end

return M
