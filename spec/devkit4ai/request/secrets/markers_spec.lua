-- No secret shows. All secrets contain a marker, and all operations run with the log on against servers that repeat their
-- requests. The test looks for the marker in results, events, logs, output and URLs, at a proxy and at another origin.
local child = require "spec.support.process.child"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local key_server = require "spec.support.servers.key_server"
local marker = require "spec.support.programs.marker_run"
local raw = require "spec.support.servers.raw"
local tunnel = require "spec.support.servers.tunnel"

local ID = "770e8400-e29b-41d4-a716-446655440002"

-- A server that repeats requests. heard: head and body, a JSON body's texts decoded as well; one: one secret of it.
local ECHO = [[
  local cjson = require "cjson"
  local function respond(conn, status, reason, body, headers)
    local lines = { ("HTTP/1.1 %d %s"):format(status, reason), "Content-Length: " .. #body }
    for name, value in pairs(headers or {}) do lines[#lines + 1] = name .. ": " .. value end
    conn:write(table.concat(lines, "\r\n") .. "\r\n\r\n" .. body)
  end
  return function(conn)
    local request = conn:read_request()
    while request do
      local heard = request.head .. request.body
      local ok, values = pcall(cjson.decode, request.body)
      for _, value in pairs(ok and values or {}) do heard = heard .. " " .. tostring(value) end
      local one = request.head:match "MARK[%w-]+" or request.body:match "MARK[%w-]+" or "none"
      ANSWER
      request = conn:read_request()
    end
  end
]]

-- A success for each operation, with repeated secrets beside it.
local SUCCESS = ([[
  local function answer_with(fields)
    fields.id, fields.name, fields.status, fields.is_active = "ID", "neon", "completed", true
    fields.image_url, fields.checkout_url = "http://127.0.0.1:1/picture.png", "http://127.0.0.1:1/pay"
    fields.valid, fields.key_prefix = false, "other-one"
    if request.target:find "keys$" and request.method == "GET" or request.target:find "projects/$"
      or request.target:find "[?&]page=" then
      fields = { fields }
    end
    return fields
  end
]]):gsub("ID", ID)

local function script_of(answer)
  return (ECHO:gsub("ANSWER", function() return answer end))
end

local ANSWERS = {
  ["as a detail"] = [[conn:respond(400, { detail = heard })]],
  ["as a detail of a 401"] = [[conn:respond(401, { detail = heard })]],
  ["as a detail of a 403, with a request id"] = [[conn:respond(403, { detail = heard }, { ["X-Request-ID"] = one })]],
  ["in each field of a 422"] = [[conn:respond(422, { detail = {
    { loc = { "body", one, heard }, msg = heard, type = heard, input = heard, ctx = { heard } }, heard } })]],
  ["in a 429"] = [[conn:respond(429, { detail = heard, error = { heard } }, { ["Retry-After"] = "0.01",
    ["X-Request-ID"] = one })]],
  ["in the reason and the page of a 502"] = [[respond(conn, 502, one, "<html>" .. heard, { Server = one })]],
  ["as what is no JSON"] = [[conn:respond(200, heard)]],
  ["in JSON that breaks off"] = [[conn:respond(200, cjson.encode({ echo = heard }):sub(1, -3))]],
  ["in a page that ends in the middle of a secret"] = [[conn:respond(500, "bad " .. one:sub(1, #one // 2 + 3))]],
  ["as a detail that ends in the middle of a secret"] =
    [[conn:respond(400, { detail = "bad " .. one:sub(1, #one // 2 + 3) })]],
  ["in JSON that ends in the middle of a secret"] =
    [[conn:respond(200, '{"detail":"' .. one:sub(1, #one // 2 + 3))]],
  ["in an answer that is cut in the middle of a secret"] =
    [[conn:write("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nbad " .. one:sub(1, #one // 2 + 3))
    conn:close() do return end]],
  ["in a redirect"] = [[respond(conn, 302, one, heard, { Location = "/" .. one .. "?key=" .. one })]],
  ["under other names of a success"] = SUCCESS .. [[
    local headers = {}
    for name, value in request.head:gmatch "\n([%w-]+): ([^\r]*)" do headers[name], headers[value] = value, name end
    conn:respond(200, answer_with { echo = heard, headers = headers, error = heard, message = one, description = heard,
      email = one, access_token = "MARK-new-access", refresh_token = "MARK-new-refresh" }, { ["X-Echo"] = one })]],
  ["beside new secrets of its own"] = SUCCESS .. [[
    conn:respond(200, answer_with { access_token = "MARK-new,ac}cess\"", refresh_token = "MARK-new refresh",
      key = "MARK-key", note = "your key is MARK-key", jwt = "MARK-new,ac}cess\"",
      provisioning = { api_key = "MARK-api-key", developer_key = "MARK-dev-key", project_id = "]] .. ID .. [[",
        example = "curl -H 'X-API-Key: MARK-api-key' -H 'X-Developer-Key: MARK-dev-key'" } })]],
  ["with new secrets, broken"] = [[
    conn:respond(200, '{"access_token":"MARK-new,ac}cess\\"more","refresh_token":"MARK-new refresh","key":"MARK-k')]],
  ["by a reset"] = [[conn:reset() do return end]],
}

-- Runs a script with the log on. Its output and its log must not have the marker.
local function run(script, ...)
  local ended = child.run('local marker = require "spec.support.programs.marker_run"\n' .. script,
    { args = { ... }, env = { DEVKIT4AI_LOG = "debug" } })
  assert.equal(0, ended.code, ended.err:sub(-2000))
  assert.is_truthy(ended.err:find("devkit4ai: ", 1, true))
  for line in ended.err:gmatch "[^\n]+" do
    for _, mark in ipairs(marker.MARKS) do
      if line:find(mark, 1, true) then error("logged: " .. line, 0) end
    end
  end
  assert.equal("all was looked at\n", ended.out)
end

local ALL = [[
  local url, origin, proxy, ca_file = ...
  marker.run(url, origin, { proxy = proxy, ca_file = ca_file })]]

local function has_no_mark(text)
  for _, mark in ipairs(marker.MARKS) do assert.is_nil(text:find(mark, 1, true), text) end
end

describe("no secret shows", function()
  local servers

  local function serve(options)
    local server = raw.start(options)
    servers[#servers + 1] = server
    return server
  end

  before_each(function() servers = {} end)

  after_each(function()
    for _, server in ipairs(servers) do server:stop() end
  end)

  for how, answer in pairs(ANSWERS) do
    it("that a server repeats " .. how, function()
      local server = serve { script = script_of(answer) }
      run(ALL, server.url, server.url)
      assert.is_true(#server:requests() > 10)
      for _, request in ipairs(server:requests()) do has_no_mark(request.target or "") end
    end)
  end

  it("at the target of a redirect, or in its response", function()
    local elsewhere = serve { script = script_of(ANSWERS["as a detail"]) }
    local server = serve { script = script_of(([[respond(conn, 307, "Elsewhere", heard,
      { Location = "%s/elsewhere.png" })]]):format(elsewhere.url)) }
    run(ALL, server.url, server.url)
    assert.is_true(#elsewhere:requests() > 0)
    for _, request in ipairs(elsewhere:requests()) do
      assert.same({ "GET", "/elsewhere.png" }, { request.method, request.target }) -- a picture alone is sent on
      has_no_mark(request.head)
      assert.is_nil(request.head:find("\r\nX-", 1, true))
    end
  end)

  it("at a proxy, except its own login", function()
    local server = serve { tls = true, script = script_of(ANSWERS["as a detail"]) }
    local proxy_server = serve { script = tunnel(server.port) }
    run(ALL, "https://api.test:" .. server.port, "https://pictures.test:" .. server.port,
      ("user:MARK-the-secret-proxy@127.0.0.1:%d"):format(proxy_server.port), server.ca_file)
    local login = 0
    for _, request in ipairs(proxy_server:requests()) do
      login = login + (request.head:find("\r\nProxy-Authorization: Basic dXNlcjpNQVJL", 1, true) and 1 or 0)
      has_no_mark(request.head:gsub("\r\nProxy%-Authorization: [^\r]*", ""))
    end
    assert.equal(#proxy_server:requests(), login)
    for _, request in ipairs(server:requests()) do
      assert.is_nil((request.head .. request.body):find("dXNlcjpNQVJL", 1, true))
    end
  end)

  it("that a proxy repeats", function()
    local proxy_server = serve { script = script_of [[
      local login = request.head:match "Basic ([^\r]*)" or "none"
      respond(conn, 407, login .. " MARK-the-secret-proxy", heard,
        { ["Proxy-Authenticate"] = "Basic realm=" .. login })]] }
    run(ALL, "https://api.test", "https://pictures.test",
      ("user:MARK-the-secret-proxy@127.0.0.1:%d"):format(proxy_server.port))
    assert.is_true(#proxy_server:requests() > 10)
  end)

  it("of an image's URL, which is a signature", function()
    local server = serve { script = script_of(ANSWERS["in JSON that breaks off"]) }
    for _, origin in ipairs { server.url, "http://127.0.0.1:" .. raw.port_closed(), "http://no.such.name.invalid" } do
      run([[
        local url, origin = ...
        local devkit4ai = require "spec.support.calls.no_retry_pauses"
        local function on_event(event) marker.look("an event", event) end
        local client = assert(devkit4ai.new(marker.options(url, { on_event = on_event })))
        for _, address in ipairs { "/a.png?signature=MARK-the%2Fsignature&v=1", "/a\n.png?s=MARK-the-signature" } do
          local gen = client:generation "550e8400-e29b-41d4-a716-446655440000"
          gen.image_url = origin .. address
          marker.look("bytes", gen:bytes())
          marker.look("save", gen:save "/nowhere/a.png")
        end
        print "all was looked at"]], server.url, origin)
    end
  end)

  it("of tokens that were refreshed or forgotten during the call", function()
    local server = serve { script = script_of [[
      local held = request.target:find "generations%-v2/"
      while held and not renewed do conn:sleep(0.01) end
      if held then conn:respond(403, { detail = heard }, { ["X-Request-ID"] = one }) end
      renewed = renewed or not request.target:find "refresh$" and not held
      if not held then
        conn:respond(200, { id = "550e8400-e29b-41d4-a716-446655440000", access_token = "another-token-MARK" })
      end]] }
    for _, change in ipairs { "refresh_token", "logout" } do
      run([[
        local url, change = ...
        local devkit4ai = require "spec.support.calls.no_retry_pauses"
        local function on_event(event) marker.look("an event", event) end
        -- no piece of them stands in another secret: what hides that one must not hide them
        local client = assert(devkit4ai.new(marker.options(url, {
          on_event = on_event, access_token = "first-access.MARK", refresh_token = "first-refresh.MARK" })))
        local ID = "550e8400-e29b-41d4-a716-446655440000"
        local task = devkit4ai.spawn(function() return client:generation(ID):refresh() end)
        local renewed = devkit4ai.spawn(function()
          client:me()
          assert(client[change](client))
          client:public_generations():page(1)
        end)
        renewed:join()
        local gen, message, err = task:join()
        assert(gen == nil and err.kind == "forbidden")
        marker.look("a call of before", message, err)
        print "all was looked at"]], server.url, change)
    end
  end)

  it("in an answer that came when its client was closed", function()
    local server = serve { script = script_of(ANSWERS["as a detail"]) }
    local client = assert(devkit4ai.new(marker.options(server.url)))
    devkit4ai.update() -- from now on a thread steps
    local task = devkit4ai.spawn(function() return client:me() end)
    devkit4ai.update()
    repeat until client._engine:ready() -- it is there, and nobody has looked at it
    client:close()
    local user, message, err = task:join()
    assert.is_nil(user)
    assert.same({ "cancelled", "unknown" }, { err.kind, err.outcome })
    has_no_mark(message .. (err.detail or "") .. (err.request_id or ""))
  end)

  for step, how in pairs {
    list = { "500", "project" }, create = { "429", "project" }, revoke = { "403", "developer" },
  } do
    it(("of a rotation that fails at %s"):format(step), function()
      local fault, kind = how[1], how[2]
      local old = { kind = kind, key = "older_k1-MARK-the-secret-old", key_prefix = "older_k1", is_active = true }
      local server = key_server.start { new_key = "newer_k1-MARK-the-secret-new", faults = { [step] = { fault } },
        keys = { old } }
      servers[#servers + 1] = server
      run([[
        local url, kind, old = ...
        local devkit4ai = require "spec.support.calls.no_retry_pauses"
        local function on_event(event) marker.look("an event", event) end
        local options = require("spec.support.calls.wire").options(url, { on_event = on_event })
        options[kind .. "_key"] = old
        local client = assert(devkit4ai.new(options))
        local key, message, err
        if kind == "developer" then key, message, err = client:rotate_developer_key "2027"
        else key, message, err = client:project():rotate_key "2027" end
        assert(message)
        assert(not key)
        key, err.key = err.key, nil
        if key then assert(key.key:find "MARK") key.key = nil end -- shown on purpose
        marker.look("the rotation", key, message, err)
        marker.look("the client", client)
        print "all was looked at"]], server.url, kind, old.key)
    end)
  end

  it("beside the tokens in a store, or in the names of its files", function()
    local server = serve { script = script_of(ANSWERS["under other names of a success"]) }
    local folder = child.folder()
    finally(function() child.remove(folder) end)
    run([[
      local url, path = ...
      marker.run(url, url, { store = require("devkit4ai.store.file").new(path) })]],
      server.url, folder .. "/sessions.json")
    for _, name in ipairs(child.list(folder)) do
      has_no_mark(name)
      local file = assert(io.open(folder .. "/" .. name))
      local text = file:read "*a"
      file:close()
      for secret in text:gmatch "MARK[%w-]+" do
        assert.is_truthy(secret == "MARK-new-access" or secret == "MARK-new-refresh", secret)
      end
    end
  end)
end)
