-- Plays a game in LÖVE: main.lua of a folder in which the game's own main.lua is game.lua. The script in $PLAY is a function
-- body; its `player` sends real events of SDL, reads what the game writes on the window, and takes screenshots.
local ffi = require "ffi"

ffi.cdef [[
typedef struct { uint32_t type, timestamp; char *file; uint32_t window; uint8_t rest[40]; } dropped;
int SDL_PushEvent(void *event);
char *SDL_strdup(const char *text);
]]
local sdl = ffi.load "SDL2-2.0.so.0"
local DROP = 0x1000 -- SDL_DROPFILE

local player = { frames = {} } -- frames: seconds of each love.update
local texts = {} -- of the last frame

--- Drops a file of the disk on the window.
function player.drop(path)
  sdl.SDL_PushEvent(ffi.new("dropped", { type = DROP, file = sdl.SDL_strdup(path) }))
end

function player.type(text) love.event.push("textinput", text) end
function player.press(key) love.event.push("keypressed", key, key, false) end

--- Waits for frames in which the condition is false, or for one frame.
function player.wait(condition)
  repeat
    coroutine.yield()
  until not condition or condition()
end

--- Whether the game has written a text that contains this one.
function player.sees(text) return table.concat(texts, "\n"):find(text, 1, true) ~= nil end
function player.wait_for(text) player.wait(function() return player.sees(text) end) end

--- Clicks on the middle of a text.
function player.click(text)
  local x, y = assert(player.places[text], text)[1], player.places[text][2]
  love.event.push("mousepressed", x, y, 1, false, 1)
end

--- Saves a screenshot as a PNG file of the disk, if the spec wants them.
function player.take(name)
  local folder, done = os.getenv "SCREENSHOTS", false
  if not folder then return end
  love.graphics.captureScreenshot(function(pixels)
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(pixels:encode("png"):getString())
    file:close()
    done = true
  end)
  player.wait(function() return done end)
end

player.folder = love.filesystem.getSaveDirectory()

function player.say(...)
  print(...)
  io.stdout:flush()
end

local printf = love.graphics.printf
function love.graphics.printf(text, x, y, width, ...)
  local font = love.graphics.getFont()
  local lines = select(2, font:getWrap(text, width))
  player.right = math.max(player.right, (love.graphics.transformPoint(x + width, y)))
  player.bottom = math.max(player.bottom, select(2, love.graphics.transformPoint(x, y + #lines * font:getHeight())))
  texts[#texts + 1] = tostring(text)
  player.places[tostring(text)] = { love.graphics.transformPoint(x + width / 2, y + 5) }
  return printf(text, x, y, width, ...)
end

require "game"

local script = coroutine.create(assert(loadstring(os.getenv "PLAY", "=PLAY")))
local update, draw = love.update, love.draw

function love.update(dt)
  local started = love.timer.getTime()
  update(dt)
  player.frames[#player.frames + 1] = love.timer.getTime() - started
  local fine, why = coroutine.resume(script, player)
  if not fine then error(debug.traceback(script, why)) end
  if coroutine.status(script) == "dead" then love.event.quit() end
end

function love.draw()
  texts, player.places, player.right, player.bottom = {}, {}, 0, 0 -- right, bottom: pixels of the window that its texts need
  draw()
end

-- An error ends the process: LÖVE's own handler would show it until somebody closes the window.
function love.errorhandler(text)
  io.stderr:write(text, "\n", debug.traceback(), "\n")
  return function() return 1 end
end
