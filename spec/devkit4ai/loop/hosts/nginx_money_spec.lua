-- Generations under the faults of nginx, at each step of a call: each one that the server created is found, or an event names it.
if not rawget(_G, "jit") then return end -- nginx runs LuaJIT alone

local clients = require "spec.support.servers.nginx_clients"
local devkit4ai = require "devkit4ai"
local nginx = require "spec.support.servers.nginx"
local raw = require "spec.support.servers.raw"

-- The first part of a target says where the API stops until the spec releases it. It lists what it has created.
local API = [[
local created = setmetatable({}, require("cjson").array_mt)
local function create(request)
  created[#created + 1] = {
    id = ("00000000-0000-4000-8000-%012d"):format(#created + 1), status = "pending",
    created_at = os.date("!%Y-%m-%dT%H:%M:%SZ"),
    instructions = request.body:match('name="instructions"\r\n\r\n(.-)\r\n'),
  }
  return created[#created]
end
return function(conn)
  local head = conn:read_head()
  while head do
    local method, part = head:match("^(%S+) /(%w+)")
    if method == "POST" and part == "body" then conn:hold() end
    local request = conn:read_body()
    if not request then return end
    if method == "POST" and part == "busy" then
      conn:respond(429, { detail = "later" }, { ["Retry-After"] = "20" })
    elseif method == "POST" then
      local answer = create(request)
      if part == "answer" then conn:hold() end
      conn:respond(200, answer)
    elseif request.target:find("/generations-v2", 1, true) then
      conn:respond(200, { generations = created, total = #created })
    else
      conn:respond(200, created[1] or { id = "550e8400-e29b-41d4-a716-446655440000", email = "a@example.com" })
    end
    head = conn:read_head()
  end
end]]

local SERVER = [[location /new/ { lua_check_client_abort on; client_max_body_size 20m; content_by_lua_block {
  ngx.req.read_body()
  local bytes = "\137PNG\r\n\26\n" .. ("x"):rep(8e6) -- more than the buffers of sockets hold
  local gen, message = new("/" .. ngx.var.uri:match("%w+$")):generate {
    images = { { data = bytes, filename = "a.png" } }, prompt = "neon",
  }
  ngx.log(ngx.ERR, "<", gen and gen.id or message, ">")
  if gen then gen:wait() end
} }]]

local ID = "00000000-0000-4000-8000-000000000001"

describe("a generation in nginx", function()
  local api, server

  before_each(function()
    api = raw.start { script = API }
    server = clients.start(api, { server = SERVER })
  end)
  after_each(function()
    api:stop()
    server:stop { signal = "TERM", expected = { "exited on signal 9" } }
  end)

  -- The requests that may have created something.
  local function paid()
    local list = {}
    for _, request in ipairs(api:requests()) do
      if request.method == "POST" then list[#list + 1] = request end
    end
    return list
  end

  local function find()
    local client = assert(devkit4ai.new { base_url = api.url, access_token = "access", developer_key = "ak_abc",
      project_id = "770e8400-e29b-41d4-a716-446655440002", project_key = "pk_abc" })
    finally(function() client:close() end)
    local gen = client:find_generation { instructions = "neon" }
    return gen and gen.id
  end

  local function has_logged(text)
    return server:log():find(text, 1, true) ~= nil
  end

  -- When the caller is at the step, and the API holds its request or has answered it.
  local REACHED = {
    body = function() return paid()[1] end,
    answer = function() return paid()[1] and paid()[1].complete end,
    busy = function() return paid()[1] and paid()[1].complete end,
    pause = function() return has_logged("<" .. ID .. ">") end,
  }

  local function start(part)
    local connection = server:send("/new/" .. part)
    nginx.wait("the step " .. part, REACHED[part])
    return connection
  end

  it("is not sent where the client leaves during its own upload", function()
    local connection = server:send("/new/answer", "Content-Length: 100000\r\n", ("x"):rep(50000))
    connection:close()
    for _ = 1, 3 do assert.equal("a@example.com\n", server:get("/me")) end
    assert.same({}, paid())
    assert.is_false(has_logged("<"))
  end)

  for part, what in pairs { body = "while its body is sent", answer = "after the server made it" } do
    it("is made once, found, and an orphan, where the client leaves " .. what, function()
      start(part):close()
      assert.truthy(server:get("/me"))
      api:release()
      nginx.wait("an orphan", function() return has_logged("<orphan create_generation " .. ID .. ">") end)
      assert.same({ 1, ID }, { #paid(), find() })
    end)
  end

  it("is not sent again where the client leaves in the pause before the next try", function()
    start("busy"):close()
    for _ = 1, 3 do assert.equal("a@example.com\n", server:get("/me")) end
    assert.same({ 1 }, { #paid(), find() })
    assert.is_false(has_logged("<"))
  end)

  it("is found where the client leaves in the pause of gen:wait", function()
    start("pause"):close()
    assert.truthy(server:get("/me"))
    assert.same({ 1, ID }, { #paid(), find() })
  end)

  for _, signal in ipairs { "KILL", "TERM" } do
    for part, found in pairs { body = false, answer = ID, busy = false, pause = ID } do
      it(("is made at most once, and found, where %s ends the worker at the step %s"):format(signal, part), function()
        start(part)
        local worker = server:workers()[1]
        server:signal(signal, worker)
        nginx.wait("the end of the worker", function() return not nginx.runs(worker) end)
        api:release()
        nginx.wait("a new worker", function() return server:get("/me") ~= "" end)
        assert.same({ 1, found }, { #paid(), find() or false })
      end)
    end
  end
end)
