--- For games in LÖVE: finds the library's C modules in a packaged game, reads and decodes images, and keeps each order in the
--- save folder until the game has its image. Require it before `devkit4ai`, in each love.thread, too.
local love = rawget(_G, "love")

-- LÖVE's own loader finds C modules in a game's folder and in its save folder, but not beside a .love or a fused program.
local ending = require("devkit4ai.util.system").is_windows and "dll" or "so"
package.cpath = ("%s/?.%s;%s"):format(love.filesystem.getSourceBaseDirectory(), ending, package.cpath)

local config = require "devkit4ai.config"
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local session = require "devkit4ai.auth.session"

local M = {}

-- In place of the project and its keys, which the gateway adds.
local NO_PROJECT, NO_KEY = "00000000-0000-0000-0000-000000000000", "added-by-the-gateway"
local FRAME = 1 / 60 -- seconds
local ORDERS = "devkit4ai-orders" -- in the save folder: a file for each order, under the order's name
local PAUSES = { 5, 10, 20, 40, 60 } -- seconds between looks; in sum longer than a gateway waits for the API (120 s)
local UNCLEAR = { not_found = true, conflict = true } -- kinds of errors after which a look may find more; conflict: a list with gaps

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

---@class devkit4ai.LoveOrder
---@field path string of its file in love.filesystem: the account, the size of the prompt, the prompt, and the id once it is known
---@field account string of the player; "": it is not known
---@field prompt string
---@field id string? of the generation
---@field lock userdata? held while this program sends the order or looks for its generation; ends with the program

-- The order's name makes the instructions unlike those of every other order, so that no other generation is taken for it.
local function instructions(order)
  return { prompt = order.prompt, order = order.path:match "[^/]+$" }
end

-- "": it is not known. An order is looked for in its own account only: another player's list never has it.
local function account_of(client)
  return ((session.account(client._client) or ""):gsub("%c", ""))
end

-- Returns whether no other task and no other copy of the game has the lock.
local function lock(order)
  local held, _, why = core.lock(("%s/%s.lock"):format(love.filesystem.getSaveDirectory(), order.path))
  order.lock = held or nil
  return held, why
end

local function unlock(order)
  order.lock:release()
end

-- nil: it is not whole, so nothing was sent.
local function read_order(path)
  local text = love.filesystem.read(path) or ""
  local account, length, position = text:match "^([^\n]*)\n(%d+)\n()"
  local ends = position and math.min(position + tonumber(length), #text + 1) -- one after the prompt
  if not ends or text:sub(ends, ends) ~= "\n" then return nil end
  local id = text:match("[^\n]*$", ends) -- a full disk may have cut it
  return {
    path = path, account = account, prompt = text:sub(position, ends - 1), id = config.is_uuid(id) and id or nil,
  }
end

-- The orders in the save folder, the oldest first.
local function orders()
  local list = {}
  for _, name in ipairs(love.filesystem.getDirectoryItems(ORDERS)) do
    list[#list + 1] = name:find "^%d+%-%d+$" and read_order(ORDERS .. "/" .. name) or nil
  end
  table.sort(list, function(a, b) return a.path < b.path end)
  return list
end

-- Writes a new order, and locks it.
local function new_order(client, prompt)
  local name = ("%d-%09d"):format(os.time(), math.floor(core.random() * 1e9))
  local order = { path = ORDERS .. "/" .. name, account = account_of(client), prompt = prompt }
  love.filesystem.createDirectory(ORDERS)
  local held, why = lock(order)
  if not held then return nil, why or "two orders have the same name" end
  local kept, reason = love.filesystem.write(order.path, ("%s\n%d\n%s\n"):format(order.account, #prompt, prompt))
  if kept then return order end
  unlock(order)
  return nil, reason
end

local function keep_id(order, gen)
  order.id = gen.id
  love.filesystem.append(order.path, "\n" .. gen.id) -- if the disk is full, `resume` looks for it by its name
end

-- One look at the server. A known id may be unknown to it as well for some seconds.
local function look(client, order)
  if order.id then return client:generation(order.id):refresh() end
  return client:find_generation { instructions = instructions(order) } -- without `since`: the player's clock may be wrong
end

-- The generation of an order that was sent. An order that the server does not have after the last look is removed.
local function find(client, order)
  local gen, message, err = look(client, order)
  for _, pause in ipairs(PAUSES) do
    if gen or not UNCLEAR[err.kind] then break end
    local slept, why, failure = devkit4ai.sleep(pause)
    if not slept then return nil, why, failure end
    gen, message, err = look(client, order)
  end
  if gen and not order.id then keep_id(order, gen) end
  if err and err.kind == "not_found" then love.filesystem.remove(order.path) end
  return gen, message, err
end

--- Creates a generation as client:generate does, and keeps the order in the save folder until `forget`: before it is sent the
--- prompt, then its id. The order has a name, which is sent as a part of the instructions. After an end of the game at any
--- moment, `resume` finds it. Several orders may be in progress, also of several copies of the game.
--- ```lua not-run
--- local gen = assert(require("devkit4ai.love").generate(client, { images = { file:getFilename() }, prompt = "in winter" }))
--- ```
---@param client devkit4ai.Client
---@param options devkit4ai.GenerateOptions with a prompt, not with instructions
---@return devkit4ai.Generation? gen also, if no usable response came and a look at the server found it
---@return string? message
---@return devkit4ai.Error? err nil: the save folder can't be written, and nothing was sent; outcome `unknown`, or an error of a look: `resume` continues the order
function M.generate(client, options)
  local call = {}
  local order, why = new_order(client, options.prompt or "")
  if not order then return nil, "devkit4ai.love: the save folder can't be written, so nothing was sent: " .. why end
  for option, value in pairs(options) do call[option] = value end
  call.prompt, call.instructions = nil, instructions(order)
  local gen, message, err = client:generate(call)
  if gen then keep_id(order, gen)
  elseif err.outcome == "unknown" then gen, message, err = find(client, order)
  else love.filesystem.remove(order.path) end
  unlock(order)
  return gen, message, err
end

--- The generation of the player's oldest order in the save folder. If the game ended before it knew the id, or no usable
--- response came, this looks for it in the player's list, for two minutes. An order that is not there is then forgotten. Call
--- it at the start, after a login and before a new order, so that nobody orders again what is paid for already.
--- ```lua not-run
--- local gen, message, err = require("devkit4ai.love").resume(client)
--- ```
---@param client devkit4ai.Client
---@return devkit4ai.Generation? gen nil without a message: there is no order
---@return string? message
---@return devkit4ai.Error? err kind `not_found`: the server does not have the order; all others: call it again later
function M.resume(client)
  local account = account_of(client)
  for _, order in ipairs(orders()) do
    if order.account == account and lock(order) then
      local gen, message, err = find(client, order)
      unlock(order)
      return gen, message, err
    end
  end
end

--- Removes the order of a generation from the save folder: when the game no longer needs its image, or when it failed.
--- ```lua not-run
--- require("devkit4ai.love").forget(gen)
--- ```
---@param gen devkit4ai.Generation
function M.forget(gen)
  for _, order in ipairs(orders()) do
    if order.id == gen.id then love.filesystem.remove(order.path) end
  end
end

return M
