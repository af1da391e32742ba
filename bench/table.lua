--- A table of the benchmarks: cells measured in turns, then their medians, ratios and goals.
local M = {}

local ROUNDS = 5

---@class bench.Cell
---@field name string
---@field measure fun(seen: table<string, bench.Figure>): number, number?  in the table's unit; and KiB where the row measures memory too
---@field base? string the cell that its ratio is taken to; without one: the first
---@field figure? number goal: at most so much, in the table's unit
---@field ratio? number goal: at most so many times the base's figure of the same round
---@field memory? number goal: at most so many MB
---@field lightness? number goal: at most so many times the base's MB of the same round

---@class bench.Figure
---@field figure number
---@field memory number?

--- All cells in turns, round after round, so that what disturbs the machine disturbs them alike.
local function measure(cells, count)
  local rounds = {}
  for round = 1, count do
    local seen = {}
    for _, cell in ipairs(cells) do
      local figure, memory = cell.measure(seen)
      seen[cell.name] = { figure = figure, memory = memory }
    end
    rounds[round] = seen
  end
  return rounds
end

--- The median, the least and the most of a figure of a round.
local function spread(rounds, figure)
  local list = {}
  for _, seen in ipairs(rounds) do list[#list + 1] = figure(seen) end
  if #list < #rounds then return nil end
  table.sort(list)
  return list[(#list + 1) // 2], list[1], list[#list]
end

--- The goals of a cell, and whether it meets them.
local function judge(cell, found)
  local asked, missed = {}, {}
  for _, goal in ipairs { { "figure", "" }, { "ratio", " x" }, { "memory", " MB" }, { "lightness", " x MB" } } do
    local name, unit = goal[1], goal[2]
    if cell[name] then
      asked[#asked + 1] = ("<= %g%s"):format(cell[name], unit)
      -- a ratio that prints as the goal keeps it
      if tonumber(("%.2f"):format(found[name])) > cell[name] then missed[#missed + 1] = name end
    end
  end
  if #asked == 0 then return "-", "" end
  return table.concat(asked, ", "), #missed == 0 and "met" or "MISSED: " .. table.concat(missed, ", ")
end

--- Measures the cells and prints their table.
---@param title string
---@param unit string of the figures
---@param cells bench.Cell[]
---@param count integer? rounds: 1 where nothing scatters
function M.show(title, unit, cells, count)
  local rounds = measure(cells, count or ROUNDS)
  local lines = { { title, unit, "min", "max", "x", "MB", "x MB", "n", "goal", "" } }
  for i, cell in ipairs(cells) do
    local figure, least, most = spread(rounds, function(seen) return seen[cell.name].figure end)
    local base = cell.base or cells[1].name
    local ratio = spread(rounds, function(seen) return seen[cell.name].figure / seen[base].figure end)
    local kib = spread(rounds, function(seen) return seen[cell.name].memory end)
    local memory = kib and kib * 1024 / 1e6
    local lightness = kib and spread(rounds, function(seen)
      return seen[base].memory and seen[cell.name].memory / seen[base].memory
    end)
    local asked, verdict = judge(cell, { figure = figure, ratio = ratio, memory = memory, lightness = lightness })
    lines[i + 1] = { cell.name, ("%.2f"):format(figure), ("%.2f"):format(least), ("%.2f"):format(most),
      ("%.2f"):format(ratio), memory and ("%.2f"):format(memory) or "-",
      lightness and ("%.2f"):format(lightness) or "-", tostring(#rounds), asked, verdict }
  end
  local widths = {}
  for _, line in ipairs(lines) do
    for column, text in ipairs(line) do widths[column] = math.max(widths[column] or 3, #text) end
  end
  for i, line in ipairs(lines) do
    local padded, rule = {}, {}
    for column, text in ipairs(line) do
      local gap = (" "):rep(widths[column] - #text)
      padded[column] = (column == 1 or column > 8) and text .. gap or gap .. text
      rule[column] = ("-"):rep(widths[column])
    end
    print("| " .. table.concat(padded, " | ") .. " |")
    if i == 1 then print("| " .. table.concat(rule, " | ") .. " |") end
  end
  print()
end

return M
