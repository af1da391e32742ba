--- Finding a generation again by its instructions: what became of an order whose outcome is unknown.
local core = require "devkit4ai.core"
local validate = require "devkit4ai.util.validate"
local errors = require "devkit4ai.util.errors"
local instructions = require "devkit4ai.generation.instructions"
local suggestions = require "devkit4ai.util.suggestions"
local pages = require "devkit4ai.resources.pages"
local waits = require "devkit4ai.loop.waits"
local server_clock = require "devkit4ai.request.server_clock"
local iso8601 = require "devkit4ai.util.iso8601"
local wait = require "devkit4ai.generation.wait"

local M = {}

local MARGIN = 60 -- seconds before `since` that are looked at, too: the clocks of a service's machines differ
local GRAIN = 1 -- seconds; a Date has no fractions
local PER_PAGE = 100 -- the most that the API gives
local PASSES = 3 -- most times that a list of several pages is read
local KEPT = 1000 -- ids of answered orders that a client keeps: those of the margin, at 16 orders a second
local NAMED = 10 -- ids in a message
local LATEST = 2 ^ 37 -- a Unix time that dates can still tell

-- ---- the line for an unknown order ----

--- The end of a message about an order of which nobody knows what became: the line that finds it.
---@param scope devkit4ai.Scope
---@param words string the Lua of the object that ordered
---@param wanted string the prompt, or the JSON text of the instructions
---@param moment number of core.now(), when the order went out
---@return string
function M.way(scope, words, wanted, moment)
  local since, known = server_clock.at(scope._client, moment)
  return ("%s; this line looks for it: %s"):format(
    known and "" or ("; since is this machine's time: leave it out if that may be wrong by over %d s"):format(MARGIN),
    scope._secrets:mask(suggestions.find(words, wanted, math.max(0, math.floor(since)))))
end

--- The failure of an order, with the line that finds it where nobody knows what became of it.
---@param err devkit4ai.Error
---@param scope devkit4ai.Scope
---@param words string the Lua of the object that ordered
---@param wanted string the prompt, or the JSON text of the instructions
---@param moment number of core.now(), when the order went out
---@return nil
---@return string message
---@return devkit4ai.Error err
function M.tell_lost(err, scope, words, wanted, moment)
  if err.outcome == "unknown" then err.message = err.message .. M.way(scope, words, wanted, moment) end
  return nil, err.message, err
end

--- Notes an order that was answered, so that it is not taken for one that was lost right after it: the last ones, in turn.
---@param client devkit4ai.Client
---@param id string
function M.remember(client, id)
  local made = client._made
  made.at = made.at % KEPT + 1
  if made.order[made.at] then made.ids[made.order[made.at]] = nil end
  made.order[made.at], made.ids[id] = id, true
end

-- ---- looking ----

local FIND = validate.rows { instructions = { type = "table or string", required = true }, since = { type = "number" } }

-- Whether a page's items are the newest first, as far as it was seen: then what comes behind older ones is older still.
local function note_order(pass, made)
  if made and pass.last then
    pass.falling = pass.falling or made < pass.last
    pass.mixed = pass.mixed or made > pass.last
  end
  pass.last = made or pass.last
end

-- Takes note of a generation that has the instructions: in the time that is looked at, or out of it.
local function note_fitting(search, fields, made, in_time)
  local known = search.known[fields.id]
  if not in_time then
    if not known then search.near[#search.near + 1] = fields end
  elseif not (known and made and search.since and made < search.since) then -- the margin brings in what was answered
    search.found[#search.found + 1] = fields
    if not known then search.unknown[#search.unknown + 1] = fields end
  end
end

-- Looks through one page; true: what comes now is too old.
local function look_through(search, pass, list)
  local from, recent = search.since and search.since - MARGIN, false
  for _, fields in ipairs(list) do
    local made = iso8601.parse(fields.created_at)
    local in_time = not (from and made and made < from)
    note_order(pass, made)
    recent = recent or in_time
    if not search.seen[fields.id] then
      search.seen[fields.id], search.count = true, search.count + 1
      if in_time then search.recent = search.recent + 1 end
      if instructions.same(search.wanted, instructions.normal(fields.instructions)) then
        note_fitting(search, fields, made, in_time)
      end
    end
  end
  pass.pages = pass.pages + 1
  local is_short = pass.pages == 1 and #list < PER_PAGE -- what is missing may be new: the next page tells
  pass.stopped = list[1] and from and not recent and not is_short and pass.falling and not pass.mixed
  return pass.stopped
end

-- Notes what a page says of the whole. Nothing said, or less than before: items may have moved to a page that was read already.
local function note_total(pass, total)
  pass.first = pass.first or total
  if not total or pass.last_total and total < pass.last_total then pass.moved = true end
  pass.last_total = total
end

-- Whether all was seen that was there when the pass began.
local function is_whole(search, pass)
  if pass.pages < 2 then return true end
  if pass.moved then return false end
  return pass.stopped or search.count >= pass.first and search.count <= pass.last_total
end

-- Reads the list, and again where items may have moved while it was read, until a pass brings nothing new.
local function read(scope, says, given, search)
  local left, passes = wait.countdown(given.timeout), 0
  repeat
    local before, pass = search.count, { pages = 0 }
    local own = { per_page = PER_PAGE, timeout = left(), headers = given.headers }
    local list = pages.new(scope, "list_generations", says, own)
    local done, message, err = pages.each(list, function(fresh)
      note_total(pass, list.total)
      return look_through(search, pass, fresh)
    end)
    if not done then return nil, message, err end
    search.total = not pass.stopped and pass.first or 0 -- what was ordered later comes on top
    passes = passes + 1
  until search.found[1] or is_whole(search, pass) or search.count == before or passes == PASSES
  return true
end

local function date(seconds)
  return os.date("!%Y-%m-%d %H:%M:%S", math.floor(seconds))
end

local function span(search)
  if not search.since then return "" end
  return (" made since %s UTC (less %d s)"):format(date(search.since), MARGIN)
end

local function names_of(list)
  local names = {}
  for i, fields in ipairs(list) do
    if i <= NAMED then names[i] = ("%s (%s)"):format(fields.id, tostring(fields.created_at or "no time")) end
  end
  if #list > NAMED then names[NAMED + 1] = "..." end
  return table.concat(names, ", ")
end

-- Why the list can't say that there is none.
local function doubts(client, search)
  local list, now = {}, server_clock.at(client, core.now())
  if search.since and search.since > now + GRAIN then
    list[1] = ("since lies %.0f s after the server's time (%s UTC), so a clock was wrong: look without since"):format(
      search.since - now, date(now))
  end
  if search.total > search.count then
    list[#list + 1] = ("the list says that it has %d generations and showed %d: look in some seconds"):format(
      search.total, search.count)
  end
  return list[1] and table.concat(list, "; ")
end

local function not_found(client, says, search)
  local doubt = doubts(client, search)
  local what = ("%s: none of the %d generations%s has these instructions"):format(says, search.recent, span(search))
  local parts = { what }
  if search.near[1] then
    parts[2] = "these have the instructions, and another time: " .. names_of(search.near)
  end
  parts[#parts + 1] = doubt or "one that was ordered a moment ago may still appear: look again in some seconds"
    .. (search.near[1] and "" or " before you order anew")
  return errors.give({
    kind = doubt and "conflict" or "not_found", outcome = "refused", operation = "list_generations",
    transient = not doubt, harmless = true, message = table.concat(parts, "; "),
  })
end

local function unclear(says, search, list)
  local answered = #search.found - #list
  return errors.give({
    kind = "conflict", outcome = "refused", operation = "list_generations",
    message = ("%s: %s%s%s, so which is the one you look for is not clear: %s"):format(says,
      #list == 1 and "one generation has these instructions and no time that can be read"
        or #list .. " generations have these instructions", #list == 1 and "" or span(search),
      answered > 0 and (" (%d more are the answers to other orders)"):format(answered) or "", names_of(list)),
  })
end

-- The one that is looked for: where several fit, the only one that is not the answer to another order of this client.
local function choose(says, search)
  local list = #search.found > 1 and search.unknown[1] and search.unknown or search.found
  if #list > 1 or search.since and not iso8601.parse(list[1].created_at) then return unclear(says, search, list) end
  return list[1]
end

--- The one generation that has these instructions.
---@param scope devkit4ai.Scope
---@param says string how the user knows the call
---@param given table instructions, since, and the call's own
---@param own (devkit4ai.Own|number)?
---@return table? fields in their normal form
---@return string? message
---@return devkit4ai.Error? err
function M.find(scope, says, given, own)
  given = validate.arguments(says, FIND, given, own)
  local wanted, wrong = instructions.normal(given.instructions)
  local no_prompt = wanted and instructions.trouble(given.instructions)
  if no_prompt then wanted, wrong = nil, no_prompt end
  if given.since and not (given.since >= 0 and given.since < LATEST) then
    wanted, wrong = nil, "since must be a Unix time in seconds"
  end
  if not wanted then return waits.after_refusal(errors.refuse("invalid", says .. ": " .. wrong, "list_generations")) end
  local client = scope._client
  local search = {
    wanted = wanted, since = given.since, known = client._made.ids,
    seen = {}, count = 0, recent = 0, total = 0, found = {}, unknown = {}, near = {},
  }
  local done, message, err = read(scope, says, given, search)
  if not done then return nil, message, err end
  if #search.found == 0 then return not_found(client, says, search) end
  return choose(says, search)
end

return M
