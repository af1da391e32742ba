-- The command in a process of its own, with settings of its own, against a sandbox.
local cjson = require("cjson").new()
local child = require "spec.support.child"
local helper = require "spec.devkit4ai.sandbox.helper"

local M = {}

M.EMAIL, M.PASSWORD = "dev@example.com", "SecurePass123"

-- What a developer's own environment may hold is not meant for the specs.
M.CLEAN = "unset CI NO_COLOR; for name in $(env | sed -n 's/^\\(DEVKIT4AI_[A-Z_]*\\)=.*/\\1/p'); "
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

--- Starts the command.
---@param args string[]
---@param options table? env: changes; before: shell text in front; input: what standard input holds
---@return function finish waits for its end
function Desk:start(args, options)
  options = options or {}
  local before = M.CLEAN .. (options.before or "")
  if options.input then
    local file = assert(io.open(self.folder .. "/input", "wb"))
    file:write(options.input)
    file:close()
    before = before .. "\nexec <" .. helper.quote(self.folder .. "/input")
  end
  local finish = child.start('require("devkit4ai.cli").main(arg)', {
    args = args, env = self:env(options.env), before = before, signalled = options.signalled,
  })
  return function()
    local ended = finish()
    assert(not ended.err:find("traceback", 1, true) or options.traceback, ended.err)
    ended.lines = {}
    for line in ended.out:gmatch("[^\n]+") do
      local ok, value = pcall(cjson.decode, line)
      if ok and type(value) == "table" then ended.lines[#ended.lines + 1] = value end
    end
    ended.json = ended.lines[#ended.lines]
    return ended
  end
end

--- Runs the command to its end.
function Desk:run(args, options)
  return self:start(args, options)()
end

--- Runs the command, and sends it a signal, SIGINT unless options.signals has others, as soon as it has said a word.
function Desk:interrupt(args, word, options)
  options = options or {}
  local said = self.folder .. "/said"
  local ended = self:run(args, { env = options.env, signalled = true, before = ([[
    exec >%s 2>&1
    sh -c 'echo $PPID' >%s.pid
    pid=$(cat %s.pid)
    (until grep -q '%s' %s; do kill -0 $pid || exit; sleep 0.02; done
    sleep %s; for s in %s; do kill -$s $pid; done) &]])
    :format(said, said, said, word, said, options.after or "0.1", options.signals or "INT") })
  ended.said = child.read(said)
  return ended
end

--- Runs a line through a shell that finds `devkit4ai`, in the folder: as a user would copy it.
function Desk:shell(line, options)
  options = options or {}
  self:write("bin/devkit4ai.lua", 'require("devkit4ai.cli").main(arg)')
  self:write("bin/devkit4ai", ('#!/bin/sh\nexec %s "$0.lua" "$@"\n'):format(child.interpreter()), "755")
  local words = { ("cd %s"):format(helper.quote(self.folder)), M.CLEAN }
  for name, value in pairs(self:env(options.env)) do
    words[#words + 1] = ("export %s=%s"):format(name, helper.quote(value))
  end
  words[#words + 1] = "PATH=$PWD/bin:$PATH"
  words[#words + 1] = line
  local path = self:write("line.sh", table.concat(words, "\n") .. "\n")
  local said = helper.shell(("sh %s 2>&1 </dev/null; echo \"ended with $?\""):format(path))
  local out, code = said:match "^(.*)ended with (%d+)\n$"
  return { code = tonumber(code), said = out }
end

--- The line of a failure that continues.
function M.line(ended)
  return (ended.said or ended.err):match "run:\n  (devkit4ai [^\n]*)\n"
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
