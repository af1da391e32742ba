--- Checks of option values, for argparse: each gives the value, or nil and a message. A bad value ends the command with exit
--- code 2 before anything is sent.
local config = require "devkit4ai.config"
local instructions = require "devkit4ai.generation.instructions"

local M = {}

local LATEST = 2 ^ 37 -- a Unix time that dates can still hold
local MOST = 1e9 -- items of a list

-- Decimal digits alone: what tonumber takes beside them ("nan", "inf", "0x10") differs from Lua to Lua.
local function number_of(given)
  return given:find "^%d+%.?%d*$" and tonumber(given) or given:find "^%.%d+$" and tonumber(given) or nil
end

local function check(name, wanted, fits)
  return function(given)
    local value = number_of(given)
    if value and fits(value, given) then return value end
    return nil, ("%s must be %s"):format(name, wanted)
  end
end

--- A number of seconds above 0.
---@param name string the option
---@return fun(given: string): number?, string?
function M.seconds(name)
  return check(name, "a number of seconds above 0, such as 30 or 0.5", function(value)
    return value > 0 and value < math.huge
  end)
end

--- A whole number from 1.
---@param name string
---@return fun(given: string): integer?, string?
function M.count(name)
  return check(name, "a whole number from 1", function(value, given)
    return value >= 1 and value <= MOST and given:find "^%d+$"
  end)
end

--- A Unix time.
---@param name string
---@return fun(given: string): number?, string?
function M.time(name)
  return check(name, "a Unix time in seconds", function(value) return value < LATEST end)
end

--- An id; the message does not repeat it, since it may be a key that was given in its place.
---@param name string
---@return fun(given: string): string?, string?
function M.uuid(name)
  return function(given)
    if config.is_uuid(given) then return given end
    return nil, ("%s is no UUID, such as 550e8400-e29b-41d4-a716-446655440000"):format(name)
  end
end

--- A text with something in it.
---@param name string
---@return fun(given: string): string?, string?
function M.text(name)
  return function(given)
    if given:find "%S" then return given end
    return nil, name .. " is empty"
  end
end

--- A prompt, or a JSON text with one.
---@param name string
---@return fun(given: string): string?, string?
function M.prompt(name)
  return function(given)
    local why = instructions.problem(given)
    if why then return nil, ("%s: %s"):format(name, why) end
    return given
  end
end

return M
