--- Preview of a saved image: in the terminal by a program such as chafa, or on Windows in the window of the image viewer.
local core = require "devkit4ai.core"
local shell_quote = require "devkit4ai.cli.output.shell_quote"
local system = require "devkit4ai.util.system"

local M = {}

-- By program: its command line for a number of columns and rows; `plain`: the same for NO_COLOR.
local VIEWERS = {
  { name = "chafa", line = "chafa --size %dx%d", plain = "chafa --colors none --size %dx%d" },
  { name = "timg", line = "timg -g %dx%d" },
}

local SHARE = 2 / 3 -- of the terminal's rows that an image takes at most

-- Windows: the program that the user has chosen for images. `start` takes the first quoted word as a title. A percent sign would
-- be replaced in quotes, too; a name without an image's ending may start a program.
local IMAGES = { png = true, jpg = true, jpeg = true, webp = true }

local function show_in_window(path)
  local ending = path:match "%.(%a+)$"
  if not ending or not IMAGES[ending:lower()] or path:find '["%%%c]' then return end
  os.execute(('start "" "%s"'):format((path:gsub("/", "\\"))))
end

-- os.execute can't report how a command ended where the process ignores SIGCHLD.
local function is_installed(program)
  local pipe = io.popen(("if command -v %s >/dev/null 2>&1; then echo yes; fi"):format(program))
  local answer = pipe and pipe:read("*l")
  if pipe then pipe:close() end
  return answer == "yes"
end

--- Shows an image if standard output is a terminal and a viewer is installed.
---@param console devkit4ai.cli.Console
---@param path string
function M.show(console, path)
  local columns, rows = core.terminal(1)
  if console.json or console.quiet or not columns or os.getenv("TERM") == "dumb" then return end
  if system.is_windows then return show_in_window(path) end
  local without_color = (os.getenv("NO_COLOR") or "") ~= ""
  local name = path:find("^%-") and "./" .. path or path
  for _, viewer in ipairs(VIEWERS) do
    local line = without_color and viewer.plain or not without_color and viewer.line
    if line and is_installed(viewer.name) then
      local sized = line:format(columns, math.max(1, math.floor(rows * SHARE)))
      os.execute(("%s -- %s"):format(sized, shell_quote.word(name)))
      return
    end
  end
end

return M
