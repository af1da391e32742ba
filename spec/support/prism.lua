-- Prism over the vendor's OpenAPI file: a process of its own that a spec starts, asks and ends. It answers by the file, and
-- refuses what the file does not allow. tools/contract installs it.
local child = require "spec.support.child"
local openapi = require "spec.support.openapi"

local M = {}

-- It ends when the spec says so, or when the spec's process does: standard input is the spec's. The pipe `address` is
-- written once it listens, or once it can't.
local COMMAND = [[
unset LD_PRELOAD
tools/contract >"$folder/log" 2>&1 &&
  { build/contract/node_modules/.bin/prism mock --port 0 --errors "$file" >>"$folder/log" 2>&1 & }
prism=$!
until grep -q listening "$folder/log" || ! kill -0 $prism 2>/dev/null; do sleep 0.05; done
sed -n 's/.*listening on //p' "$folder/log" >"$folder/address"
read -r line
[ -z "$prism" ] || kill $prism]]

---@class spec.Prism
---@field url string
local Prism = {}
Prism.__index = Prism

--- What it printed so far: a line for each step of each request.
---@return string
function Prism:log()
  return child.read(self._folder .. "/log")
end

--- Ends it.
function Prism:stop()
  self._pipe:write("stop\n")
  self._pipe:close()
  child.remove(self._folder)
end

--- Starts it on a free port.
---@return spec.Prism
function M.start()
  local self = setmetatable({ _folder = child.folder() }, Prism)
  assert(os.execute("mkfifo " .. self._folder .. "/address"))
  self._pipe = assert(io.popen(("folder=%s file=%s\n%s"):format(self._folder, openapi.PATH, COMMAND), "w"))
  self.url = child.read(self._folder .. "/address"):match("http://[%d.:]+")
  if not self.url then
    local log = self:log()
    self:stop()
    error("Prism did not start: " .. log, 2)
  end
  return self
end

return M
