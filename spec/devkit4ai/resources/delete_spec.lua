-- Deleting and revoking return `true`. After an unknown outcome, a retry that finds nothing counts as success; a first request
-- that finds nothing does not. The server counts the requests.
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local raw = require "spec.support.servers.raw"
local waits = require "devkit4ai.loop.waits"
local wire = require "spec.support.calls.wire"

local ID, PROJECT = "990e8400-e29b-41d4-a716-446655440004", wire.sample.project_id

local function key_of(list)
  return assert(list)[1]
end

-- operation -> the call, its request line, the call that shows the result. The key comes from a list, as in a program.
local CALLS = {
  revoke_developer_key = {
    object = function(client) return key_of(client:developer_keys()) end, verb = "revoke",
    line = "DELETE /api/v1/auth/developer-keys/" .. ID, check = "client:developer_keys()",
  },
  delete_project = {
    object = function(client) return client:project() end, verb = "delete",
    line = "DELETE /api/v1/projects/" .. PROJECT, check = "client:projects()",
  },
  revoke_api_key = {
    object = function(client) return key_of(client:project():keys()) end, verb = "revoke",
    line = ("DELETE /api/v1/projects/%s/api-keys/%s"):format(PROJECT, ID), check = "project:keys()",
  },
  delete_generation = {
    object = function(client) return client:generation(ID) end, verb = "delete",
    line = "DELETE /api/v1/generation/generations-v2/" .. ID, check = "gen:refresh()",
  },
  delete_stripe_config = {
    object = function(client) return client:project().stripe end, verb = "delete_config",
    line = ("DELETE /api/v1/payments/stripe/projects/%s/config"):format(PROJECT), check = "project.stripe:config()",
  },
}

-- A server that sends the next of its answers to each DELETE, and repeats the last one. "lost" and "cut" close the connection
-- before and in the middle of an answer; "hang" sends no answer.
local SCRIPT = [[
  local answers, n = { %s }, 0
  return function(conn)
    local request = conn:read_request()
    while request do
      if request.method == "GET" then
        conn:respond(200, '[{"id":"%s","key_prefix":"ak_abc12"}]')
      elseif request.target:find "refresh$" then
        conn:respond(200, { access_token = "another.access.token" })
      else
        n = n + 1
        local answer = answers[math.min(n, #answers)]
        if answer == "lost" then conn:reset() return end
        if answer == "hang" then conn:sleep(1000) end
        if answer == "cut" then conn:write "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{" conn:close() return end
        conn:respond(answer, answer == 204 and "" or { detail = "no", retry_after = 0.01 })
      end
      request = conn:read_request()
    end
  end
]]

-- The answers to the DELETE requests; their number; then nothing for a success, or kind and outcome. but: for this operation,
-- the 400 means success (wire.md E29).
local CASES = {
  { { 204 }, 1 },
  { { 200 }, 1 },
  { { 404 }, 1, "not_found", "refused" },
  { { 400 }, 1, "invalid", "refused" },
  { { 403 }, 1, "forbidden", "refused" },
  { { 500, 204 }, 2 },
  { { 500, 404 }, 2 },
  { { '"lost"', 404 }, 2 },
  { { '"cut"', 404 }, 2 },
  { { 408, 404 }, 2 },
  { { 307, 404 }, 2 },
  { { 500, 500, 404 }, 3 },
  { { 500, 429, 404 }, 3 },
  { { 500, 401, 404 }, 3 },
  { { 500, 403 }, 2, "forbidden", "unknown" },
  { { 500, 410 }, 2, "protocol", "unknown" },
  { { 500 }, 3, "server", "unknown" },
  { { 429, 404 }, 2, "not_found", "refused" },
  { { 401, 404 }, 2, "not_found", "refused" },
  { { 500, 400 }, 2, "invalid", "unknown", but = "revoke_developer_key" },
  { { 429, 400 }, 2, "invalid", "refused" },
}

for name, call in pairs(CALLS) do
  describe(name, function()
    local server, client

    local function serve(answers)
      server = raw.start { script = SCRIPT:format(table.concat(answers, ", "), ID) }
      client = assert(devkit4ai.new(wire.options(server.url)))
      return call.object(client)
    end

    local function lines()
      local list = {}
      for _, request in ipairs(server:requests()) do
        if request.method == "DELETE" then list[#list + 1] = request.method .. " " .. request.target end
      end
      return list
    end

    after_each(function()
      client:close()
      server:stop()
    end)

    for _, case in ipairs(CASES) do
      local answers, count, kind, outcome = case[1], case[2], case[3], case[4]
      if case.but == name then kind, outcome = nil, nil end
      it(("answered with %s: %s"):format(table.concat(answers, ", "), kind or "done"), function()
        local object = serve(answers)
        local done, message, err = object[call.verb](object)
        assert.equal(kind == nil and true or nil, done)
        assert.same({ kind, outcome }, err and { err.kind, err.outcome } or {}, message)
        local sent = lines()
        assert.equal(count, #sent)
        for _, line in ipairs(sent) do assert.equal(call.line, line) end
        if err then
          assert.same({ name, count, message }, { err.operation, err.attempts, err.message })
          assert.equal(outcome == "unknown", message:find(call.check, 1, true) ~= nil, message)
        end
      end)
    end

    it("without a connection was not sent, so a later 404 is an error", function()
      local object = serve { 404 }
      server:stop()
      local _, _, err = object[call.verb](object)
      assert.same({ "network", "not_sent", 3, true }, { err.kind, err.outcome, err.attempts, err.retryable })
    end)

    it("may have been done if it is cancelled, and the message says so", function()
      local object = serve { '"hang"' }
      local task = devkit4ai.spawn(function() return object[call.verb](object) end)
      while #lines() == 0 do waits.sleep(0.005) end
      local done, message, err = task:cancel():join()
      assert.is_nil(done)
      assert.same({ "cancelled", "unknown", name }, { err.kind, err.outcome, err.operation })
      assert.is_truthy(message:find(call.check, 1, true), message)
      assert.equal(1, #lines())
    end)
  end)
end
