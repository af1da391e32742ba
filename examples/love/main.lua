-- Image Studio: drop images on the window, type a prompt, and get a new image, while the scene goes on.
local devkit4ai, studio, g = require "devkit4ai", require "studio", love.graphics
local PROMPT = { { label = "What should the image show?", text = "", height = 100 } }
local LOGIN = { { label = "E-mail", text = "", height = 40 }, { label = "Password", text = "", height = 40 } }
local SKY = { { 0, 0, 0, 0, 0.04, 0.04, 0.14 }, { 1, 0, 0, 0, 0.08, 0.05, 0.2 }, { 1, 1, 0, 0, 0.9, 0.45, 0.45 },
  { 0, 1, 0, 0, 0.35, 0.2, 0.45 } } -- corners: x, y, u, v, red, green, blue
local CARD, DARK, ACCENT = { 0.03, 0.02, 0.1, 0.75 }, { 0.03, 0.02, 0.1, 0.8 }, { 0.47, 0.4, 0.95 }
local active, time, zoom, buttons, small, large, sky = 1, 0, 1, {}, g.newFont(15), g.newFont(30), g.newMesh(SKY, "fan")
local function fields() return studio.user and PROMPT or LOGIN end
local function field() return fields()[active] or fields()[1] end
local function submit(is_new)
  if studio.user then studio.order(PROMPT[1].text) else studio.log_in(LOGIN[1].text, LOGIN[2].text, is_new) end
end
function love.load() studio.load(os.getenv "GATEWAY" or "http://127.0.0.1:8081") end
function love.update(dt)
  time = time + dt
  devkit4ai.update()
end
love.filedropped = studio.drop
function love.textinput(text) field().text = field().text .. text end
function love.keypressed(key)
  if key == "tab" then active = active % #fields() + 1
  elseif key == "return" then submit()
  elseif key == "backspace" then field().text = field().text:gsub("[^\128-\191][\128-\191]*$", "") end
end
function love.mousepressed(x, y)
  x, y = x / zoom, y / zoom
  for _, b in ipairs(buttons) do if x > b.x and y > b.y and x < b.right and y < b.bottom then b.press() end end
end
local function box(color, x, y, width, height, press)
  g.setColor(color)
  g.rectangle("fill", x, y, width, height, math.min(10, height / 2))
  if press then table.insert(buttons, { x = x, y = y, right = x + width, bottom = y + height, press = press }) end
end
local function write(text, x, y, width, alpha, align)
  g.setColor(0.95, 0.94, 1, alpha)
  g.printf(text, x, y, width, align)
end
local function write_end(text, x, y, width, height) -- the last lines, as many as fit
  local lines = select(2, small:getWrap(text, width))
  write(table.concat(lines, "\n", math.max(1, #lines - math.floor(height / small:getHeight()) + 1)), x, y, width)
end
local function button(label, x, y, width, press)
  box(ACCENT, x, y, width, 40, press)
  write(label, x, y + 11, width, 1, "center")
end
local function show(picture, x, y, size, alpha) -- as large as fits
  local width, height = picture:getDimensions()
  g.setColor(1, 1, 1, alpha)
  g.draw(picture, x + size / 2, y + size / 2, 0, size / math.max(width, height), nil, width / 2, height / 2)
end
function love.draw()
  zoom = math.min(1, g.getWidth() / 720, g.getHeight() / 600) -- a small window shows everything smaller
  g.scale(zoom)
  local width, height = g.getWidth() / zoom, g.getHeight() / zoom
  local size, busy, result, y = math.min(width - 510, height - 150), studio.busy, studio.result or {}, 120
  buttons = {}
  g.draw(sky, 0, 0, 0, width, height)
  for i = 1, 3 do
    local function top(x) return height * (0.55 + i * 0.13 - love.math.noise((x + time * 7 * 2 ^ i) / 300 + i) / 6) end
    g.setColor(0.2 / i, 0.14 / i, 0.36 / i)
    for x = 0, width, 12 do g.polygon("fill", x, top(x), x + 12, top(x + 12), x + 12, height, x, height) end
  end
  box(CARD, 30, 30, 380, height - 60)
  g.setFont(large)
  write("Image Studio", 55, 52, 330)
  g.setFont(small)
  for i, row in ipairs(fields()) do
    write(row.label, 55, y, 330, 0.7)
    box(DARK, 55, y + 26, 330, row.height, function() active = i end)
    local cursor = field() == row and time % 1 < 0.5 and "|" or ""
    write_end((row == LOGIN[2] and row.text:gsub(".", "*") or row.text) .. cursor, 67, y + 37, 306, row.height - 11)
    y = y + row.height + 50
  end
  if studio.user then
    write("Drop one to five images on the window.", 55, y, 330, 0.7)
    for i = 1, 5 do
      local picture = studio.pictures[studio.images[i]]
      box(DARK, 67 * i - 12, y + 28, 60, 60, function() table.remove(studio.images, i) end)
      if picture then show(picture, 67 * i - 12, y + 28, 60, 1) end
    end
    box(CARD, 440, 30, size + 40, size + 40)
    if not result.picture then write("Your image appears here.", 460, 42 + size / 2, size, 0.7, "center") end
    y = y + 110
  end
  if busy then
    local bytes = busy.sent and (", %.1f of %.1f MB"):format(busy.sent / 1e6, busy.total / 1e6) or ""
    write(("%s%s: %d s"):format(busy.text, bytes, love.timer.getTime() - busy.started), 55, y + 2, 330)
    box(DARK, 55, y + 30, 330, 8)
    box(ACCENT, busy.sent and 55 or 179 + math.sin(time) * 124, y + 30, 330 * (busy.sent or 1) / (busy.total or 4), 8)
  elseif studio.user then button("Make the image", 55, y, 330, submit) else
    button("Log in", 55, y, 160, submit)
    button("New account", 225, y, 160, function() submit(true) end)
  end
  write(studio.message, 55, y + 58, 330)
  if result.picture then show(result.picture, 460, 50, size, love.timer.getTime() - result.time) end
  if result.bytes then button("Save", 440, size + 85, 160, studio.save) end
end
