-- For memory_test: requests whose strings metamethods make, and engines that a hook closes inside a call.
local core = require "devkit4ai.core"
collectgarbage("stop")

local headers = core.headers { "X-Mark: " .. ("h"):rep(50) }
local secrets = core.secrets()
assert(secrets:set("token", "a.secret.token", "body"))

local function proxy_of(fields)
  return setmetatable({}, { __index = function(_, name)
    local value = fields[name]
    return type(value) == "string" and value .. "" or value
  end })
end

local function request(form)
  return core.request(proxy_of {
    method = "POST", url = "http://127.0.0.1:1/" .. ("u"):rep(50), headers = headers, once = true,
    json = not form and '{"a":1}' or nil, slots = { "token" },
    form = form and proxy_of { part = "images", max_bytes = 100, fields = { { "instructions", "neon" } }, files = {
      proxy_of { data = "\137PNG\r\n\26\n" .. ("x"):rep(50), filename = "a.png" } } } or nil,
  })
end

-- calls fn, and close at the n-th function that is called in it
local function with_hook(n, fn, close)
  local count, live = -1, true
  debug.sethook(function()
    count = count + 1
    if live and count == n then close() end
  end, "c")
  local ok, value = pcall(fn)
  live = false
  debug.sethook()
  return ok, value
end

for n = 2, 3 do -- as the core function begins; as its own part in protected mode begins
  for _, form in ipairs { false, true } do
    local engine, taken = core.engine(), core.engine()
    local made_request = request(form)
    local function close() engine:close() end
    local ok, id = with_hook(n, function() return engine:submit(made_request, secrets) end, close)
    assert(ok and id or id:find("closed", 1, true) or id:find("memory", 1, true), id)
    assert(taken:start())
    assert(taken:submit(made_request, secrets))
    repeat until taken:ready()
    with_hook(n, function() return taken:next(1) end, function()
      taken:close()
      if form then error("the hook's own", 0) end
    end)
  end
end
