--- Reads with a size limit: a wrong file name may be a device without an end, such as /dev/zero.
local M = {}

--- The content of a file.
---@param path string
---@param max_bytes integer
---@return string? content
---@return integer? code the system's error number; nil: the file is larger
function M.file(path, max_bytes)
  local input, _, code = io.open(path, "rb")
  if not input then return nil, code end
  local content
  content, _, code = input:read(max_bytes + 1)
  input:close()
  if not content and code then return nil, code end
  content = content or "" -- read gives nil for an empty file
  if #content <= max_bytes then return content end
end

--- The next line, without its line end.
---@param input table a file handle
---@param max_bytes integer
---@return string? line
---@return integer? code the system's error number; nil: there is no line, or it is longer
function M.line(input, max_bytes)
  local bytes = {}
  while #bytes <= max_bytes do
    local byte, _, code = input:read(1)
    if not byte and (code or not bytes[1]) then return nil, code end
    if not byte or byte == "\n" then return (table.concat(bytes):gsub("\r$", "")) end
    bytes[#bytes + 1] = byte
  end
end

return M
