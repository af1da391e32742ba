--- The status line: one line of standard error that is drawn again and again.
local terminal_text = require "devkit4ai.cli.output.terminal_text"

local M = {}

--- A function that draws a text in place of the last one; "" removes it. It overwrites the rest of the last line with blanks, so
--- it needs no escape sequence.
---@param console devkit4ai.cli.Console
---@return fun(text: string) draw
function M.new(console)
  local last_width = 0
  return function(text)
    local columns = console:progress_columns()
    if not columns then return end
    local shown, width = terminal_text.cut(text, columns - 1)
    io.stderr:write("\r", shown, (" "):rep(math.min(last_width, columns - 1) - width))
    if text == "" then io.stderr:write("\r") end
    io.stderr:flush()
    last_width = width
  end
end

return M
