--- Lines for whoever runs the program: on standard error; in nginx, in its error log.
local M = {}

local ngx = rawget(_G, "ngx")
local log = type(ngx) == "table" and ngx.log
local PIECE = 1800 -- bytes; nginx cuts a line of its log at 2048

--- Writes a text.
---@param text string without secrets
---@param is_error boolean? something failed and nobody else is told; nginx logs it at the level `error`, else at `notice`
function M.write(text, is_error)
  if not log then
    io.stderr:write("devkit4ai: ", text, "\n")
    return
  end
  for i = 1, #text, PIECE do log(is_error and ngx.ERR or ngx.NOTICE, "devkit4ai: ", text:sub(i, i + PIECE - 1)) end
end

return M
