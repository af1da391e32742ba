-- Test of an installation, run by spec/install/install.sh in an empty folder: the client from the tree arg[1] works, as far
-- as possible without a server.
local devkit4ai = require "devkit4ai"
local tree = assert(arg[1], "usage: installed.lua TREE")

-- The file that `require` finds for a module: Lua 5.1 has no package.searchpath.
local function found(name)
  for template in (package.path .. ";" .. package.cpath):gmatch("[^;]+") do
    local path = template:gsub("%?", (name:gsub("%.", "/")))
    local file = io.open(path)
    if file then
      file:close()
      return path
    end
  end
  return "nowhere"
end

assert(type(devkit4ai.version) == "string", "a version")
for _, name in ipairs { "devkit4ai", "devkit4ai.core" } do
  assert(found(name):find(tree, 1, true) == 1, name .. " comes from " .. found(name))
end

-- No server listens on port 1.
local client = devkit4ai.new {
  base_url = "http://127.0.0.1:1", access_token = "token", developer_key = "key",
}
local user, message, err = client:me()
assert(user == nil and type(message) == "string", "me() without a server fails")
assert(err.kind == "network" and err.outcome == "not_sent", tostring(err.kind) .. ", " .. tostring(err.outcome))
client:close()
print(devkit4ai.version, message)
