--- A table of the benchmarks: cells measured in turns, then their medians, ratios and goals.
local M = {}

local ROUNDS = 7

---@class bench.Cell
---@field name string
---@field measure fun(seen: table<string, bench.Figure>): number, number?  CPU, and KiB where the row looks at memory
---@field base? string the cell that its ratio is taken to; without one: the first
---@field cpu? number goal: at most so much CPU, in the table's unit
---@field ratio? number goal: at most so many times the base's CPU of the same round
---@field memory? number goal: at most so many MB

---@class bench.Figure
---@field cpu number
---@field memory number?

--- All cells in turns, round after round, so that what disturbs the machine disturbs them alike.
local function measure(cells)
  local rounds = {}
  for round = 1, ROUNDS do
    local seen = {}
    for _, cell in ipairs(cells) do
      local cpu, memory = cell.measure(seen)
      seen[cell.name] = { cpu = cpu, memory = memory }
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

--- What is asked of a cell, and whether it was kept.
local function judge(cell, found)
  local asked, missed = {}, {}
  for _, goal in ipairs { { "cpu", "" }, { "ratio", " x" }, { "memory", " MB" } } do
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
---@param unit string of the CPU figures
---@param cells bench.Cell[]
function M.show(title, unit, cells)
  local rounds = measure(cells)
  local lines = { { title, unit, "min", "max", "x", "MB", "n", "goal", "" } }
  for i, cell in ipairs(cells) do
    local cpu, least, most = spread(rounds, function(seen) return seen[cell.name].cpu end)
    local base = cell.base or cells[1].name
    local ratio = spread(rounds, function(seen) return seen[cell.name].cpu / seen[base].cpu end)
    local kib = spread(rounds, function(seen) return seen[cell.name].memory end)
    local memory = kib and kib * 1024 / 1e6
    local asked, verdict = judge(cell, { cpu = cpu, ratio = ratio, memory = memory })
    lines[i + 1] = { cell.name, ("%.2f"):format(cpu), ("%.2f"):format(least), ("%.2f"):format(most),
      ("%.2f"):format(ratio), memory and ("%.2f"):format(memory) or "-", tostring(ROUNDS), asked, verdict }
  end
  local widths = {}
  for _, line in ipairs(lines) do
    for column, text in ipairs(line) do widths[column] = math.max(widths[column] or 3, #text) end
  end
  for i, line in ipairs(lines) do
    local padded, rule = {}, {}
    for column, text in ipairs(line) do
      local gap = (" "):rep(widths[column] - #text)
      padded[column] = (column == 1 or column > 7) and text .. gap or gap .. text
      rule[column] = ("-"):rep(widths[column])
    end
    print("| " .. table.concat(padded, " | ") .. " |")
    if i == 1 then print("| " .. table.concat(rule, " | ") .. " |") end
  end
  print()
end

return M
