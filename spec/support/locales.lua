-- Locales for specs, made by localedef in a folder of their own: the machine needs none but C.
local child = require "spec.support.child"

local M = {}

-- Its name, the source, the charset. In Latin-1 a byte above 0x7F is a letter; Turkish has another lower case of I; the
-- decimal sign of Pashto has two bytes.
local MADE = {
  { "de_DE.UTF-8", "de_DE", "UTF-8" }, { "de_DE.ISO-8859-1", "de_DE", "ISO-8859-1" },
  { "tr_TR.ISO-8859-9", "tr_TR", "ISO-8859-9" }, { "ps_AF.UTF-8", "ps_AF", "UTF-8" },
}

M.NAMES = {}
for i, row in ipairs(MADE) do M.NAMES[i] = row[1] end

--- A folder for LOCPATH, which the caller removes with child.remove.
---@return string
function M.folder()
  local folder = child.folder()
  for _, row in ipairs(MADE) do
    os.execute(("localedef -i %s -f %s %s/%s 2>/dev/null"):format(row[2], row[3], folder, row[1]))
  end
  return folder
end

return M
