--- What the command shows of a batch while it runs: a status line, or lines for a log, or with --json a line for each event.
local bar = require "devkit4ai.cli.batch.bar"
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local status_line = require "devkit4ai.cli.output.status_line"

---@class devkit4ai.cli.BatchEvents
---@field private _console devkit4ai.cli.Console
---@field private _draw fun(text: string)
---@field private _counts devkit4ai.batch.Counts? of the last event
---@field private _note string? in the status line, in place of the time left
---@field private _paused_until number? Unix time: nothing is sent before
---@field private _next_line number when the next line for a log is written
local Events = {}
Events.__index = Events

local M = {}

local FRAME = 0.2 -- seconds between two status lines
local LOG_PAUSE = 60 -- seconds between two lines, where there is no terminal

---@param console devkit4ai.cli.Console
---@return devkit4ai.cli.BatchEvents
function M.new(console)
  return setmetatable({
    _console = console, _draw = status_line.new(console), _next_line = os.time() + LOG_PAUSE,
  }, Events)
end

local COUNTS = { "total", "done", "running", "failed", "undecided", "rate", "seconds_left" }

local function record_of(event)
  local record, counts = {}, {}
  for name, value in pairs(event) do record[name] = value end
  for _, name in ipairs(COUNTS) do counts[name] = event.counts[name] end
  record.counts = counts
  return record
end

local MESSAGES = { failed = "%s failed: %s", undecided = "%s is undecided: %s" }

--- The handler of the option on_event.
---@param event devkit4ai.batch.Event
function Events:handle(event)
  local console = self._console
  self._counts = event.counts
  if console.json then console:print_record(record_of(event)) end
  if event.type == "paused" then self._paused_until = os.time() + event.seconds
  elseif event.type == "sending" then self._paused_until = nil
  elseif event.type == "warning" then console:info("warning: " .. event.reason) end
  local message = MESSAGES[event.type]
  if message then
    self._draw ""
    console:error(message:format(event.job, event.reason))
  end
end

local function log(events)
  if os.time() < events._next_line then return end
  events._next_line = os.time() + LOG_PAUSE
  events._console:info(bar.text(events._counts))
end

-- What stands in the status line in place of the time left.
local function note_of(events)
  local seconds = (events._paused_until or 0) - os.time()
  return events._note or seconds > 0 and "refused, tries again in " .. bar.duration(seconds) or nil
end

-- Shows how far the batch is.
local function show(events)
  local console = events._console
  if not events._counts then return end
  local columns = console:progress_columns()
  if columns then
    events._draw(bar.line(events._counts, columns, note_of(events)))
  elseif not console.json then
    log(events)
  end
end

--- Runs a batch, shows how far it is, and stops it in order after SIGINT, SIGTERM or SIGHUP.
---@param batch devkit4ai.Batch
---@return devkit4ai.BatchSummary?
---@return string? message
---@return devkit4ai.Error? err
function Events:run(batch)
  core.note_stops()
  local ticker = devkit4ai.spawn(function()
    while devkit4ai.sleep(FRAME) do
      if core.stopped() and not self._note then
        self._note = "stopping"
        batch:stop()
      end
      show(self)
    end
  end)
  local summary, message, err = batch:run()
  ticker:cancel()
  self._draw ""
  return summary, message, err
end

return M
