--- The scripts that change a queue. Redis runs each one as a whole, so two workers never change a job at the same time.
---
--- KEYS[1] is the prefix of the queue. A job is a hash, and an entry of the stream while it is not finished. The entry belongs to
--- the worker that the group gave it to; the job's field `owner` names the same worker. A script changes both.
---
--- Two rules make a payment happen at most once:
--- * only the owner of a job moves it from `planned` or `refused` to `sending`, with a token (`attempt`) of that request;
--- * nothing but the worker with that token moves it back, when it knows that the request did not arrive.
--- So of two workers that both believe to hold a job, one gets its `sending` refused, and a worker that lost its lease can't send.
---
--- Each script may run twice, since a command whose answer was lost is sent again.
local M = {}

local COMMON = [[
local prefix = KEYS[1]
local jobs, dead, batch = prefix .. ":jobs", prefix .. ":dead", prefix .. ":batch"
local function key_of(name) return prefix .. ":job:" .. name end
local function seconds()
  local time = redis.call("TIME")
  return string.format("%d", time[1])
end
local function milliseconds()
  local time = redis.call("TIME")
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
]]

local JOBS = COMMON .. [[
local GROUP = "workers"
local FINAL = { saved = true, failed = true, undecided = true }

-- Takes a job off the stream.
local function finish(entry)
  if not entry then return end
  redis.call("XACK", jobs, GROUP, entry)
  redis.call("XDEL", jobs, entry)
end

-- Puts a job on the stream.
local function enqueue(name)
  redis.call("HSET", key_of(name), "entry", redis.call("XADD", jobs, "*", "job", name))
end

-- Notes a job that needs a person.
local function bury(name, step, reason, worker)
  local key = key_of(name)
  local id = redis.call("HGET", key, "id") or ""
  local letter = redis.call("XADD", dead, "*", "job", name, "step", step, "reason", reason, "id", id, "worker", worker)
  redis.call("HSET", key, "dead", letter)
end

-- Removes that note.
local function unbury(name)
  local letter = redis.call("HGET", key_of(name), "dead")
  if letter then
    redis.call("XDEL", dead, letter)
    redis.call("HDEL", key_of(name), "dead")
  end
end

-- Changes a job's step, and the counts of the queue.
local function set_step(name, old, new)
  if old == new then return end
  if old then redis.call("HINCRBY", batch, old, -1) end
  redis.call("HINCRBY", batch, new, 1)
  redis.call("HSET", key_of(name), "step", new, "time", seconds())
end
]]

--- Makes the group and the batch, or returns those that are there. ARGV: version, id of the batch, settings as JSON.
--- Returns version, id, settings.
M.open = COMMON .. [[
if not redis.call("HGET", batch, "version") then
  redis.call("HSET", batch, "version", ARGV[1], "id", ARGV[2], "settings", ARGV[3], "time", seconds())
end
if redis.call("EXISTS", jobs) == 0 or #redis.call("XINFO", "GROUPS", jobs) == 0 then
  redis.call("XGROUP", "CREATE", jobs, "workers", "0", "MKSTREAM")
end
return redis.call("HMGET", batch, "version", "id", "settings")
]]

--- The names of jobs that are in the queue with another digest. ARGV: name, digest, ...
M.compare = COMMON .. [[
local changed = {}
for i = 1, #ARGV, 2 do
  local digest = redis.call("HGET", key_of(ARGV[i]), "digest")
  if digest and digest ~= ARGV[i + 1] then changed[#changed + 1] = ARGV[i] end
end
return changed
]]

--- Adds jobs that are not in the queue yet. ARGV: name, digest, the job as JSON, ... Returns how many were added.
M.add = JOBS .. [[
local added = 0
for i = 1, #ARGV, 3 do
  local name = ARGV[i]
  if redis.call("EXISTS", key_of(name)) == 0 then
    redis.call("HSET", key_of(name), "digest", ARGV[i + 1], "job", ARGV[i + 2])
    set_step(name, nil, "planned")
    enqueue(name)
    added = added + 1
  end
end
return added
]]

--- Gives jobs to a worker: those of workers that are gone for longer than the lease, then new ones.
--- ARGV: worker, lease in milliseconds, how many, how often a job may be delivered.
--- Returns a list of { name, deliveries, field, value, ... }.
M.claim = JOBS .. [[
local worker, lease, count, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local entries = {}
local from = redis.call("HGET", batch, "claim_from") or "0-0"
local stale = redis.call("XAUTOCLAIM", jobs, GROUP, worker, lease, from, "COUNT", count)
if stale[1] ~= from then redis.call("HSET", batch, "claim_from", stale[1]) end
for _, entry in ipairs(stale[2]) do
  if entry and entry[2] then entries[#entries + 1] = entry end
end
if #entries < count then
  local new = redis.call("XREADGROUP", "GROUP", GROUP, worker, "COUNT", count - #entries, "STREAMS", jobs, ">")
  if new then
    for _, entry in ipairs(new[1][2]) do entries[#entries + 1] = entry end
  end
end
local taken = {}
for _, entry in ipairs(entries) do
  local id, name = entry[1], entry[2][2]
  local key = key_of(name)
  local step = redis.call("HGET", key, "step")
  local pending = redis.call("XPENDING", jobs, GROUP, id, id, 1)[1]
  local deliveries = pending and pending[4] or 1
  if not step or FINAL[step] or redis.call("HGET", key, "entry") ~= id then
    finish(id)
  elseif deliveries > most then
    local new = (step == "sending") and "undecided" or "failed"
    local reason = "it was delivered " .. (deliveries - 1) .. " times, and no worker finished it; its step was " .. step
    set_step(name, step, new)
    redis.call("HSET", key, "reason", reason)
    bury(name, new, reason, worker)
    finish(id)
  else
    redis.call("HSET", key, "owner", worker)
    local fields = redis.call("HGETALL", key)
    table.insert(fields, 1, deliveries)
    table.insert(fields, 1, name)
    taken[#taken + 1] = fields
  end
end
return taken
]]

--- Renews the leases of a worker. ARGV: worker, names of jobs. Returns the names of those that it does not hold any more.
M.renew = JOBS .. [[
local lost = {}
for i = 2, #ARGV do
  local held = redis.call("HMGET", key_of(ARGV[i]), "owner", "entry")
  if held[1] == ARGV[1] and held[2] then
    redis.call("XCLAIM", jobs, GROUP, ARGV[1], "0", held[2], "JUSTID")
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
]]

--- Gives jobs back, so that another worker takes them at once. ARGV: worker, lease in milliseconds, names of jobs.
M.release = JOBS .. [[
for i = 3, #ARGV do
  local key = key_of(ARGV[i])
  local held = redis.call("HMGET", key, "owner", "entry", "step")
  if held[1] == ARGV[1] and held[2] and not FINAL[held[3] ] then
    local pending = redis.call("XPENDING", jobs, GROUP, held[2], held[2], 1)[1]
    if pending then
      redis.call("XCLAIM", jobs, GROUP, ARGV[1], "0", held[2], "IDLE", ARGV[2], "RETRYCOUNT", math.max(0, pending[4] - 1), "JUSTID")
      redis.call("HDEL", key, "owner")
    end
  end
end
return true
]]

--- Takes a step. ARGV: worker, name, step, token of the request, field, value, ...
--- Returns "done" and the step, or "refused" and the step that the job has.
M.record = JOBS .. [[
local worker, name, new, attempt = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local key = key_of(name)
local state = redis.call("HMGET", key, "step", "owner", "attempt", "id", "entry")
local old, is_owner, is_sender = state[1], state[2] == worker, state[3] == attempt
local id = state[4]
local given = {}
for i = 5, #ARGV, 2 do given[ARGV[i] ] = ARGV[i + 1] end
local is_same_id = not given.id or not id or given.id == id

local PAID = { accepted = true, completed = true, saved = true }
local may, repeated = false, false
if new == "sending" then
  may = is_owner and (old == "planned" or old == "refused")
  repeated = old == "sending" and is_owner and is_sender
elseif new == "refused" then
  may = old == "sending" and is_sender
  repeated = old == "refused" and is_sender
elseif new == "accepted" then
  may = (old == "sending" and (is_owner or is_sender)) or (old == "undecided" and is_sender)
  repeated = PAID[old] and id == given.id
elseif new == "completed" then
  may = old == "accepted" and is_same_id
  repeated = (old == "completed" or old == "saved") and is_same_id
elseif new == "saved" then
  may = (old == "accepted" or old == "completed") and is_same_id
  repeated = old == "saved" and is_same_id
elseif new == "failed" then
  may = is_owner and not FINAL[old]
  repeated = old == "failed"
elseif new == "undecided" then
  may = is_owner and old == "sending"
  repeated = old == "undecided"
end
if repeated then return { "done", old } end
if not may or not old then return { "refused", old or "" } end

for field, value in pairs(given) do redis.call("HSET", key, field, value) end
if new == "sending" then redis.call("HSET", key, "attempt", attempt) end
set_step(name, old, new)
if old == "undecided" then -- the worker that sent it knows the result after all
  unbury(name)
  enqueue(name)
end
if FINAL[new] then
  finish(state[5])
  if new ~= "saved" then bury(name, new, given.reason or "", worker) end
end
return { "done", new }
]]

--- Plans jobs again that a person decided to send, and perhaps to pay, once more. ARGV: names.
--- Returns the names that are neither undecided nor failed.
M.again = JOBS .. [[
local other = {}
for _, name in ipairs(ARGV) do
  local key = key_of(name)
  local step = redis.call("HGET", key, "step")
  if step == "undecided" or step == "failed" then
    unbury(name)
    redis.call("HDEL", key, "attempt", "id", "since", "images", "reason", "owner", "paid")
    set_step(name, step, "planned")
    enqueue(name)
  else
    other[#other + 1] = name
  end
end
return other
]]

return M
