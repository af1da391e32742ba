--- Lua code that messages suggest. Each line runs as printed if the client's variable is named `client` (or `user`, for an
--- end user's client).
local M = {}

--- A text as a Lua string on one line. Every supported Lua reads it; none allows [[ inside [[ ]].
---@param text string
---@return string
function M.quote(text)
  if not text:find('[%c\\"]') then return '"' .. text .. '"' end
  if not text:find("%c") and not text:find("[%[%]][%[%]]") and not text:find("%]$") then return "[[" .. text .. "]]" end
  return '"' .. text:gsub('[%c\\"]', function(char)
    return char:find("%c") and ("\\%03d"):format(char:byte()) or "\\" .. char
  end) .. '"'
end

-- The code for a client or a project. A project's scope is not its client.
local function owner(scope)
  if scope._variable then return scope._variable end
  return ("%s:project(%s)"):format(scope._client._variable, M.quote(scope.id))
end

local function generation(gen)
  return ("%s:generation(%s%s)"):format(owner(gen._scope), M.quote(gen._shown_id),
    gen._is_anonymous and ", { anonymous = true }" or "")
end

--- The line that finds a generation by its instructions.
---@param scope devkit4ai.Scope the client or project that sent the request
---@param instructions string the prompt, or the JSON text of the instructions
---@param since integer Unix time of the request
---@return string
function M.find(scope, instructions, since)
  return ("%s:find_generation { instructions = %s, since = %d }"):format(owner(scope), M.quote(instructions), since)
end

--- The line that waits for a generation.
---@param gen devkit4ai.Generation
---@return string
function M.wait(gen)
  return generation(gen) .. ":wait()"
end

--- The line that saves the image of a generation.
---@param gen devkit4ai.Generation
---@param path string
---@return string
function M.save(gen, path)
  return ("%s:save(%s)"):format(generation(gen), M.quote(path))
end

--- The line that returns the bytes of the image.
---@param gen devkit4ai.Generation
---@return string
function M.bytes(gen)
  return generation(gen) .. ":bytes()"
end

return M
