--- Image renderer: draws a scene as a PNG, row by row. A row is a table with red, green and blue of each pixel in turn;
--- the values are clamped and rounded when the row is packed.
local png = require "devkit4ai.sandbox.images.png"
local image_scene = require "devkit4ai.sandbox.images.image_scene"

local M = {}

local SIZE = image_scene.SIZE
local floor, max, min, sqrt, sin = math.floor, math.max, math.min, math.sqrt, math.sin
local unpack = table.unpack or unpack -- luacheck: ignore (5.1 and LuaJIT)
local ROWS_PER_TURN = 4 -- drawn before other coroutines get a turn
local HALO_RADIUS = 620 -- pixels that the light of the disc reaches
local PACKED_AT_ONCE = 32 -- pixels

-- A colour of the sky's gradient, t from 0 (zenith) to 1 (horizon).
local function sky_at(palette, t)
  local stops = palette.sky
  local place = min(max(t, 0), 0.9999) * (#stops - 1)
  local i = floor(place)
  local a, b, part = stops[i + 1], stops[i + 2], place - i
  part = part * part * (3 - 2 * part) * 0.35 + part * 0.65
  return a[1] + (b[1] - a[1]) * part, a[2] + (b[2] - a[2]) * part, a[3] + (b[3] - a[3]) * part
end

-- The light of the disc by squared distance, in steps of 64 square pixels. A table, since each pixel needs it.
local function halo_table(radius)
  local light = {}
  for i = 0, floor(HALO_RADIUS * HALO_RADIUS / 64) do
    local far = max(0, sqrt(i * 64) - radius * 0.8) / (HALO_RADIUS - radius * 0.8)
    light[i] = 0.85 * (1 - min(1, far)) ^ 3.2
  end
  return light
end

local function paint_sky(row, scene, y, light)
  local palette, disc = scene.palette, scene.disc
  local r, g, b = sky_at(palette, (y / scene.horizon) ^ 1.15)
  local halo = palette.halo
  local hr, hg, hb = halo[1] * 0.75, halo[2] * 0.75, halo[3] * 0.75
  local dy2, reach, at = (y - disc.y) ^ 2, HALO_RADIUS * HALO_RADIUS, 0
  for x = 0, SIZE - 1 do
    local d2 = (x - disc.x) ^ 2 + dy2
    if d2 < reach then
      local glow = light[floor(d2 / 64)]
      row[at + 1], row[at + 2], row[at + 3] = r + hr * glow, g + hg * glow, b + hb * glow
    else
      row[at + 1], row[at + 2], row[at + 3] = r, g, b
    end
    at = at + 3
  end
end

local function blend(row, x, colour, share)
  if x < 0 or x >= SIZE then return end
  local at, rest = x * 3, 1 - share
  row[at + 1] = row[at + 1] * rest + colour[1] * share
  row[at + 2] = row[at + 2] * rest + colour[2] * share
  row[at + 3] = row[at + 3] * rest + colour[3] * share
end

local function paint_disc(row, scene, y)
  local disc, rims = scene.disc, scene.palette.disc
  local dy = y - disc.y
  if math.abs(dy) > disc.radius then return end
  local t = (dy / disc.radius + 1) / 2
  if disc.striped and t > 0.45 then -- gaps that grow towards the lower rim
    local phase = (t - 0.45) * 14
    if phase % 1 < 0.12 + (t - 0.45) * 0.75 then return end
  end
  local colour = {}
  for c = 1, 3 do colour[c] = rims[1][c] + (rims[2][c] - rims[1][c]) * t end
  local half = sqrt(disc.radius ^ 2 - dy * dy)
  local from, to = disc.x - half, disc.x + half
  for x = floor(from), floor(to) do
    blend(row, x, colour, min(1, x + 1 - from, to - x)) -- smooth edges
  end
end

local WHITE = { 255, 255, 255 }

local function paint_stars(row, stars)
  for _, star in ipairs(stars) do
    blend(row, star.x, WHITE, star.light)
    if star.light > 0.5 then
      blend(row, star.x - 1, WHITE, star.light * 0.35)
      blend(row, star.x + 1, WHITE, star.light * 0.35)
    end
  end
end

local function fill(row, from, to, r, g, b)
  for at = max(from, 0) * 3, min(to, SIZE) * 3 - 1, 3 do
    row[at + 1], row[at + 2], row[at + 3] = r, g, b
  end
end

local function paint_windows(row, house, layer, y)
  local below = y - house.top - 6
  local cell, size = layer.cell, layer.window
  if below < 0 or below % cell[2] >= size[2] then return end
  for _, span in ipairs(house.windows[floor(below / cell[2]) + 1] or {}) do
    for x = span[1], span[1] + size[1] - 1 do blend(row, x, span[2], span[3] * (1 - layer.haze * 0.55)) end
  end
end

-- The houses of a layer. Near ones are dark; far ones have the haze of the sky. All are lighter near the water.
local function paint_layer(row, scene, layer, y)
  local near = scene.palette.near
  local fr, fg, fb = sky_at(scene.palette, 0.50 + 0.46 * (y / scene.horizon))
  for _, house in ipairs(layer.houses) do
    local deep = (y - house.top) / (scene.horizon - house.top)
    local haze = min(1, layer.haze * 0.72 + max(0, deep) ^ 2 * 0.22)
    local r = near[1] + (fr * 0.62 - near[1]) * haze
    local g = near[2] + (fg * 0.62 - near[2]) * haze
    local b = near[3] + (fb * 0.62 - near[3]) * haze
    if y >= house.top then
      fill(row, house.x, house.x + house.width, r, g, b)
      fill(row, house.x, house.x + 1, r * 1.35 + 4, g * 1.35 + 4, b * 1.35 + 6) -- a lit edge
      paint_windows(row, house, layer, y)
    else
      for _, box in ipairs(house.boxes) do
        if y >= house.top - box[3] then
          fill(row, floor(house.x + house.width * box[1]), max(floor(house.x + house.width * box[2]),
            floor(house.x + house.width * box[1]) + 2), r, g, b)
        end
      end
    end
  end
end

-- A sign is almost white; its light gets weaker with the distance.
local function paint_sign(row, sign, y)
  local dy = max(sign.top - y, 0, y - sign.bottom)
  local reach = sign.reach
  if dy >= reach then return end
  local colour = sign.colour
  local cr, cg, cb = colour[1], colour[2], colour[3]
  for x = max(0, sign.x - reach), min(SIZE - 1, sign.right + reach) do
    local dx = max(sign.x - x, 0, x - sign.right)
    if dx == 0 and dy == 0 then
      blend(row, x, { cr * 0.6 + 102, cg * 0.6 + 102, cb * 0.6 + 102 }, 1)
    else
      local far = 1 - sqrt(dx * dx + dy * dy) / reach
      if far > 0 then
        local glow, at = far * far * far * 0.75, x * 3
        row[at + 1] = row[at + 1] + cr * glow
        row[at + 2] = row[at + 2] + cg * glow
        row[at + 3] = row[at + 3] + cb * glow
      end
    end
  end
end

local char, byte = string.char, string.byte

local function pack(row)
  local out, n = {}, SIZE * 3
  for i = 1, n do
    local v = row[i]
    row[i] = v >= 255 and 255 or v <= 0 and 0 or floor(v)
  end
  for i = 1, n, PACKED_AT_ONCE * 3 do out[#out + 1] = char(unpack(row, i, i + PACKED_AT_ONCE * 3 - 1)) end
  return table.concat(out)
end

-- Water: the city upside down, lower, darker and in the halo's colour, moved sideways by waves that grow downwards.
local function paint_water(row, scene, y, above)
  local depth = y - scene.horizon
  local share = depth / (SIZE - scene.horizon)
  local ripple, near, halo = scene.ripple, scene.palette.near, scene.palette.halo
  local wave = depth ^ 0.75 * ripple[3]
  local source = scene.horizon - 1 - floor(depth * 1.55 + 2.2 * sin(wave * 1.3 + ripple[1]) * share)
  local shift = floor((1 + 10 * share) * sin(wave * 1.9 + ripple[2]) + 0.5)
  local line = above[min(max(source, 0), scene.horizon - 1)]
  local keep = (0.70 - 0.22 * share) * (0.84 + 0.24 * sin(wave * 1.9 + ripple[2] + 1))
  local kr, kg, kb = keep * (0.62 + halo[1] / 670), keep * (0.62 + halo[2] / 670), keep * (0.62 + halo[3] / 670)
  local nr, ng, nb = near[1] * 0.8, near[2] * 0.8, near[3] * 1.1 + 4
  for x = 0, SIZE - PACKED_AT_ONCE, PACKED_AT_ONCE do
    local from = min(max(x + shift, 0), SIZE - PACKED_AT_ONCE) * 3
    local bytes = { byte(line, from + 1, from + PACKED_AT_ONCE * 3) }
    local at = x * 3
    for i = 1, PACKED_AT_ONCE * 3, 3 do
      row[at + i] = bytes[i] * kr + nr
      row[at + i + 1] = bytes[i + 1] * kg + ng
      row[at + i + 2] = bytes[i + 2] * kb + nb
    end
  end
end

local function stars_by_row(stars)
  local rows = {}
  for _, star in ipairs(stars) do
    rows[star.y] = rows[star.y] or {}
    table.insert(rows[star.y], star)
  end
  return rows
end

--- Draws the PNG of a seed: 1,024 x 1,024, the same bytes for the same seed.
---@param seed string
---@param yield_to_others fun() called after every few rows
---@return string
function M.draw(seed, yield_to_others)
  local scene = image_scene.compose(seed)
  local encoder, row, above = png.new(SIZE, SIZE), {}, {}
  local light, stars = halo_table(scene.disc.radius), stars_by_row(scene.stars)
  for y = 0, SIZE - 1 do
    if y < scene.horizon then
      paint_sky(row, scene, y, light)
      if stars[y] then paint_stars(row, stars[y]) end
      paint_disc(row, scene, y)
      for depth, layer in ipairs(scene.layers) do
        paint_layer(row, scene, layer, y)
        for _, sign in ipairs(scene.signs) do
          if sign.depth == depth then paint_sign(row, sign, y) end
        end
      end
    else
      paint_water(row, scene, y, above)
    end
    local packed = pack(row)
    above[y] = packed
    encoder:add_row(packed)
    if y % ROWS_PER_TURN == ROWS_PER_TURN - 1 then yield_to_others() end
  end
  return encoder:finish()
end

return M
