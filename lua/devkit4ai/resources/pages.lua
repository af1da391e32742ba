--- A list that the server gives in pages: its items one by one, all of them, or one page. What is new is told by the items'
--- ids alone, since totals, sizes and page numbers may be wrong.
local call = require "devkit4ai.request.call"
local validate = require "devkit4ai.util.validate"
local errors = require "devkit4ai.util.errors"
local object = require "devkit4ai.util.object"
local operations = require "devkit4ai.api.operations"
local waits = require "devkit4ai.loop.waits"

---@class devkit4ai.Pages a list that the server gives in pages: `for item in pages do` gives its items, and raises the message where a page can't be read (in a task on plain Lua 5.1 no `for` can wait: use next)
---@field total integer? how many there are, as the last page that was read said; it may be wrong
local Pages = {}
Pages.__name = "devkit4ai.Pages"

function Pages:__tostring()
  return "devkit4ai.Pages of " .. self._says
end

local M = {}

local MOST_PAGES = 1e9
local STALE = 2 -- pages without anything new in a row; one alone may come of items that were made meanwhile

--- A list, from its first page or the one that is asked for. Asks nobody.
---@param scope devkit4ai.Scope
---@param name string of a row of `operations` that has `paging`
---@param says string how the user knows the call
---@param given table page, the size under the row's name, the row's other arguments, and the call's own
---@param make fun(fields: table): table of an item's normal form
---@return devkit4ai.Pages
function M.new(scope, name, says, given, make)
  local row, args = operations[name], { project_id = scope.id }
  for _, field in ipairs(row.query) do args[field] = given[field] end
  local size = row.paging.size
  args[size] = args[size] or row.paging.default
  return object.new(Pages, {}, {
    _scope = scope, _name = name, _says = says, _given = given, _make = make, _args = args,
    _own = validate.extra(given),
    _next = args.page or 1, _queue = {}, _at = 1, _seen = {}, _count = ((args.page or 1) - 1) * args[size], _stale = 0,
  })
end

local function as_it_is(fields) return fields end

--- The same for a list whose items are records.
---@param scope devkit4ai.Scope
---@param name string
---@param says string
---@param rows table what the call takes, as validate.arguments wants it
---@param given (table|number)?
---@param own (devkit4ai.Own|number)?
---@return devkit4ai.Pages
function M.of_records(scope, name, says, rows, given, own)
  return M.new(scope, name, says, validate.arguments(says, rows, given, own), as_it_is)
end

local function is_whole(value, most)
  return value % 1 == 0 and value >= 1 and value <= most
end

local function refuse(pages, what, most)
  local message = ("%s: %s must be a whole number from 1 to %d"):format(pages._says, what, most)
  return errors.refuse("invalid", message, pages._name)
end

-- Asks for one page. own: total and headers of this call, in place of the list's.
local function ask(pages, number, own)
  local paging, given = operations[pages._name].paging, pages._own
  if not is_whole(pages._args[paging.size], paging.most) then return refuse(pages, paging.size, paging.most) end
  if not is_whole(number, MOST_PAGES) then return refuse(pages, "page", MOST_PAGES) end
  local args = setmetatable({ page = number }, { __index = pages._args })
  own = own or given
  local extra = { total = own.total or given.total, headers = own.headers or given.headers, says = pages._says }
  local page, message, err, head = call.run(pages._scope, pages._name, args, extra)
  if not page then return nil, message, err end
  pages.total = page.total
  return page, nil, nil, head
end

local function unseen(list, seen)
  local fresh = {}
  for _, fields in ipairs(list) do
    if not seen[fields.id] then
      seen[fields.id] = true
      fresh[#fresh + 1] = fields
    end
  end
  return fresh
end

local function came(page)
  return page.came or #page.list
end

-- A page that is not full is the last one where the server says so. Where it says nothing, its pages may be capped: only an
-- empty one ends the list.
local function is_last(pages, page)
  local full = page.size or pages._args[operations[pages._name].paging.size]
  if came(page) >= full or page.more then return false end
  if page.total then return page.total <= pages._count end
  return page.more == false
end

-- Whether somebody deleted since the page before: what followed has moved up, the first of it to where we have been.
local function has_shrunk(pages, page, number)
  local least = pages._least
  if page.total then pages._least = math.min(page.total, least or page.total) end
  return least ~= nil and page.total ~= nil and page.total < least and number > (pages._args.page or 1)
end

-- Reads the next page. Gives what is new in it; where another task has read that page meanwhile, nothing is.
local function turn(pages, own)
  local number = pages._next
  local page, message, err, head = ask(pages, number, own)
  if not page then return nil, message, err end
  if pages._next ~= number then return {}, nil, nil, head end
  local before
  if has_shrunk(pages, page, number) then
    before, message, err = ask(pages, number - 1, own)
    if not before then return nil, message, err end
    if pages._next ~= number then return {}, nil, nil, head end
  end
  local fresh = unseen(before and before.list or {}, pages._seen)
  for _, fields in ipairs(unseen(page.list, pages._seen)) do fresh[#fresh + 1] = fields end
  pages._next, pages._count = number + 1, pages._count + came(page)
  pages._stale = #fresh == 0 and pages._stale + 1 or 0
  pages._ended = came(page) == 0 or pages._stale == STALE or is_last(pages, page)
  return fresh, nil, nil, head
end

--- Reads page after page, within the call's one time limit.
---@param pages devkit4ai.Pages
---@param visit fun(fresh: table[], head: string): boolean? gets what is new in a page, in its normal form, and the answer's header block; true: enough
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function M.each(pages, visit)
  local started, total, left = waits.now(), pages._own.total, nil
  repeat
    local fresh, message, err, head = turn(pages, left and { total = left })
    if not fresh then return nil, message, err end
    if visit(fresh, head) then return true end
    left = total and total - (waits.now() - started)
  until pages._ended or left and left <= 0
  if pages._ended then return true end
  return errors.give({
    kind = "timeout", outcome = "refused", transient = true, operation = pages._name,
    message = pages._says .. ": the time for the whole call is over; give more with timeout",
  })
end

--- The next item. Safe to repeat.
--- ```lua
--- local pages = client:generations()
--- print(gen.id == assert(pages:next()).id, pages:next()) --> true nil
--- ```
---@param own (devkit4ai.Own|number)? what every call takes, in place of what the list was given; a number is the timeout
---@return any? item nil at the end
---@return string? message where the next page could not be read; the next call tries it again
---@return devkit4ai.Error? err
function Pages:next(own)
  own = validate.own("pages:next", own)
  while true do
    local fields = self._queue[self._at]
    if fields then
      self._at = self._at + 1
      return self._make(fields)
    end
    if self._ended then return nil end
    local fresh, message, err = turn(self, own)
    if not fresh then return nil, message, err end
    if fresh[1] then self._queue, self._at = fresh, 1 end
  end
end

--- All items from the page on that the list began with, whatever was read before. Safe to repeat.
--- ```lua
--- print(gen.id == assert(client:generations():all())[1].id) --> true
--- ```
---@param own (devkit4ai.Own|number)? what every call takes, in place of what the list was given; a number is the timeout
---@return table[]? list
---@return string? message
---@return devkit4ai.Error? err
function Pages:all(own)
  local pages, list = M.new(self._scope, self._name, self._says, self._given, self._make), {}
  pages._own = validate.own("pages:all", own) or pages._own
  local done, message, err = M.each(pages, function(fresh)
    for _, fields in ipairs(fresh) do list[#list + 1] = self._make(fields) end
  end)
  self.total = pages.total or self.total
  if not done then return nil, message, err end
  return list
end

--- One page alone; next() goes on where it was. Safe to repeat.
--- ```lua
--- local pages = client:generations { per_page = 10 }
--- print(gen.status, #assert(pages:page(1)), #assert(pages:page(2)), pages.total) --> completed 1 0 1
--- ```
---@param number integer from 1
---@param own (devkit4ai.Own|number)? what every call takes, in place of what the list was given; a number is the timeout
---@return table[]? list empty behind the last page
---@return string? message
---@return devkit4ai.Error? err
function Pages:page(number, own)
  validate.value("pages:page: number", { type = "number", required = true }, number)
  local page, message, err = ask(self, number, validate.own("pages:page", own))
  if not page then return nil, message, err end
  local list = unseen(page.list, {})
  for i, fields in ipairs(list) do list[i] = self._make(fields) end
  return list
end

--- What `for item in pages do` calls. Raises the message, as io.lines does.
function Pages:__call()
  if not waits.can_yield_in_iterator() then
    errors.raise("on this Lua no task can wait in a `for` loop's iterator: use pages:next() or pages:all()")
  end
  local item, message = self:next()
  if message then error(message, 0) end
  return item
end

return M
