-- One invalid value in a response made the rest unusable: half a surrogate pair, a byte order mark, a NUL, null among the items of a
-- list, an item without an id, a field of another type.
local devkit4ai = require "devkit4ai"
local json = require "devkit4ai.util.json"
local redact = require "devkit4ai.util.redact"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local function id_of(n) return ("0000000%d-2222-4333-8444-555555555555"):format(n) end

local function item(n, more)
  return '{"id":"' .. id_of(n) .. '","status":"completed"' .. (more or "") .. "}" -- %s ends at a NUL on 5.1
end

describe("json.decode", function()
  for text, value in pairs {
    [ [["caf\ud83d"]] ] = "caf\239\191\189",
    [ [["\udc00\ud83d\ud83d\ude00"]] ] = ("\239\191\189"):rep(2) .. "\240\159\152\128",
    [ [["\\ud83d \ud83d"]] ] = "\\ud83d \239\191\189", [ [["\\\ud83d"]] ] = "\\\239\191\189",
    ["\239\187\191\"x\""] = "x", ["\"x\"\0\0"] = "x",
  } do
    it(("reads %q"):format(text), function() assert.equal(value, json.decode_plain(text)) end)
  end

  it("reads a NUL in a text", function()
    assert.equal("a\0b", json.decode_plain '"a\0b"')
    assert.equal("a\0b", json.decode_plain [["a\u0000b"]])
  end)

  it("removes null from a list without a gap", function()
    local _, value = json.decode '{"a":[null,1,null,{"b":[null]},null]}'
    assert.same({ a = { 1, { b = {} } } }, value)
    assert.equal(5, json.item_count(value.a))
    assert.equal(2, json.item_count { 1, 2 })
    assert.same({ 1, 2 }, json.decode_plain "[null,1,2]")
  end)

  it("refuses invalid JSON", function()
    for _, text in ipairs { "", "\239\187\191", "\0", [["\ud83]], "{", [[\ud83d]], "NaN" } do
      assert.is_false((json.decode(text)))
    end
  end)

  it("is fast for a hostile text", function()
    assert.is_false((json.decode(("\0"):rep(1e6) .. "x")))
    assert.is_false((json.decode(("\\ud83d"):rep(1e5))))
    redact.urls(("http://"):rep(2e5))
    redact.named_values(("\"key\":["):rep(2e4) .. ("\""):rep(1e5))
  end)
end)

describe("a list", function()
  local server, client

  local function serve(...)
    local bodies = {}
    for i, body in ipairs { ... } do bodies[i] = ("%q"):format(body) end
    server = raw.start { script = ([[
      local bodies, n = { %s }, 0
      return function(conn)
        local request = conn:read_request()
        while request do
          n = n + 1
          conn:respond(200, bodies[math.min(n, #bodies)])
          request = conn:read_request()
        end
      end]]):format(table.concat(bodies, ", ")) }
    client = assert(devkit4ai.new(wire.options(server.url, { retry = { attempts = 1 } })))
    return client
  end

  after_each(function()
    client:close()
    server:stop()
  end)

  local function page(...) return '{"generations":[' .. table.concat({ ... }, ",") .. "]}" end

  for what, odd in pairs {
    ["half a surrogate pair"] = item(2, [[,"instructions":"{\"prompt\":\"caf\ud83d\"}"]]),
    ["a NUL"] = item(2, ',"error":"a\0b"'),
    ["numbers for texts"] = item(2, ',"error":5,"created_at":7.5,"message":1,"instructions":3'),
    ["objects for texts"] = item(2, ',"error":{"a":{}},"created_at":{},"message":[],"result":{"url":7}'),
    ["a text for a boolean"] = item(2, ',"is_public":"yes"'),
  } do
    it("with " .. what .. " is complete", function()
      local list = assert(serve(page(item(1), odd, item(3))):public_generations():all())
      assert.equal(3, #list)
      for i, gen in ipairs(list) do
        assert.equal(id_of(i), gen.id)
        assert.is_string(tostring(gen))
        for _, name in ipairs { "error", "message", "created_at", "image_url" } do
          assert.is_truthy(gen[name] == nil or type(gen[name]) == "string", name)
        end
        assert.is_truthy(gen.is_public == nil or type(gen.is_public) == "boolean")
      end
    end)
  end

  for what, odd in pairs { null = "null", ["an item without an id"] = '{"status":"completed"}', ["a number"] = "7" } do
    it("with " .. what .. " has the other items, and does not end early", function()
      for at = 1, 3 do
        local items = { item(1), item(2) }
        table.insert(items, at, odd)
        serve(("{\"generations\":[%s]}"):format(table.concat(items, ",")), page(item(3)), page())
        local list = assert(client:public_generations { per_page = 3 }:all())
        assert.same({ id_of(1), id_of(2), id_of(3) }, { list[1].id, list[2].id, list[3].id })
        assert.equal(3, #server:requests()) -- without a total, only an empty page is the last one
        if at < 3 then
          client:close()
          server:stop()
        end
      end
    end)
  end

  it("after a byte order mark is read, and so is a generation", function()
    assert.equal(1, #assert(serve("\239\187\191" .. page(item(1))):public_generations():all()))
    client:close()
    server:stop()
    serve("\239\187\191" .. item(1))
    assert.equal("completed", assert(client:generation(id_of(1)):wait { timeout = 60 }).status)
  end)

  it("of projects and keys is read, and each has a text form", function()
    serve('{"projects":[{"id":"a","name":5,"is_active":"yes"},null,{"id":"b","name":{}}],'
      .. '"api_keys":[{"id":"c","name":[],"key_prefix":{}}]}')
    local projects = assert(client:projects())
    assert.same({ "5", "b" }, { projects[1].name, projects[2].id })
    for _, project in ipairs(projects) do assert.is_string(tostring(project)) end
    local keys = assert(client:project(wire.sample.project_id):keys())
    assert.is_string(tostring(keys[1]))
  end)

  it("of an account with wrong fields returns the account, and a registration returns its strings", function()
    serve('{"id":"a","email":5,"role":[],"is_active":"yes","full_name":{},"created_at":1.5,"project_id":false,'
      .. '"access_token":"t"}')
    local account = assert(client:me())
    assert.same({ "a", 5 }, { account.id, account.email })
    assert.is_nil(account.is_active)
    assert.equal("yes", account.raw.is_active)
    account = assert(client:register { email = "a@b.c", password = "SecurePass123" })
    assert.same({ "a", "5", "1.5" }, { account.id, account.email, account.created_at })
    for _, name in ipairs { "role", "is_active", "full_name", "project_id" } do assert.is_nil(account[name]) end
  end)
end)
