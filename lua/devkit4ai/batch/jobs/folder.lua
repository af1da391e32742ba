--- Rows of a folder with images: one row per image, sorted by the bytes of the file names. Subfolders and other files are skipped.
local core = require "devkit4ai.core"
local locale = require "devkit4ai.util.locale"

local M = {}

local EXTENSIONS = { jpg = true, jpeg = true, png = true, webp = true }

local function is_image(name)
  local extension = name:match("^[^.].*%.(%w+)$")
  return extension ~= nil and EXTENSIONS[locale.lower(extension)] == true
end

local function row_of(folder, file)
  local stem = file:match("^(.*)%.")
  return { image = folder .. file, file = file, stem = stem, name = stem .. ".png" }
end

--- The rows. Each has `image` (the path), `file` (its name), `stem` (the name without its extension) and `name` (STEM.png).
---@param path string
---@return table[]? rows
---@return string? why
function M.rows(path)
  local names, _, why = core.list(path)
  if not names then return nil, why end
  local folder, rows = path:find("[/\\]$") and path or path .. "/", {}
  table.sort(names)
  for _, name in ipairs(names) do
    if is_image(name) then rows[#rows + 1] = row_of(folder, name) end
  end
  if not rows[1] then return nil, path .. ": there is no image with a name that ends in .jpg, .jpeg, .png or .webp" end
  return rows
end

return M
