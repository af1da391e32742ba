--- Checks and copies the list of images that a call sends. The caller may change its tables while the images go out.
local validate = require "devkit4ai.util.validate"

local M = {}

local IMAGE = { data = { type = "string", required = true }, filename = { type = "string", required = true } }

--- What to say of a name that can't be used, without showing it: its length is the argument.
M.NO_NAME = "a text of %d bytes is no name of a file: it is empty, ends with / or has a NUL"

--- Whether a text can name a file. A NUL would end the name in C, so a check of its ending would see another file.
---@param text string
---@return boolean
function M.is_name(text)
  return text:find("[^/]$") ~= nil and not text:find("\0", 1, true)
end

-- Each field is read once: a metamethod may give another value the next time.
local function copy_image(what, image)
  local copy = { data = image.data, filename = image.filename }
  for name in pairs(image) do
    if copy[name] == nil then copy[name] = false end -- an unknown name, which the check refuses
  end
  return validate.arguments(what, IMAGE, copy)
end

--- A copy of the list. Raises at the caller's line for a wrong type and an unknown field.
---@param says string how the user knows the call: "project:generate"
---@param name string of the list: "images"
---@param images table
---@param most integer
---@return (string|{ data: string, filename: string })[]? copies
---@return string? why
function M.copy(says, name, images, most)
  local copies, count = {}, 0
  for _ in pairs(images) do count = count + 1 end
  for i = 1, count do
    local image, label = images[i], ("%s[%d]"):format(name, i)
    local what = says .. ": " .. label
    validate.value(what, { type = "string or table", required = true }, image)
    if type(image) == "table" then image = copy_image(what, image) end
    local file = type(image) == "table" and image.filename or image
    if not M.is_name(file) then return nil, ("%s: %s"):format(label, M.NO_NAME:format(#file)) end
    copies[i] = image
  end
  if count == 0 then return nil, ("give 1 to %d %s; there is none"):format(most, name) end
  if count > most then return nil, ("give 1 to %d %s, not %d"):format(most, name, count) end
  return copies
end

return M
