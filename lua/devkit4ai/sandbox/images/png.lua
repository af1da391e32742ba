--- Packs rows of pixels as a PNG.
local zlib = require "zlib"

local M = {}

local function be32(n)
  return string.char(math.floor(n / 16777216) % 256, math.floor(n / 65536) % 256, math.floor(n / 256) % 256, n % 256)
end

local function chunk(kind, data)
  return be32(#data) .. kind .. data .. be32(zlib.crc32()(kind .. data))
end

local Packer = {}
Packer.__index = Packer

--- A packer for a picture of 8 bits a channel, RGB. Rows are added from the top.
---@param width integer
---@param height integer
function M.new(width, height)
  return setmetatable({ width = width, height = height, deflate = zlib.deflate(6), packed = {} }, Packer)
end

--- Adds a row: three bytes a pixel. It is compressed at once, so that no moment takes all the work.
---@param row string
function Packer:add(row)
  self.packed[#self.packed + 1] = self.deflate("\0" .. row) -- filter 0: the pixels as they are
end

--- The file.
---@return string
function Packer:finish()
  self.packed[#self.packed + 1] = self.deflate("", "finish")
  return "\137PNG\r\n\26\n"
    .. chunk("IHDR", be32(self.width) .. be32(self.height) .. "\8\2\0\0\0") -- 8 bits, RGB, not interlaced
    .. chunk("IDAT", table.concat(self.packed))
    .. chunk("IEND", "")
end

return M
