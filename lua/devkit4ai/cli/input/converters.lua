--- Converters of option values for argparse: each returns the value, or nil and a message. After a message the command ends
--- with exit code 2, and no request is sent.
local config = require "devkit4ai.config"
local instructions = require "devkit4ai.generation.input.instructions"
local system = require "devkit4ai.util.system"

local M = {}

local MAX_TIME = 2 ^ 37 -- the largest Unix time that dates can hold
local MAX_COUNT = 1e9

-- Decimal digits only: tonumber also reads "nan", "inf" and "0x10", and not the same on each Lua.
local function to_number(given)
  return given:find "^%d+%.?%d*$" and tonumber(given) or given:find "^%.%d+$" and tonumber(given) or nil
end

local function number(name, expected, is_valid)
  return function(given)
    local value = to_number(given)
    if value and is_valid(value, given) then return value end
    return nil, ("%s must be %s"):format(name, expected)
  end
end

--- A number of seconds above 0.
---@param name string the option
---@return fun(given: string): number?, string?
function M.seconds(name)
  return number(name, "a number of seconds above 0, such as 30 or 0.5", function(value)
    return value > 0 and value < math.huge
  end)
end

--- A whole number from 1.
---@param name string
---@return fun(given: string): integer?, string?
function M.count(name)
  return number(name, "a whole number from 1", function(value, given)
    return value >= 1 and value <= MAX_COUNT and given:find "^%d+$"
  end)
end

--- A Unix time.
---@param name string
---@return fun(given: string): number?, string?
function M.time(name)
  return number(name, "a Unix time in seconds", function(value) return value < MAX_TIME end)
end

--- An id. The message does not repeat the value, which may be a key.
---@param name string
---@return fun(given: string): string?, string?
function M.uuid(name)
  return function(given)
    if config.is_uuid(given) then return given end
    return nil, ("%s is not a UUID, such as 550e8400-e29b-41d4-a716-446655440000"):format(name)
  end
end

--- A text that is not empty.
---@param name string
---@return fun(given: string): string?, string?
function M.text(name)
  return function(given)
    if given:find "%S" then return given end
    return nil, name .. " is empty"
  end
end

--- The path of a file, not of a folder.
---@param name string
---@return fun(given: string): string?, string?
function M.file(name)
  return function(given)
    if given:find("[^" .. system.SEPARATORS .. "]$") then return given end
    return nil, name .. " must be the path of a file"
  end
end

--- A prompt, or a JSON text with a prompt.
---@param name string
---@return fun(given: string): string?, string?
function M.prompt(name)
  return function(given)
    local reason = instructions.problem(given)
    if reason then return nil, ("%s: %s"):format(name, reason) end
    return given
  end
end

return M
