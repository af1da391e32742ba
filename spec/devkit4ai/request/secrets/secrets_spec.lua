-- No secret shows in an error, a message, a tostring, raw, a field or a traceback. Each secret contains a marker.
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local raw = require "spec.support.servers.raw"

local ID = "550e8400-e29b-41d4-a716-446655440000"
local MARK = "SECRETMARK"

local function is_ours(fn)
  return debug.getinfo(fn, "S").source:find("lua/devkit4ai/", 1, true) ~= nil
end

-- Looks for the marker in a value, its fields, metatables and our functions' upvalues, to any depth; in userdata by
-- tostring. Returns where it is.
local function find_mark(value, where, seen)
  seen = seen or { [package.loaded] = true }
  if type(value) == "string" then return value:find(MARK, 1, true) and where or nil end
  if type(value) == "userdata" then return tostring(value):find(MARK, 1, true) and where or nil end
  if type(value) == "function" and not seen[value] and is_ours(value) then
    seen[value] = true
    for i = 1, 60 do
      local name, upvalue = debug.getupvalue(value, i)
      if not name then return nil end
      local found = upvalue ~= _G and find_mark(upvalue, where .. "^" .. name, seen)
      if found then return found end
    end
  end
  if type(value) ~= "table" or seen[value] then return nil end
  seen[value] = true
  for key, item in pairs(value) do
    local found = find_mark(key, where .. "[key]", seen) or find_mark(item, where .. "." .. tostring(key), seen)
    if found then return found end
  end
  return find_mark(getmetatable(value), where .. "<meta>", seen)
end

local function clean(...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    assert.is_nil(find_mark(value, "result " .. i))
    assert.is_nil(tostring(value):find(MARK, 1, true))
  end
end

local function new(url)
  return assert(devkit4ai.new { base_url = url, access_token = MARK .. "access", refresh_token = MARK .. "refresh",
    developer_key = MARK .. "developer", project_id = ID, project_key = MARK .. "project",
    operator_key = MARK .. "operator" })
end

local CALLS = {
  me = function(client) return client:me() end,
  login = function(client) return client:login("dev@example.com", MARK .. 'pass"word\\') end,
  register = function(client) return client:register { email = "dev@example.com", password = MARK .. "password" } end,
  refresh_token = function(client) return client:refresh_token() end,
  new_project = function(client) return client:new_project { name = "x" } end,
  projects = function(client) return client:projects() end,
  new_key = function(client) return client:project(ID):new_key "x" end,
  keys = function(client) return client:project(ID):keys() end,
  generate = function(client)
    return client:generate { images = { { data = "\255\216\255", filename = "a.jpg" } }, prompt = "x" }
  end,
  refresh = function(client) return client:generation(ID):refresh() end,
}

-- Answers that repeat the whole request, head and body, in the places for a server's texts.
local ECHO = [[
  local cjson = require "cjson"
  return function(conn)
    local request = conn:read_request()
    while request do
      local heard = request.head .. request.body
      for secret in request.body:gmatch('"password":"(.-[^\\])"') do
        heard = heard .. cjson.decode('["' .. secret .. '"]')[1] end
      ANSWER
      request = conn:read_request()
    end
  end
]]

local ANSWERS = {
  ["as a detail"] = "conn:respond(400, { detail = heard })",
  ["in the fields of a 422"] = "conn:respond(422, { detail = { { loc = { 'body' }, msg = heard, input = heard } } })",
  ["as plain text with 500"] = "conn:respond(500, heard:sub(-150))",
  ["across the end of what is kept of a page"] =
    'conn:respond(502, ("x"):rep(189) .. (heard:match "SECRETMARK[^%s,}]+" or ""))',
  ["as what is no JSON with 200"] = "conn:respond(200, heard:sub(-150))",
}

describe("an error", function()
  for how, answer in pairs(ANSWERS) do
    for name, call in pairs(CALLS) do
      it(("of %s shows no secret that the server repeated %s"):format(name, how), function()
        local server = raw.start { script = (ECHO:gsub("ANSWER", function() return answer end)) }
        finally(function() server:stop() end)
        local client = new(server.url)
        local value, message, err = call(client)
        assert.is_nil(value)
        clean(message, err, client)
        client:close()
      end)
    end
  end

  it("shows no new token of an answer that is broken, or has only a token", function()
    for _, body in ipairs { '{"access_token":"SECRETMARK","refresh_token":"SECRETMARK',
      '{"refresh_token": "SECRETMARK"}',
      '{"id":7,"key":"SECRETMARK","provisioning":{"api_key":"SECRETMARK"}}', '["access_token","SECRETMARK"' } do
      local server = raw.start { script = ("return function(conn) conn:read_request() conn:respond(200, %q) end")
        :format(body) }
      finally(function() server:stop() end)
      local client = assert(devkit4ai.new { base_url = server.url, access_token = "t", developer_key = "d" })
      local value, message, err = client:login("a@b", "b")
      assert.is_nil(value)
      if not body:find("^%[") then clean(message, err) end
      client:close()
      server:stop()
    end
  end)
end)

describe("a success", function()
  local ANSWER = ([[return function(conn)
    local request = conn:read_request()
    while request do
      local answer = { id = "ID", name = "x", status = "pending", is_active = true, key = "MARKkey",
        access_token = "MARKnew", refresh_token = "MARKnext", token_type = "bearer",
        provisioning = { api_key = "MARKapi", developer_key = "MARKdeveloper", project_id = "ID" } }
      local list = request.method == "GET" and (request.target:find "projects/$" or request.target:find "api%-keys$")
      conn:respond(200, list and { answer } or answer)
      request = conn:read_request()
    end
  end]]):gsub("ID", ID):gsub("MARK", MARK)

  for name, call in pairs(CALLS) do
    it("of " .. name .. " shows a secret only in the documented fields", function()
      local server = raw.start { script = ANSWER }
      finally(function() server:stop() end)
      local client = new(server.url)
      local value = assert(call(client))
      local given = name == "new_key" and { "key" } or name == "register" and { "developer_key", "project_key" } or {}
      for _, field in ipairs(given) do
        assert.is_truthy(value[field]:find(MARK, 1, true))
        value[field] = nil
      end
      if name == "me" then value.developer_key, value.project_key = nil, nil end
      clean(value, client)
      client:close()
    end)
  end
end)

describe("a traceback", function()
  it("of a call that raises shows no secret", function()
    local client = new("http://127.0.0.1:1")
    client:close()
    local _, trace = xpcall(function() CALLS.login(client) end, debug.traceback)
    assert.is_nil(trace:find(MARK, 1, true))
    _, trace = xpcall(function() devkit4ai.new { developer_key = { MARK } } end, debug.traceback)
    assert.is_nil(trace:find(MARK, 1, true))
  end)
end)
