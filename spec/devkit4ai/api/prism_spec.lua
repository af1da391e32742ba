-- Prism validates the client's requests by the vendor's OpenAPI file, and the client accepts Prism's responses. Headers are
-- not in the file.
if _VERSION ~= "Lua 5.4" or rawget(_G, "jit") then return end -- does not depend on the Lua version

local devkit4ai = require "spec.support.calls.no_retry_pauses"
local every_call = require "spec.support.calls.every_call"
local operations = require "devkit4ai.api.operations"
local prism = require "spec.support.servers.prism"
local wire = require "spec.support.calls.wire"

-- Expected complaints of Prism: the documents disagree, or Prism can't check; spec/devkit4ai/api/wire/curl_spec.lua does.
local FINDS = {
  create_generation = "Request body must have required property 'files'", -- D36: the client sends the field name of the guide
  create_anonymous_generation = "Request body property files must be array", -- Prism does not read repeated parts as a list
}

-- Responses for which the file says less than wire.md.
local UNUSABLE = {
  get_health_simple = "it is not an object or a list", -- wire.md 3.1, row 54: the file types no answer, so Prism answers null
}

describe("by the OpenAPI file,", function()
  local server, clients, objects = nil, {}, {}

  setup(function()
    server = prism.start()
    for kind, headers in pairs { static = {}, random = { Prefer = "dynamic=true" } } do
      clients[kind] = assert(devkit4ai.new(wire.options(server.url, { headers = headers })))
      objects[kind] = every_call.objects(clients[kind])
    end
  end)

  teardown(function()
    for _, client in pairs(clients) do client:close() end
    if server then server:stop() end
  end)

  -- The output of Prism since a place in its log, once it has checked a number of requests.
  local function judged(from, count)
    local text, verdicts
    repeat
      text = server:log():sub(from)
      verdicts = select(2, text:gsub("passed the validation rules", "")) + select(2, text:gsub("did not pass", ""))
      if verdicts < count then os.execute("sleep 0.02") end
    until verdicts >= count
    return text
  end

  -- The violations in it, without duplicates.
  local function violations(text)
    local list, seen = {}, {}
    for line in text:gmatch("Violation: %S+ ([^\n]+)") do
      if not seen[line] then list[#list + 1], seen[line] = line, true end
    end
    return list
  end

  for name, calls in pairs(every_call.calls) do
    it("the request of " .. name .. " is valid", function()
      local from = #server:log() + 1
      for _, call in ipairs(calls) do
        local value, message = every_call.make(objects.static, call)
        if FINDS[name] then
          assert.matches("answered 422", message, 1, true)
        elseif UNUSABLE[name] then
          assert.matches(UNUSABLE[name], message, 1, true)
        elseif operations.get(name).id_argument and message then
          assert.matches("it is about another id", message, 1, true) -- Prism invents the ids
        else
          assert.is_nil(message)
          if not operations.get(name).nullable then assert.is_truthy(value) end
        end
      end
      assert.same({ FINDS[name] }, violations(judged(from, #calls)))
    end)
  end

  it("an invalid request is detected", function()
    local from = #server:log() + 1
    local response = assert(clients.static:request {
      method = "GET", path = "/api/v1/projects/stats", query = { is_active = "perhaps" },
    })
    assert.equal(422, response.status)
    assert.is_truthy(violations(judged(from, 1))[1])
    assert.equal(404, assert(clients.static:request { method = "GET", path = "/api/v1/projects" }).status)
  end)

  -- The sandbox has no payments: Prism generates their responses with random values and lengths.
  for name, calls in pairs(every_call.calls) do
    local row = operations.get(name)
    if row and row.path:find("/payments/", 1, true) then
      it("any valid response to " .. name .. " is accepted", function()
        local values, nothing = 0, 0
        for n = 1, 60 do
          local value, message = every_call.make(objects.random, calls[n % #calls + 1])
          assert.is_nil(message)
          if value == nil then nothing = nothing + 1 else values = values + 1 end
          if n >= 5 and values > 0 and (nothing > 0 or not row.nullable) then break end
        end
        assert.is_true(values > 0)
        if row.nullable then assert.is_true(nothing > 0) end -- a bare null is nil without a message
        if not (row.nullable or row.paging) then assert.equal(0, nothing) end
      end)
    end
  end
end)
