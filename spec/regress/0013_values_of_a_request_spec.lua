-- Values that C can't use went into it: infinities as sizes, a NUL inside a path, a body that is no object, a number among
-- the files of client:request. Some were cut short, some broke memory, and some raised inside this library.
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local wire = require "spec.support.calls.wire"

local NAN, INF = 0 / 0, 1 / 0
local PNG = wire.image.png
local HEADERS = core.headers {}

local function with(name, value)
  local fields = { method = "POST", url = "http://127.0.0.1:1/", headers = HEADERS }
  fields[name] = value
  return fields
end

local function with_form(name, value)
  local files, fields = { { data = PNG, filename = "a.png" } }, { { "a", "b" } }
  local form = { part = "images", max_bytes = 1e6, files = files, fields = fields }
  form[name] = value
  return with("form", form)
end

describe("core.request", function()
  local ROWS = {
    ["field 'method'"] = { with("method", "GE T"), with("method", "G\r\nA:b"), with("method", ""),
      with("method", "PROPFIND"), with("method", "GE\0T"), with("method", "G3T"), with("method", "G\195\132T") },
    ["field 'url'"] = { with("url", "http://127.0.0.1:1/\0evil"), with("url", 1) },
    ["field 'ca_file'"] = { with("ca_file", "a\0b"), with("ca_file", {}) },
    ["field 'proxy'"] = { with("proxy", "http://127.0.0.1:1\0"), with("proxy", true) },
    ["field 'save_as'"] = { with("save_as", "a.png\0.exe"), with("save_as", 5) },
    ["field 'headers'"] = { with("headers", {}), with("headers", "X: y"), with("headers", core.secrets()),
      { method = "GET", url = "http://127.0.0.1:1/" } },
    ["field 'part'"] = { with_form("part", nil), with_form("part", "a\0b"), with_form("part", 1) },
    ["field 'form'"] = { with("form", true), with("form", "a") },
    ["field 'files'"] = { with_form("files", { "a.png\0.txt" }), with_form("files", { 5 }), with_form("files", { {} }),
      with_form("files", { { data = PNG } }), with_form("files", { { filename = "a.png" } }), with_form("files", true),
      with_form("files", _VERSION == "Lua 5.5" or { nil, "a.png" }), -- which 5.5 counts as an empty list
      with_form("files", { "a", "a", "a", "a", "a", "a", "a", "a", "a" }) },
    ["field 'filename'"] = { with_form("files", { { data = PNG, filename = "a\0.png" } }) },
    ["field 'fields'"] = { with_form("fields", { { "a\0b", "c" } }), with_form("fields", { { "a" } }),
      with_form("fields", { { nil, "a" } }), with_form("fields", { "a" }), with_form("fields", { { "a", 1 } }),
      with_form("fields", { { "a", "b" }, { "a", "b" }, { "a", "b" }, { "a", "b" }, { "a", "b" } }) },
    ["field 'slots'"] = { with("slots", { "a\0b" }), with("slots", { 1 }), with("slots", "a"),
      with("slots", { "a", "a", "a", "a", "a", "a", "a", "a", "a" }) },
    ["field 'json'"] = {},
  }
  for _, fields in ipairs(ROWS["field 'slots'"]) do fields.json = "{}" end
  for _, text in ipairs { "", "x", "{", "}", "[]", "1", "[1}", "{}\n" } do
    local fields = with("json", text)
    fields.slots = { "password" }
    table.insert(ROWS["field 'json'"], fields)
  end
  for _, name in ipairs { "connect", "idle", "total", "max_answer" } do
    local label = ("field '%s'"):format(name)
    ROWS[label] = {}
    for _, value in ipairs { NAN, INF, -INF, -1, "1" } do table.insert(ROWS[label], with(name, value)) end
  end
  ROWS["field 'max_answer'"][6] = with("max_answer", 2 ^ 64)
  ROWS["field 'max_bytes'"] = {}
  for _, value in ipairs { NAN, INF, -1, 2 ^ 64 } do
    table.insert(ROWS["field 'max_bytes'"], with_form("max_bytes", value))
  end

  for label, rows in pairs(ROWS) do
    it("refuses a bad " .. label, function()
      for i, fields in ipairs(rows) do
        local ok, why = pcall(core.request, fields)
        assert.is_false(ok, label .. " " .. i)
        assert.is_truthy(why:find(label, 1, true), why)
      end
    end)
  end

  it("accepts valid values at the limits", function()
    for _, fields in ipairs {
      with("method", "OPTIONS"), with("max_answer", 0), with("total", 1e12), with("json", "any text"), with("json", ""),
      with_form("files", { "a", "a", "a", "a", "a", "a", "a", "a" }), with_form("files", nil), with_form("fields", nil),
      with_form("fields", { { "a", "b\0c" }, { "a", "" }, { "a", "b" }, { "a", "b" } }),
    } do
      assert.is_userdata(core.request(fields))
    end
  end)
end)

describe("core", function()
  local engine, secrets = core.engine(), core.secrets()
  for what, call in pairs {
    ["engine:next(nan)"] = function() engine:next(NAN) end,
    ["engine:cancel(nan)"] = function() engine:cancel(NAN) end,
    ["engine:cancel(inf)"] = function() engine:cancel(INF) end,
    ["engine:progress(-1)"] = function() engine:progress(-1) end,
    ["core.pause(nan)"] = function() core.pause(NAN) end,
    ["core.pause(inf)"] = function() core.pause(INF) end,
    ["core.pause(-1)"] = function() core.pause(-1) end,
    ["core.lock with a NUL"] = function() core.lock("/nowhere/x\0y") end,
    ["core.load with a NUL"] = function() core.load("/nowhere/x\0y") end,
    ["core.list with a NUL"] = function() core.list("/\0y") end,
    ["core.check_image with a NUL"] = function() core.check_image("/nowhere/x\0y", 1) end,
    ["core.check_image(nan)"] = function() core.check_image("/nowhere/x", NAN) end,
    ["core.save with a NUL"] = function() core.save("/nowhere/x\0y", "") end,
    ["core.terminal(inf)"] = function() core.terminal(INF) end,
    ["core.terminal(2^32)"] = function() core.terminal(2 ^ 32) end,
    ["core.header with a NUL"] = function() core.header("A: b", "A\0") end,
    ["a slot's name with a NUL"] = function() secrets:set("a\0b", "c") end,
    ["a slot's name with a NUL in json"] = function() secrets:json("{}", "a\0b") end,
    ["json that is not an object"] = function() secrets:json("[}", "a") end,
    ["a header line with a NUL"] = function() core.headers { "A: b\0c" } end,
    ["a header line with a line feed"] = function() core.headers { "A: b\r\nB: c" } end,
    ["a number among header lines"] = function() core.headers { 5 } end,
    ["too many header lines"] = function()
      local lines = {}
      for i = 1, 1001 do lines[i] = "A: b" end
      core.headers(lines)
    end,
  } do
    it("refuses " .. what, function() assert.is_false((pcall(call))) end)
  end

  it("waits without a limit, and not for a negative time", function()
    assert.is_nil(engine:next(-1))
    assert.is_nil(engine:next(-INF))
  end)
end)

describe("client:request", function()
  local server = wire.server { ["POST /x"] = { 200, {} }, ["GET /x"] = { 200, {} } }
  local client = devkit4ai.new(wire.options(server.url))
  local image = { data = PNG, filename = "a.png" }
  teardown(function()
    client:close()
    server:stop()
  end)

  local function request(given)
    given.path = "/x"
    given.method = given.method or "POST"
    return client:request(given)
  end

  -- A mistake of the program raises at its line.
  for what, row in pairs {
    ["a number among the files"] = { { form = { f = { 42 } } }, "form.f[1]: string or table expected, got number" },
    ["bytes without a filename"] = { { form = { f = { { data = PNG } } } },
      "form.f[1]: filename: string expected, got nil" },
    ["a filename without bytes"] = { { form = { f = { { filename = "a" } } } },
      "form.f[1]: data: string expected, got nil" },
    ["bytes that are not a string"] = { { form = { f = { { data = 5, filename = "a" } } } },
      "form.f[1]: data: string expected, got number" },
    ["an unknown field of a file"] = { { form = { f = { { data = PNG, filename = "a", path = "b" } } } },
      "unknown option 'path'; known are data, filename" },
    ["a file by name instead of a list"] = { { form = { f = { path = "a.png" } } },
      "form.f[1]: string or table expected" },
    ["a list with a hole"] = { { form = { f = { image, nil, image } } },
      "form.f[2]: string or table expected, got nil" },
    ["a number as a field's name"] = { { form = { "x" } }, "form: names must be strings, got number 1" },
    ["a function in a form"] = { { form = { f = print } }, "form.f: string or number or boolean or table expected" },
    ["a table in a query"] = { { method = "GET", query = { a = { 1 } } },
      "query.a: string or number or boolean expected" },
    ["a number as a name in a query"] = { { method = "GET", query = { "x" } }, "query: names must be strings" },
  } do
    it("raises at the caller's line for " .. what, function()
      local ok, why = pcall(function() return request(row[1]) end)
      assert.is_false(ok)
      assert.is_truthy(why:find("0013_values_of_a_request_spec.lua:%d+: devkit4ai: client:request: "), why)
      assert.is_truthy(why:find(row[2], 1, true), why)
    end)
  end

  local function form_of(count, more)
    local form = { f = more }
    for i = 1, count do form["x" .. i] = i end
    return { form = form }
  end

  local function images_of(count)
    local list = {}
    for i = 1, count do list[i] = image end
    return list
  end

  -- A bad value is nil, a message and an error, with nothing sent.
  for what, row in pairs {
    ["no file"] = { { form = { f = {} } }, "there is none" },
    ["six files"] = { form_of(0, images_of(6)), "not 6" },
    ["five texts beside files"] = { form_of(5, images_of(1)), "not 5" },
    ["two lists of files"] = { { form = { f = { image }, g = { image } } }, "one list of files" },
    ["a NUL in a path"] = { { form = { f = { "a.png\0.exe" } } }, "is not a file name" },
    ["a NUL in a filename"] = { { form = { f = { { data = PNG, filename = "a\0.png" } } } }, "is not a file name" },
    ["a folder's name"] = { { form = { f = { "a/" } } }, "is not a file name" },
    ["a NUL in a field's name"] = { { form = { f = { image }, ["a\0b"] = "x" } }, "can't be the name of a field" },
    ["a line feed in a list's name"] = { { form = { ["a\nb"] = { image } } }, "can't be the name of a field" },
    ["a NUL in the name of a pair"] = { { form = { ["a\0b"] = "x" } }, "can't be the name of a field" },
    ["an empty name"] = { { form = { [""] = "x" } }, "can't be the name of a field" },
    ["bytes that are not an image"] = { { form = { f = { { data = "GIF89a", filename = "a.gif" } } } }, "a.gif" },
    ["too many bytes"] = { { form = { f = { { data = PNG .. ("x"):rep(10 * 1024 * 1024), filename = "a.png" } } } },
      "a.png", "too_large" },
  } do
    it("returns an error for " .. what, function()
      local response, message, err = request(row[1])
      assert.is_nil(response)
      assert.same({ row[3] or "invalid", "not_sent" }, { err.kind, err.outcome }, message)
      assert.is_truthy(message:find(row[2], 1, true), message)
    end)
  end

  it("sends no invalid request, and sends valid ones", function()
    assert.equal(0, #server:requests())
    assert.equal(200, assert(request(form_of(4, images_of(5)))).status)
    local body = server:last().body
    assert.is_truthy(body:find('name="x4"\r\n\r\n4\r\n', 1, true), body)
    assert.equal(200, assert(request { form = { a = 1.5, b = true, c = 2 ^ 40 } }).status)
    assert.equal("a=1.5&b=true&c=1099511627776", server:last().body)
  end)

  it("reads each field of an image once", function()
    local reads = 0
    local changing = setmetatable({}, { __index = function(_, name)
      reads = reads + 1
      return reads <= 2 and (name == "data" and PNG or "a.png") or 5
    end })
    assert.equal(200, assert(request { form = { f = { changing } } }).status)
    assert.equal(2, reads)
  end)
end)
