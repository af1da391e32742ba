--- Work that somebody watches: it runs as a task, a line of the terminal shows how far it is, and Ctrl-C ends it in order.
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local display = require "devkit4ai.util.display"
local operations = require "devkit4ai.api.operations"
local text = require "devkit4ai.cli.text"

local M = {}

local FRAME = 0.1 -- seconds
local WHEEL = { "|", "/", "-", "\\" }
local SMALLEST = 5 -- columns of a bar that says something

-- Over the last one, whose rest is overwritten: no escape sequence is needed.
local function line_of(shell)
  local before = 0
  return function(words)
    local columns = shell:columns()
    if not columns then return end
    local shown, taken = text.fit(words, columns - 1)
    io.stderr:write("\r", shown, (" "):rep(math.min(before, columns - 1) - taken))
    if words == "" then io.stderr:write("\r") end
    io.stderr:flush()
    before = taken
  end
end

local UNITS = { { 1024 * 1024, "MB" }, { 1024, "KB" }, { 1, "B" } }

local function amount(sent, total)
  for _, unit in ipairs(UNITS) do
    if total >= unit[1] or unit[1] == 1 then
      local form = unit[1] == 1 and "%d/%d %s" or "%.1f/%.1f %s"
      return form:format(sent / unit[1], total / unit[1], unit[2])
    end
  end
end

--- A bar with its bytes, as wide as the terminal has room for.
---@param sent integer
---@param total integer
---@param columns integer
---@return string
function M.bar(sent, total, columns)
  local words = amount(sent, total)
  local room = math.min(40, columns - #words - 4)
  if room < SMALLEST then return words end
  local done = total > 0 and math.floor(room * sent / total) or 0
  return ("[%s%s] %s"):format(("#"):rep(done), ("."):rep(room - done), words)
end

local function is_interrupt(why)
  return type(why) == "string" and why:find("interrupted!", 1, true) ~= nil
end

-- err: what the interrupt ended, with the words of the library
local function interrupted(err)
  local row = err.operation and operations[err.operation]
  local consequence = row and err.outcome == "unknown" and row.repeats ~= "safe" and row.unknown or nil
  return nil, "interrupted", {
    kind = "cancelled", outcome = err.outcome, generation_id = err.generation_id, message = err.message,
    operation = err.operation, created = err.created, key = err.key,
    _parts = { what = "interrupted", consequence = consequence, message = "interrupted" },
  }
end

local UNKNOWN = { outcome = "unknown", message = "interrupted" } -- what the interrupt ended is not known

-- What a cancelled task gives: what was cut, or where its work was done by then, its value.
local function cut(task, work)
  task:cancel()
  local _, _, err = task:join()
  err = err or work.err or work.failures and work.failures[1]
  if err then return interrupted(err) end
  local value = work.results and work.results[1]
  return interrupted { outcome = "unknown", generation_id = type(value) == "table" and value.id or nil, message = "" }
end

--- Runs fn as a task; frame is called meanwhile, where a terminal shows it. Ctrl-C cancels the task: nil, message, err of kind
--- `cancelled`, with the outcome of what was cut and the generation's id.
---@param shell devkit4ai.cli.Shell
---@param fn fun(): any?, string?, devkit4ai.Error?
---@param frame fun()? none: nothing is shown
---@return any? value
---@return string? message
---@return devkit4ai.Error? err
function M.run(shell, fn, frame)
  local work = {}
  local task = devkit4ai.spawn(function()
    local results, failures, err = devkit4ai.map({ 1 }, { concurrency = 1 }, fn) -- what is raised in it is a failure, too
    work.results, work.failures, work.err = results, results and failures, err
    work.over = true
  end)
  local ok, why = pcall(function()
    while frame and not work.over and shell:columns() do
      devkit4ai.update()
      frame()
      core.pause(FRAME)
    end
    task:join()
  end)
  if not ok and is_interrupt(why) then return cut(task, work) end
  if not ok then error(why, 0) end
  local err = work.failures[1]
  if not err then return work.results[1] end
  if is_interrupt(err.message) then return interrupted(UNKNOWN) end -- in the task itself, as LuaJIT may
  return nil, err.message, err
end

--- Shows an upload.
---@param shell devkit4ai.cli.Shell
---@param fn fun(on_upload: fun(sent: integer, total: integer)): any?, string?, devkit4ai.Error?
---@return any? value
---@return string? message
---@return devkit4ai.Error? err
function M.upload(shell, fn)
  local draw, sent, total = line_of(shell), 0, 0
  local value, message, err = M.run(shell, function()
    return fn(function(so_far, all) sent, total = so_far, all end)
  end, function()
    if total > 0 then draw(M.bar(sent, total, shell:columns() or 80)) end
  end)
  draw("")
  return value, message, err
end

--- Shows a wait: the status that the server tells, and the time; how much is left, nobody knows.
---@param shell devkit4ai.cli.Shell
---@param gen devkit4ai.Generation
---@param fn fun(): any?, string?, devkit4ai.Error?
---@return any? value
---@return string? message
---@return devkit4ai.Error? err
function M.wait(shell, gen, fn)
  local draw, started, turn = line_of(shell), os.time(), 0
  local value, message, err = M.run(shell, fn, function()
    turn = turn + 1
    draw(("%s %s %d s"):format(WHEEL[turn % #WHEEL + 1], display.text(gen.status or "waiting"), os.time() - started))
  end)
  draw("")
  return value, message, err
end

return M
