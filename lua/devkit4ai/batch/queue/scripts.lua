--- The scripts that change a queue. Redis runs each one as a whole, so two workers never change a job at the same time.
---
--- KEYS[1] is the prefix of the queue, or of an account (keys.lua). A job is a hash, and an entry of the stream while it is not finished. The entry belongs to
--- the worker that the group gave it to; the job's field `owner` names the same worker. A script changes both.
---
--- Two rules make a payment happen at most once, unless a person decides that a job is sent again (`again`):
--- * only the owner of a job moves it from `planned` or `refused` to `sending`, with a token (`request`) of that request;
--- * nothing but the worker with that token moves it back, when it knows that the request did not arrive.
--- So of two workers that both believe to hold a job, one gets its `sending` refused, and a worker that lost its lease can't send.
--- Only the owner saves the file, so that workers with folders of their own make one file.
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
local GROUP, ids = "workers", prefix .. ":ids"
local FINAL = { saved = true, failed = true, undecided = true }

-- What a job becomes that no worker finishes. One that is paid for keeps its step: it can continue without a payment.
local AFTER_DELIVERIES = { planned = "failed", refused = "failed", sending = "undecided" }

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

-- Removes the note that a job needs a person.
local function unbury(name)
  local letter = redis.call("HGET", key_of(name), "dead")
  if letter then
    redis.call("XDEL", dead, letter)
    redis.call("HDEL", key_of(name), "dead")
  end
end

-- Notes that a job needs a person.
local function bury(name, step, reason, worker)
  local key = key_of(name)
  local id = redis.call("HGET", key, "id") or ""
  unbury(name)
  local letter = redis.call("XADD", dead, "*", "job", name, "step", step, "reason", reason, "id", id,
    "worker", worker)
  redis.call("HSET", key, "dead", letter)
end

-- Changes a job's step, and the counts of the queue.
local function set_step(name, old, new)
  if old == new then return end
  if old then redis.call("HINCRBY", batch, old, -1) end
  redis.call("HINCRBY", batch, new, 1)
  redis.call("HSET", key_of(name), "step", new, "time", seconds())
end
]]

local SENDER = COMMON .. [[
local function has_open_jobs()
  if redis.call("XLEN", jobs) > 0 then return true end
  for _, step in ipairs { "sending", "accepted", "completed", "undecided" } do -- dead letters
    if tonumber(redis.call("HGET", batch, step) or 0) > 0 then return true end
  end
end
]]

--- Makes the group and the batch, or returns those that are there. ARGV: version, id of the batch, the process of Redis, "push" if jobs
--- are to be added. Returns version, id, the process that has all steps, and the account and the project that the jobs are sent with; a
--- push to a queue whose jobs have all ended begins with new ones.
M.open = SENDER .. [[
if not redis.call("HGET", batch, "version") then
  redis.call("HSET", batch, "version", ARGV[1], "id", ARGV[2], "time", seconds())
end
redis.call("HSETNX", batch, "process", ARGV[3])
if redis.call("EXISTS", jobs) == 0 or #redis.call("XINFO", "GROUPS", jobs) == 0 then
  redis.call("XGROUP", "CREATE", jobs, "workers", "0", "MKSTREAM")
end
local fields = redis.call("HMGET", batch, "version", "id", "process", "account", "project")
if ARGV[4] == "push" and not has_open_jobs() then fields[4], fields[5] = false, false end
return fields
]]

--- Sets the account of the jobs that a push adds next, when all was checked. ARGV: account ("": not known). Returns whether it is the
--- account of the jobs that are there.
M.begin_push = SENDER .. [[
if not has_open_jobs() then redis.call("HDEL", batch, "account", "project") end
if ARGV[1] == "" then return 1 end
redis.call("HSETNX", batch, "account", ARGV[1])
return redis.call("HGET", batch, "account") == ARGV[1] and 1 or 0
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
--- ARGV: worker, lease in milliseconds, how many, how often a job may be delivered, account and project of the worker ("": not known), id of
--- the batch that it opened.
--- Returns a list of { name, deliveries, field, value, ... }; "account", "project": the jobs are sent with another one; "id": the queue
--- was removed and made again.
M.claim = JOBS .. [[
local worker, lease, count, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local entries = {}
redis.call("HSET", batch, "claimed_at", seconds()) -- first: without memory it is refused, and no entry is delivered
local id = redis.call("HGET", batch, "id")
if id and id ~= ARGV[7] then return "id" end
local sender = { account = ARGV[5], project = ARGV[6] }
for field, value in pairs(sender) do
  local known = redis.call("HGET", batch, field)
  if value ~= "" and known and known ~= value then return field end
end
local from = redis.call("HGET", batch, "claim_from") or "0-0"
local stale = redis.call("XAUTOCLAIM", jobs, GROUP, worker, lease, from, "COUNT", count)
if stale[1] ~= from then redis.call("HSET", batch, "claim_from", stale[1]) end
for _, entry in ipairs(stale[2]) do
  if entry and entry[2] then entries[#entries + 1] = entry end
end
if #entries < count then
  local wanted = count - #entries
  local new = redis.call("XREADGROUP", "GROUP", GROUP, worker, "COUNT", wanted, "STREAMS", jobs, ">")
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
    local reason = "it was delivered " .. (deliveries - 1) .. " times, and no worker finished it"
    local last = redis.call("HGET", key, "trouble")
    if last then reason = reason .. ": " .. last end
    local new = AFTER_DELIVERIES[step] or step
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
for field, value in pairs(taken[1] and sender or {}) do
  if value ~= "" then redis.call("HSETNX", batch, field, value) end
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

--- Gives a job back. ARGV: worker, name, idle time in milliseconds, why ("": the worker ends, and the delivery does not count).
M.release = JOBS .. [[
local key = key_of(ARGV[2])
local held = redis.call("HMGET", key, "owner", "entry", "step")
if held[1] ~= ARGV[1] or not held[2] or FINAL[held[3] ] then return false end
local pending = redis.call("XPENDING", jobs, GROUP, held[2], held[2], 1)[1]
if not pending then return false end
local deliveries = pending[4]
if ARGV[4] == "" then deliveries = math.max(0, deliveries - 1) end
redis.call("XCLAIM", jobs, GROUP, ARGV[1], "0", held[2], "IDLE", ARGV[3], "RETRYCOUNT", deliveries, "JUSTID")
redis.call("HDEL", key, "owner")
if ARGV[4] ~= "" then redis.call("HSET", key, "trouble", ARGV[4]) end
return true
]]

--- Removes a worker from the group, unless entries belong to it. ARGV: worker.
M.retire = JOBS .. [[
if redis.call("EXISTS", jobs) == 0 then return false end
if #redis.call("XPENDING", jobs, GROUP, "-", "+", 1, ARGV[1]) > 0 then return false end
redis.call("XGROUP", "DELCONSUMER", jobs, GROUP, ARGV[1])
return true
]]

--- Takes a step. ARGV: worker, name, step, token of the request, field, value, ...
--- Returns "done" and the step, or "refused" and the step that the job has.
M.record = JOBS .. [[
local worker, name, new, request = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local key = key_of(name)
local state = redis.call("HMGET", key, "step", "owner", "request", "id", "entry")
local old, is_owner, is_sender = state[1], state[2] == worker, state[3] == request
local id = state[4]
local given = {}
for i = 5, #ARGV, 2 do given[ARGV[i] ] = ARGV[i + 1] end
local is_same_id = not given.id or not id or given.id == id

local PAID = { accepted = true, completed = true, saved = true }
local may, repeated = false, false
if new == "planned" then -- a person decided to send it again, and it was not found
  may = is_owner and old == "sending" and redis.call("HGET", key, "again")
  repeated = is_owner and old == "planned"
elseif new == "sending" then
  may = is_owner and (old == "planned" or old == "refused")
  repeated = old == "sending" and is_owner and is_sender
elseif new == "refused" then
  may = old == "sending" and is_sender
  repeated = old == "refused" and is_sender
elseif new == "accepted" then
  may = (old == "sending" and (is_owner or is_sender)) or (old == "undecided" and is_sender)
  repeated = PAID[old] and id == given.id
elseif new == "completed" then
  may = is_owner and old == "accepted" and is_same_id
  repeated = is_owner and (old == "completed" or old == "saved") and is_same_id
elseif new == "saved" then
  may = is_owner and (old == "accepted" or old == "completed") and is_same_id
  repeated = is_owner and old == "saved" and is_same_id
elseif new == "failed" then
  may = is_owner and not FINAL[old]
  repeated = old == "failed"
elseif new == "undecided" then
  may = is_owner and (old == "sending" or old == "accepted" or old == "completed")
  repeated = old == "undecided"
end
if repeated then return { "done", old } end
if not may or not old then return { "refused", old or "" } end
if given.id and redis.call("HSETNX", ids, given.id, name) == 0 and redis.call("HGET", ids, given.id) ~= name then
  return { "refused", old } -- the generation is another job's
end

for field, value in pairs(given) do redis.call("HSET", key, field, value) end
if new == "saved" then redis.call("HSET", key, "by", worker) end
if new == "sending" then redis.call("HSET", key, "request", request) end
set_step(name, old, new)
redis.call("HDEL", key, "again") -- not first: without memory, the script is refused at a command that needs some
if old == "undecided" then -- the worker that sent it knows the result after all
  unbury(name)
  enqueue(name)
end
if FINAL[new] then
  finish(state[5])
  if new == "saved" then unbury(name) else bury(name, new, given.reason or "", worker) end
end
return { "done", new }
]]

--- The names that are no dead letters. ARGV: names.
M.not_dead = COMMON .. [[
local others = {}
for _, name in ipairs(ARGV) do
  if not redis.call("HGET", key_of(name), "dead") then others[#others + 1] = name end
end
return others
]]

--- Puts jobs on the stream again that are dead letters. One that is paid for continues; one that failed is sent once more; one that is
--- undecided (`again`) is looked for first, and sent if it is not found, perhaps a second time. ARGV: names. Returns how many there were.
M.again = JOBS .. [[
local count = 0
for _, name in ipairs(ARGV) do
  local key = key_of(name)
  if redis.call("HGET", key, "dead") then
    local step = redis.call("HGET", key, "step")
    unbury(name)
    redis.call("HDEL", key, "owner", "reason", "trouble")
    if step == "undecided" then
      redis.call("HDEL", key, "request", "id")
      redis.call("HSET", key, "again", "1")
      set_step(name, step, "sending")
    elseif FINAL[step] then
      redis.call("HDEL", key, "request", "id", "since", "images", "paid")
      redis.call("HSET", key, "attempt", (redis.call("HGET", key, "attempt") or 1) + 1)
      set_step(name, step, "planned")
    end
    enqueue(name)
    count = count + 1
  end
end
return count
]]

-- ---- how many jobs run at once ----

-- KEYS[1] is the prefix of an account, whose limits hold for all its queues. `places`: who is sending or waiting for a generation,
-- each until a time. The fields of `pace`: `proven`, how many the server
-- had accepted at once; `limit`, where it refused one more, and `grow_at`, when one more is tried; `probe`, the place that tries
-- one more than `proven`; `blocked_until`, the end of a quota. Times are in milliseconds.
local PACE = COMMON .. [[
local places, pace = prefix .. ":places", prefix .. ":pace"
local now = milliseconds()
local function read(field) return tonumber(redis.call("HGET", pace, field) or nil) end
local function write(field, value) redis.call("HSET", pace, field, string.format("%.0f", value)) end
local function end_probe(place)
  if redis.call("HGET", pace, "probe") == place then redis.call("HDEL", pace, "probe") return true end
end
]]

--- Asks for a place. ARGV: place, its time in milliseconds, whether it is for a job that was sent before ("1"): that one
--- occupies the account anyway. Returns "go", "full", or "blocked" and for how many milliseconds.
M.begin = PACE .. [[
local place, time = ARGV[1], tonumber(ARGV[2])
redis.call("ZREMRANGEBYSCORE", places, "-inf", now)
if ARGV[3] == "1" or redis.call("ZSCORE", places, place) then
  redis.call("ZADD", places, string.format("%.0f", now + time), place)
  return { "go" }
end
local blocked = read("blocked_until")
if blocked and blocked > now then return { "blocked", string.format("%.0f", blocked - now) } end
local count, proven, limit = redis.call("ZCARD", places), read("proven") or 1, read("limit")
if count >= proven then
  local probe = redis.call("HGET", pace, "probe")
  if probe and redis.call("ZSCORE", places, probe) then return { "full" } end
  if limit and count >= limit and now < (read("grow_at") or 0) then return { "full" } end
  redis.call("HSET", pace, "probe", place)
end
redis.call("ZADD", places, string.format("%.0f", now + time), place)
return { "go" }
]]

--- The server accepted a job. ARGV: place.
M.accepted = PACE .. [[
if end_probe(ARGV[1]) then
  local count, limit = redis.call("ZCARD", places), read("limit")
  if count > (read("proven") or 1) then write("proven", count) end
  if limit and count > limit then write("limit", count) end
end
return true
]]

--- The server answered 429. ARGV: place, the time to wait in milliseconds, the time after which one more is tried.
--- Returns "wait" (for a place), or "quota".
M.too_many = PACE .. [[
redis.call("ZREMRANGEBYSCORE", places, "-inf", now)
redis.call("ZREM", places, ARGV[1])
end_probe(ARGV[1])
local count = redis.call("ZCARD", places)
if count > 0 then
  write("proven", count)
  write("limit", count)
  write("grow_at", now + ARGV[3])
  return { "wait" }
end
write("proven", 1)
write("blocked_until", now + ARGV[2])
return { "quota" }
]]

--- Gives a place back. ARGV: place.
M.leave = PACE .. [[
redis.call("ZREM", places, ARGV[1])
end_probe(ARGV[1])
return true
]]

--- Keeps places. ARGV: their time in milliseconds, places.
M.keep = PACE .. [[
for i = 2, #ARGV do redis.call("ZADD", places, "XX", string.format("%.0f", now + ARGV[1]), ARGV[i]) end
return true
]]

return M
