--- Finding a generation again by its instructions: what became of an order whose outcome is unknown.
local core = require "devkit4ai.core"
local check = require "devkit4ai.check"
local errors = require "devkit4ai.errors"
local instructions = require "devkit4ai.instructions"
local pages = require "devkit4ai.pages"
local times = require "devkit4ai.times"

local M = {}

local MARGIN = 60 -- seconds before `since` that are looked at, too: the clocks of a service's machines differ
local KEPT = 1000 -- ids of answered orders that a client keeps: those of the margin, at 16 orders a second
local NAMED = 10 -- ids in a message
local LATEST = 2 ^ 37 -- a Unix time that dates can still tell

-- ---- the line for an unknown order ----

-- as a Lua string on one line; all five Luas read it, and none takes [[ inside of [[
local function quote(text)
  if not text:find('[%c\\"]') then return '"' .. text .. '"' end
  if not text:find("%c") and not text:find("[%[%]][%[%]]") and not text:find("%]$") then return "[[" .. text .. "]]" end
  return '"' .. text:gsub('[%c\\"]', function(char)
    return char:find("%c") and ("\\%03d"):format(char:byte()) or "\\" .. char
  end) .. '"'
end

--- The line that finds an order, to be run as it stands.
---@param words string the Lua of the object that ordered
---@param text string the prompt, or the JSON text of the instructions
---@param since integer Unix time of the order
---@return string
function M.line(words, text, since)
  return ("%s:find_generation { instructions = %s, since = %d }"):format(words, quote(text), since)
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

local FIND = check.rows { instructions = { type = "table or string", required = true }, since = { type = "number" } }

-- seconds by which the server's clock is ahead of ours
local function ahead(head)
  local date = core.header(head, "Date")
  local time = date and core.date(date)
  return time and time - os.time() or 0
end

-- Whether lists are the newest first, as far as it was seen: where they are, what comes behind older ones is older still.
local function note_order(search, made)
  if made and search.last then
    search.falling = search.falling or made < search.last
    search.mixed = search.mixed or made > search.last
  end
  search.last = made or search.last
end

-- Not one that an earlier order of this client was answered with, which the margin brings in.
local function is_wanted(search, fields, made)
  if made and search.since and made < search.since and search.known[fields.id] then return false end
  return instructions.same(search.wanted, instructions.normal(fields.instructions))
end

-- Looks through one page; true: what comes now is too old.
local function look_through(search, fresh, head)
  if search.given and not search.since then search.since = search.given + ahead(head) end
  local from, recent = search.since and search.since - MARGIN, false
  for _, fields in ipairs(fresh) do
    local made = times.parse(fields.created_at)
    note_order(search, made)
    if not (from and made and made < from) then
      recent, search.count = true, search.count + 1
      if is_wanted(search, fields, made) then
        search.found[#search.found + 1] = fields
        search.doubt = search.doubt or (from and not made)
      end
    end
  end
  return fresh[1] and from and not recent and search.falling and not search.mixed
end

local function span(search)
  if not search.given then return "" end
  return (" made since %s UTC (less %d s)"):format(os.date("!%Y-%m-%d %H:%M:%S", math.floor(search.given)), MARGIN)
end

local function not_found(says, search)
  return errors.give({
    kind = "not_found", outcome = "refused", operation = "list_generations", transient = true, harmless = true,
    message = ("%s: none of the %d generations%s has these instructions; one that was ordered a moment ago may still "
      .. "appear: look again in some seconds before you order anew"):format(says, search.count, span(search)),
  })
end

local function unclear(says, search)
  local names = {}
  for i, fields in ipairs(search.found) do
    if i <= NAMED then names[i] = ("%s (%s)"):format(fields.id, tostring(fields.created_at or "no time")) end
  end
  if #search.found > NAMED then names[NAMED + 1] = "..." end
  return errors.give({
    kind = "conflict", outcome = "refused", operation = "list_generations",
    message = ("%s: %s%s, so which is the one you look for is not clear: %s"):format(says,
      #search.found == 1 and "one generation has these instructions and no time that can be read"
        or #search.found .. " generations have these instructions", #search.found == 1 and "" or span(search),
      table.concat(names, ", ")),
  })
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
  given = check.arguments(says, FIND, given, own)
  local wanted, wrong = instructions.normal(given.instructions)
  if wanted and (type(wanted.prompt) ~= "string" or wanted.prompt == "") then
    wanted, wrong = nil, "there is no prompt in the instructions; give them as they were ordered"
  end
  if given.since and not (given.since >= 0 and given.since < LATEST) then
    wanted, wrong = nil, "since must be a Unix time in seconds"
  end
  if not wanted then return errors.refuse("invalid", says .. ": " .. wrong, "list_generations") end
  local search = { wanted = wanted, given = given.since, known = scope._client._made.ids, count = 0, found = {} }
  local list = pages.new(scope, "list_generations", says,
    { per_page = 100, timeout = given.timeout, headers = given.headers })
  local done, message, err = pages.each(list, function(fresh, head) return look_through(search, fresh, head) end)
  if not done then return nil, message, err end
  if #search.found == 0 then return not_found(says, search) end
  if #search.found > 1 or search.doubt then return unclear(says, search) end
  return search.found[1]
end

return M
