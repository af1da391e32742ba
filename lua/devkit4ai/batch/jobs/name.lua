--- Names of results: each is the name of a file in the results folder, on every system.
local display = require "devkit4ai.util.display"
local instructions = require "devkit4ai.generation.input.instructions"
local limits = require "devkit4ai.api.limits"
local locale = require "devkit4ai.util.locale"

local M = {}

local PLAIN = "^[A-Za-z0-9_][A-Za-z0-9_. -]*[A-Za-z0-9_-]$" -- nearly all names

-- Names without their extension that Windows reserves.
local DEVICES = { con = true, prn = true, aux = true, nul = true }
for i = 1, 9 do DEVICES["com" .. i], DEVICES["lpt" .. i] = true, true end

--- A name in the form in which two names are compared: a file system may not tell upper from lower case. The locale has an
--- effect on it, but the same one on all names.
---@param name string
---@return string
function M.fold(name)
  return name:lower()
end

local RESERVED = "^[JjIiDdCcPpAaNnLl][OoNnEeRrUuPp]" -- how the names begin that `reserved` refuses

local function reserved(name)
  if not name:find(RESERVED) then return nil end
  local folded = locale.lower(name)
  local is_own = folded:find("^journal%.jsonl") or folded == "index.html" or folded == "index.html.part"
  if is_own then return "the batch itself writes a file of that name" end
  if folded:find("^devkit4ai%-unfinished%-") then return "unfinished files have such names" end
  if DEVICES[folded:match("^[^.]*")] then return "Windows reserves it" end
end

local function form_problem(name)
  if name == "" then return "it is empty" end
  if #name > limits.MAX_FILE_NAME then
    return ("it has %d bytes; at most %d are taken"):format(#name, limits.MAX_FILE_NAME)
  end
  if name:find("[%c]") or name:find("\194[\128-\159]") then return "it has a control character" end
  local wrong = name:match('[/\\:*?"<>|]')
  if wrong then return ("it has the character %s, which not every system takes in a file name"):format(wrong) end
  if name:find("^[. ]") then return "it begins with a dot or a space" end
  if name:find("[. ]$") then return "it ends with a dot or a space" end
  if not instructions.length(name) then return "it is not UTF-8" end
end

--- Why a text can't be the name of a result.
---@param name string
---@return string? why
function M.problem(name)
  local is_plain = #name <= limits.MAX_FILE_NAME and name:find(PLAIN)
  local why = not is_plain and form_problem(name) or reserved(name)
  return why and ("the name %s can't be used: %s"):format(display.text(name), why)
end

return M
