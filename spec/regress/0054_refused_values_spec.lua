-- A message repeated the value that it refused. It may be a key or a password in the wrong place, which the client does not
-- know and so can't mask: a value of the wrong form is never shown.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local wire = require "spec.support.calls.wire"

local KEY = "sk_live-MARK-51H8x/"
local UUID = wire.sample.project_id

-- Each call with the key where something else belongs.
local CALLS = {
  ["client:project"] = function(client) return client:project(KEY) end,
  ["client:generation():refresh"] = function(client) return client:generation(KEY):refresh() end,
  ["client:generation():wait"] = function(client) return client:generation(KEY):wait() end,
  ["client:generation():publish"] = function(client) return client:generation(KEY):publish() end,
  ["client:generation():delete"] = function(client) return client:generation(KEY):delete() end,
  ["client:generation():save"] = function(client) return client:generation(KEY):save("x.png") end,
  ["an anonymous generation"] = function(client) return client:generation(KEY, { anonymous = true }):wait() end,
  ["project:generation():bytes"] = function(client) return client:project(UUID):generation(KEY):bytes() end,
  ["gen:save's path"] = function(client) return client:generation(UUID):save(KEY) end,
  ["an image's path"] = function(client) return client:generate { images = { KEY }, prompt = "x" } end,
  ["login, swapped"] = function(client) return client:login(KEY, "dev@example.com") end,
  ["request_verification"] = function(client) return client:request_verification(KEY) end,
  ["verify_email"] = function(client) return client:verify_email { user_id = KEY, verification_token = KEY } end,
  ["stats"] = function(client) return client:stats { project_id = KEY } end,
  ["users"] = function(client) return client:users { project_id = KEY }:next() end,
  ["a header's name"] = function(client) return client:me { headers = { [KEY] = "x" } } end,
  ["a request's method"] = function(client) return client:request { method = KEY, path = "/x" } end,
  ["a request's path"] = function(client) return client:request { method = "GET", path = KEY } end,
  ["a request's role"] = function(client) return client:request { method = "GET", path = "/x", role = KEY } end,
  ["use_key with a line feed"] = function(client) return client:project(UUID):use_key(KEY .. "\n") end,
  ["end_user with a line feed"] = function(client)
    return client:project(UUID):end_user { access_token = KEY .. "\n" }
  end,
  ["since"] = function(client) return client:find_generation { instructions = "", since = 1 } end,
}

for _, name in ipairs { "base_url", "project_id", "role", "user_agent", "proxy" } do
  CALLS["the option " .. name] = function() return devkit4ai.new { [name] = KEY .. "\n" } end
end
for _, name in ipairs { "developer_key", "project_key", "operator_key", "access_token" } do
  CALLS["a line feed in the option " .. name] = function() return devkit4ai.new { [name] = KEY .. "\n" } end
end

describe("a refused value is not shown", function()
  local client

  setup(function()
    client = assert(devkit4ai.new(wire.options("http://127.0.0.1:1", { retry = { attempts = 1 } })))
  end)
  teardown(function() client:close() end)

  for name, call in pairs(CALLS) do
    it("by " .. name, function()
      local value, message, err = call(client)
      assert.is_nil(value)
      assert.same({ "not_sent", 0 }, { err.outcome, err.attempts })
      for field, text in pairs(err) do assert.is_nil(tostring(text):find("MARK", 1, true), field) end
      assert.is_nil(message:find("MARK", 1, true), message)
    end)
  end

  it("as an unknown option, which raises", function()
    for _, call in ipairs {
      function() devkit4ai.new { [KEY] = "x" } end, function() client:me { [KEY] = 5 } end,
      function() client:register { [KEY] = "x", email = "a", password = "b" } end,
    } do
      local ok, message = pcall(call)
      assert.is_false(ok)
      assert.is_nil(message:find("MARK", 1, true), message)
      assert.matches("unknown option of 19 bytes", message)
    end
    assert.matches("unknown option 'projet_id'", select(2, pcall(devkit4ai.new, { projet_id = "x" })))
    assert.matches("unknown option '1'", select(2, pcall(devkit4ai.new, { "x" })))
  end)

  it("in the string of a handle", function()
    assert.is_nil(tostring(client:generation(KEY)):find("MARK", 1, true))
  end)

  it("of the environment", function()
    for _, name in ipairs { "DEVKIT4AI_BASE_URL", "DEVKIT4AI_PROJECT_ID", "DEVKIT4AI_LOG", "DEVKIT4AI_JWT_TOKEN" } do
      local ended = child.run([[print((select(2, require("devkit4ai").new { allow_http = false })))]],
        { env = { [name] = KEY .. "\n" } })
      assert.equal("", ended.err)
      assert.matches(name, ended.out)
      assert.is_nil(ended.out:find("MARK", 1, true), ended.out)
    end
  end)
end)
