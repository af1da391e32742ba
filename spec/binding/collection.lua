-- For memory_test: things that are dropped and closed with exchanges under way; the state's end collects them. Not earlier:
-- Lua gives up an object whose __gc it has no memory to call, and what that holds with it.
local core = require "devkit4ai.core"
collectgarbage("stop")

local function request(fields)
  local parent = core.secrets()
  assert(parent:set("access_token", "a.secret.token"))
  fields.headers = core.headers { "Authorization: Bearer {access_token}" }
  fields.method, fields.url, fields.once = fields.method or "POST", "http://127.0.0.1:1/", true
  return core.request(fields), core.secrets(parent) -- the child keeps its parent, which nothing else holds
end

local function form()
  local bytes = "\137PNG\r\n\26\n" .. ("x"):rep(50)
  return { part = "images", max_bytes = 100, files = { { data = bytes, filename = "a.png" } } }
end

for _, started in ipairs { false, true } do
  local taken, closed = core.engine(), core.engine()
  for _, engine in ipairs { taken, core.engine(), closed } do -- nothing but the loop holds the second
    if started then assert(engine:start()) end
    assert(engine:submit(request { method = "GET" }))
    assert(engine:submit(request { form = form() })) -- the engine alone holds the bytes now
    assert(engine:submit(request { json = "{}" }))
  end
  do
    local twice, secrets = request { form = form() }
    assert(taken:submit(twice, secrets))
    assert(taken:submit(twice, secrets))
    closed:close()
    closed:close()
    assert(not pcall(closed.submit, closed, twice, secrets))
  end
  local seen = 0
  while taken:pending() > 0 do
    local id, _, status, _, _, trouble = taken:next(1)
    if id then
      assert(status == 0 and trouble.name == "connect" and trouble.fate == "not_sent")
      seen = seen + 1
    end
  end
  assert(seen == 5)
end

local secrets = core.secrets()
assert(secrets:set("key", "value"))
local late = core.request {
  method = "GET", url = "http://127.0.0.1:1/", headers = core.headers { "X: {key}" } }
secrets:close()
secrets:close()
local engine = core.engine()
assert(not pcall(engine.submit, engine, late, secrets)) -- they are closed
assert(engine:pending() == 0)
