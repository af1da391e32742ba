-- Prism with the vendor's OpenAPI file, as a child process of a spec. It responds by the file, and rejects requests that
-- the file does not allow. tools/contract installs it.
local child = require "spec.support.process.child"
local openapi = require "spec.support.calls.openapi"

local M = {}

-- It ends on a command of the spec, or with its process: the spec holds its standard input. The pipe `address` is
-- written when it listens, or when it can't.
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

--- Its output so far: a line for each step of each request.
---@return string
function Prism:log()
  return child.read(self._folder .. "/log")
end

--- Ends Prism.
function Prism:stop()
  self._pipe:write("stop\n")
  self._pipe:close()
  child.remove(self._folder)
end

--- Starts Prism on a free port.
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
