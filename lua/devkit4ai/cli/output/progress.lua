--- Runs work as a task, draws its progress on the terminal, and cancels it on Ctrl-C.
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local display = require "devkit4ai.util.display"
local operations = require "devkit4ai.api.operations"
local status_line = require "devkit4ai.cli.output.status_line"

local M = {}

local FRAME = 0.1 -- seconds
local SPINNER = { "|", "/", "-", "\\" }
local MIN_BAR = 5 -- columns; a shorter bar shows nothing useful

local UNITS = { { 1024 * 1024, "MB" }, { 1024, "KB" }, { 1, "B" } }

local function amount(sent, total)
  for _, unit in ipairs(UNITS) do
    if total >= unit[1] or unit[1] == 1 then
      local form = unit[1] == 1 and "%d/%d %s" or "%.1f/%.1f %s"
      return form:format(sent / unit[1], total / unit[1], unit[2])
    end
  end
end

--- A progress bar with the bytes sent, as wide as the terminal allows.
---@param sent integer
---@param total integer
---@param columns integer
---@return string
function M.bar(sent, total, columns)
  local text = amount(sent, total)
  local width = math.min(40, columns - #text - 4)
  if width < MIN_BAR then return text end
  local done = total > 0 and math.floor(width * sent / total) or 0
  return ("[%s%s] %s"):format(("#"):rep(done), ("."):rep(width - done), text)
end

-- The interpreter raises this text on Ctrl-C.
local function is_interrupt(reason)
  return type(reason) == "string" and reason:find("interrupted!", 1, true) ~= nil
end

-- The failure after Ctrl-C. err: of the call that Ctrl-C ended
local function interrupted(err)
  local row = err.operation and operations.get(err.operation)
  local consequence = row and err.outcome == "unknown" and row.retry_class ~= "safe" and row.unknown_advice or nil
  return nil, "interrupted", {
    kind = "cancelled", outcome = err.outcome, generation_id = err.generation_id, message = "interrupted",
    operation = err.operation, created = err.created, key = err.key,
    _parts = { what = "interrupted", consequence = consequence },
  }
end

local UNKNOWN = { outcome = "unknown" }

-- The failure of a cancelled task. If its work was done by then, the failure has the id of the result.
local function cancel(task, work)
  task:cancel()
  local _, _, err = task:join()
  err = err or work.err or work.failures and work.failures[1]
  if err then return interrupted(err) end
  local value = work.results and work.results[1]
  return interrupted { outcome = "unknown", generation_id = type(value) == "table" and value.id or nil }
end

--- Runs fn as a task, and draws frames meanwhile. Ctrl-C cancels the task: nil, message, err of kind `cancelled`, with the
--- outcome of the call that it ended, and with the generation's id.
---@param console devkit4ai.cli.Console
---@param fn fun(): any?, string?, devkit4ai.Error?
---@param draw fun()? draws one frame
---@return any? value
---@return string? message
---@return devkit4ai.Error? err
function M.run(console, fn, draw)
  local work = {}
  local task = devkit4ai.spawn(function()
    local results, failures, err = devkit4ai.map({ 1 }, { concurrency = 1 }, fn) -- turns an error in fn into a failure
    work.results, work.failures, work.err = results, results and failures, err
    work.over = true
  end)
  local ok, reason = pcall(function()
    while draw and not work.over and console:progress_columns() do
      devkit4ai.update()
      draw()
      core.pause(FRAME)
    end
    task:join()
  end)
  if not ok and is_interrupt(reason) then return cancel(task, work) end
  if not ok then error(reason, 0) end
  local err = work.failures[1]
  if not err then return work.results[1] end
  if is_interrupt(err.message) then return interrupted(UNKNOWN) end -- LuaJIT may raise it inside the task
  return nil, err.message, err
end

--- Runs an upload with a progress bar.
---@param console devkit4ai.cli.Console
---@param fn fun(on_upload: fun(sent: integer, total: integer)): any?, string?, devkit4ai.Error?
---@return any? value
---@return string? message
---@return devkit4ai.Error? err
function M.upload(console, fn)
  local draw, sent, total = status_line.new(console), 0, 0
  local value, message, err = M.run(console, function()
    return fn(function(sent_now, total_now) sent, total = sent_now, total_now end)
  end, function()
    if total > 0 then draw(M.bar(sent, total, console:progress_columns() or 80)) end
  end)
  draw("")
  return value, message, err
end

--- Runs a wait with a spinner, the status from the server and the seconds so far.
---@param console devkit4ai.cli.Console
---@param gen devkit4ai.Generation
---@param fn fun(): any?, string?, devkit4ai.Error?
---@return any? value
---@return string? message
---@return devkit4ai.Error? err
function M.wait(console, gen, fn)
  local draw, started, frame = status_line.new(console), os.time(), 0
  local value, message, err = M.run(console, fn, function()
    frame = frame + 1
    local spinner, status = SPINNER[frame % #SPINNER + 1], display.text(gen.status or "waiting")
    draw(("%s %s %d s"):format(spinner, status, os.time() - started))
  end)
  draw("")
  return value, message, err
end

return M
