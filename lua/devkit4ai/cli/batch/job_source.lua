--- What the argument for the jobs of a batch means.
local M = {}

--- The jobs: a folder, standard input, or the path of a file.
---@param path string of the command line
---@return any jobs as client:batch takes them
function M.of(path)
  if path == "-" then return io.stdin end
  local folder = path:find "/$" or io.open(path .. "/.", "rb")
  if not folder then return path end
  if io.type(folder) == "file" then folder:close() end
  return { folder = path }
end

return M
