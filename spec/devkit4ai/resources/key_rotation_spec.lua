-- Key rotation: each step fails in each way, and then the caller has a key that works and knows the new key. A server with
-- a memory checks which key works, and counts the created and the revoked keys.
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local key_server = require "spec.support.servers.key_server"
local waits = require "devkit4ai.loop.waits"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local OTHER = "aa0e8400-e29b-41d4-a716-446655440005"

-- What is rotated: how, with which key, which header shows it, and a call that needs it.
local KINDS = {
  developer = {
    old = wire.sample.developer_key, header = "X-Developer-Key", call_name = "client:rotate_developer_key",
    rotate = function(client, options) return client:rotate_developer_key("2027", options) end,
    call = function(client) return client:project(OTHER):refresh() end,
  },
  project = {
    old = wire.sample.project_key, header = "X-API-Key", call_name = "project:rotate_key",
    rotate = function(client, options) return client:project():rotate_key("2027", options) end,
    call = function(client) return client:generation(ID):refresh() end,
  },
}

-- A step, what the server does with each of its requests, and then: how often the three steps arrived; kind and outcome of
-- the error, if there is one. created: the error has a key; old: whose client then uses the old key; orphan: the new key is not
-- known; total: seconds for the whole call.
local FAILURES = {
  { "list", { "500" }, { 3, 0, 0 }, "server", "unknown" },
  { "list", { "lost", "500", "ok" }, { 3, 1, 1 } },
  { "list", { "lost" }, { 3, 0, 0 }, "network", "unknown" },
  { "list", { "401" }, { 2, 0, 0 }, "auth", "refused" },
  { "list", { "401", "ok" }, { 2, 1, 1 } },
  { "list", { "403" }, { 1, 0, 0 }, "forbidden", "refused" },
  { "list", { "404" }, { 1, 0, 0 }, "not_found", "refused" },
  { "list", { "429" }, { 1, 0, 0 }, "rate_limited", "refused" },
  { "list", { "hang" }, { 1, 0, 0 }, "timeout", "unknown", total = 2 },
  { "create", { "400" }, { 1, 1, 0 }, "invalid", "refused" },
  { "create", { "401" }, { 1, 2, 0 }, "auth", "refused" },
  { "create", { "401", "ok" }, { 1, 2, 1 } },
  { "create", { "403" }, { 1, 1, 0 }, "forbidden", "refused" },
  { "create", { "429" }, { 1, 1, 0 }, "rate_limited", "refused" },
  { "create", { "500" }, { 1, 1, 0 }, "server", "unknown" },
  { "create", { "lost" }, { 1, 1, 0 }, "network", "unknown" },
  { "create", { "cut" }, { 1, 1, 0 }, "network", "unknown", orphan = true },
  { "create", { "hang" }, { 1, 1, 0 }, "timeout", "unknown", total = 2 },
  { "revoke", { "500", "ok" }, { 1, 1, 2 } },
  { "revoke", { "cut", "ok" }, { 1, 1, 2 } }, -- the repeat finds it revoked, and that is a success
  { "revoke", { "401", "ok" }, { 1, 1, 2 } },
  { "revoke", { "500" }, { 1, 1, 3 }, "server", "unknown", created = true },
  { "revoke", { "lost" }, { 1, 1, 3 }, "network", "unknown", created = true },
  { "revoke", { "cut", "lost" }, { 1, 1, 3 }, "network", "unknown", created = true },
  { "revoke", { "cut", "403" }, { 1, 1, 2 }, "forbidden", "unknown", created = true }, -- the old one may be revoked
  { "revoke", { "401" }, { 1, 1, 2 }, "auth", "unknown", created = true, old = { developer = true } },
  { "revoke", { "403" }, { 1, 1, 1 }, "forbidden", "unknown", created = true, old = { developer = true } },
  { "revoke", { "404" }, { 1, 1, 1 }, "not_found", "unknown", created = true },
  { "revoke", { "429" }, { 1, 1, 1 }, "rate_limited", "unknown", created = true },
  { "revoke", { "hang" }, { 1, 1, 1 }, "timeout", "unknown", created = true, total = 2 },
}

-- The slow ones run for one type of key only.
local function failures_of(name)
  local list = {}
  for _, failure in ipairs(FAILURES) do
    if not failure.total or name == "project" then list[#list + 1] = failure end
  end
  return list
end

local server, client

local function serve(options)
  server = key_server.start(options)
  client = server:client()
  return client
end

-- A text has at most the first eight characters of a key.
local function shows_no_key(text, keys)
  for key in pairs(keys) do assert.is_nil(text:find(key:sub(1, 9), 1, true), text) end
end

-- The key in the calls of a type of key; it is valid.
local function used(kind, keys)
  assert(kind.call(client))
  local key = server:last(kind.header)
  assert.is_true(keys[key])
  return key
end

for name, kind in pairs(KINDS) do
  describe(kind.call_name, function()
    after_each(function()
      client:close()
      server:stop()
      server, client = nil, nil
    end)

    it("creates a key, uses it, and revokes the old one with it", function()
      local key, message, err = kind.rotate(serve())
      assert.same({}, { message, err })
      local revocation = server.raw:requests()[3]
      assert.equal("DELETE", revocation.method)
      assert.equal(name == "developer" and key.key or wire.sample.developer_key,
        wire.header(revocation, "X-Developer-Key"))
      local keys = server:keys()
      assert.equal(key.key, used(kind, keys))
      assert.is_false(keys[kind.old])
      assert.same({ 1, 1, 1 }, server:steps())
    end)

    it("rotates again", function()
      local first = assert(kind.rotate(serve()))
      local second = assert(kind.rotate(client))
      local keys = server:keys()
      assert.same({ false, false, true }, { keys[kind.old], keys[first.key], keys[second.key] })
      assert.equal(second.key, used(kind, keys))
    end)

    for _, failure in ipairs(failures_of(name)) do
      local step, faults, steps, err_kind, outcome = failure[1], failure[2], failure[3], failure[4], failure[5]
      local says = ("%s: %s"):format(step, table.concat(faults, ", "))
      it(says .. (err_kind and " is an error, and a key works" or " is not an error"), function()
        serve { faults = { [step] = faults } }
        local key, message, err = kind.rotate(client, failure.total and { timeout = failure.total })
        local keys = server:keys()
        assert.same(steps, server:steps())
        assert.same({ err_kind, outcome }, err and { err.kind, err.outcome } or {})
        local works = failure.old ~= nil and failure.old[name] == true -- the new one may be what was refused
        local stays = works or err_kind and not failure.created
        assert.equal(err_kind == nil, key ~= nil)
        key = key or err.key
        assert.equal(failure.created ~= nil or err_kind == nil, key ~= nil)
        assert.equal(stays and kind.old or key.key, used(kind, keys))
        if key then assert.is_true(keys[key.key]) end
        if err then
          assert.equal(message, err.message)
          assert.equal(kind.call_name, message:sub(1, #kind.call_name))
          shows_no_key(message, keys)
          shows_no_key(err.detail or "", keys)
        end
        if failure.orphan then assert.is_truthy(message:find("a key that you have not seen may exist now", 1, true)) end
        if failure.created then
          assert.is_false(err.retryable)
          assert.is_truthy(message:find("keep it", 1, true), message)
          assert.is_truthy(message:find(kind.old:sub(1, 8), 1, true), message)
          assert.equal(works, message:find("stays in use", 1, true) ~= nil)
        end
      end)
    end

    for title, prefix in pairs {
      ["with three dots behind it"] = function(key) return key:sub(1, 8) .. "..." end, -- wire.md D03
      ["with an ellipsis behind it"] = function(key) return key:sub(1, 8) .. "\226\128\166" end,
      ["of four characters"] = function(key) return key:sub(1, 4) end,
    } do
      it("finds the old key by a prefix " .. title, function()
        local key = assert(kind.rotate(serve { prefix = prefix, keys = {
          { kind = name, key = "zz_another_key_of_the_account", key_prefix = "zz_anoth", is_active = true },
        } }))
        local keys = server:keys()
        assert.same({ false, true, true }, { keys[kind.old], keys[key.key], keys.zz_another_key_of_the_account })
      end)
    end

    it("ignores a key that is not active", function()
      serve { keys = {
        { kind = name, key = kind.old:sub(1, 8) .. "-of-old", key_prefix = kind.old:sub(1, 8), is_active = false },
      } }
      local _, message = kind.rotate(client)
      assert.is_nil(message)
      assert.is_false(server:keys()[kind.old])
    end)

    -- Nothing is made where the old one can't be told.
    for title, options in pairs {
      ["no prefix is told"] = { prefix = function() return nil end },
      ["the prefix is empty"] = { prefix = function() return "" end },
      ["the prefix is dots alone"] = { prefix = function() return "..." end },
      ["the whole key is told, and hidden like it"] = { prefix = function(key) return key end },
      ["the prefix is no text"] = { prefix = function() return { 1 } end },
      ["no prefix fits"] = { prefix = function() return "zz_other" end },
      ["two prefixes fit"] = { keys = {
        { kind = name, key = kind.old:sub(1, 8) .. "-of-a-twin", key_prefix = kind.old:sub(1, 8), is_active = true },
      } },
      ["two long prefixes fit"] = { prefix = function(key) return key:sub(1, 20) end, keys = {
        { kind = name, key = kind.old:sub(1, 20) .. "-of-a-twin", key_prefix = kind.old:sub(1, 20), is_active = true },
      } },
    } do
      it("creates nothing if " .. title, function()
        local key, message, err = kind.rotate(serve(options))
        assert.is_nil(key)
        assert.same({ "conflict", "not_sent", 0, message }, { err.kind, err.outcome, err.attempts, err.message })
        assert.is_truthy(message:find("nothing was created", 1, true))
        assert.same({ 1, 0, 0 }, server:steps())
        local keys = server:keys()
        assert.equal(kind.old, used(kind, keys))
        shows_no_key(message, keys)
      end)
    end

    it("keeps the old key if no header can hold the new one", function()
      local key, message, err = kind.rotate(serve { new_key = "pk_two\nlines" })
      assert.is_nil(key)
      assert.equal("pk_two\nlines", err.key.key)
      assert.same({ "protocol", "unknown", message }, { err.kind, err.outcome, err.message })
      assert.same({ 1, 1, 0 }, server:steps())
      assert.equal(kind.old, used(kind, server:keys()))
    end)

    it("keeps the old key if the new one is empty", function()
      local key, message, err = kind.rotate(serve { new_key = "" })
      assert.is_nil(key)
      assert.same({ "protocol", "unknown" }, { err.kind, err.outcome })
      assert.is_truthy(message:find("has no key", 1, true))
      assert.same({ 1, 1, 0 }, server:steps())
      assert.equal(kind.old, used(kind, server:keys()))
    end)

    for step, place in pairs { list = 1, create = 2, revoke = 3 } do
      it(("reports the outcome of a cancel while it waits for %s"):format(step), function()
        serve { faults = { [step] = { "hang" } } }
        local inside
        local task = devkit4ai.spawn(function() inside = { kind.rotate(client) } end)
        while server:steps()[place] == 0 do waits.sleep(0.005) end
        local value, message, err = task:cancel():join()
        assert.is_nil(value)
        assert.same({ "cancelled", "unknown" }, { err.kind, err.outcome })
        shows_no_key(message, server:keys())
        assert.equal(1, server:steps()[place])
        assert.is_nil(inside[1])
        assert.equal(inside[2], inside[3].message)
        assert.equal("cancelled", inside[3].kind)
        local key = inside[3].key
        assert.equal(step == "revoke", key ~= nil)
        assert.equal(key and key.key or kind.old, used(kind, server:keys()))
        if key then assert.is_truthy(message:find("the new key is in use", 1, true), message) end
      end)
    end

    it("stores the new key before it revokes the old one", function()
      serve()
      local stored, steps
      local key = assert(kind.rotate(client, { keep = function(new)
        stored, steps = new.key, server:steps()
      end }))
      assert.equal(key.key, stored)
      assert.same({ 1, 1, 0 }, steps)
      assert.same({ 1, 1, 1 }, server:steps())
      assert.is_false(server:keys()[kind.old])
    end)

    -- What keep does, and a word of the message.
    for title, how in pairs {
      ["raises a text"] = { function() error("disk full", 0) end, "disk full" },
      ["raises a table"] = { function() error {} end, "table" },
      ["raises nil"] = { function() error() end, _VERSION == "Lua 5.5" and "<no error object>" or "nil" },
      ["raises an object that has no text"] = {
        function() error(setmetatable({}, { __tostring = function() error "no" end })) end, "without text",
      },
      ["returns nil and a reason"] = { function() return nil, "disk full" end, "disk full" },
      ["returns false and a reason"] = { function() return false, "disk full" end, "disk full" },
      ["returns false alone"] = { function() return false end, "false" },
      ["returns nil alone"] = { function() return nil end, "nil" },
      ["returns a reason that has no text"] = {
        function() return nil, setmetatable({}, { __tostring = function() return {} end }) end, "without text",
      },
      ["says the key"] = { function(key) return nil, "can't write " .. key.key end, "can't write ***" },
    } do
      it("revokes nothing if keep " .. title, function()
        serve()
        local key, message, err = kind.rotate(client, { keep = how[1] })
        assert.is_nil(key)
        assert.same({ message, message, "unknown", false },
          { err.message, tostring(err), err.outcome, err.retryable })
        assert.same({ 1, 1, 0 }, server:steps())
        local keys = server:keys()
        assert.is_true(keys[err.key.key])
        assert.equal(kind.old, used(kind, keys))
        assert.is_truthy(message:find(how[2], 1, true), message)
        shows_no_key(message, keys)
        assert(err.key:revoke()) -- as the message says
      end)
    end

    it("lets keep make calls, and loses no key if keep closes the client", function()
      serve()
      local key, message, err = kind.rotate(client, { keep = function()
        assert(client:generation(ID):refresh())
        client:close()
        return true
      end })
      assert.is_nil(key)
      assert.equal(message, err.message)
      assert.same({ 1, 1, 0 }, server:steps())
      local keys = server:keys()
      assert.same({ true, true }, { keys[kind.old], keys[err.key.key] })
      shows_no_key(message, keys)
    end)

    it("reports the outcome of a cancel while keep runs", function()
      serve()
      local task
      task = devkit4ai.spawn(function()
        return kind.rotate(client, { keep = function() task:cancel() end })
      end)
      local key, _, err = task:join()
      assert.is_nil(key)
      assert.same({ "cancelled", "unknown" }, { err.kind, err.outcome })
      local keys = server:keys()
      assert.is_true(keys[kind.old])
      assert.equal(0, server:steps()[3])
    end)

    it("gives the key to the caller, and not to a client that was closed during it", function()
      serve { faults = { revoke = { "hang" } } }
      local task = devkit4ai.spawn(function() return kind.rotate(client) end)
      while server:steps()[3] == 0 do waits.sleep(0.005) end
      client:close()
      local key, _, err = task:join()
      assert.is_nil(key)
      assert.same({ "cancelled", "unknown" }, { err.kind, err.outcome })
      assert.is_string(err.key.key)
      assert.is_false(client._secrets:has(name .. "_key"))
    end)
  end)
end

describe("after a rotation", function()
  after_each(function()
    client:close()
    server:stop()
  end)

  local function sends(caller, header)
    assert(caller:generation(ID):refresh())
    return server:last(header)
  end

  it("every handle on the project and its end users' clients send the new key", function()
    serve()
    local a, b = client:project(), client:project(client:project().id)
    local callers = { client, a, b }
    for i, project in ipairs { a, b } do
      callers[#callers + 1] = assert(project:end_user { access_token = "token-of-guest-" .. i })
    end
    local key = assert(a:rotate_key())
    callers[#callers + 1] = client:project()
    callers[#callers + 1] = assert(b:end_user { access_token = "token-of-a-later-guest" })
    for _, caller in ipairs(callers) do assert.equal(key.key, sends(caller, "X-API-Key")) end
  end)

  it("every handle on a project that is not in the options sends it as well", function()
    serve { keys = { { kind = "project", key = "pk_of_the_other_one", key_prefix = "pk_of_th", is_active = true } } }
    local a, b, c = client:project(OTHER), client:project(OTHER), client:project(OTHER)
    for _, project in ipairs { a, b } do project:use_key "pk_of_the_other_one" end
    c:use_key(wire.sample.project_key)
    local key = assert(a:rotate_key())
    assert.equal(key.key, sends(a, "X-API-Key"))
    assert.equal(key.key, sends(b, "X-API-Key"))
    assert.equal(wire.sample.project_key, sends(c, "X-API-Key")) -- which it was told to use
    assert.equal(wire.sample.project_key, sends(client, "X-API-Key"))
  end)

  it("client:generate sends the new key", function()
    serve()
    local key = assert(client:project():rotate_key())
    assert(client:generate { images = { { data = wire.image.png, filename = "a.png" } }, prompt = "neon" })
    assert.equal(key.key, server:last "X-API-Key")
  end)

  it("projects and end users send the new developer key", function()
    serve()
    local project = client:project()
    local guest = assert(project:end_user { access_token = "token-of-a-guest" })
    local key = assert(client:rotate_developer_key())
    for _, caller in ipairs { client, project, guest } do assert.equal(key.key, sends(caller, "X-Developer-Key")) end
  end)

  it("fails for a project without a key in use", function()
    serve()
    local key, message, err = client:project(OTHER):rotate_key()
    assert.is_nil(key)
    assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
    assert.is_truthy(message:find("project:use_key", 1, true))
    assert.same({ 0, 0, 0 }, server:steps())
  end)

  it("fails for an end user", function()
    serve()
    local guest = assert(client:project():end_user { access_token = "token-of-a-guest" })
    local key, _, err = guest:rotate_developer_key()
    assert.is_nil(key)
    assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
    assert.same({ 0, 0, 0 }, server:steps())
  end)
end)

describe("in the sandbox", function()
  local sandbox = require "devkit4ai.sandbox"
  local box, options
  setup(function()
    box = assert(sandbox.start())
    options = assert(box:developer { email = "dev@example.com", password = "SecurePass123" })
  end)
  teardown(function() box:stop() end)

  -- Clients of before the rotation, and of the same account with other keys.
  local function is_refused(old)
    local other = assert(devkit4ai.new(old))
    local user, _, err = other:generations():page(1)
    other:close()
    return user == nil and err.kind == "forbidden"
  end

  for operation, fault in pairs {
    [1] = false, create_developer_key = { status = 500 }, revoke_developer_key = { cut = "after" },
    list_api_keys = { status = 503 }, create_api_key = { cut = "after" }, revoke_api_key = { cut = "before" },
  } do
    it(fault and "a key works after a fault of " .. operation or "both keys are rotated", function()
      local own = devkit4ai.new(options)
      finally(function() own:close() end)
      if fault then
        fault.operation, fault.times = operation, 1
        box:fault(fault)
      end
      local before = {}
      for name, value in pairs(options) do before[name] = value end
      local developer = own:rotate_developer_key "2027"
      options.developer_key = developer and developer.key or options.developer_key
      local project = own:project():rotate_key "2027"
      options.project_key = project and project.key or options.project_key
      assert(own:generations():page(1)) -- which needs both
      assert(not is_refused(options))
      assert.is_true(is_refused(before))
      assert.equal(operation ~= "create_developer_key", developer ~= nil)
      assert.equal(operation ~= "create_api_key", project ~= nil)
    end)
  end
end)
