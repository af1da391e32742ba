-- DEVKIT4AI_LOG=debug showed secrets that the client does not hold: cookies, tokens under other names, a password of
-- client:request that the server repeats, the query of a signed URL.
local child = require "spec.support.process.child"
local redact = require "devkit4ai.util.redact"
local raw = require "spec.support.servers.raw"

local ID = "550e8400-e29b-41d4-a716-446655440000"

local function log_of(respond, call)
  local server = raw.start { script = ([[
    return function(conn)
      local request = conn:read_request()
      while request do
        %s
        request = conn:read_request()
      end
    end]]):format(respond) }
  local ended = child.run(([[
    local client = require("devkit4ai").new { base_url = ..., access_token = "token-abcdefgh",
      developer_key = "ak_abcdefgh", retry = { attempts = 1 } }
    %s]]):format(call or [[client:me()]]), { args = { server.url }, env = { DEVKIT4AI_LOG = "debug" } })
  server:stop()
  assert.equal(0, ended.code, ended.err)
  assert.matches("devkit4ai: HTTP/1.1", ended.err)
  return ended.err
end

describe("the debug log", function()
  it("shows the values of harmless headers, and the names of the others", function()
    local log = log_of([[conn:respond(200, { id = "x" }, {
      ["Set-Cookie"] = "s=MARK", ["X-New-Token"] = "MARK", ["X-Amz-Security-Token"] = "MARK", Authorization = "MARK",
      ["WWW-Authenticate"] = "MARK", Link = "MARK", ["x-api-KEY"] = "MARK", Location = "https://h/p?sig=MARK#MARK",
      Server = "shown-server", ["Retry-After"] = "7", ["X-Request-ID"] = "shown-id" })]])
    assert.is_nil(log:find("MARK", 1, true), log)
    for _, line in ipairs { "Set-Cookie: ***", "Server: shown-server", "X-Request-ID: shown-id", "https://h/p?***" } do
      assert.is_truthy(log:find(line, 1, true), log)
    end
  end)

  for _, name in ipairs {
    "access_token", "refresh_token", "api_key", "developer_key", "key", "password", "client_secret", "secret_key",
    "verification_token", "authorization", "cookie", "Set-Cookie", "clientSecret", "apiKey", "newPassword",
    "test_webhook_secret", "X-API-Key", "id_token", "password_confirmation", "secret_value", "private_key_pem", "pwd",
  } do
    it("hides the field " .. name .. ", in each form, deep and in JSON inside JSON", function()
      local bodies = {}
      for i, body in ipairs { '{"NAME":"MARK"}', '{"a":[{"NAME" : "MA\\"RK"}]}', '{"NAME":["MARK","MARK"]}',
        '{"NAME":{"v":"MARK","w":["MARK"]},"x":1}',
        '{"NAME":{"v":"MARK', '{"NAME":"MARK', '{"t":"{\\"NAME\\":\\"MARK\\"}"}', 'x {"NAME":12345}' } do
        bodies[i] = ("%q"):format((body:gsub("NAME", name)))
      end
      local log = log_of(([[n = (n or 0) + 1
        conn:respond(200, ({ %s })[n])]]):format(table.concat(bodies, ", ")), ("client:me()\n"):rep(#bodies))
      for _, text in ipairs { "MA", "RK", "12345" } do assert.is_nil(log:find(text, 1, true), log) end
    end)
  end

  it("shows fields with similar names", function()
    local log = log_of [[conn:respond(200, { id = "x", key_prefix = "pk_1", token_type = "bearer", keys = "many" })]]
    for _, text in ipairs { "pk_1", "bearer", "many" } do assert.is_truthy(log:find(text, 1, true), log) end
  end)

  it("shows no query of a URL", function()
    local log = log_of(([[conn:respond(200, '{"id":"%s","result_image_url":"https:\\/\\/h\\/p.png?X-Sig=MARK&k=MARK",'
      .. '"image_url":"/p.png?sig=MARK","note":"see http://h/p?sig=MARK, or HTTPS://h?MARK"}')]]):format(ID))
    assert.is_nil(log:find("MARK", 1, true), log)
    assert.is_truthy(log:find("p.png?***", 1, true), log)
  end)

  it("shows no login of a URL", function()
    local log = log_of [[conn:respond(200,
      '{"id":"x","hook":"https:\\/\\/u:MARK@h\\/p","note":"see http://u:MA@RK@h/p?x"}')]]
    assert.is_nil(log:find("MA", 1, true) or log:find("RK", 1, true), log)
    assert.is_truthy(log:find("http://***@h/p", 1, true), log)
    assert.equal("mail http://h/a@b:c@d to u:p@h", redact.urls "mail http://h/a@b:c@d to u:p@h")
  end)

  it("shows no secret of client:request that the server repeats under another name", function()
    local log = log_of([[conn:respond(422, { detail = "no: " .. (request.body .. request.target):gsub('"[%w_]+":', ""),
      input = request.body })]],
      [[print(client:request { method = "POST", path = "/api/v1/x", json = { user = { password = "Hunter-MARK" } } })
      client:request { method = "POST", path = "/api/v1/x", form = { client_secret = "seti-MARK" } }
      client:request { method = "GET", path = "/api/v1/x", query = { token = "query-MARK" } }]])
    assert.is_nil(log:find("MARK", 1, true), log)
  end)
end)

describe("redact.is_secret_name", function()
  it("recognizes names of secrets in any spelling", function()
    for _, name in ipairs { "key", "API_KEY", "api-key", "apiKey", "userPassword", "jwt" } do
      assert.is_true(redact.is_secret_name(name), name)
    end
    for _, name in ipairs { "id", "key_prefix", "tokens", "has_test_credentials_x", "", 1 } do
      assert.is_false(redact.is_secret_name(name))
    end
  end)
end)
