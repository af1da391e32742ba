--- Busted output handler of tools/test: a line at the start and at the end of each test, and the totals as the last line.
--- Each line is flushed, so that the log of a stopped part shows the finished tests and the hanging one.
local busted = require "busted"
local base = require "busted.outputHandlers.base"

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

-- Control characters as Lua writes them, with some exceptions: a name neither breaks a line nor moves the cursor.
local function visible(text, except)
  text = text:gsub("\194([\128-\159])", function(char) return ("\\u{%X}"):format(char:byte()) end) -- those of Unicode
  return (text:gsub("%c", function(char)
    if not (except or ""):find(char, 1, true) then return ESCAPES[char] or ("\\%03d"):format(char:byte()) end
  end))
end

local function print_line(...)
  io.stdout:write(table.concat({ ... }, " "), "\n")
  io.stdout:flush()
end

return function()
  local handler = base()
  local passed, failed, reasons = 0, 0, {}

  local function title(element)
    local trace = element.trace or {}
    return ("%s:%s %s"):format(trace.short_src or "?", trace.currentline or "?", visible(handler.getFullName(element)))
  end

  local function fail(element)
    failed = failed + 1
    print_line("FAILED", title(element))
    for _, reason in ipairs(reasons) do print_line("        ", (visible(reason, "\n\t"):gsub("\n", "\n         "))) end
    reasons = {}
  end

  busted.subscribe({ "file", "start" }, function(file)
    print_line("file  ", file.name)
    return nil, true
  end)

  busted.subscribe({ "test", "start" }, function(element)
    print_line("run   ", title(element))
    return nil, true
  end)

  busted.subscribe({ "test", "end" }, function(element, _, status)
    if status == "success" then
      passed = passed + 1
      print_line("ok    ", title(element), ("(%.0f ms)"):format(element.duration * 1000))
    elseif status == "pending" then
      print_line("skip  ", title(element))
    else
      fail(element)
    end
    return nil, true
  end)

  -- A test fails when it ends; a file that can't be loaded, a setup or a teardown fails at once.
  local function note(element, _, message)
    reasons[#reasons + 1] = type(message) == "string" and message or require("pl.pretty").write(message)
    if element.descriptor ~= "it" then fail(element) end
    return nil, true
  end
  busted.subscribe({ "failure" }, note)
  busted.subscribe({ "error" }, note)

  busted.subscribe({ "suite", "end" }, function()
    print_line(("%d passed, %d failed"):format(passed, failed))
    return nil, true
  end)

  return handler
end
