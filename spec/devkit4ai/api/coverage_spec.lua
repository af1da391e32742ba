-- Coverage of the vendor's OpenAPI file: every operation has a row, every row has a method, and a method can send every
-- declared parameter. The spec checks the requests that arrive at a server.
local cjson = require "cjson"
local coverage = require "spec.support.calls.coverage"
local devkit4ai = require "devkit4ai"
local every_call = require "spec.support.calls.every_call"
local examples = require "spec.support.docs.examples"
local openapi = require "spec.support.calls.openapi"
local operations = require "devkit4ai.api.operations"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

-- Responds to each operation as the file describes it.
local SCRIPT = [[
local routes = require("cjson").decode(%q)
return function(conn)
  local request = conn:read_request()
  while request do
    local answer = { status = 404, body = "{}" }
    for _, route in ipairs(routes) do
      if route.method == request.method and request.target:match("^[^?]*"):find(route.pattern) then
        answer = route
        break
      end
    end
    local asked = request.target:match("/(%%x+%%-%%x+%%-%%x+%%-%%x+%%-%%x+)")
    local body = asked and answer.body:gsub("497f6eca%%-6276%%-4993%%-bfeb%%-53cbbbba6f08", asked) or answer.body
    conn:respond(answer.status, body) -- with the requested id
    request = conn:read_request()
  end
end]]

local function script(document, list)
  local routes = {}
  for i, operation in ipairs(list) do
    routes[i] = { method = operation.method, pattern = operation.pattern, status = operation.status,
      body = operation.status ~= 204 and cjson.encode(openapi.sample(document, operation.answer)) or "" }
  end
  return SCRIPT:format(cjson.encode(routes))
end

local function path_of(request) return request.target:match("^[^?]*") end

describe("every operation of the API", function()
  local document = openapi.read()
  local list = openapi.operations(document)
  local rows, server, client, objects = operations.all(), nil, nil, nil
  local sent, failures = {}, {}

  -- Makes the calls of a row, and keeps their requests by operation.
  local function make_calls(name)
    sent[name] = {}
    if not rows[name] then
      failures[#failures + 1] = name .. ": no row"
      return
    end
    for i, call in ipairs(every_call.calls[name]) do
      local before = #server:requests()
      local value, message = every_call.make(objects, call)
      if value == nil or message then failures[#failures + 1] = ("%s %d: %s"):format(name, i, tostring(message)) end
      local all = server:requests()
      local mine = 0
      for n = before + 1, #all do
        local operation = openapi.match(list, all[n].method, path_of(all[n]))
        if operation and operation.method == rows[name].method and operation.path == rows[name].path then
          mine = mine + 1
          table.insert(sent[name], all[n])
        end
      end
      if mine ~= 1 then failures[#failures + 1] = ("%s %d: sent its operation %d times"):format(name, i, mine) end
    end
  end

  setup(function()
    server = raw.start { script = script(document, list) }
    client = assert(devkit4ai.new(wire.options(server.url)))
    objects = every_call.objects(client)
    for name in pairs(every_call.calls) do make_calls(name) end
  end)

  teardown(function()
    client:close()
    server:stop()
  end)

  it("is one of 54", function() assert.equal(54, #list) end)

  it("is sent once per call, and returns a value", function() assert.same({}, failures) end)

  it("can be sent with every parameter and with none", function()
    assert.same({}, coverage.complaints(list, rows, sent, every_call.without_method))
  end)

  -- The complaints of the check, if the file or the client differ.
  local function changed(change)
    local other = { document = openapi.read(), rows = {}, sent = {}, without = every_call.without_method }
    for name, row in pairs(rows) do other.rows[name] = row end
    for name, requests in pairs(sent) do other.sent[name] = requests end
    change(other, other.document)
    return coverage.complaints(openapi.operations(other.document), other.rows, other.sent, other.without)
  end

  local function parameter(other, path, name)
    for _, one in ipairs(other.paths[path].get.parameters) do
      if one.name == name then return one end
    end
  end

  local STATS, LIST = "/api/v1/projects/stats", "/api/v1/payments/subscriptions"
  local FOUND = {
    ["row get_me: no operation GET /api/v1/auth/me"] = function(_, file) file.paths["/api/v1/auth/me"] = nil end,
    ["PUT /api/v1/auth/me: no row"] = function(_, file) file.paths["/api/v1/auth/me"].put = { responses = {} } end,
    ["GET /health: no row"] = function(other) other.rows.get_health_simple = nil end,
    ["row get_me: no method sends it"] = function(other) other.sent.get_me = nil end,
    ["row get_root: no method sends it"] = function(other) other.without = {} end,
    ["get_global_stats: active can't be given"] = function(_, file)
      parameter(file, STATS, "is_active").name = "active"
    end,
    ["get_global_stats: is_active is not in the file"] = function(_, file)
      parameter(file, STATS, "is_active").name = "active"
    end,
    ["get_global_stats: search is required, and not sent"] = function(_, file)
      parameter(file, STATS, "search").required = true
    end,
    ["list_all_subscriptions: status can't be paused"] = function(_, file)
      parameter(file, LIST, "status").schema = { type = "string", pattern = "^(active|paused)$" }
    end,
    ["list_all_subscriptions: status is sent as active"] = function(_, file)
      parameter(file, LIST, "status").schema = { type = "integer" }
    end,
    ["update_subscription: proration_behavior can't be twice"] = function(_, file)
      file.components.schemas.UpdateSubscriptionRequest.properties.proration_behavior.pattern = "^(none|twice)$"
    end,
    ["create_project: title can't be given"] = function(_, file)
      local fields = file.components.schemas.ProjectCreateRequest.properties
      fields.title, fields.name = fields.name, nil
    end,
    ["create_project: description is required, and not sent"] = function(_, file)
      file.components.schemas.ProjectCreateRequest.required = { "name", "description" }
    end,
    ["login: password can't be left out"] = function(_, file)
      file.components.schemas.UserLoginRequest.required = { "email" }
    end,
    ["login: the body is application/json, not multipart/form-data"] = function(_, file)
      local content = file.paths["/api/v1/auth/login"].post.requestBody.content
      content["multipart/form-data"], content["application/json"] = content["application/json"], nil
    end,
  }
  for complaint, change in pairs(FOUND) do
    it("has a check for: " .. complaint, function()
      local found = {}
      for _, line in ipairs(changed(change)) do found[line] = true end
      assert.is_true(found[complaint], complaint)
    end)
  end

  -- The names of the methods of an object.
  local function methods_of(object)
    local names = {}
    local _ = object.config -- loads the class of payments and of stripe
    for name, value in pairs(getmetatable(getmetatable(object)).class) do
      if type(value) == "function" and not name:find("^_") then names[#names + 1] = name end
    end
    table.sort(names)
    return names
  end

  it("has a method, and each method has an example", function()
    local blocks, missing = examples.blocks(), {}
    for _, object in ipairs { "client", "project", "key", "gen", "stripe", "payments" } do
      local called, spoken, count, shown = every_call.called(object), {}, 0, 0
      for name, calls in pairs(every_call.calls) do
        for _, call in ipairs(calls) do
          if every_call.called(call[1]) == called and not spoken[name] then spoken[name], count = true, count + 1 end
        end
      end
      local methods = methods_of(objects[object])
      for _, method in ipairs(methods) do
        local n = examples.count(blocks, called, method)
        shown = shown + n
        if n == 0 then missing[#missing + 1] = called .. ":" .. method end
      end
      print(("%-15s %2d operations, %2d methods, %3d examples"):format(called, count, #methods, shown))
    end
    assert.same({}, missing)
  end)
end)
