--- devkit4ai list: lists the newest generations, or finds one by its prompt.
local clients = require "devkit4ai.cli.client"
local converters = require "devkit4ai.cli.input.converters"
local errors = require "devkit4ai.cli.errors"
local json = require "devkit4ai.util.json"
local steps = require "devkit4ai.cli.generation.steps"

local M = { name = "list", summary = "List generations, or find one by its prompt." }

M.examples = {
  { "devkit4ai list --limit 5" },
  { 'devkit4ai list --find "a lighthouse"', "was a request that got no response accepted?" },
  { "devkit4ai list --json" },
}

local MAX_PER_PAGE = 100

--- Adds the options.
---@param parser table
function M.add_options(parser)
  parser:option("--limit", "how many, newest first"):argname("<n>"):default("20"):convert(converters.count "--limit")
  parser:mutex(
    parser:flag("--public", "public generations of all users"),
    parser:option("--find", "the one generation that was created with this prompt"):argname("<prompt>")
      :convert(converters.prompt "--find"))
  parser:option("--since", "with --find: created at this Unix time or later (the server's clock)"):argname("<time>")
    :convert(converters.time "--since")
end

-- The instructions of a generation are a prompt, or JSON that has one.
local function prompt_of(instructions)
  if type(instructions) ~= "string" then return "" end
  local value = json.decode_plain(instructions)
  if type(value) ~= "table" then return instructions end
  return type(value.prompt) == "string" and value.prompt or ""
end

local function print_records(console, records)
  console:print_list(records, function(record)
    return { record.id, record.status or "", (record.created_at or ""):sub(1, 16), prompt_of(record.instructions) }
  end)
  return true
end

local function find(owner, options, console)
  local gen, message, err = owner:find_generation { instructions = options.find, since = options.since }
  if not gen then return nil, message, err end
  return print_records(console, { steps.record(gen) })
end

local function read(pages, limit)
  local records = {}
  while #records < limit do
    local gen, message, err = pages:next()
    if message then return nil, message, err end
    if not gen then return records end
    records[#records + 1] = steps.record(gen)
  end
  return records
end

--- Lists or finds.
---@param options table
---@param console devkit4ai.cli.Console
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, console)
  if options.since and not options.find then return errors.fail("invalid", "--since is only for --find") end
  local client, settings, err = clients.open(options, console)
  if not client then return nil, settings, err end
  local owner, message = client, nil
  if not options.public then owner, message, err = clients.project(client, settings) end
  if not owner then return nil, message, err end
  if options.find then return find(owner, options, console) end
  local size = { per_page = math.min(options.limit, MAX_PER_PAGE) }
  local pages = options.public and client:public_generations(size) or owner:generations(size)
  local records
  records, message, err = read(pages, options.limit)
  if not records then return nil, message, err end
  return print_records(console, records)
end

return M
