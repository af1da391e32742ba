-- For memory_test: all that core offers, once, up to exchanges that fail since nothing listens on the port.
local core = require "devkit4ai.core"

local secrets = core.secrets()
assert(secrets:set("access_token", "a.secret.token"))
assert(secrets:set("project_id", "660e8400-e29b-41d4-a716-446655440001", "shown"))
local child = core.secrets(secrets)
assert(child:set("password", "Secret\"Pass/123", "body"))
assert(child:has("access_token") and not secrets:has("password"))
child:clear("nothing")
assert(child:mask("a.secret.token and Secret\"Pass/123") == "*** and ***")
assert(select(2, secrets:set("access_token", "a\nb")) == "value")

local headers = core.headers {
  "User-Agent: memory_test", "Authorization: Bearer {access_token}", "?X-API-Key: {project_key}" }

local function exchange(engine, fields)
  fields.url, fields.headers = "http://127.0.0.1:1/", headers
  fields.connect, fields.idle = 5, 5
  local id = assert(engine:submit(core.request(fields), child))
  local given, more, status, body, head, trouble
  repeat
    assert(engine:pending() == 1)
    given, more, status, body, head, trouble = engine:next(1)
  until given
  assert(given == id and not more and status == 0 and body == "" and head == "")
  assert(trouble.name == "connect" and trouble.fate == "not_sent" and trouble.text ~= "", trouble.name)
  assert(engine:next() == nil)
end

for _, started in ipairs { false, true } do
  local engine = core.engine()
  if started then assert(engine:start()) end
  exchange(engine, { method = "GET" })
  exchange(engine, { method = "POST", once = true, json = '{"email":"a"}', slots = { "password" } })
  exchange(engine, { method = "POST", once = true, form = {
    part = "example_images", max_bytes = 100, files = { { data = "\137PNG\r\n\26\n12345678", filename = "a.png" } },
    fields = { { "instructions", '{"prompt":"neon"}' } } } })
  local missing, status, text = engine:submit(core.request { method = "POST", url = "http://127.0.0.1:1/",
    headers = headers, form = { part = "example_images", max_bytes = 100, files = { "/no/a.png" } } }, child)
  assert(missing == nil and status == "file" and text ~= "")
  engine:close()
end

assert(core.header("HTTP/1.1 200 OK\r\nRetry-After: 7\r\n\r\n", "retry-after") == "7")
assert(core.image_kind("\255\216\255\224\0\8JFIF\0\1\255\217") == "jpeg")
