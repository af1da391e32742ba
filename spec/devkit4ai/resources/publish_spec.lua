-- Publishing and deleting a generation, and anonymous generations: requests and results.
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local raw = require "spec.support.servers.raw"
local waits = require "devkit4ai.loop.waits"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local PATH = "/api/v1/generation/generations-v2/" .. ID
local ANONYMOUS = "/api/v1/generation/anonymous-generations-v2/" .. ID .. "/status"
local IMAGE = { data = wire.image.png, filename = "a.png" }

local server, client

local function serve(answers)
  server = type(answers) == "string" and raw.start { script = answers } or wire.server(answers)
  client = assert(devkit4ai.new(wire.options(server.url)))
  return client:generation(ID)
end

after_each(function()
  client:close()
  server:stop()
end)

describe("a generation", function()
  it("is published and unpublished, by a form", function()
    local gen = serve { ["PATCH " .. PATH .. "/public"] = { 200, "" } }
    assert.is_nil(gen.is_public)
    assert.equal(gen, gen:publish())
    assert.is_true(gen.is_public)
    assert.same({ "is_public=true", "application/x-www-form-urlencoded", "end_user" },
      { server:last().body, wire.header(server:last(), "Content-Type"), wire.header(server:last(), "X-User-Role") })
    assert.equal(gen, gen:unpublish { timeout = 20 })
    assert.is_false(gen.is_public)
    assert.equal("is_public=false", server:last().body)
  end)

  it("keeps its fields if that is refused", function()
    local gen = serve { ["PATCH " .. PATH .. "/public"] = { 404, { detail = "Generation not found" } } }
    for _, verb in ipairs { "publish", "unpublish" } do
      local done, message, err = gen[verb](gen)
      assert.is_nil(done)
      assert.same({ "not_found", "refused", "set_generation_public", ID },
        { err.kind, err.outcome, err.operation, err.generation_id })
      assert.equal("gen:" .. verb .. ": ", message:sub(1, #verb + 6))
      assert.is_nil(gen.is_public)
    end
  end)

  it("is published by a retry", function()
    local gen = serve [[
      local n = 0
      return function(conn)
        while conn:read_request() do
          n = n + 1
          if n == 1 then conn:reset() return end
          conn:respond(200, "")
        end
      end]]
    assert.equal(gen, gen:publish())
    assert.equal(2, #server:requests())
  end)

  it("may be published if that is cancelled", function()
    local gen = serve "return function(conn) conn:read_request() conn:sleep(1000) end"
    local task = devkit4ai.spawn(function() return gen:publish() end)
    while #server:requests() == 0 do waits.sleep(0.005) end
    local _, message, err = task:cancel():join()
    assert.same({ "cancelled", "unknown", "set_generation_public" }, { err.kind, err.outcome, err.operation })
    assert.is_truthy(message:find("gen:refresh()", 1, true), message)
    assert.is_nil(gen.is_public)
  end)

  it("is deleted", function()
    local gen = serve { ["DELETE " .. PATH] = { 200, { message = "deleted" } } }
    assert.is_true(gen:delete())
    assert.equal("", server:last().body)
  end)
end)

describe("an anonymous generation", function()
  local CREATE = "POST /api/v1/generation/generate-anonymous-v2"

  local function order()
    return client:generate_anonymous { images = { IMAGE, IMAGE }, prompt = "neon" }
  end

  it("is created and polled without credentials", function()
    serve { [CREATE] = { 200, { id = ID } }, ["GET " .. ANONYMOUS] = { 200, { id = ID, status = "completed" } } }
    local gen = assert(order())
    assert.same({ ID, "pending" }, { gen.id, gen.status })
    local request = server:last()
    assert.equal(wire.file_part("files", "a.png", "image/png", IMAGE.data):rep(2)
      .. wire.text_part("instructions", '{"prompt":"neon"}'), wire.body(request))
    assert.equal("completed", assert(gen:wait()).status)
    assert.equal(gen, assert(gen:refresh()))
    assert.equal("completed", assert(client:generation(ID, { anonymous = true }):refresh()).status)
    for _, one in ipairs(server:requests()) do
      assert.is_nil(one.head:find("\r\nAuthorization", 1, true))
      assert.is_nil(one.head:find("\r\nX-", 1, true))
    end
  end)

  it("is sent again, once, if the server wants the other field name for the files", function()
    serve [[
      return function(conn)
        local request = conn:read_request()
        while request do
          local missing = { { loc = { "body", "example_images" }, msg = "Field required", type = "missing" } }
          local fits = request.body:find('name="example_images"', 1, true)
          if fits then conn:respond(200, '{"id":"990e8400-e29b-41d4-a716-446655440004"}')
          else conn:respond(422, { detail = missing }) end
          request = conn:read_request()
        end
      end]]
    assert(order())
    assert.equal(2, #server:requests())
    assert(order()) -- it is known now
    assert.equal(3, #server:requests())
  end)

  it("is sent once without a response, and can't be found", function()
    serve "return function(conn) conn:read_request() conn:reset() end"
    local gen, message, err = order()
    assert.is_nil(gen)
    assert.same({ "network", "unknown", false, 1 }, { err.kind, err.outcome, err.retryable, #server:requests() })
    assert.is_truthy(message:find("no call can find it again", 1, true))
    assert.is_nil(message:find("find_generation", 1, true))
  end)

  it("reports the limit of the day", function()
    serve { [CREATE] = { 429, { detail = "Rate limit exceeded. Try again in 3600 seconds.", retry_after = 3600 } } }
    local gen, _, err = order()
    assert.is_nil(gen)
    assert.same({ "rate_limited", "refused", 3600, 1 }, { err.kind, err.outcome, err.retry_after, #server:requests() })
  end)

  it("can't be published or deleted", function()
    serve {}
    local gen = client:generation(ID, { anonymous = true })
    for _, verb in ipairs { "publish", "unpublish", "delete" } do
      local done, message, err = gen[verb](gen)
      assert.is_nil(done)
      assert.same({ "invalid", "not_sent" }, { err.kind, err.outcome })
      assert.is_truthy(message:find("anonymous", 1, true))
    end
    assert.equal(0, #server:requests())
  end)
end)
