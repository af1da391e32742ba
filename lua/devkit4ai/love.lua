--- For games in LÖVE: finds the library's C modules in a packaged game, reads and decodes images, and keeps an order in the
--- save folder until its image is there. Require it before `devkit4ai`, in each love.thread, too.
local love = rawget(_G, "love")

-- LÖVE's own loader finds C modules in a game's folder and in its save folder, but not beside a .love or a fused program.
package.cpath = love.filesystem.getSourceBaseDirectory() .. "/?.so;" .. package.cpath

local devkit4ai = require "devkit4ai"

local M = {}

-- In place of the project and its keys, which the gateway adds.
local NO_PROJECT, NO_KEY = "00000000-0000-0000-0000-000000000000", "added-by-the-gateway"
local FRAME = 1 / 60 -- seconds
local ORDER = "devkit4ai-order" -- in the save folder: the order's name, its prompt, and the id once it was accepted
local LOOKS, PAUSE = 6, 5 -- pause: seconds; a new generation may be in the list some seconds later
local DAY = 24 * 3600 -- seconds that the player's clock may differ from the server's

-- Runs in a love.thread: a Lua state of its own.
local DECODER = [[
local source, result = ...
require "love.image"
local done, value = pcall(function()
  local data = source:typeOf "File" and love.filesystem.newFileData(source) or source
  if data:getString():find "^RIFF....WEBP" then error("LÖVE can't decode WebP", 0) end
  return love.image.newImageData(data)
end)
result:push(done and value or tostring(value))
]]

--- A client for the player: an end user, who talks to your gateway. A game contains no key, and the gateway adds its own to
--- each request. The session is kept in the save folder. Call it in love.load: it starts the library's thread and loads its
--- modules, so that no frame waits for them.
--- ```lua not-run
--- local client = assert(require("devkit4ai.love").client "https://images.example.com")
--- assert(client:login(email, password))
--- ```
---@param gateway string its address
---@return devkit4ai.Client? client
---@return string? message
---@return devkit4ai.Error? err nil: the save folder can't be written
function M.client(gateway)
  devkit4ai.update()
  local folder = love.filesystem.getSaveDirectory()
  if not love.filesystem.createDirectory "" then -- LÖVE makes the save folder at the first write
    return nil, ("devkit4ai.love: the save folder can't be written: %s"):format(folder)
  end
  return devkit4ai.new {
    base_url = gateway, role = "end_user", project_id = NO_PROJECT, developer_key = NO_KEY, project_key = NO_KEY,
    store = require("devkit4ai.store.file").new(folder .. "/devkit4ai-session"),
  }
end

--- An image of the game for `generate`: a file in love.filesystem is not a file of the disk. A dropped file is one: give its
--- path, `file:getFilename()`, without this function.
--- ```lua not-run
--- local image = assert(require("devkit4ai.love").image "art/tree.png")
--- local gen = assert(client:generate { images = { image }, prompt = "in winter" })
--- ```
---@param source any the path of a file in love.filesystem, or a Data, such as imagedata:encode "png"
---@param filename string? what the server sees; default: the name of the file, or "image"
---@return { data: string, filename: string }? image
---@return string? message
function M.image(source, filename)
  if type(source) ~= "string" then return { data = source:getString(), filename = filename or "image" } end
  local data, why = love.filesystem.read(source)
  if not data then return nil, ("devkit4ai.love: %s can't be read: %s"):format(source, why) end
  return { data = data, filename = filename or source:match "[^/]+$" }
end

--- Decodes an image in a love.thread: in the game's own thread, 1024 x 1024 pixels cost a frame of 100 ms. Call it in a task,
--- which waits meanwhile.
--- ```lua not-run
--- local picture = love.graphics.newImage(assert(require("devkit4ai.love").decode(assert(gen:bytes()))))
--- ```
---@param source any the bytes of a JPEG or a PNG, or a File or a Data with them
---@return any image_data a love.ImageData; nil: it can't be decoded, such as WebP, or the task was cancelled
---@return string? message
function M.decode(source)
  if type(source) == "string" then source = love.filesystem.newFileData(source, "image") end
  local result = love.thread.newChannel()
  love.thread.newThread(DECODER):start(source, result)
  while result:getCount() == 0 do
    local slept, message = devkit4ai.sleep(FRAME)
    if not slept then return nil, message end
  end
  local value = result:pop()
  if type(value) == "string" then return nil, "devkit4ai.love: " .. value end
  return value
end

-- The order's name makes the instructions unlike those of every other order, so that no other generation is taken for it.
local function instructions(prompt, name)
  return { prompt = prompt, order = name }
end

--- Creates a generation as client:generate does, and keeps the order in the save folder: before it is sent its prompt and a
--- name, which is sent as a part of the instructions, then its id. After an end of the game at any moment, `resume` finds it.
--- The next order replaces it.
--- ```lua not-run
--- local gen = assert(require("devkit4ai.love").generate(client, { images = { file:getFilename() }, prompt = "in winter" }))
--- ```
---@param client devkit4ai.Client|devkit4ai.Project
---@param options devkit4ai.GenerateOptions with a prompt, not with instructions
---@return devkit4ai.Generation? gen also, if no usable response came and `resume` found it
---@return string? message
---@return devkit4ai.Error? err nil: the save folder can't be written, and nothing was sent
function M.generate(client, options)
  local prompt, call = options.prompt or "", {}
  local name = ("%d.%06d"):format(os.time(), love.timer.getTime() % 1 * 1e6)
  local kept, why = love.filesystem.write(ORDER, ("%s\n%d\n%s\n"):format(name, #prompt, prompt))
  if not kept then return nil, "devkit4ai.love: the save folder can't be written, so nothing was sent: " .. why end
  for option, value in pairs(options) do call[option] = value end
  call.prompt, call.instructions = nil, instructions(prompt, name)
  local gen, message, err = client:generate(call)
  if gen then love.filesystem.append(ORDER, gen.id)
  elseif err.outcome == "unknown" then return M.resume(client)
  else M.forget() end
  return gen, message, err
end

--- The generation of the order in the save folder. If the game ended before it knew the id, this looks for it in the
--- player's list, for half a minute. An order that is not there is then forgotten.
--- ```lua not-run
--- local gen, message, err = require("devkit4ai.love").resume(client)
--- ```
---@param client devkit4ai.Client|devkit4ai.Project
---@return devkit4ai.Generation? gen nil without a message: there is no order
---@return string? message
---@return devkit4ai.Error? err kind `not_found`: the server does not have the order; `cancelled`: the task was cancelled
function M.resume(client)
  local order = love.filesystem.read(ORDER) or ""
  local name, time, length, position = order:match "^((%d+)%.%d+)\n(%d+)\n()"
  if not name then return nil end
  local id = order:sub(position + length + 1)
  if #id > 0 then return client:generation(id) end
  local prompt = order:sub(position, position + length - 1)
  local search = { instructions = instructions(prompt, name), since = time - DAY }
  local gen, message, err = client:find_generation(search)
  for _ = 2, LOOKS do
    if gen or err.kind ~= "not_found" then break end
    local slept, why, failure = devkit4ai.sleep(PAUSE)
    if not slept then return nil, why, failure end
    gen, message, err = client:find_generation(search)
  end
  if gen then love.filesystem.append(ORDER, gen.id)
  elseif err.kind == "not_found" then M.forget() end
  return gen, message, err
end

--- Removes the order from the save folder, such as after a generation that failed.
--- ```lua not-run
--- require("devkit4ai.love").forget()
--- ```
function M.forget()
  love.filesystem.remove(ORDER)
end

return M
