--- PNG encoder: 8 bits a channel, RGB, one row after another.
local zlib = require "zlib"

local M = {}

local function big_endian_32(n)
  return string.char(math.floor(n / 16777216) % 256, math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256)
end

local function chunk(kind, data)
  return big_endian_32(#data) .. kind .. data .. big_endian_32(zlib.crc32()(kind .. data))
end

---@class devkit4ai.sandbox.PngEncoder
---@field private _width integer
---@field private _height integer
---@field private _deflate function
---@field private _compressed string[]
local Encoder = {}
Encoder.__index = Encoder

--- An encoder of one image. Rows are added from the top.
---@param width integer
---@param height integer
---@return devkit4ai.sandbox.PngEncoder
function M.new(width, height)
  return setmetatable({ _width = width, _height = height, _deflate = zlib.deflate(6), _compressed = {} }, Encoder)
end

--- Adds a row of three bytes a pixel. It is compressed at once, so that the end has little work.
---@param row string
function Encoder:add_row(row)
  self._compressed[#self._compressed + 1] = self._deflate("\0" .. row) -- filter 0: the pixels as they are
end

--- The bytes of the file.
---@return string
function Encoder:finish()
  self._compressed[#self._compressed + 1] = self._deflate("", "finish")
  local format = "\8\2\0\0\0" -- 8 bits, RGB, not interlaced
  return "\137PNG\r\n\26\n"
    .. chunk("IHDR", big_endian_32(self._width) .. big_endian_32(self._height) .. format)
    .. chunk("IDAT", table.concat(self._compressed))
    .. chunk("IEND", "")
end

return M
