--- What a Redis must have to hold a queue, and what makes it forget a request that was sent.
local errors = require "devkit4ai.util.errors"

local M = {}

local MIN_VERSION = "6.2" -- of Redis: XAUTOCLAIM

local function fail(redis, what, advice)
  local text = ("queue %s: %s"):format(redis.shown, what)
  return errors.fail { kind = "config", outcome = "not_sent", what = text, advice = advice }
end

local function info(redis, section)
  local text, message, err = redis:command("INFO", section)
  if not text then return nil, message, err end
  local values = {}
  for name, value in text:gmatch "([%w_]+):([^\r\n]*)" do values[name] = value end
  return values
end

-- A value of the configuration; nil where the user may not read it, as with most hosted services.
local function setting(redis, name)
  local reply = redis:command("CONFIG", "GET", name)
  return reply and reply[2]
end

local function check_version(redis)
  local server, message, err = info(redis, "server")
  if not server then return nil, message, err end
  local found = redis:command("COMMAND", "INFO", "XAUTOCLAIM")
  if found and not found[1] then
    return fail(redis, ("version %s has no XAUTOCLAIM"):format(server.redis_version or "?"),
      ("a queue needs Redis %s or later, or Valkey"):format(MIN_VERSION))
  end
  return true
end

local function check_role(redis)
  local replication, message, err = info(redis, "replication")
  if not replication then return nil, message, err end
  if replication.role and replication.role ~= "master" then
    return fail(redis, "it is a read-only replica", "give the URL of the master")
  end
  return true
end

-- A key that Redis removes to get memory is a job whose request is forgotten.
local function check_eviction(redis)
  local policy = setting(redis, "maxmemory-policy") or (info(redis, "memory") or {}).maxmemory_policy
  if policy and policy:find "^allkeys" then
    return fail(redis, ("maxmemory-policy is %s, so it removes jobs when its memory is full"):format(policy),
      "set maxmemory-policy noeviction")
  end
  return true
end

-- What a restart of Redis may lose. `sync`, `late`: the settings appendfsync and no-appendfsync-on-rewrite.
local function loss_of(sync, late)
  if not sync then
    return "this user may not read appendfsync: only `always` has each step on the disk before its request is sent"
  end
  if sync ~= "always" then
    return ("appendfsync is %s: when Redis or its machine stops, the last two seconds may be lost, and jobs that were "
      .. "sent in them would be paid for twice; set appendfsync always"):format(sync)
  end
  if late == "yes" then
    return "no-appendfsync-on-rewrite is yes: while Redis rewrites its file, steps may be lost as without "
      .. "`appendfsync always`; set it to no"
  end
end

--- What may be lost when Redis or its machine stops. A job that was sent and is forgotten would be paid for twice.
---@param redis devkit4ai.batch.queue.Redis
---@return string? loss nil: each step is on the disk before its request is sent
function M.loss(redis)
  local enabled = setting(redis, "appendonly") == "yes" or (info(redis, "persistence") or {}).aof_enabled == "1"
  if not enabled then
    return "appendonly is no: after a restart Redis may have forgotten jobs that were sent, and they would be paid for "
      .. "twice; set appendonly yes and appendfsync always"
  end
  return loss_of(setting(redis, "appendfsync"), setting(redis, "no-appendfsync-on-rewrite"))
end

--- What a server may lack that has taken the place of another one.
---@param redis devkit4ai.batch.queue.Redis
---@return string? loss nil: it was no replica
function M.loss_of_replica(redis)
  local former = (info(redis, "replication") or {}).master_replid2
  if former and former:find "[1-9a-f]" then
    return "it was a replica, which may not have got the last steps, and jobs that were sent would be paid for twice"
  end
end

--- The process of Redis: another one after each restart, and after a failover.
---@param redis devkit4ai.batch.queue.Redis
---@return string? run_id "": the server does not tell
---@return string? message
---@return devkit4ai.Error? err
function M.process(redis)
  local server, message, err = info(redis, "server")
  if not server then return nil, message, err end
  return server.run_id or ""
end

--- Checks a server before its queue is used.
---@param redis devkit4ai.batch.queue.Redis
---@return boolean? usable
---@return string? message
---@return devkit4ai.Error? err
function M.check(redis)
  for _, check in ipairs { check_role, check_version, check_eviction } do
    local done, message, err = check(redis)
    if not done then return nil, message, err end
  end
  return true
end

return M
