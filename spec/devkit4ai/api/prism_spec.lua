-- Prism, which judges by the vendor's OpenAPI file alone, takes what the client sends, and the client takes what Prism
-- answers by that file. Headers are not in the file.
if _VERSION ~= "Lua 5.4" or rawget(_G, "jit") then return end -- the subject is no Lua of ours

local devkit4ai = require "spec.support.quick"
local every_call = require "spec.support.every_call"
local operations = require "devkit4ai.api.operations"
local prism = require "spec.support.prism"
local wire = require "spec.support.wire"

-- What Prism finds in a row's requests, where the documents disagree or Prism can't judge; spec/devkit4ai/api/wire/curl_spec.lua does.
local FINDS = {
  create_generation = "Request body must have required property 'files'", -- wire.md D36: the guide's name of the part is sent
  create_anonymous_generation = "Request body property files must be array", -- Prism makes no list of equal parts
}

-- Where Prism answers by the file, and the file says less than wire.md.
local UNUSABLE = {
  get_health_simple = "no object and no list", -- wire.md 3.1, row 54: the file types no answer, so Prism answers null
}

describe("by the vendor's file,", function()
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

  -- What Prism printed since a place in its log, once it has judged so many requests.
  local function judged(from, count)
    local text, verdicts
    repeat
      text = server:log():sub(from)
      verdicts = select(2, text:gsub("passed the validation rules", "")) + select(2, text:gsub("did not pass", ""))
      if verdicts < count then os.execute("sleep 0.02") end
    until verdicts >= count
    return text
  end

  -- The violations among them, each once.
  local function violations(text)
    local list, seen = {}, {}
    for line in text:gmatch("Violation: %S+ ([^\n]+)") do
      if not seen[line] then list[#list + 1], seen[line] = line, true end
    end
    return list
  end

  for name, calls in pairs(every_call.calls) do
    it(name .. " is asked for as it should be", function()
      local from = #server:log() + 1
      for _, call in ipairs(calls) do
        local value, message = every_call.make(objects.static, call)
        if FINDS[name] then
          assert.matches("answered 422", message, 1, true)
        elseif UNUSABLE[name] then
          assert.matches(UNUSABLE[name], message, 1, true)
        elseif operations[name].about and message then
          assert.matches("it is about another id", message, 1, true) -- Prism makes up the ids
        else
          assert.is_nil(message)
          if not operations[name].nullable then assert.is_truthy(value) end
        end
      end
      assert.same({ FINDS[name] }, violations(judged(from, #calls)))
    end)
  end

  it("a request that is wrong is found out", function()
    local from = #server:log() + 1
    local response = assert(clients.static:request {
      method = "GET", path = "/api/v1/projects/stats", query = { is_active = "perhaps" },
    })
    assert.equal(422, response.status)
    assert.is_truthy(violations(judged(from, 1))[1])
    assert.equal(404, assert(clients.static:request { method = "GET", path = "/api/v1/projects" }).status)
  end)

  -- The payments' answers are in no sandbox: Prism makes them up, of values and lengths that chance chooses.
  for name, calls in pairs(every_call.calls) do
    local row = operations[name]
    if row and row.path:find("/payments/", 1, true) then
      it(name .. " is answered with what can be used, whatever stands in it", function()
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
