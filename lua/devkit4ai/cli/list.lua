--- devkit4ai list: the newest generations, or the one that was ordered with a prompt.
local exits = require "devkit4ai.cli.exits"
local follow = require "devkit4ai.cli.follow"
local json = require "devkit4ai.util.json"
local session = require "devkit4ai.cli.session"
local values = require "devkit4ai.cli.values"

local M = { name = "list", summary = "List generations, or find one by its prompt." }

M.examples = {
  { "devkit4ai list --limit 5" },
  { 'devkit4ai list --find "a lighthouse"', "was a request that got no response accepted?" },
  { "devkit4ai list --json" },
}

local MOST_PER_PAGE = 100

--- Adds the command's options to its parser.
---@param parser table
function M.declare(parser)
  parser:option("--limit", "how many, newest first"):argname("<n>"):default("20"):convert(values.count "--limit")
  parser:mutex(
    parser:flag("--public", "public generations of all users"),
    parser:option("--find", "the one generation that was created with this prompt"):argname("<prompt>")
      :convert(values.prompt "--find"))
  parser:option("--since", "with --find: created at this Unix time or later (the server's clock)"):argname("<time>")
    :convert(values.time "--since")
end

-- Instructions are a prompt, or JSON with one in it.
local function prompt_of(instructions)
  if type(instructions) ~= "string" then return "" end
  local value = json.plain(instructions)
  if type(value) ~= "table" then return instructions end
  return type(value.prompt) == "string" and value.prompt or ""
end

local function give(shell, records)
  shell:list(records, function(one)
    return { one.id, one.status or "", (one.created_at or ""):sub(1, 16), prompt_of(one.instructions) }
  end)
  return true
end

local function read(pages, limit)
  local records = {}
  while #records < limit do
    local gen, message, err = pages:next()
    if message then return nil, message, err end
    if not gen then return records end
    records[#records + 1] = follow.record(gen)
  end
  return records
end

--- Lists or finds.
---@param options table
---@param shell devkit4ai.cli.Shell
---@return boolean? done
---@return string? message
---@return table? err
function M.run(options, shell)
  if options.since and not options.find then return exits.fail("invalid", "--since is only for --find") end
  local client, settings, err = session.open(options, shell)
  if not client then return nil, settings, err end
  local owner, message = client, nil
  if not options.public then owner, message, err = session.project(client, settings) end
  if not owner then return nil, message, err end
  if options.find then
    local gen
    gen, message, err = owner:find_generation { instructions = options.find, since = options.since }
    if not gen then return nil, message, err end
    return give(shell, { follow.record(gen) })
  end
  local size = { per_page = math.min(options.limit, MOST_PER_PAGE) }
  local pages = options.public and client:public_generations(size) or owner:generations(size)
  local records
  records, message, err = read(pages, options.limit)
  if not records then return nil, message, err end
  return give(shell, records)
end

return M
