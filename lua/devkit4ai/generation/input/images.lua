--- The list of images that a call uploads: checks it and copies it, because the program may change its tables meanwhile.
local system = require "devkit4ai.util.system"
local validate = require "devkit4ai.util.validate"

local M = {}

local IMAGE = { data = { type = "string", required = true }, filename = { type = "string", required = true } }

local NAME_END = "[^" .. system.SEPARATORS .. "]$"

--- The message for a bad file name. It does not show the name, which may be a key; the argument is its length.
M.BAD_FILE_NAME = "a text of %d bytes is not a file name: it is empty, ends with / or contains a NUL"

--- Whether a text can name a file. C ends a text at a NUL, so a check of the name's ending would see another file.
---@param text string
---@return boolean
function M.is_file_name(text)
  return text:find(NAME_END) ~= nil and not text:find("\0", 1, true)
end

-- A file of a game in LÖVE, which is not a file of the disk.
local function is_in_game(path)
  local love = rawget(_G, "love")
  if not (love and love.filesystem and love.filesystem.getInfo(path, "file")) then return false end
  local file = io.open(path, "rb")
  if file then file:close() end
  return not file
end

local IN_GAME = "%s is a file of the game, not of the disk: give { data = love.filesystem.read(%q), filename = %q }"

-- Reads each field once: a metamethod may return another value the next time.
local function copy_image(label, image)
  local copy = { data = image.data, filename = image.filename }
  for name in pairs(image) do
    if copy[name] == nil then copy[name] = false end -- an unknown field, which the check refuses
  end
  return validate.arguments(label, IMAGE, copy)
end

--- A copy of the list. Raises at the caller's line for a wrong type and an unknown field.
---@param call_name string "project:generate"
---@param list_name string "images"
---@param images table
---@param most integer
---@return (string|{ data: string, filename: string })[]? copies
---@return string? why
function M.copy(call_name, list_name, images, most)
  local copies, count = {}, 0
  for _ in pairs(images) do count = count + 1 end
  for i = 1, count do
    local image, label = images[i], ("%s[%d]"):format(list_name, i)
    local full_label = call_name .. ": " .. label
    if type(image) ~= "string" then
      validate.value(full_label, { type = "string or table", required = true }, image)
      image = copy_image(full_label, image)
    end
    local file = type(image) == "table" and image.filename or image
    if not M.is_file_name(file) then return nil, ("%s: %s"):format(label, M.BAD_FILE_NAME:format(#file)) end
    if image == file and is_in_game(file) then
      return nil, ("%s: "):format(label) .. IN_GAME:format(file, file, file:match "[^/]+$")
    end
    copies[i] = image
  end
  if count == 0 then return nil, ("give 1 to %d %s; there is none"):format(most, list_name) end
  if count > most then return nil, ("give 1 to %d %s, not %d"):format(most, list_name, count) end
  return copies
end

return M
