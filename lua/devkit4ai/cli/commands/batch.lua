--- devkit4ai batch: generates many images, one file and one payment for each job, and continues where an earlier run stopped.
local batch_events = require "devkit4ai.cli.batch.events"
local batch_outcome = require "devkit4ai.cli.batch.outcome"
local clients = require "devkit4ai.cli.client"
local converters = require "devkit4ai.cli.input.converters"
local errors = require "devkit4ai.cli.errors"
local job_source = require "devkit4ai.cli.batch.job_source"
local shell_quote = require "devkit4ai.cli.output.shell_quote"

local M = {
  name = "batch", summary = "Generate many images; a run that was interrupted continues.", handles_signals = true,
}

M.examples = {
  { "devkit4ai batch jobs.csv --out results --dry-run", "check all jobs; nothing is sent" },
  { "devkit4ai batch jobs.csv --out results", "run it; after an interruption, run the same line again" },
  { 'devkit4ai batch photos/ --out results --prompt "{row.stem} as an oil painting"', "a folder of images" },
  { "devkit4ai batch jobs.csv --out results --again paris.png", "decide that an undecided job is sent again" },
}
M.notes = "Each job creates a generation, which costs money at the API. The journal in the folder of --out has each "
  .. "step, so no run pays for a job a second time. index.html in the folder shows the images. Exit codes: 0: all jobs "
  .. "are done; 8: run the printed command; 5: a quota is used up; 6: jobs are undecided; 9: jobs failed."

--- Adds the options.
---@param parser table
function M.add_options(parser)
  parser:argument("jobs", "a .csv or .jsonl file, a folder of images, or - for standard input"):argname("<jobs>")
    :convert(converters.text "the jobs")
  parser:option("--out", "the folder for images, journal and index.html (required)"):argname("<folder>"):count(1)
    :convert(converters.text "--out")
  parser:option("--images", "template of an image's path, such as photos/{row.photo}; repeat it for more images")
    :argname("<path>"):count("*"):convert(converters.text "--images")
  parser:option("--prompt", 'template of the prompt, such as "{row.city} at night"'):argname("<text>")
    :convert(converters.text "--prompt")
  parser:option("--name", "template of a result's file name, such as {row.city}.png"):argname("<name>")
    :convert(converters.text "--name")
  parser:option("--concurrency", "the most jobs at once (default: what the account allows)"):argname("<n>")
    :convert(converters.count "--concurrency")
  parser:option("--again", "send this undecided or failed job again, which may pay again; repeat it for more jobs")
    :argname("<name>"):count("*"):convert(converters.text "--again")
  parser:flag("--wait", "wait for the end of a quota, in place of stopping")
  parser:flag("--no-marker", "do not add the field `job` to the instructions"):target("no_marker")
  parser:flag("--dry-run", "check all jobs, print what a run would do, send nothing"):target("dry_run")
end

local WORDS = { -- options with a value, as the command line repeats them
  { "out", "--out" }, { "images", "--images" }, { "prompt", "--prompt" }, { "name", "--name" },
  { "concurrency", "--concurrency" },
}

-- The command line that runs this batch again, with the common options.
local function command_line(options, console)
  local words = { "devkit4ai batch", shell_quote.word(options.jobs) }
  for _, row in ipairs(WORDS) do
    local value = options[row[1]]
    for _, text in ipairs(type(value) == "table" and value or { value }) do
      words[#words + 1] = shell_quote.option(row[2], tostring(text))
    end
  end
  if options.wait then words[#words + 1] = "--wait" end
  if options.no_marker then words[#words + 1] = "--no-marker" end
  return table.concat(words, " ") .. console.common_options
end

local NO_KEY = "the jobs have other projects than --project, such as %s. The command has the key of one project: give "
  .. "the jobs of each project a file of their own. With DEVKIT4AI_PROJECT_KEY set to the key of that project, run:\n"
  .. "  devkit4ai batch FILE --out FOLDER --project %s"

-- The failure of client:batch, in words of the command.
local function refused(message, err)
  if err._project then message = NO_KEY:format(err._project, err._project) end
  if err.kind == "conflict" then err.exit_code = errors.WRONG_USE end -- the jobs have to be changed
  return nil, message, err
end

-- An option that may be repeated; nil: it was not given.
local function list(values)
  return values[1] and values or nil
end

--- Runs the batch.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  local client, settings, err = clients.open(options, console)
  if not client then return nil, settings, err end
  local project, message
  project, message, err = clients.project(client, settings) -- the client's own; one that is missing fails here
  if not project then return nil, message, err end
  local command, events = command_line(options, console), batch_events.new(console)
  local batch
  batch, message, err = client:batch {
    jobs = job_source.of(options.jobs), out = options.out, images = list(options.images), prompt = options.prompt,
    name = options.name, marker = not options.no_marker, concurrency = options.concurrency,
    wait = options.wait, again = list(options.again),
    again_line = function(name) return command .. " " .. shell_quote.option("--again", name) end,
    on_event = function(event) events:handle(event) end,
  }
  if not batch then return refused(message, err) end
  if options.dry_run then
    batch:close()
    return batch_outcome.plan(console, batch.plan)
  end
  local _
  _, message, err = events:run(batch)
  return batch_outcome.report(console, batch.summary, command, message, err)
end

return M
