-- The commands of Redis that the scripts of a queue use, in memory and on a clock of the model. It runs the real scripts.
local M = {}

local Store = {}
Store.__index = Store

local COMMANDS = {}

--- A store. now: a function that gives seconds
function M.new(now)
  return setmetatable({ keys = {}, now = now, compiled = {}, last = 0 }, Store)
end

-- A value under a key, made when it is missing.
local function value_of(store, key, make)
  local value = store.keys[key]
  if not value and make then
    value = make()
    store.keys[key] = value
  end
  return value
end

local function new_table() return {} end

-- ---- hashes ----

function COMMANDS.HGET(store, key, field)
  local hash = store.keys[key]
  return hash and hash[field] or false
end

function COMMANDS.HSET(store, key, ...)
  local hash = value_of(store, key, new_table)
  for i = 1, select("#", ...), 2 do
    local field, value = select(i, ...)
    hash[field] = tostring(value)
  end
  return 1
end

function COMMANDS.HSETNX(store, key, field, value)
  local hash = value_of(store, key, new_table)
  if hash[field] then return 0 end
  hash[field] = tostring(value)
  return 1
end

function COMMANDS.HMGET(store, key, ...)
  local hash, list = store.keys[key] or {}, {}
  for i = 1, select("#", ...) do list[i] = hash[(select(i, ...))] or false end
  return list
end

function COMMANDS.HGETALL(store, key)
  local list = {}
  for field, value in pairs(store.keys[key] or {}) do
    list[#list + 1] = field
    list[#list + 1] = value
  end
  return list
end

function COMMANDS.HDEL(store, key, ...)
  local hash = store.keys[key] or {}
  for i = 1, select("#", ...) do hash[(select(i, ...))] = nil end
  return 1
end

function COMMANDS.HINCRBY(store, key, field, by)
  local hash = value_of(store, key, new_table)
  hash[field] = ("%d"):format((tonumber(hash[field]) or 0) + by)
  return tonumber(hash[field])
end

function COMMANDS.EXISTS(store, key)
  return store.keys[key] and 1 or 0
end

function COMMANDS.TIME(store)
  local now = store.now()
  return { ("%d"):format(math.floor(now)), ("%d"):format(math.floor(now % 1 * 1e6)) }
end

function COMMANDS.INFO()
  return "run_id:model\r\n"
end

-- ---- streams ----

-- `first`: the smallest number that may be there; `next`: the next one to deliver; `pending`: by id, in the order `order`.
local function new_stream()
  return { entries = {}, last = 0, next = 1, pending = {}, count = 0 }
end

local function id_of(number) return ("%d-0"):format(number) end
local function number_of(id) return tonumber(id:match "^%d+") end

function COMMANDS.XADD(store, key, _, ...)
  local stream = value_of(store, key, new_stream)
  stream.last = stream.last + 1
  stream.entries[stream.last] = { ... }
  stream.count = stream.count + 1
  return id_of(stream.last)
end

function COMMANDS.XDEL(store, key, id)
  local stream = store.keys[key]
  local number = number_of(id)
  if not (stream and stream.entries[number]) then return 0 end
  stream.entries[number], stream.count = nil, stream.count - 1
  return 1
end

function COMMANDS.XLEN(store, key)
  return store.keys[key] and store.keys[key].count or 0
end

function COMMANDS.XGROUP(store, name, key)
  if name == "CREATE" then value_of(store, key, new_stream).group = true end
  return true
end

function COMMANDS.XINFO(store, _, key)
  return store.keys[key].group and { true } or {}
end

function COMMANDS.XACK(store, key, _, id)
  store.keys[key].pending[number_of(id)] = nil
  return 1
end

function COMMANDS.XREADGROUP(store, _, _, consumer, _, count, _, key)
  local stream, list = store.keys[key], {}
  while #list < count and stream.next <= stream.last do
    local number = stream.next
    stream.next = number + 1
    if stream.entries[number] then
      stream.pending[number] = { consumer = consumer, since = store.now(), deliveries = 1 }
      list[#list + 1] = { id_of(number), stream.entries[number] }
    end
  end
  return list[1] and { { key, list } } or false
end

-- Looks at all pending entries at once, where Redis looks at some of them in each call.
function COMMANDS.XAUTOCLAIM(store, key, _, consumer, idle, _, _, count)
  local stream, list, numbers = store.keys[key], {}, {}
  local before = store.now() - idle / 1000
  for number, pending in pairs(stream.pending) do
    if pending.since <= before then numbers[#numbers + 1] = number end
  end
  table.sort(numbers)
  for _, number in ipairs(numbers) do
    local pending = stream.pending[number]
    if not stream.entries[number] then
      stream.pending[number] = nil
    elseif #list < tonumber(count) then
      pending.consumer, pending.since, pending.deliveries = consumer, store.now(), pending.deliveries + 1
      list[#list + 1] = { id_of(number), stream.entries[number] }
    end
  end
  return { "0-0", list, {} }
end

function COMMANDS.XCLAIM(store, key, _, consumer, _, id, ...)
  local pending = store.keys[key].pending[number_of(id)]
  if not pending then return {} end
  pending.consumer, pending.since = consumer, store.now()
  local options = { ... }
  for i = 1, #options - 1 do
    if options[i] == "IDLE" then pending.since = store.now() - options[i + 1] / 1000 end
    if options[i] == "RETRYCOUNT" then pending.deliveries = tonumber(options[i + 1]) end
  end
  return { id }
end

function COMMANDS.XPENDING(store, key, _, id, _, _, consumer)
  local all = store.keys[key].pending
  if consumer then -- whether this one has any
    for _, pending in pairs(all) do
      if pending.consumer == consumer then return { pending } end
    end
    return {}
  end
  local pending = all[number_of(id)]
  if not pending then return {} end
  return { { id, pending.consumer, (store.now() - pending.since) * 1000, pending.deliveries } }
end

-- ---- scripts ----

--- Runs a command, as `redis.call` does.
function Store:call(name, ...)
  return COMMANDS[name](self, ...)
end

-- A script as a function of its key and arguments, which have the types that Redis gives them.
local function compile(store, text)
  local environment = {
    redis = { call = function(name, ...) return COMMANDS[name](store, ...) end }, KEYS = {}, ARGV = {}, math = math,
    table = table, string = string, tonumber = tonumber, ipairs = ipairs, pairs = pairs, tostring = tostring,
  }
  local fn
  if setfenv then -- luacheck: ignore 113
    fn = setfenv(assert(loadstring(text)), environment) -- luacheck: ignore 113
  else
    fn = assert(load(text, "script", "t", environment))
  end
  return function(key, ...)
    environment.KEYS[1] = key
    local arguments = { ... }
    for i = 1, #arguments do
      local value = arguments[i]
      arguments[i] = type(value) == "number" and ("%.0f"):format(value) or value
    end
    environment.ARGV = arguments
    return fn()
  end
end

--- Runs a script.
function Store:script(text, key, ...)
  local fn = self.compiled[text] or compile(self, text)
  self.compiled[text] = fn
  local answer = fn(key, ...)
  if answer == false then return nil end
  return answer
end

return M
