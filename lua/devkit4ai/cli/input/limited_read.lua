--- Reads input up to a number of bytes: a wrong file name may be a device that never ends, such as /dev/zero.
local M = {}

--- The content of a file.
---@param path string
---@param most integer bytes
---@return string? content
---@return integer? code of the system's error; none: the file has more bytes
function M.content(path, most)
  local input, _, code = io.open(path, "rb")
  if not input then return nil, code end
  local content
  content, _, code = input:read(most + 1)
  input:close()
  if not content and code then return nil, code end
  content = content or "" -- an empty file
  if #content <= most then return content end
end

--- One line, without its end.
---@param input table a file handle
---@param most integer bytes
---@return string? line
---@return integer? code of the system's error; none: there is no line, or it has more bytes
function M.line(input, most)
  local bytes = {}
  while #bytes <= most do
    local byte, _, code = input:read(1)
    if not byte and (code or not bytes[1]) then return nil, code end
    if not byte or byte == "\n" then return (table.concat(bytes):gsub("\r$", "")) end
    bytes[#bytes + 1] = byte
  end
end

return M
