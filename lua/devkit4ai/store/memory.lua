--- A store that lives as long as the program: its clients share their sessions by it.
local core = require "devkit4ai.core"

local M = {}

---@class devkit4ai.Store where sessions live; any table with the first three functions. None of them waits.
---@field get fun(key: string): string?, string? gives what was set last under the key; nil: none, or with a reason: it can't be read
---@field set fun(key: string, value: string?): boolean?, string? true; or nil and why; "busy": the session tries again for two seconds, through the loop. value nil: the key is forgotten
---@field lock fun(key: string, lease: number): function? takes the key's lock for at most lease seconds and gives what frees it; nil: somebody else has it
---@field can_write (fun(): boolean?, string?)? true, or nil and why the store can't keep a session; `devkit4ai.new` and `client:login` ask it first

--- A new, empty store.
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
    local mine = { ends = core.now() + lease } -- whoever held it longer than its lease has died
    locks[key] = mine
    return function()
      if locks[key] == mine then locks[key] = nil end
    end
  end

  function store.can_write()
    return true
  end

  return store
end

return M
