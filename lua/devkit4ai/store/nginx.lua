--- Session store in a shared dict of nginx: all workers share their sessions, and one of them refreshes the tokens for all.
---
--- The tokens are in the dict as they are. All Lua code of the same nginx can read them, so give the dict to nothing else. They
--- are on no disk, outlive a reload and the end of a worker, and are gone when nginx stops. A session leaves the dict
--- when its refresh token expires, and at the latest 30 days after its last refresh.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"

local M = {}

-- A key of a session has a space after its base URL, and this none.
local function lock_key(key)
  return "lock:" .. key
end

local function dict_of(name)
  local ngx = rawget(_G, "ngx")
  local dicts = type(ngx) == "table" and ngx.shared
  if not dicts then errors.raise("devkit4ai.store.nginx: this program does not run in nginx") end
  if type(name) ~= "string" or name == "" then
    errors.raise("devkit4ai.store.nginx: new needs the name of a shared dict")
  end
  if not dicts[name] then
    errors.raise(("devkit4ai.store.nginx: there is no shared dict %s; add a line to `http` in nginx.conf: "
      .. "lua_shared_dict %s 1m;"):format(name, name))
  end
  return dicts[name]
end

--- Creates a store in a shared dict.
--- ```lua
--- local function new_client() -- in nginx, whose nginx.conf has in http: lua_shared_dict sessions 1m;
---   return devkit4ai.new { store = require("devkit4ai.store.nginx").new("sessions") }
--- end
--- ```
---@param dict_name string of lua_shared_dict; 1m has place for thousands of sessions
---@return devkit4ai.Store store
function M.new(dict_name)
  local dict = dict_of(dict_name)
  local store = {}

  local function explain(why)
    if why ~= "no memory" then return why end
    return ("the shared dict %s is full: make it larger in nginx.conf: lua_shared_dict %s 10m;"):format(
      dict_name, dict_name)
  end

  function store.get(key)
    return dict:get(key)
  end

  -- A full dict loses what has expired, of which nginx itself frees only some, and nothing else.
  local function use_space(write, key, value, seconds)
    local done, why = write(dict, key, value, seconds)
    if why ~= "no memory" then return done, why end
    dict:flush_expired()
    return write(dict, key, value, seconds)
  end

  function store.set(key, value, seconds)
    local done, why = use_space(dict.safe_set, key, value, seconds)
    if done then return true end
    return nil, explain(why)
  end

  function store.lock(key, lease)
    local own, name = tostring(core.random()), lock_key(key)
    local done, why = use_space(dict.safe_add, name, own, lease)
    if not done and why ~= "exists" then error("devkit4ai.store.nginx: " .. explain(why), 0) end
    return done and function()
      if dict:get(name) == own then dict:delete(name) end -- after the lease, another worker may have it
    end or nil
  end

  return store
end

return M
