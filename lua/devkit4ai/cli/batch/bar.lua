--- The line that shows how far a batch is, as wide as the terminal allows. Pure.
local M = {}

local SPARE = 3 -- columns at the end of the line: on Ctrl-C, terminals write ^C there, and a full line would wrap
local MAX_BAR, MIN_BAR = 40, 5 -- columns between the brackets; a shorter bar shows nothing useful

-- Units from the largest: seconds, name, and the next smaller unit that is shown with it.
local UNITS = {
  { 86400, "d", 3600, "h" }, { 3600, "h", 60, "min" }, { 60, "min" }, { 1, "s" },
}

--- A length of time: "45 s", "18 min", "5 h 20 min", "2 d 4 h".
---@param seconds number
---@return string
function M.duration(seconds)
  seconds = math.ceil(seconds)
  for _, unit in ipairs(UNITS) do
    local count = math.floor(seconds / unit[1])
    if count > 0 or unit[1] == 1 then
      local rest = unit[3] and math.floor(seconds % unit[1] / unit[3]) or 0
      return rest > 0 and ("%d %s %d %s"):format(count, unit[2], rest, unit[4]) or ("%d %s"):format(count, unit[2])
    end
  end
end

-- A rate in the unit in which it is 1 or more.
local function rate_text(rate)
  for _, unit in ipairs { { 1, "s" }, { 60, "min" }, { 3600, "h" } } do
    local value = rate * unit[1]
    if value >= 1 or unit[2] == "h" then return (value < 10 and "%.1f/%s" or "%.0f/%s"):format(value, unit[2]) end
  end
end

local function share(done, total, width)
  return total > 0 and math.floor(width * done / total) or 0
end

-- The parts of the line with their importance: those with the highest number are left out first.
local function parts_of(counts, note)
  local parts = { { ("%d/%d"):format(counts.done, counts.total), 1 } }
  local function add(text, importance) parts[#parts + 1] = { text, importance } end
  if counts.running > 0 then add(counts.running .. " running", 5) end
  if counts.failed > 0 then add(counts.failed .. " failed", 2) end
  if counts.undecided > 0 then add(counts.undecided .. " undecided", 3) end
  if note then
    add(note, 2)
  else
    if counts.rate then add(rate_text(counts.rate), 6) end
    if counts.seconds_left then add(M.duration(counts.seconds_left) .. " left", 4) end
  end
  return parts
end

local function join(parts, least)
  local texts = {}
  for _, part in ipairs(parts) do
    if part[2] <= least then texts[#texts + 1] = part[1] end
  end
  return table.concat(texts, "  ")
end

--- The line.
---@param counts devkit4ai.batch.Counts
---@param columns integer of the terminal
---@param note string? in place of rate and time left, such as "stopping"
---@return string
function M.line(counts, columns, note)
  local parts = parts_of(counts, note)
  local text
  for least = 6, 1, -1 do
    text = join(parts, least)
    local width = math.min(MAX_BAR, columns - SPARE - #text - 4)
    if width >= MIN_BAR then
      local done = share(counts.done, counts.total, width)
      return ("[%s%s]  %s"):format(("#"):rep(done), ("."):rep(width - done), text)
    end
  end
  return text
end

--- The same as text, for a log file.
---@param counts devkit4ai.batch.Counts
---@return string
function M.text(counts)
  return (join(parts_of(counts), 6):gsub("  ", ", "))
end

return M
