-- The command in a process of its own, with settings of its own, against a sandbox.
local cjson = require("cjson").new()
local child = require "spec.support.child"
local helper = require "spec.sandbox.helper"

local M = {}

M.EMAIL, M.PASSWORD = "dev@example.com", "SecurePass123"

-- What a developer's own environment may hold is not meant for the specs.
local CLEAN = "unset CI NO_COLOR; for name in $(env | sed -n 's/^\\(DEVKIT4AI_[A-Z_]*\\)=.*/\\1/p'); "
  .. "do unset $name; done\n"

local Desk = {}
Desk.__index = Desk

--- A sandbox with a developer, and an empty folder for files and settings.
function M.new(options)
  local box = helper.start(options)
  local developer = assert(box:developer { email = M.EMAIL, password = M.PASSWORD })
  return setmetatable({ box = box, developer = developer, folder = child.folder() }, Desk)
end

--- Ends it.
function Desk:remove()
  child.remove(self.folder)
  helper.stop_all()
end

--- The environment in which the developer's keys are set, but for changes; false takes a variable away.
function Desk:env(changes)
  local env = {
    DEVKIT4AI_BASE_URL = self.box.url, DEVKIT4AI_DEVELOPER_KEY = self.developer.developer_key,
    DEVKIT4AI_PROJECT_ID = self.developer.project_id, DEVKIT4AI_PROJECT_KEY = self.developer.project_key,
    XDG_CONFIG_HOME = self.folder, TERM = "xterm",
  }
  for name, value in pairs(changes or {}) do env[name] = value or nil end
  return env
end

--- Runs the command.
---@param args string[]
---@param options table? env: changes; before: shell text in front; input: what standard input holds
function Desk:run(args, options)
  options = options or {}
  local before = CLEAN .. (options.before or "")
  if options.input then
    local file = assert(io.open(self.folder .. "/input", "wb"))
    file:write(options.input)
    file:close()
    before = before .. "\nexec <" .. helper.quote(self.folder .. "/input")
  end
  local ended = child.run('require("devkit4ai.cli").main(arg)', {
    args = args, env = self:env(options.env), before = before,
  })
  assert(not ended.err:find("traceback", 1, true) or options.traceback, ended.err)
  ended.lines = {}
  for line in ended.out:gmatch("[^\n]+") do
    local ok, value = pcall(cjson.decode, line)
    if ok and type(value) == "table" then ended.lines[#ended.lines + 1] = value end
  end
  ended.json = ended.lines[#ended.lines]
  return ended
end

--- Runs the command, and sends it SIGINT as soon as it has said a word.
function Desk:interrupt(args, word, options)
  options = options or {}
  local said = self.folder .. "/said"
  local ended = self:run(args, { env = options.env, before = ([[
    exec >%s 2>&1
    sh -c 'echo $PPID' >%s.pid
    (until grep -q '%s' %s; do sleep 0.02; done; sleep %s; kill -INT $(cat %s.pid)) &]]):format(
    said, said, word, said, options.after or "0.1", said) })
  ended.said = child.read(said)
  return ended
end

--- Signs in.
function Desk:login(...)
  local ended = self:run({ "login", "--email", M.EMAIL, "--password-stdin", ... }, { input = M.PASSWORD .. "\n" })
  assert(ended.code == 0, ended.err)
  return ended
end

--- How many generations were really made.
function Desk:made()
  return #assert(self.box:generations())
end

--- A file in the folder.
function Desk:write(name, content, mode)
  local path = self.folder .. "/" .. name
  os.execute(("mkdir -p \"$(dirname %s)\""):format(helper.quote(path)))
  local file = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  os.execute(("chmod %s %s"):format(mode or "600", helper.quote(path)))
  return path
end

return M
