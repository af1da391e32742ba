--- What differs between systems for Lua code.
local M = {}

--- Whether the system is Windows.
M.is_windows = package.config:sub(1, 1) == "\\"

--- The characters that separate folders in a path, for a set in a pattern.
M.SEPARATORS = M.is_windows and "/\\" or "/"

return M
