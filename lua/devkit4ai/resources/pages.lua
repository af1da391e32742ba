--- A paginated list: its items one by one, all of them, or one page. The ids alone decide which items are new, because totals,
--- sizes and page numbers may be wrong.
local call = require "devkit4ai.request.call"
local validate = require "devkit4ai.util.validate"
local errors = require "devkit4ai.util.errors"
local object = require "devkit4ai.util.object"
local operations = require "devkit4ai.api.operations"
local waits = require "devkit4ai.loop.waits"

---@class devkit4ai.Pages a paginated list: `for item in pages do` returns its items, and raises the message if a page can't be read (in a task on plain Lua 5.1 a `for` loop can't wait: use next)
---@field total integer? how many items there are, as the last page reported; it may be wrong
---@field private _scope devkit4ai.Scope
---@field private _operation string
---@field private _call_name string "client:generations"
---@field private _options table that the list was created with
---@field private _create_item fun(fields: table): table
---@field private _query table<string, any> parameters of each request, apart from the page
---@field private _request_options { total: number?, headers: table<string, string>? } of the list; a call may replace them
---@field private _next_page integer
---@field private _items table[] new items of the last page, in their normal form
---@field private _position integer of the next item in _items
---@field private _seen table<string, true> ids
---@field private _read_count integer items on all pages before the next one
---@field private _least_total integer? the least total that a page reported
---@field private _pages_without_new integer in a row
---@field private _is_done boolean? no page follows
local Pages = {}
Pages.__name = "devkit4ai.Pages"

function Pages:__tostring()
  return "devkit4ai.Pages of " .. self._call_name
end

local M = {}

local MAX_PAGE = 1e9
local MAX_PAGES_WITHOUT_NEW = 2 -- in a row; items that are created meanwhile can cause one

--- A list, from its first page or from the page in its options. Sends no request.
---@param scope devkit4ai.Scope
---@param operation string a row of `operations` that has `paging`
---@param call_name string "client:generations"
---@param options table page, the page size under the row's name, the row's other parameters, timeout, headers
---@param create_item (fun(fields: table): table)? makes an item from its normal form; default: the normal form is the item
---@return devkit4ai.Pages
function M.new(scope, operation, call_name, options, create_item)
  local row, query = operations.get(operation), { project_id = scope.id }
  for _, name in ipairs(row.query) do query[name] = options[name] end
  local size = row.paging.size_argument
  query[size] = query[size] or row.paging.default
  local first = query.page or 1
  return object.new(Pages, {}, {
    _scope = scope, _operation = operation, _call_name = call_name, _options = options, _create_item = create_item,
    _query = query, _request_options = validate.extra_fields(options),
    _next_page = first, _items = {}, _position = 1, _seen = {}, _read_count = (first - 1) * query[size],
    _pages_without_new = 0,
  })
end

local function create_item(pages, fields)
  return pages._create_item and pages._create_item(fields) or fields
end

--- A list whose items are plain records.
---@param scope devkit4ai.Scope
---@param operation string
---@param call_name string
---@param rows table the options of the call, for validate.arguments
---@param options (table|number)?
---@param call_options (devkit4ai.Own|number)?
---@return devkit4ai.Pages
function M.of_records(scope, operation, call_name, rows, options, call_options)
  return M.new(scope, operation, call_name, validate.arguments(call_name, rows, options, call_options))
end

local function is_whole(value, most)
  return value % 1 == 0 and value >= 1 and value <= most
end

local function refuse(pages, what, most)
  local message = ("%s: %s must be a whole number from 1 to %d"):format(pages._call_name, what, most)
  return errors.refuse("invalid", message, pages._operation)
end

-- Requests one page. options: total and headers of this call, in place of the list's.
local function request(pages, number, options)
  local paging, defaults = operations.get(pages._operation).paging, pages._request_options
  local size_argument, max = paging.size_argument, paging.max
  if not is_whole(pages._query[size_argument], max) then return refuse(pages, size_argument, max) end
  if not is_whole(number, MAX_PAGE) then return refuse(pages, "page", MAX_PAGE) end
  local args = setmetatable({ page = number }, { __index = pages._query })
  options = options or defaults
  local extra = {
    total = options.total or defaults.total, headers = options.headers or defaults.headers,
    call_name = pages._call_name,
  }
  local page, message, err, head = call.run(pages._scope, pages._operation, args, extra)
  if not page then return nil, message, err end
  pages.total = page.total
  return page, nil, nil, head
end

-- The items whose ids are not in `seen`; it adds them there.
local function unseen(list, seen)
  local new = {}
  for _, fields in ipairs(list) do
    if not seen[fields.id] then
      seen[fields.id] = true
      new[#new + 1] = fields
    end
  end
  return new
end

-- Items of a page in its JSON; some may have no id.
local function count(page)
  return page.received or #page.list
end

-- A page that is not full is the last one if the server says so. If it says nothing, its pages may be capped: then only an
-- empty page ends the list.
local function is_last(pages, page)
  local full = page.size or pages._query[operations.get(pages._operation).paging.size_argument]
  if count(page) >= full or page.has_more then return false end
  if page.total then return page.total <= pages._read_count end
  return page.has_more == false
end

-- Whether an item was deleted since the page before: then the next items moved up, the first of them to the page before.
local function has_shrunk(pages, page, number)
  local least = pages._least_total
  if page.total then pages._least_total = math.min(page.total, least or page.total) end
  return least ~= nil and page.total ~= nil and page.total < least and number > (pages._query.page or 1)
end

-- Reads the next page. Returns its new items; none, if another task read that page meanwhile.
local function read_next(pages, options)
  local number = pages._next_page
  local page, message, err, head = request(pages, number, options)
  if not page then return nil, message, err end
  if pages._next_page ~= number then return {}, nil, nil, head end
  local before
  if has_shrunk(pages, page, number) then
    before, message, err = request(pages, number - 1, options)
    if not before then return nil, message, err end
    if pages._next_page ~= number then return {}, nil, nil, head end
  end
  local new = unseen(before and before.list or {}, pages._seen)
  for _, fields in ipairs(unseen(page.list, pages._seen)) do new[#new + 1] = fields end
  pages._next_page, pages._read_count = number + 1, pages._read_count + count(page)
  pages._pages_without_new = #new == 0 and pages._pages_without_new + 1 or 0
  pages._is_done = count(page) == 0 or pages._pages_without_new == MAX_PAGES_WITHOUT_NEW or is_last(pages, page)
  return new, nil, nil, head
end

--- Reads page after page, within the list's time limit.
---@param pages devkit4ai.Pages
---@param visit fun(new: table[], head: string): boolean? gets the new items of a page, in their normal form, and the header block; true ends the reading
---@return boolean? done
---@return string? message
---@return devkit4ai.Error? err
function M.each(pages, visit)
  local started, total, left = waits.now(), pages._request_options.total, nil
  repeat
    local new, message, err, head = read_next(pages, left and { total = left })
    if not new then return nil, message, err end
    if visit(new, head) then return true end
    left = total and total - (waits.now() - started)
  until pages._is_done or left and left <= 0
  if pages._is_done then return true end
  return errors.fail({
    kind = "timeout", outcome = "refused", transient = true, operation = pages._operation,
    message = pages._call_name .. ": the time for the whole call is over; give more with timeout",
  })
end

--- The next item. Safe to repeat.
--- ```lua
--- local pages = client:generations()
--- print(gen.id == assert(pages:next()).id, pages:next()) --> true nil
--- ```
---@param options (devkit4ai.Own|number)? for this call, in place of the list's; a number is the timeout
---@return any? item nil at the end
---@return string? message if the next page can't be read; the next call tries again
---@return devkit4ai.Error? err
function Pages:next(options)
  options = validate.call_options("pages:next", options)
  while true do
    local fields = self._items[self._position]
    if fields then
      self._position = self._position + 1
      return create_item(self, fields)
    end
    if self._is_done then return nil end
    local new, message, err = read_next(self, options)
    if not new then return nil, message, err end
    if new[1] then self._items, self._position = new, 1 end
  end
end

--- All items, from the page on that the list began with, also those that were read before. Safe to repeat.
--- ```lua
--- print(gen.id == assert(client:generations():all())[1].id) --> true
--- ```
---@param options (devkit4ai.Own|number)? for this call, in place of the list's; a number is the timeout
---@return table[]? list
---@return string? message
---@return devkit4ai.Error? err
function Pages:all(options)
  local pages = M.new(self._scope, self._operation, self._call_name, self._options)
  pages._request_options = validate.call_options("pages:all", options) or pages._request_options
  local list = {}
  local done, message, err = M.each(pages, function(new)
    for _, fields in ipairs(new) do list[#list + 1] = create_item(self, fields) end
  end)
  self.total = pages.total or self.total
  if not done then return nil, message, err end
  return list
end

--- One page alone; next() continues where it was. Safe to repeat.
--- ```lua
--- local pages = client:generations { per_page = 10 }
--- print(gen.status, #assert(pages:page(1)), #assert(pages:page(2)), pages.total) --> completed 1 0 1
--- ```
---@param number integer from 1
---@param options (devkit4ai.Own|number)? for this call, in place of the list's; a number is the timeout
---@return table[]? list empty after the last page
---@return string? message
---@return devkit4ai.Error? err
function Pages:page(number, options)
  validate.value("pages:page: number", { type = "number", required = true }, number)
  local page, message, err = request(self, number, validate.call_options("pages:page", options))
  if not page then return nil, message, err end
  local list = unseen(page.list, {})
  for i, fields in ipairs(list) do list[i] = create_item(self, fields) end
  return list
end

--- What `for item in pages do` calls. Raises the message, as io.lines does.
function Pages:__call()
  if not waits.can_yield_in_iterator() then
    errors.raise("on this Lua a `for` loop can't wait in a task: use pages:next() or pages:all()")
  end
  local item, message = self:next()
  if message then error(message, 0) end
  return item
end

return M
