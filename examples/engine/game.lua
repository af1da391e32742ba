--- The game's Lua: the player types a prompt and gets a sprite. The engine (engine.c) calls M.frame.
---
--- An order is in the file orders.txt from before its request is sent until its sprite is saved. So after a hot reload, a
--- crash or kill -9, the game finds the generation again: by its id, or by the order's name, which is a part of the
--- instructions. The game never sends an order twice.
local devkit4ai = require "devkit4ai"

local ORDERS = "orders.txt" -- in your game: in the folder of saved games
local IMAGE = "examples/images/neon.png"
local PAUSES = { 5, 10, 20, 40, 60 } -- seconds between looks: the server may still work on a request that nobody waits for

local PROJECT = os.getenv "DEVKIT4AI_PROJECT_ID" or "-" -- another project never has this one's orders

-- With your own keys, from the environment. A game that you ship has none: it talks to a server of yours, which has them.
local client = assert(devkit4ai.new())

-- Another engine with the same file would replace the orders of this one. The lock ends with this Lua state.
local M = { unlock = require("devkit4ai.store.file").new(ORDERS).lock "game" or error(ORDERS .. " is in use", 0) }

local orders = {} -- by name: { name, project, prompt, id }; id: nil until the server has accepted the order
local tasks = {} -- by name; of the orders in progress
local typed = "" -- the start of a line whose end has not come yet

-- The engine may be killed at any time, so the new file replaces the old one as a whole. To survive a power failure as
-- well, use your engine's function that also calls fsync.
local function save_orders()
  local file = assert(io.open(ORDERS .. ".new", "w"))
  for name, order in pairs(orders) do
    assert(file:write(("%s %s %s %s\n"):format(name, order.project, order.id or "-", order.prompt)))
  end
  assert(file:close())
  assert(os.rename(ORDERS .. ".new", ORDERS))
end

local function remove(order)
  orders[order.name] = nil
  save_orders()
end

local function say(order, ...)
  print(order.prompt .. ": " .. string.format(...))
end

-- No other order may have this name. math.random may give the same numbers again after a reload.
local function new_name()
  local random = assert(io.open("/dev/urandom", "rb"))
  local bytes = random:read(8)
  random:close()
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function instructions(order)
  return { prompt = order.prompt, order = order.name }
end

-- A known id may be unknown to the server as well for some seconds. No `since`: the player's clock may be wrong.
local function look(order)
  if order.id then return client:generation(order.id):refresh() end
  return client:find_generation { instructions = instructions(order) }
end

-- Nobody knows whether the server has accepted the order. A second request might pay twice, so the game only looks.
local function find(order)
  local gen, message, err = look(order)
  for _, pause in ipairs(PAUSES) do
    if gen or err.kind ~= "not_found" and err.kind ~= "conflict" then return gen, message end -- conflict: a list with gaps
    devkit4ai.sleep(pause)
    gen, message, err = look(order)
  end
  if gen or err.kind ~= "not_found" then return gen, message end
  remove(order)
  return nil, "the server does not have the order; type the prompt again to order it again"
end

local function send(order)
  local gen, message, err = client:generate {
    images = { IMAGE }, instructions = instructions(order),
    on_upload = function(sent, total) say(order, "%d of %d bytes are sent", sent, total) end,
  }
  if gen then return gen end
  if err.outcome == "unknown" then return find(order) end
  remove(order) -- the server has not accepted it
  return nil, message
end

-- Waits for the image and saves it. The order of an error that may pass is continued at the next start.
local function finish(order, gen)
  local done, message, err = gen:wait()
  if not done then
    if err.kind == "failed" or err.kind == "not_found" then remove(order) end
    return nil, message
  end
  local path, why = gen:save(order.name .. ".png", { overwrite = true })
  if path then remove(order) end
  return path, why
end

-- Runs as a task. begin: send for a new order, find for one that was sent.
local function make(order, begin)
  local gen, message = begin(order)
  if gen and not order.id then
    order.id = gen.id
    save_orders()
    say(order, "accepted")
  end
  local path
  if gen then path, message = finish(order, gen) end
  say(order, "%s", path or message)
end

local function start(order, begin)
  orders[order.name] = order
  tasks[order.name] = devkit4ai.spawn(make, order, begin)
end

--- Runs one frame.
---@param input string what the player has typed since the last frame; each complete line is a prompt
---@return boolean is_busy an order is in progress
function M.frame(input)
  typed = typed .. input
  for prompt in typed:gmatch "([^\n]+)\n" do
    start({ name = new_name(), project = PROJECT, prompt = prompt }, send)
    save_orders() -- before the task begins, which may be in a later frame
  end
  typed = typed:match "[^\n]*$"
  devkit4ai.update()
  for name, task in pairs(tasks) do
    if task.done then tasks[name] = nil end
  end
  return next(tasks) ~= nil
end

local file = io.open(ORDERS)
if file then
  for line in file:lines() do
    local name, project, id, prompt = line:match "^(%x+) (%S+) (%S+) (.*)$" -- nil: somebody has damaged the line
    if name then orders[name] = { name = name, project = project, id = id ~= "-" and id or nil, prompt = prompt } end
    if project == PROJECT then start(orders[name], find) end
  end
  file:close()
end

return M
