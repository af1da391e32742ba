--- Lines of Lua code that messages suggest. They run as they are, if the client is called `client` (of an end user: `user`).
local M = {}

--- A text as a Lua string on one line. Every Lua version reads it; Lua 5.1 rejects [[ inside of [[ ]].
---@param text string
---@return string
function M.quote(text)
  if not text:find('[%c\\"]') then return '"' .. text .. '"' end
  if not text:find("%c") and not text:find("[%[%]][%[%]]") and not text:find("%]$") then return "[[" .. text .. "]]" end
  return '"' .. text:gsub('[%c\\"]', function(char)
    return char:find("%c") and ("\\%03d"):format(char:byte()) or "\\" .. char
  end) .. '"'
end

--- Code that makes a project handle.
---@param client devkit4ai.Client
---@param id string
---@return string
function M.project(client, id)
  return ("%s:project(%s)"):format(client._called, M.quote(id))
end

--- Code that makes a generation handle.
---@param expression string code of the client or project
---@param id string
---@param options string? code of the options
---@return string
function M.generation(expression, id, options)
  return ("%s:generation(%s%s)"):format(expression, M.quote(id), options and ", " .. options or "")
end

--- The line that finds a generation.
---@param expression string code of the client or project
---@param text string the prompt, or the JSON text of the instructions
---@param since integer Unix time of its creation
---@return string
function M.find(expression, text, since)
  return ("%s:find_generation { instructions = %s, since = %d }"):format(expression, M.quote(text), since)
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

--- The line that downloads the image of a generation.
---@param gen devkit4ai.Generation
---@return string
function M.bytes(gen)
  return gen._words .. ":bytes()"
end

return M
