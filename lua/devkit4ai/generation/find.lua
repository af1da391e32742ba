--- find_generation: finds a generation by its instructions, after a create call with an unknown outcome.
local answered_ids = require "devkit4ai.generation.answered_ids"
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local instructions_of = require "devkit4ai.generation.input.instructions"
local iso8601 = require "devkit4ai.util.iso8601"
local pages = require "devkit4ai.resources.pages"
local waits = require "devkit4ai.loop.waits"
local server_clock = require "devkit4ai.request.time.server_clock"
local limits = require "devkit4ai.api.limits"
local suggestions = require "devkit4ai.util.errors.suggestions"
local time_limit = require "devkit4ai.request.time.time_limit"
local validate = require "devkit4ai.util.validate"

local M = {}

local MARGIN = 60 -- seconds before `since` that count as well: the clocks of a service's machines differ
local CLOCK_STEP = 1 -- seconds; a Date header has no fractions
local MAX_PASSES = 3 -- times that a list of several pages is read
local MAX_NAMED = 10 -- ids in a message
local MAX_TIME = 2 ^ 37 -- a Unix time that dates can still represent

--- The option since that finds what a request created.
---@param scope devkit4ai.Scope that sent the request
---@param sent_at number of core.now()
---@return integer since Unix time
---@return boolean is_known false: the time of this machine, which may be wrong
function M.since(scope, sent_at)
  local time, is_known = server_clock.at(scope._client, sent_at)
  return math.max(0, math.floor(time)), is_known
end

--- The end of a message about a create call with an unknown outcome: the line that finds the generation.
---@param scope devkit4ai.Scope that sent the request
---@param instructions string the prompt, or the JSON text of the instructions
---@param sent_at number of core.now()
---@return string
function M.advice(scope, instructions, sent_at)
  local since, is_known = M.since(scope, sent_at)
  local warning = "; since is this machine's time: leave it out if that may be wrong by over %d s"
  return ("%s; this line looks for it: %s"):format(is_known and "" or warning:format(MARGIN),
    scope._secrets:mask(suggestions.find(scope, instructions, since)))
end

-- ---- reading the list ----

local OPTIONS = validate.schema {
  instructions = { type = "table or string", required = true }, since = { type = "number" },
}

---@class devkit4ai.GenerationSearch
---@field instructions table in their normal form
---@field since number? Unix time
---@field answered table<string, any> ids that answered other create requests
---@field skips_answered boolean? these are not read
---@field seen table<string, true> ids
---@field count integer generations that were read
---@field in_range integer of these, those created since `since` or the margin before it
---@field total integer generations that the list reported in the last pass
---@field matches table[] generations in range with the instructions
---@field unanswered table[] of these, those that answered no other request
---@field out_of_range table[] generations with the instructions and another time

---@class devkit4ai.SearchPass one reading of the list
---@field pages integer that were read
---@field previous number? creation time of the generation before
---@field is_descending boolean? a generation was older than the one before
---@field is_ascending boolean? a generation was newer than the one before
---@field is_stopped boolean? the other pages hold only older generations
---@field first_total integer? total of the first page
---@field last_total integer? total of the last page
---@field has_shifted boolean? a generation may have moved to a page that was read before

local function note_order(pass, created)
  if created and pass.previous then
    pass.is_descending = pass.is_descending or created < pass.previous
    pass.is_ascending = pass.is_ascending or created > pass.previous
  end
  pass.previous = created or pass.previous
end

local function note_match(search, fields, created, in_range)
  local answered = search.answered[fields.id]
  if answered and search.skips_answered then return end
  if not in_range then
    if not answered then search.out_of_range[#search.out_of_range + 1] = fields end
  elseif not (answered and created and search.since and created < search.since) then -- not one that only the margin adds
    search.matches[#search.matches + 1] = fields
    if not answered then search.unanswered[#search.unanswered + 1] = fields end
  end
end

-- Compares the generations of one page. Returns true if the other pages are too old.
local function read_page(search, pass, list)
  local from, any_in_range = search.since and search.since - MARGIN, false
  for _, fields in ipairs(list) do
    local created = iso8601.parse(fields.created_at)
    local in_range = not (from and created and created < from)
    note_order(pass, created)
    any_in_range = any_in_range or in_range
    if not search.seen[fields.id] then
      search.seen[fields.id], search.count = true, search.count + 1
      if in_range then search.in_range = search.in_range + 1 end
      if instructions_of.equal(search.instructions, instructions_of.normalize(fields.instructions)) then
        note_match(search, fields, created, in_range)
      end
    end
  end
  pass.pages = pass.pages + 1
  local is_short = pass.pages == 1 and #list < limits.MAX_PAGE_SIZE -- a missing generation may be new: read the next page
  pass.is_stopped = list[1] and from and not any_in_range and not is_short
    and pass.is_descending and not pass.is_ascending
  return pass.is_stopped
end

-- No total, or a smaller one than before: generations may have moved to a page that was read before.
local function note_total(pass, total)
  pass.first_total = pass.first_total or total
  if not total or pass.last_total and total < pass.last_total then pass.has_shifted = true end
  pass.last_total = total
end

-- Whether the pass read every generation that existed when it began.
local function is_complete(search, pass)
  if pass.pages < 2 then return true end
  if pass.has_shifted then return false end
  return pass.is_stopped or search.count >= pass.first_total and search.count <= pass.last_total
end

-- Reads the list, and again if generations may have moved meanwhile, until a pass finds nothing new.
local function read_list(scope, call_name, options, search)
  local remaining, passes = time_limit.start(options.timeout), 0
  repeat
    local before, pass = search.count, { pages = 0 }
    local list = pages.new(scope, "list_generations", call_name, {
      per_page = limits.MAX_PAGE_SIZE, timeout = remaining(), headers = options.headers,
    })
    local done, message, err = pages.each(list, function(new)
      note_total(pass, list.total)
      return read_page(search, pass, new)
    end)
    if not done then return nil, message, err end
    search.total = not pass.is_stopped and pass.first_total or 0 -- generations created later come first
    passes = passes + 1
  until search.matches[1] or is_complete(search, pass) or search.count == before or passes == MAX_PASSES
  return true
end

-- ---- the result ----

local function date(seconds)
  return os.date("!%Y-%m-%d %H:%M:%S", math.floor(seconds))
end

local function range_text(search)
  if not search.since then return "" end
  return (" since %s UTC (less %d s)"):format(date(search.since), MARGIN)
end

local function names_of(list)
  local names = {}
  for i, fields in ipairs(list) do
    if i <= MAX_NAMED then names[i] = ("%s (%s)"):format(fields.id, tostring(fields.created_at or "no time")) end
  end
  if #list > MAX_NAMED then names[MAX_NAMED + 1] = "..." end
  return table.concat(names, ", ")
end

-- Why the list does not prove that the generation does not exist.
local function doubts(client, search)
  local list, now = {}, server_clock.at(client, core.now())
  if search.since and search.since > now + CLOCK_STEP then
    list[1] = ("since is %.0f s after the server's time (%s UTC), so a clock was wrong: look without since"):format(
      search.since - now, date(now))
  end
  if search.total > search.count then
    list[#list + 1] = ("the list reports %d generations and returned %d: look again in some seconds"):format(
      search.total, search.count)
  end
  return list[1] and table.concat(list, "; ")
end

local function not_found(client, call_name, search)
  local doubt = doubts(client, search)
  local parts = { ("none of the %d generations%s has these instructions"):format(search.in_range, range_text(search)) }
  if search.out_of_range[1] then
    parts[2] = "these have the instructions but another time: " .. names_of(search.out_of_range)
  end
  parts[#parts + 1] = doubt or "a new generation may still appear: look again in some seconds"
    .. (search.out_of_range[1] and "" or " before you generate again")
  return errors.fail({
    kind = doubt and "conflict" or "not_found", outcome = "refused", operation = "list_generations",
    transient = not doubt, harmless = true, call_name = call_name, what = table.concat(parts, "; "),
  })
end

local function ambiguous(call_name, search, list)
  local answered = #search.matches - #list
  local what = #list == 1 and "one generation has these instructions, but its time can't be read"
    or ("%d generations%s have these instructions"):format(#list, range_text(search))
  return errors.fail({
    kind = "conflict", outcome = "refused", operation = "list_generations",
    call_name = call_name, what = ("%s%s, so the right one is not clear; compare them yourself: %s"):format(what,
      answered > 0 and (" (%d more are the results of other calls)"):format(answered) or "", names_of(list)),
  })
end

-- The generation: if several match, the only one that is not the result of another call of this client.
local function choose(call_name, search)
  local list = #search.matches > 1 and search.unanswered[1] and search.unanswered or search.matches
  local has_no_time = search.since and not iso8601.parse(list[1].created_at)
  if #list > 1 or has_no_time then return ambiguous(call_name, search, list) end
  return list[1]
end

-- The instructions in their normal form; nil and why, if an option has a bad value.
local function check(options)
  local problem = instructions_of.problem(options.instructions)
  if options.since and not (options.since >= 0 and options.since < MAX_TIME) then
    problem = "since must be a Unix time in seconds"
  end
  if problem then return nil, problem end
  return instructions_of.normalize(options.instructions)
end

local function find(scope, call_name, options, answered, skips_answered)
  local instructions, problem = check(options)
  if not instructions then
    return waits.after_refusal(errors.refuse("invalid", problem, "list_generations", call_name))
  end
  local search = {
    instructions = instructions, since = options.since, answered = answered, skips_answered = skips_answered,
    seen = {}, count = 0, in_range = 0, total = 0, matches = {}, unanswered = {}, out_of_range = {},
  }
  local done, message, err = read_list(scope, call_name, options, search)
  if not done then return nil, message, err end
  if #search.matches == 0 then return not_found(scope._client, call_name, search) end
  return choose(call_name, search)
end

--- Finds the one generation with these instructions.
---@param scope devkit4ai.Scope
---@param call_name string "client:find_generation"
---@param options table instructions, since, timeout, headers
---@param call_options (devkit4ai.Own|number)?
---@return table? fields in their normal form
---@return string? message
---@return devkit4ai.Error? err
function M.run(scope, call_name, options, call_options)
  options = validate.arguments(call_name, OPTIONS, options, call_options)
  return find(scope, call_name, options, answered_ids.set(scope._client))
end

--- Finds the generation of a lost response. One that belongs to somebody else is never taken.
---@param scope devkit4ai.Scope
---@param call_name string "batch:run"
---@param options { instructions: table|string, since: number? }
---@param is_taken fun(id: string): boolean whether a generation belongs to another request
---@return table? fields in their normal form
---@return string? message
---@return devkit4ai.Error? err
function M.find_lost(scope, call_name, options, is_taken)
  local answered = answered_ids.set(scope._client)
  local taken = setmetatable({}, { __index = function(_, id) return answered[id] or is_taken(id) end })
  return find(scope, call_name, options, taken, true)
end

return M
