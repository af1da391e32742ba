-- A game's Lua in a program with devkit4ai linked in: logs in, and makes an image in a task, while frames go on.
local base_url, developer_key, project_id, email, password, picture, folder = ...
package.path = "" -- no Lua file of the library is on disk
_G.dofile, _G.loadfile = nil, nil -- as in an engine whose scripts load no files
local devkit4ai = require "devkit4ai"

local client = assert(devkit4ai.new { base_url = base_url, developer_key = developer_key, project_id = project_id })
assert(client:login(email, password))
local project = assert(client:new_project { name = "game" })
assert(project:new_key "game")

local task = devkit4ai.spawn(function()
  local gen = assert(project:generate { images = { picture }, prompt = "a city", on_upload = function() end })
  assert(gen:wait { interval = 0.01 })
  local bytes, kind = assert(gen:bytes())
  assert(#bytes > 1000 and kind == "png")
  return assert(gen:save(folder .. "/" .. gen.id .. ".png"))
end)
local frames = 0
while not task.done do
  devkit4ai.update()
  frames = frames + 1
end
assert(task:join():find(folder, 1, true) == 1 and frames > 1)

-- A mistake is reported at the game's own line.
local ok, message = pcall(function() return devkit4ai.new { bas_url = "" } end)
assert(not ok and (not debug or message:find("game.lua:27: ", 1, true)), message)
client:close()
