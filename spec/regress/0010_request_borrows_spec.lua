-- core.request kept pointers into the strings of the caller's table. A string that the table lost afterwards, or that a
-- metamethod made, was freed before the request went out: it crashed, or the server got bytes of other strings.
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ECHO = [[return function(conn)
  local request = conn:read_request()
  while request do
    conn:respond(200, "\137PNG\r\n\26\n\0\0\0\0IEND\174B`\130", { ["Content-Type"] = "image/png" })
    request = conn:read_request()
  end
end]]

-- Runs in a process of its own, which the fault could end. arg: how the fields are given; the server; its CA file; a folder.
local SCRIPT = [[
  local core = require "devkit4ai.core"
  local how, url, ca_file, folder = arg[1], arg[2], arg[3], arg[4]
  local FILL = 3000
  local engine, secrets = core.engine(), core.secrets()
  assert(secrets:set("token", "a.secret.token", "body"))

  -- a string that nobody else has
  local function new(text, letter)
    return text:gsub("#", function() return letter:rep(FILL) end)
  end

  -- A copy of the table. Each string in it is a new one: made by a metamethod, taken out afterwards, or both.
  local emptied
  local function fresh(fields)
    if type(fields) ~= "table" then return fields end
    local list = #fields > 0
    local copy, copies = {}, {}
    for name, value in pairs(fields) do copies[name] = fresh(value) end
    if how == "metamethods" and not list then
      return setmetatable(copy, { __index = function(_, name)
        local value = copies[name]
        return type(value) == "string" and (value .. "\n"):sub(1, -2) or value
      end })
    end
    for name, value in pairs(copies) do copy[name] = type(value) == "string" and (value .. "\n"):sub(1, -2) or value end
    emptied[#emptied + 1] = copy
    return copy
  end

  local function submit(fields)
    emptied = {}
    fields.connect, fields.idle = 20, 20
    local headers = core.headers { "X-Mark: " .. new("#", "h") }
    local given = fresh(fields)
    if how == "metamethods" then rawset(given, "headers", headers) else given.headers = headers end
    local request = core.request(given)
    for _, copy in ipairs(emptied) do
      for name in pairs(copy) do copy[name] = nil end
    end
    given, fields, headers = nil, nil, nil
    collectgarbage()
    collectgarbage()
    local filling = {}
    for i = 1, 200 do filling[i] = ("y"):rep(FILL + i % 60 - 30) .. i end
    local id, name, text = engine:submit(request, secrets)
    request = nil
    collectgarbage()
    collectgarbage()
    if not id then return print(name, text) end
    for i = 1, 50 do filling[i] = ("z"):rep(FILL + i) .. i end
    local given_id, _, status, _, _, trouble
    repeat given_id, _, status, _, _, trouble = engine:next(20) until given_id
    print(status, trouble and trouble.text or "", #filling)
  end

  submit { method = "REPORT", url = new(url .. "/#", "u") }
  submit { method = "POST", url = url .. "/json", json = new('{"a":"#"}', "j"), slots = { "token" } }
  submit { method = "POST", url = url .. "/form", form = {
    part = new("part#", "p"), max_bytes = 1e6, fields = { { new("name#", "n"), new("text#", "t") } },
    files = { { data = new("\137PNG\r\n\26\n#", "d"), filename = new("#.png", "f") }, folder .. "/a.png" } } }
  submit { method = "GET", url = new("http://nobody.test/#", "x"), proxy = url }
  submit { method = "GET", url = url .. "/save", save_as = folder .. "/saved.png" }
  submit { method = "GET", url = arg[5] .. "/tls", ca_file = ca_file }
]]

local function fill(letter) return letter:rep(3000) end

for _, how in ipairs { "metamethods", "taken out" } do
  describe("a request whose fields come from " .. how, function()
    local plain, tls, folder, ended, requests

    setup(function()
      plain, tls, folder = raw.start { script = ECHO }, raw.start { script = ECHO, tls = true }, child.folder()
      local file = assert(io.open(folder .. "/a.png", "wb"))
      file:write(wire.image.png)
      file:close()
      ended = child.run(SCRIPT, { args = { how, plain.url, tls.ca_file, folder, tls.url } })
      requests = plain:requests()
    end)
    teardown(function()
      plain:stop()
      tls:stop()
      child.remove(folder)
    end)

    it("is sent complete, each time", function()
      assert.same({ 0, ("200\t\t200\n"):rep(6) }, { ended.code, ended.out }, ended.err)
      assert.equal(5, #requests)
      assert.equal(1, #tls:requests())
    end)

    it("has its method, URL and header lines", function()
      assert.same({ "REPORT", "/" .. fill "u" }, { requests[1].method, requests[1].target })
      for _, request in ipairs(requests) do assert.equal(fill "h", wire.header(request, "X-Mark")) end
    end)

    it("has its JSON and its slots", function()
      assert.equal('{"a":"' .. fill "j" .. '","token":"a.secret.token"}', requests[2].body)
    end)

    it("has the names, texts, bytes and files of its form", function()
      for _, text in ipairs {
        'name="part' .. fill "p" .. '"', 'name="name' .. fill "n" .. '"', "text" .. fill "t",
        "\137PNG\r\n\26\n" .. fill "d", 'filename="' .. fill "f" .. '.png"', 'filename="a.png"', wire.image.png,
      } do
        assert.is_truthy(requests[3].body:find(text, 1, true), text:sub(1, 20))
      end
    end)

    it("uses its proxy, and saves to its path", function()
      assert.equal("http://nobody.test/" .. fill "x", requests[4].target)
      assert.same({ "a.png", "saved.png" }, child.list(folder))
    end)
  end)
end
