-- Image Studio: drop images on the window, type a prompt, and get a new image, while the scene goes on.
local devkit4ai, studio, utf8, g = require "devkit4ai", require "studio", require "utf8", love.graphics
local LOGIN = { { label = "E-mail", text = "" }, { label = "Password", text = "", is_secret = true } }
local PROMPT = { { label = "What should the image show?", text = "" } }
local SKY = { { 0, 0, 0, 0, 0.04, 0.04, 0.14 }, { 1, 0, 0, 0, 0.08, 0.05, 0.2 }, { 1, 1, 0, 0, 0.9, 0.45, 0.45 },
  { 0, 1, 0, 0, 0.35, 0.2, 0.45 } }
local active, time, buttons, small, large, sky = 1, 0, {}, g.newFont(15), g.newFont(30), g.newMesh(SKY, "fan")

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
function love.filedropped(file) studio.drop(file) end
function love.textinput(text) field().text = field().text .. text end
function love.keypressed(key)
  if key == "tab" then active = active % #fields() + 1 elseif key == "return" then submit() end
  local last = key == "backspace" and utf8.offset(field().text, -1)
  if last then field().text = field().text:sub(1, last - 1) end
end
function love.mousepressed(x, y)
  for _, b in ipairs(buttons) do
    if x > b.x and x < b.x + b.width and y > b.y and y < b.y + b.height then b.press() end
  end
end

local function box(x, y, width, height, alpha, press)
  g.setColor(0.03, 0.02, 0.1, alpha)
  g.rectangle("fill", x, y, width, height, 10)
  if press then table.insert(buttons, { x = x, y = y, width = width, height = height, press = press }) end
end
local function write(text, x, y, width, align, alpha)
  g.setColor(0.95, 0.94, 1, alpha)
  g.printf(text, x, y, width, align)
end
local function button(label, x, y, width, press)
  box(x, y, width, 40, 1, press)
  g.setColor(0.47, 0.4, 0.95)
  g.rectangle("fill", x, y, width, 40, 10)
  write(label, x, y + 11, width, "center")
end
local function show(picture, x, y, size, alpha) -- as large as fits
  local width, height = picture:getDimensions()
  g.setColor(1, 1, 1, alpha)
  g.draw(picture, x + size / 2, y + size / 2, 0, size / math.max(width, height), nil, width / 2, height / 2)
end

local function draw_scene(width, height)
  g.draw(sky, 0, 0, 0, width, height)
  for i = 1, 3 do
    g.setColor(0.2 / i, 0.14 / i, 0.36 / i)
    local function top(x) return height * (0.55 + 0.13 * i - 0.18 * love.math.noise((x + time * 7 * 2 ^ i) / 300 + i)) end
    for x = 0, width, 12 do g.polygon("fill", x, top(x), x + 12, top(x + 12), x + 12, height, x, height) end
  end
end

function love.draw()
  local width, height = g.getDimensions()
  local size, busy, result, y = math.min(width - 510, height - 150), studio.busy, studio.result, 120
  buttons = {}
  draw_scene(width, height)
  box(30, 30, 380, height - 60, 0.75)
  g.setFont(large)
  write("Image Studio", 55, 52, 330)
  g.setFont(small)
  for i, row in ipairs(fields()) do
    write(row.label, 55, y, 330, nil, 0.7)
    box(55, y + 26, 330, studio.user and 100 or 40, 0.8, function() active = i end)
    local cursor = field() == row and time % 1 < 0.5 and "|" or ""
    write((row.is_secret and row.text:gsub(".", "*") or row.text) .. cursor, 67, y + 37, 306)
    y = y + (studio.user and 150 or 90)
  end
  for i = 1, studio.user and 5 or 0 do
    write("Drop one to five images on the window.", 55, y, 330, nil, i == 1 and 0.7 or 0)
    box(67 * i - 12, y + 28, 60, 60, 0.8, function() table.remove(studio.images, i) end)
    local image = studio.images[i]
    if image and image.picture then show(image.picture, 67 * i - 12, y + 28, 60) end
  end
  y = studio.user and y + 110 or y
  if busy then
    local bytes = busy.sent and (", %.1f of %.1f MB"):format(busy.sent / 1e6, busy.total / 1e6) or ""
    write(("%s%s: %d s"):format(busy.text, bytes, love.timer.getTime() - busy.started), 55, y + 2, 330)
    box(55, y + 30, 330, 8, 0.8)
    g.setColor(0.47, 0.4, 0.95)
    local part = busy.sent and busy.sent / busy.total or 0.25
    g.rectangle("fill", busy.sent and 55 or 179 + math.sin(time * 2) * 124, y + 30, 330 * part, 8, 4)
  else
    if studio.user then button("Make the image", 55, y, 330, submit) else
      button("Log in", 55, y, 160, submit)
      button("New account", 225, y, 160, function() submit(true) end)
    end
    write(studio.message, 55, y + 58, 330)
  end
  box(440, 30, size + 40, size + 40, studio.user and 0.75 or 0)
  if result and result.picture then show(result.picture, 460, 50, size, love.timer.getTime() - result.time)
  elseif studio.user then write("Your image appears here.", 460, 42 + size / 2, size, "center", 0.7) end
  if result then button("Save", 440, size + 85, 160, studio.save) end
end
