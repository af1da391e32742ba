--- Lines of Lua that messages suggest. Each runs as it stands where the client is called `client`, or `user` for an end user's.
local M = {}

--- A text as a Lua string on one line. All five Luas read it, and none of them takes [[ inside of [[.
---@param text string
---@return string
function M.quote(text)
  if not text:find('[%c\\"]') then return '"' .. text .. '"' end
  if not text:find("%c") and not text:find("[%[%]][%[%]]") and not text:find("%]$") then return "[[" .. text .. "]]" end
  return '"' .. text:gsub('[%c\\"]', function(char)
    return char:find("%c") and ("\\%03d"):format(char:byte()) or "\\" .. char
  end) .. '"'
end

--- The Lua of a handle on a project.
---@param client devkit4ai.Client
---@param id string
---@return string
function M.project(client, id)
  return ("%s:project(%s)"):format(client._called, M.quote(id))
end

--- The Lua of a handle on a generation.
---@param words string the Lua of the client or the project
---@param id string
---@param options string? the Lua of the handle's options
---@return string
function M.generation(words, id, options)
  return ("%s:generation(%s%s)"):format(words, M.quote(id), options and ", " .. options or "")
end

--- The line that finds an order.
---@param words string the Lua of the client or the project
---@param text string the prompt, or the JSON text of the instructions
---@param since integer Unix time of the order
---@return string
function M.find(words, text, since)
  return ("%s:find_generation { instructions = %s, since = %d }"):format(words, M.quote(text), since)
end

--- The line that waits for a generation.
---@param gen devkit4ai.Generation
---@return string
function M.wait(gen)
  return gen._words .. ":wait()"
end

--- The line that saves the image of a generation.
---@param gen devkit4ai.Generation
---@param path string
---@return string
function M.save(gen, path)
  return ("%s:save(%s)"):format(gen._words, M.quote(path))
end

--- The line that gives the bytes of the image.
---@param gen devkit4ai.Generation
---@return string
function M.bytes(gen)
  return gen._words .. ":bytes()"
end

return M
