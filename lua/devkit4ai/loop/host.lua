--- The event loop of this Lua state. One adapter in `hosts/` has its functions; the first client chooses the adapter.
local core = require "devkit4ai.core"
local errors = require "devkit4ai.util.errors"
local lazy = require "devkit4ai.util.lazy"
local dependencies = lazy.module "devkit4ai.util.dependencies"
local tasks = require "devkit4ai.loop.tasks"

---@class devkit4ai.loop.Host the functions of an adapter
---@field name string value of the option `loop`
---@field blocks boolean? outside of a task, a caller blocks the program while it waits
---@field usable fun(): boolean?, string?, boolean? whether the caller can wait here and now; nil: why not, and whether a call then fails (nil, message, err of kind `config`) instead of raising
---@field watch fun(engine: userdata, drain: fun(seconds: number?): boolean) called for a new engine and at each submit: drain() then runs soon after the engine has something, until nothing is pending; true: call it again soon, because a response was not taken yet
---@field park fun(slot: devkit4ai.loop.Slot, seconds: number): boolean suspends the caller until the slot is woken or the time is up (math.huge: no limit); a wake before the park counts; true: it was woken
---@field wake fun(slot: devkit4ai.loop.Slot) never yields, never runs user code
---@field spawn fun(fn: function, runnable: devkit4ai.loop.Runnable, at_once: boolean?): boolean?, string? runs fn(runnable) as a task of the caller, in its request; at_once: fn starts now, and the caller goes on when fn waits
---@field detach fun(fn: function, runnable: devkit4ai.loop.Runnable): boolean?, string? runs fn(runnable) apart from the caller's request, and lets it outlive the request
---@field is_gone (fun(slot: devkit4ai.loop.Slot): boolean)? whether the host has ended the coroutine that parked at the slot; nil: it ends none
---@field update (fun(budget: number?))? runs one frame; nil: the host runs the tasks by itself

---@class devkit4ai.loop.Slot a place to wait at, a plain table of the caller; its fields belong to the loop
---@field co thread? the coroutine that is parked at it
---@field woken boolean? it was woken before the park
---@field sema table? nginx's semaphore
---@field due integer? see timers
---@field place integer? see timers

---@class devkit4ai.loop.Runnable a task, a callback or a detached function
---@field failed fun(runnable: devkit4ai.loop.Runnable, value: any, text: string?) its function raised the value; text: with the traceback
---@field yielded fun(runnable: devkit4ai.loop.Runnable, text: string) its function yielded by itself, and nothing would resume it; text: with the traceback
---@field left fun(runnable: devkit4ai.loop.Runnable) the process was forked, and this one does not run it

---@type devkit4ai.loop.Host
local M = {}

-- The adapters, and the module that each one needs.
local FOLDER = "devkit4ai.loop.hosts."
local ADAPTERS = { copas = "copas", cqueues = "cqueues", luv = "luv", nginx = "ngx.semaphore", own = FOLDER .. "own" }

local is_chosen = false -- a client was created

--- The values of the option `loop`, as a message lists them.
---@type string
M.NAMES = (function()
  local names = {}
  for name in pairs(ADAPTERS) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, ", ")
end)()

-- OpenResty, or nginx's Lua module; also in a stream.
local function is_in_nginx()
  local ngx = rawget(_G, "ngx")
  return type(ngx) == "table" and type(ngx.get_phase) == "function"
end

local function use(name)
  M.name, M.update, M.blocks, M.is_gone = name, nil, nil, nil -- not every adapter has the last three
  for field, value in pairs(require(FOLDER .. name)) do M[field] = value end
end

-- Why an adapter can't be used in this build, if it has no threads.
local function without_thread(name)
  if core.threads or name == "own" then return nil end
  return ("devkit4ai.new: loop = %q needs a thread, and this library was built without threads (DEVKIT4AI_NO_THREADS): "
    .. "build it with threads, or use loop = \"own\" and call devkit4ai.update()"):format(name)
end

-- Why an adapter can't be used here.
local function missing(name)
  if name == "nginx" and not is_in_nginx() then return "devkit4ai.new: loop: this program does not run in nginx" end
  -- a program with the Lua files compiled in may have no other adapter than its own
  return dependencies.missing_message(("devkit4ai.new: loop = %q"):format(name), { ADAPTERS[name], FOLDER .. name })
end

--- Whether there is an adapter of this name.
---@param name string
---@return boolean
function M.exists(name)
  return ADAPTERS[name] ~= nil
end

--- Chooses the loop for the first client of this Lua state. Raises at the caller's line where another one is in use.
---@param name string? the option `loop`; nil: the loop in use
---@return boolean? chosen
---@return string? message
---@return devkit4ai.Error? err kind `config`: a module of the loop is not installed, or the loop needs a thread and the build has none
function M.choose(name)
  local changes = name and name ~= M.name
  if changes and (is_chosen or tasks.count() > 0) then
    errors.raise(("devkit4ai.new: loop: this Lua state uses %q since its first client or task; it can't use %q too")
      :format(M.name, name))
  end
  local why = without_thread(name or M.name) or changes and missing(name)
  if why then return errors.refuse("config", why) end
  if changes then use(name) end
  is_chosen = true
  return true
end

use(is_in_nginx() and "nginx" or "own")

return M
