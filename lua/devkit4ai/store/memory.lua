--- Session store in memory: the clients of one program share their sessions.
local core = require "devkit4ai.core"

local M = {}

---@class devkit4ai.Store keeps sessions; any table with the first three functions. None of them may wait.
---@field get fun(key: string): string?, string? returns the last value of the key; nil: there is none; nil and a reason: the store can't be read
---@field set fun(key: string, value: string?, seconds: number?): boolean?, string? returns true, or nil and a reason; after the reason "busy" the session tries again for two seconds, through the loop. A nil value removes the key. seconds: the value is of no use after that time, and the store may remove it; nil: there is no such time
---@field lock fun(key: string, lease: number): function? takes the lock of the key for at most lease seconds and returns a function that releases it; nil: another program holds the lock
---@field can_write (fun(): boolean?, string?)? returns true, or nil and the reason why the store can't keep a session; `devkit4ai.new` and `client:login` call it first

--- Creates an empty store.
--- ```lua
--- local shared = { base_url = sandbox.url, store = require("devkit4ai.store.memory").new() }
--- assert(assert(devkit4ai.new(shared)):login("dev@example.com", "SecurePass123"))
--- print(assert(devkit4ai.new(shared)):me().email) --> dev@example.com
--- ```
---@return devkit4ai.Store store
function M.new()
  local values, locks = {}, {}
  local store = {}

  function store.get(key)
    return values[key]
  end

  function store.set(key, value)
    values[key] = value
    return true
  end

  function store.lock(key, lease)
    local held = locks[key]
    if held and core.now() < held.ends then return nil end
    local own = { ends = core.now() + lease } -- a holder that exceeds its lease is gone
    locks[key] = own
    return function()
      if locks[key] == own then locks[key] = nil end
    end
  end

  function store.can_write()
    return true
  end

  return store
end

return M
