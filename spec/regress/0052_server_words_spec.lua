-- Texts of the server reached messages, logs and the terminal unchanged: escape sequences, megabytes, "table: 0x...". Fields of a 422
-- were masked too late, when the client was closed and its secrets were deleted.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "550e8400-e29b-41d4-a716-446655440000"
local EVIL = "a\27]0;title\7\27[2Jb\r\nc\194\155d\226\128\174e\255"

local function serve(body)
  return raw.start { script = ([[
    local EVIL, ID = %q, %q
    local cjson = require "cjson"
    local function raw_respond(conn, line, body)
      conn:write("HTTP/1.1 " .. line .. "\r\nX-Request-ID: r\27[2J\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body)
    end
    return function(conn)
      local request = conn:read_request()
      while request do
        %s
        request = conn:read_request()
      end
    end]]):format(EVIL, ID, body) }
end

-- no control character but a line feed, no C1, no sign of direction
local function is_safe(text)
  return not text:find("[%z\1-\9\11-\31\127]") and not text:find("\194[\128-\159]") and not text:find("\226\128\174")
    and not text:find("\255")
end

local HOW = {
  ["a detail"] = [[conn:respond(400, { detail = EVIL })]],
  ["a nested error"] = [[conn:respond(400, { error = { message = EVIL } })]],
  ["the fields of a 422"] = [[conn:respond(422, { detail = { { loc = { "body", EVIL }, msg = EVIL, type = EVIL } } })]],
  ["the reason and a page"] = [[raw_respond(conn, "502 Bad\27[2J \194\155", "<html>" .. EVIL)]],
  ["what is not JSON"] = [[conn:respond(200, EVIL)]],
  ["the error of a generation"] = [[conn:respond(200, { id = ID, status = "failed", error = { code = EVIL } })]],
  ["a text error of a generation"] = [[conn:respond(200, { id = ID, status = "failed", error = EVIL })]],
  ["the status of a generation"] = [[conn:respond(200, { id = ID, status = EVIL })]],
  ["a broken status line"] = [[conn:write(EVIL .. "\r\n\r\n") conn:close() do return end]],
  ["megabytes"] = [[conn:respond(400, { detail = ("x\27"):rep(1024 * 1024) })]],
  ["megabytes of fields"] = [[
    local list = {}
    for i = 1, 20000 do list[i] = { loc = { "x" }, msg = EVIL } end
    conn:respond(422, { detail = list })]],
}

describe("texts of the server", function()
  for how, body in pairs(HOW) do
    it("in " .. how .. " are safe to display, and limited in size", function()
      local server, events = serve(body), {}
      local client = assert(devkit4ai.new(wire.options(server.url, { retry = { attempts = 1 },
        on_event = function(event) events[#events + 1] = event end })))
      local gen, message, err = client:generation(ID):wait { timeout = 0 } -- one look
      client:close()
      server:stop()
      assert.is_nil(gen)
      assert.is_true(is_safe(message), message)
      assert.is_true(#message < 2500)
      assert.same({ message, message }, { err.message, tostring(err) })
      for _, text in ipairs { err.detail or "", err.request_id or "" } do
        assert.is_true(is_safe(text) and not text:find("\n") and #text < 1100, text)
      end
      assert.is_true(#(err.fields or {}) <= 100)
      for _, field in ipairs(err.fields or {}) do
        for _, text in pairs(field) do assert.is_true(is_safe(text), text) end
      end
      assert.is_nil(message:find("table: 0x", 1, true), message)
      for _, event in ipairs(events) do
        for _, value in pairs(event) do assert.is_true(type(value) ~= "string" or is_safe(value)) end
      end
    end)
  end

  it("are safe in the debug log", function()
    local server = serve(HOW["the reason and a page"])
    local ended = child.run([[require("devkit4ai").new({ base_url = ..., access_token = "t" }):me()]],
      { args = { server.url }, env = { DEVKIT4AI_LOG = "debug" } })
    server:stop()
    assert.equal(0, ended.code, ended.err)
    assert.is_true(is_safe(ended.err), ended.err)
    assert.matches("\\027%[2J", ended.err)
  end)

  it("are masked while the call pauses, and the client is closed", function()
    local server = serve [[
      local token = request.head:match("Authorization: Bearer ([^\r]+)")
      local field = { loc = { token }, msg = "not " .. token, type = token }
      conn:respond(503, { detail = { field } }, { ["Retry-After"] = "9" })
    ]]
    local client = assert(devkit4ai.new(wire.options(server.url)))
    local task = devkit4ai.spawn(function() return select(3, client:me()) end)
    repeat devkit4ai.update() until client._budget.tokens < require("devkit4ai.api.limits").RETRY_BUDGET -- it pauses
    client:close()
    local err = task:join()
    server:stop()
    assert.equal("cancelled", err.kind)
    assert.same({ loc = "***", msg = "not ***", type = "***" }, err.fields[1])
    assert.is_nil((err.message .. err.detail):find(wire.sample.access_token, 1, true))
  end)
end)
