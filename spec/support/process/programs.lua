--- Optional programs of the tests, which not every suite of Debian has: where one is missing, its tests are skipped and counted.
local M = {}

--- Whether the shell finds a program.
---@param name string
---@return boolean
function M.has(name)
  local pipe = io.popen("command -v " .. name)
  local found = pipe:read("*l") ~= nil
  pipe:close()
  return found
end

--- The function that defines a test which needs these programs: `it`, or one that skips the test and names the program.
---@param it function busted's
---@param pending function busted's
---@param ... string names of programs
---@return function it
function M.it_with(it, pending, ...)
  for _, name in ipairs { ... } do
    if not M.has(name) then return function(title) pending(title .. ": " .. name .. " is not installed") end end
  end
  return it
end

return M
