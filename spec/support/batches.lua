--- For specs of batches: a sandbox, a client that may generate there, and short pauses in place of long ones.
local M = {}

M.IMAGE = "examples/images/neon.png"

--- Code for the process of a command: short pauses between the status requests, and between the searches for a lost answer.
M.SHORT_PAUSES = [[
require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 0.05 end
local pauses = require("devkit4ai.batch.run.look").PAUSES
for i = 2, #pauses do pauses[i] = 0.05 end]]

--- Options of a batch of some jobs with one prompt, so that the sandbox draws one image. Its results are 1.png, 2.png, ...
---@param count integer
---@param out string folder of the results
---@param more table? replace the others
---@return table
function M.options(count, out, more)
  local rows = {}
  for i = 1, count do rows[i] = { number = i } end
  local options = { jobs = rows, images = M.IMAGE, prompt = "a lighthouse", name = "{row.number}.png", out = out }
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

--- Starts a sandbox. The pauses of this process are short until `stop`.
---@param options table? of the sandbox; default step_time: 0
---@return devkit4ai.Sandbox sandbox
---@return devkit4ai.Client client of a developer with a project
---@return fun() stop
---@return table developer what another client of the same developer is made of
function M.start(options)
  local devkit4ai = require "devkit4ai"
  local limits = require "devkit4ai.api.limits"
  local look = require "devkit4ai.batch.run.look"
  options = options or {}
  options.step_time = options.step_time or 0
  local sandbox = assert(require("devkit4ai.sandbox").start(options))
  local developer = assert(sandbox:developer { email = "a@example.com", password = "SecurePass123" })
  local client = assert(devkit4ai.new(developer))
  local first_poll, pauses = limits.FIRST_POLL, look.PAUSES
  limits.FIRST_POLL, look.PAUSES = 0.02, { 0, 0.02 }
  return sandbox, client, function()
    limits.FIRST_POLL, look.PAUSES = first_poll, pauses
    client:close()
    sandbox:stop()
  end, developer
end

return M
