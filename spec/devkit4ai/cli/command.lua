-- Runs the command in its own process, with its own settings, against a sandbox.
local cjson = require("cjson").new()
local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"

local M = {}

M.EMAIL, M.PASSWORD = "dev@example.com", "SecurePass123"

-- Removes the variables of a developer's own environment.
M.CLEAN = "unset CI NO_COLOR; for name in $(env | sed -n 's/^\\(DEVKIT4AI_[A-Z_]*\\)=.*/\\1/p'); "
  .. "do unset $name; done\n"

local Workspace = {}
Workspace.__index = Workspace

--- A sandbox with a developer, and an empty folder for files and settings.
function M.new(options)
  local box = helper.start(options)
  local developer = assert(box:developer { email = M.EMAIL, password = M.PASSWORD })
  return setmetatable({ box = box, developer = developer, folder = child.folder() }, Workspace)
end

--- Stops the sandbox and removes the folder.
function Workspace:remove()
  child.remove(self.folder)
  helper.stop_all()
end

--- An environment with the developer's keys. changes: other variables; false removes one
function Workspace:env(changes)
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
---@param options table? env: changes; before: shell text that runs first; input: the content of standard input; code: Lua that
---  runs first
---@return function finish waits for the end of the command
function Workspace:start(args, options)
  options = options or {}
  local before = M.CLEAN .. (options.before or "")
  if options.input then
    local file = assert(io.open(self.folder .. "/input", "wb"))
    file:write(options.input)
    file:close()
    before = before .. "\nexec <" .. helper.quote(self.folder .. "/input")
  end
  local finish = child.start((options.code or "") .. '\nrequire("devkit4ai.cli").main(arg)', {
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
function Workspace:run(args, options)
  return self:start(args, options)()
end

--- Runs the command, and sends it a signal as soon as its output has a word. options.signals: default INT. They go to the
--- command itself, the last child of timeout(1), which would pass on two that come together in any order.
function Workspace:interrupt(args, word, options)
  options = options or {}
  local path = self.folder .. "/output"
  local ended = self:run(args, { env = options.env, code = options.code, signalled = true, before = ([[
    exec >%s 2>&1
    sh -c 'echo $PPID' >%s.pid
    pid=$(cat %s.pid)
    (until grep -q '%s' %s; do kill -0 $pid || exit; sleep 0.02; done
    sleep %s; read -r children </proc/$pid/task/$pid/children
    for s in %s; do kill -$s ${children##* }; done) &]])
    :format(path, path, path, word, path, options.after or "0.1", options.signals or "INT") })
  ended.output = child.read(path)
  return ended
end

--- Runs a shell line in the folder, as a user copies it. The shell finds `devkit4ai`.
function Workspace:run_in_shell(line, options)
  options = options or {}
  self:write("bin/devkit4ai.lua", 'require("devkit4ai.cli").main(arg)')
  self:write("bin/devkit4ai", ('#!/bin/sh\nexec %s "$0.lua" "$@"\n'):format(child.interpreter()), "755")
  local lines = { ("cd %s"):format(helper.quote(self.folder)), M.CLEAN }
  for name, value in pairs(self:env(options.env)) do
    lines[#lines + 1] = ("export %s=%s"):format(name, helper.quote(value))
  end
  lines[#lines + 1] = "PATH=$PWD/bin:$PATH"
  lines[#lines + 1] = line
  local path = self:write("line.sh", table.concat(lines, "\n") .. "\n")
  local all = helper.shell(("sh %s 2>&1 </dev/null; echo \"ended with $?\""):format(path))
  local output, code = all:match "^(.*)ended with (%d+)\n$"
  return { code = tonumber(code), output = output }
end

--- The suggested command line in the message of a failure.
function M.suggested_line(ended)
  return (ended.output or ended.err):match "run:\n  (devkit4ai [^\n]*)\n"
end

--- Signs in.
function Workspace:login(...)
  local ended = self:run({ "login", "--email", M.EMAIL, "--password-stdin", ... }, { input = M.PASSWORD .. "\n" })
  assert(ended.code == 0, ended.err)
  return ended
end

--- The number of generations that the sandbox has created.
function Workspace:count_generations()
  return #assert(self.box:generations())
end

--- Writes a file in the folder; gives its path.
function Workspace:write(name, content, mode)
  local path = self.folder .. "/" .. name
  os.execute(("mkdir -p \"$(dirname %s)\""):format(helper.quote(path)))
  local file = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  os.execute(("chmod %s %s"):format(mode or "600", helper.quote(path)))
  return path
end

return M
