--- Scene generator: a city by the water at night, made from a seed. image_renderer.lua draws it. Lengths are pixels, y
--- grows downwards, colours are { red, green, blue } from 0 to 255.
local M = {}

M.SIZE = 1024

local function rgb(hex)
  return { tonumber(hex:sub(1, 2), 16), tonumber(hex:sub(3, 4), 16), tonumber(hex:sub(5, 6), 16) }
end

local function colours(text)
  local list = {}
  for hex in text:gmatch("%x+") do list[#list + 1] = rgb(hex) end
  return list
end

-- sky: from the zenith to the horizon; disc: the upper and the lower rim; near: the nearest houses; lights: windows;
-- neon: signs and edges.
local PALETTES = {
  { sky = colours "07041f 1d0b4a 5a1a7e c93a86 ff8f6b", disc = colours "fff2a8 ff4f93", halo = rgb "ff5c8a",
    near = rgb "070313", lights = colours "ffd98a ffb45e 8ff2ff", neon = colours "21e6ff ff3fb4 b06bff" },
  { sky = colours "01040f 041d3a 08476a 1591a0 8af0d8", disc = colours "f6ffff 9be8ff", halo = rgb "49d6e6",
    near = rgb "020911", lights = colours "ffe9b0 9ff5ff ffc46b", neon = colours "00ffd0 ff4fd8 38b6ff" },
  { sky = colours "04020f 150c3d 3b1f7d 7f4fc4 e3a6f0", disc = colours "ffffff d9b8ff", halo = rgb "b48cff",
    near = rgb "06030f", lights = colours "ffe0a3 ffb3e6 a8c9ff", neon = colours "ff5ce1 6be7ff ffd34f" },
  { sky = colours "0b0310 330a26 8a1c34 e0552f ffc163", disc = colours "fff3c4 ff7a36", halo = rgb "ff8a3c",
    near = rgb "0b0308", lights = colours "ffdf94 ffae5c ffe9d0", neon = colours "ff4d6d 46e0ff ffd447" },
  { sky = colours "070d33 22246b 5d4aa6 c777b5 ffcfae", disc = colours "fffbe8 ffb08a", halo = rgb "ff9f9f",
    near = rgb "080a22", lights = colours "fff0b8 ffcf86 a6e8ff", neon = colours "5cf2ff ff7ac6 ffe45c" },
  { sky = colours "010a12 042433 075049 2f9a72 c9f2a5", disc = colours "fdfff0 b9f5b0", halo = rgb "6fe8a0",
    near = rgb "020c0d", lights = colours "fff3b0 c8ffda 8fe9ff", neon = colours "4dffb8 ff5fa2 4fc3ff" },
}

-- A random number generator (Lehmer) that gives the same numbers for a seed on every Lua.
local function random_generator(seed)
  local n = 1
  for i = 1, #seed do n = (n * 256 + seed:byte(i)) % 2147483646 end
  n = n + 1
  local function random(low, high)
    n = n * 48271 % 2147483647
    return low + (n / 2147483647) * (high - low)
  end
  random(0, 1) -- the first numbers of similar seeds are similar
  return random
end

local function pick(random, list)
  return list[math.floor(random(1, #list + 0.999))]
end

local function random_integer(random, low, high)
  return math.floor(random(low, high + 0.999))
end

-- The four layers, from far to near: the heights and widths of the houses, the haze, and the grid of the windows.
local LAYERS = {
  { low = 0.16, high = 0.52, slim = 26, wide = 62, haze = 0.80, cell = { 5, 7 }, window = { 2, 2 }, lit = 0.10 },
  { low = 0.14, high = 0.64, slim = 34, wide = 84, haze = 0.56, cell = { 7, 9 }, window = { 3, 4 }, lit = 0.20 },
  { low = 0.08, high = 0.46, slim = 44, wide = 104, haze = 0.30, cell = { 9, 12 }, window = { 5, 6 }, lit = 0.30 },
  { low = 0.03, high = 0.27, slim = 60, wide = 140, haze = 0.06, cell = { 12, 15 }, window = { 7, 8 }, lit = 0.30 },
}

-- Roofs: boxes on top of a house, from and to as shares of its width, and the height in pixels.
local ROOFS = {
  function() return {} end,
  function(random) return { { 0.18, 0.82, random_integer(random, 10, 26) } } end,
  function(random)
    local step = random_integer(random, 8, 18)
    return { { 0.14, 0.86, step }, { 0.30, 0.70, 2 * step }, { 0.47, 0.53, random_integer(random, 4, 7) * step } }
  end,
  function(random) return { { 0.48, 0.52, random_integer(random, 30, 90) }, { 0.36, 0.64, 8 } } end,
  function(random) return { { 0.08, 0.40, random_integer(random, 14, 40) } } end,
  function(random)
    local boxes, rise = {}, random_integer(random, 20, 60)
    for i = 1, 8 do boxes[i] = { (i - 1) / 18, 1 - (i - 1) / 18, math.floor(rise * i / 8) } end -- narrows
    return boxes
  end,
}

-- Adds the windows to a house: rows of lit ones, each { x, colour, share }.
local function add_windows(random, scene, layer, house)
  local cell, size = layer.cell, layer.window
  local columns = math.floor((house.width - 4) / cell[1])
  local margin = math.floor((house.width - columns * cell[1] + cell[1] - size[1]) / 2)
  local lit = layer.lit * random(0.4, 1.7)
  local own, rows = pick(random, scene.palette.lights), {}
  for row = 1, math.ceil((scene.horizon - house.top) / cell[2]) do
    local spans = {}
    for column = 0, columns - 1 do
      if random(0, 1) < lit then
        local colour = random(0, 1) < 0.85 and own or pick(random, scene.palette.lights)
        spans[#spans + 1] = { house.x + margin + column * cell[1], colour, random(0.45, 1) }
      end
    end
    rows[row] = spans
  end
  house.windows = rows
end

-- Adds a neon sign to a house: a bright box that lights its surroundings.
local function add_sign(random, scene, house)
  local colour, kind = pick(random, scene.palette.neon), random(0, 1)
  local x, right, y, bottom
  if kind < 0.55 then -- a vertical sign on the wall
    local width = random_integer(random, 4, 7)
    x = math.floor(house.x + house.width * random(0.12, 0.8))
    right, y = x + width, house.top + random_integer(random, 10, 30)
    bottom = math.min(y + random_integer(random, 50, 150), scene.horizon - 14)
  else -- a line along the roof
    x, right, y = house.x + 2, house.x + house.width - 2, house.top + 3
    bottom = y + 3
  end
  if bottom > y + 2 then
    table.insert(scene.signs, { x = x, right = right, top = y, bottom = bottom, colour = colour,
      reach = random_integer(random, 26, 44), depth = house.depth })
  end
end

local function build_layer(random, scene, depth)
  local layer, houses = LAYERS[depth], {}
  local x = -random_integer(random, 0, 40)
  local phase, wave = random(0, 6.28), random(1.5, 3)
  while x < M.SIZE do
    local width = random_integer(random, layer.slim, layer.wide)
    -- the skyline is a wave, highest near the disc
    local swell = 0.5 + 0.3 * math.sin(phase + wave * 6.28 * x / M.SIZE)
      + 0.35 * math.exp(-((x + width / 2 - scene.disc.x) / 260) ^ 2)
    local share = layer.low + (layer.high - layer.low) * math.min(1, swell * random(0.35, 1.1))
    local house = { x = x, width = width, top = math.floor(scene.horizon * (1 - share)), depth = depth }
    house.boxes = pick(random, ROOFS)(random)
    add_windows(random, scene, layer, house)
    if depth >= 2 and random(0, 1) < ({ 0, 0.30, 0.34, 0.30 })[depth] then add_sign(random, scene, house) end
    houses[#houses + 1] = house
    x = x + width + (random(0, 1) < 0.3 and random_integer(random, 2, 14) or 0)
  end
  return { houses = houses, haze = layer.haze, cell = layer.cell, window = layer.window }
end

--- Makes the scene of a seed.
---@param seed string any bytes
---@return table
function M.compose(seed)
  local random = random_generator(seed)
  local scene = { palette = pick(random, PALETTES), horizon = random_integer(random, 700, 750), signs = {}, stars = {} }
  local radius = random_integer(random, 120, 190)
  scene.disc = {
    x = math.floor(M.SIZE * (random(0, 1) < 0.5 and random(0.27, 0.42) or random(0.58, 0.73))),
    y = math.floor(scene.horizon * random(0.38, 0.58)), radius = radius, striped = random(0, 1) < 0.5,
  }
  scene.ripple = { random(0, 6.28), random(0, 6.28), random(0.8, 1.3) }
  for _ = 1, random_integer(random, 140, 260) do
    local y = random_integer(random, 4, scene.horizon * 0.62)
    table.insert(scene.stars, { x = random_integer(random, 3, M.SIZE - 4), y = y,
      light = random(0.15, 1) ^ 2 * (1 - y / scene.horizon) })
  end
  scene.layers = {}
  for depth = 1, #LAYERS do scene.layers[depth] = build_layer(random, scene, depth) end
  return scene
end

return M
