--- The contact sheet of a batch: one static page with the images, their prompts, the failures and the undecided jobs.
--- It has no script, and loads nothing but the images of its folder. It is written completely or not at all.
local display = require "devkit4ai.util.display"
local errors = require "devkit4ai.util.errors"
local json = require "devkit4ai.util.json"
local style = require "devkit4ai.batch.report.contact_sheet_style"

---@class devkit4ai.batch.Sheet
---@field title string such as the name of the folder
---@field time integer Unix time
---@field counts devkit4ai.batch.Counts
---@field payments fun(): integer those of earlier runs included
---@field note string? why the run ended before all jobs did, and when it can continue
---@field each fun(): (fun(): devkit4ai.batch.Job?)?, string? a new iterator over all jobs; nil and why: they can't be read
---@field state_of fun(job: devkit4ai.batch.Job): devkit4ai.batch.State
---@field line_of fun(name: string): string what to type to send an undecided job again

local M = {}

local SIZE = 240 -- pixels: width and height of a thumbnail in the page's text; the style then fits it to the window
local LONG_PROMPT = 140 -- bytes; a longer one is folded

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- A text of the user or the server, for HTML. Control characters become visible, and bytes that are not UTF-8 U+FFFD.
local function escape(text)
  return (display.lines(text):gsub("[&<>\"']", ENTITIES))
end

local function percent(byte)
  return ("%%%02X"):format(byte:byte())
end

-- A file of the folder as a relative URL. The colon is encoded, too: `a:b.png` would name a scheme.
local function url_of(name)
  return (name:gsub("[^A-Za-z0-9._~/-]", percent))
end

local function prompt_of(job)
  local instructions = job.instructions
  if type(instructions) == "string" then
    local object = instructions:find "^%s*{" and json.decode_object(instructions)
    instructions = type(object) == "table" and object or { prompt = instructions }
  end
  return type(instructions.prompt) == "string" and instructions.prompt or ""
end

-- The start of a prompt. No character is cut in half.
local function start_of(prompt)
  return (prompt:sub(1, LONG_PROMPT):gsub("[\192-\247]?[\128-\191]*$", "", 1)) .. "…"
end

local function prompt_html(job)
  local prompt = prompt_of(job)
  if #prompt <= LONG_PROMPT then return ("<span class=\"prompt\">%s</span>"):format(escape(prompt)) end
  return ("<details><summary>%s</summary><p>%s</p></details>"):format(escape(start_of(prompt)), escape(prompt))
end

-- ---- the parts of the page ----

local HEAD = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'">
<title>%s: %s</title>
<style>
%s</style>
</head>
<body>
<header>
<h1>%s</h1>
<p class="quiet">Written on <time datetime="%s">%s UTC</time>.</p>
]]

local function counted(count, singular, plural)
  return ("%d %s"):format(count, count == 1 and singular or plural)
end

local function write_head(out, sheet, waiting)
  local counts = sheet.counts
  local title, time = escape(sheet.title), os.date("!%Y-%m-%dT%H:%M:%SZ", sheet.time)
  out(HEAD:format(("%d of %s"):format(counts.done, counted(counts.total, "image", "images")), title, style, title,
    time, os.date("!%Y-%m-%d %H:%M:%S", sheet.time)))
  if sheet.note then out('<p class="note">' .. escape(sheet.note) .. "</p>\n") end
  out "<dl>\n"
  for _, row in ipairs {
    { "Jobs", counts.total }, { "Done", counts.done, "images" }, { "Failed", counts.failed, "failed" },
    { "Undecided", counts.undecided, "undecided" }, { "Running", counts.running },
    { "Waiting", waiting - counts.running, "others" }, { "Payments", sheet.payments() },
  } do
    local name, count, section = row[1], row[2], row[3]
    if section and count > 0 then name = ('<a href="#%s">%s</a>'):format(section, name) end
    out(('<div class="%s"><dt>%s</dt><dd>%d</dd></div>\n'):format(count > 0 and section or "", name, count))
  end
  out "</dl>\n</header>\n<main>\n"
end

-- ---- the sections ----

-- Reads the jobs once, unless all are saved. Those that are not in the section of images are few, or their names alone are kept.
local function read_jobs(sheet)
  local found = { failed = {}, undecided = {}, waiting = {}, saved = 0 }
  if sheet.counts.done == sheet.counts.total then
    found.saved = sheet.counts.done
    return found
  end
  local next_job, why = sheet.each()
  if not next_job then return nil, why end
  for job in next_job do
    local state = sheet.state_of(job)
    local list = found[state.step]
    if state.step == "saved" then found.saved = found.saved + 1
    elseif list then list[#list + 1] = { name = job.name, prompt = prompt_html(job), state = state }
    else table.insert(found.waiting, { name = job.name, state = state }) end
  end
  return found
end

local function write_table(out, id, title, text, heads, jobs, cells_of)
  if #jobs == 0 then return end
  out(('<section aria-labelledby="%s">\n<h2 id="%s">%s (%d)</h2>\n<p>%s</p>\n<table role="table">\n'):format(id, id,
    title, #jobs, text))
  out('<thead><tr role="row"><th scope="col">Job</th>')
  for _, head in ipairs(heads) do
    out(('<th scope="col"%s>%s</th>'):format(head == "Paid" and ' class="narrow"' or "", head))
  end
  out "</tr></thead>\n<tbody>\n"
  for _, job in ipairs(jobs) do
    out(('<tr role="row"><th scope="row" role="rowheader">%s</th>'):format(escape(job.name)))
    for i, cell in ipairs(cells_of(job)) do
      out(('<td role="cell"><span class="head" aria-hidden="true">%s: </span>%s</td>'):format(heads[i], cell))
    end
    out "</tr>\n"
  end
  out "</tbody>\n</table>\n</section>\n"
end

local function write_undecided(out, sheet, jobs)
  write_table(out, "undecided", "Undecided jobs",
    "Each of these requests may have arrived and may be paid for, and its generation was not found. The next run looks "
      .. "for it again. To send a job again, which may pay a second time, use its line.",
    { "Prompt", "Reason", "To send it again" }, jobs, function(job)
      return {
        job.prompt, escape(job.state.reason or "unknown"), "<code>" .. escape(sheet.line_of(job.name)) .. "</code>",
      }
    end)
end

local function write_failed(out, jobs)
  write_table(out, "failed", "Failed jobs", "These jobs ended without an image.", { "Prompt", "Reason", "Paid" }, jobs,
    function(job)
      return {
        job.prompt, ('<span class="failed">%s</span>'):format(escape(job.state.reason or "unknown")),
        job.state.paid and "yes" or "no",
      }
    end)
end

-- nil and why: the jobs can't be read.
local function write_images(out, sheet, count)
  if count == 0 then return true end
  local next_job, why = sheet.each()
  if not next_job then return nil, why end
  out(('<section aria-labelledby="images">\n<h2 id="images">Images (%d)</h2>\n<ul class="grid">\n'):format(count))
  for job in next_job do
    if sheet.state_of(job).step == "saved" then
      local name, url = escape(job.name), url_of(job.name)
      out(('<li><figure><a href="%s"><img src="%s" alt="%s" width="%d" height="%d" loading="lazy"></a>'):format(url,
        url, name, SIZE, SIZE))
      out(("<figcaption><b>%s</b>%s</figcaption></figure></li>\n"):format(name, prompt_html(job)))
    end
  end
  out "</ul>\n</section>\n"
  return true
end

local function write_waiting(out, jobs)
  if #jobs == 0 then return end
  out(('<section aria-labelledby="others">\n<h2 id="others">Not done yet (%d)</h2>\n'):format(#jobs))
  out "<details><summary>Show the jobs</summary>\n<ul>\n"
  for _, job in ipairs(jobs) do
    local reason = job.state.reason and ", not accepted: " .. job.state.reason or ""
    out(("<li>%s</li>\n"):format(escape(job.name .. reason)))
  end
  out "</ul>\n</details>\n</section>\n"
end

local function write_page(out, sheet, found)
  write_head(out, sheet, #found.waiting)
  write_undecided(out, sheet, found.undecided)
  write_failed(out, found.failed)
  local done, why = write_images(out, sheet, found.saved)
  if not done then return nil, why end
  write_waiting(out, found.waiting)
  out "</main>\n</body>\n</html>\n"
  return true
end

-- Writes a file piece by piece: a page of 10,000 jobs is never whole in memory.
local function write_file(path, sheet)
  local found, why = read_jobs(sheet)
  if not found then return nil, why end
  local file
  file, why = io.open(path, "wb")
  if not file then return nil, why end
  file:setvbuf("full", 65536)
  local written, write_why = true, nil
  local complete, page_why = write_page(function(text)
    if written then written, write_why = file:write(text) end
  end, sheet, found)
  local closed, close_why = file:close()
  if complete and written and closed then return true end
  return nil, page_why or write_why or close_why
end

--- Writes the page. A page that is there already is replaced when the new one is complete; after a failure it stays.
---@param path string of the page, in the folder that has the images
---@param sheet devkit4ai.batch.Sheet
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function M.write(path, sheet)
  local part = path .. ".part"
  local done, why = write_file(part, sheet)
  if done then done, why = os.rename(part, path) end
  if done then return true end
  os.remove(part)
  return errors.fail {
    kind = "file", outcome = "not_sent", message = ("the contact sheet %s can't be written: %s"):format(path, why),
  }
end

return M
