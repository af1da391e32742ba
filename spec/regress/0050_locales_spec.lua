-- The locale of the program changed what the library sent and how it read responses. cjson notes the decimal sign once, and
-- %g, tonumber, %w and lower follow the locale. The same script must give the same lines in each locale, whenever it is set.
local cjson = require "cjson"
local child = require "spec.support.process.child"
local locales = require "spec.support.process.locales"
local raw = require "spec.support.servers.raw"

local ID = "550e8400-e29b-41d4-a716-446655440000"

local SERVER = [[
  return function(conn)
    local request = conn:read_request()
    while request do
      local item = '{"id":"ID","status":"completed","created_at":"2025-12-08T10:30:00.123456Z",'
        .. '"instructions":"{\\"prompt\\":\\"x\\"}","numbers":[1,2],"share":0.75}'
      if request.method == "POST" and request.target:find("generat") then
        conn:respond(200, '{"id":"ID","status":"pending","cost":0.25}')
      elseif request.target:find("per_page") then
        conn:respond(200, '{"generations":[' .. item .. '],"total":1,"page":1,"per_page":100}')
      elseif request.target:find("limit") then
        conn:respond(429, '{"detail":"later","retry_after":"1.5"}')
      else
        conn:respond(200, item)
      end
      request = conn:read_request()
    end
  end ]]

local SCRIPT = [[
  local url, name, when = ...
  local function set() assert(os.setlocale(name), "no such locale: " .. name) end
  if when == "before" then set() end
  local devkit4ai = require "devkit4ai"
  local ID = "550e8400-e29b-41d4-a716-446655440000"
  local PNG = "\137PNG\r\n\26\n\0\0\0\13IHDR not a whole picture"
  local client = assert(devkit4ai.new { base_url = url, access_token = "token-abcdefgh", developer_key = "ak_abcdefgh",
    project_id = ID, project_key = "pk_abcdefgh", retry = { attempts = 1 } })
  if when == "between" then
    client:generations():next()
    set()
  end
  if when == "back" then
    set()
    require("cjson").new() -- as another library does
    os.setlocale "C"
  end
  local function show(value)
    if type(value) == "number" then return ("%.0f"):format(value * 1000) end
    return tostring(value)
  end
  local gen = assert(client:generate { images = { { data = PNG, filename = "a.png" } },
    instructions = { prompt = "x", strength = 0.75, steps = 20 } })
  print(gen.status, show(gen.raw.cost))
  assert(gen:wait { timeout = 100.5 })
  print(gen.status, #gen.raw.numbers, show(gen.raw.share))
  print(client:find_generation { instructions = "x", since = 1765189800 }.id == ID)
  print(#assert(client:generations():all()))
  local response = client:request { method = "post", path = "/api/v1/limits",
    query = { name = "caf\233 i", share = 0.5 }, json = { n = 1.25 } }
  print(response.status, response.headers["content-type"])
  print(select(3, client:generation(ID):refresh { headers = { AUTHORIZATION = "x" } }).kind)
  local core = require "devkit4ai.core"
  print((core.header("HTTP/1.1 200\r\nX-RATELIMIT-LIMIT: 7\r\n", "X-RateLimit-Limit")))
  print(show(core.date "FRI, 07 NOV 2025 10:00:00 GMT"))
  local iso8601 = require "devkit4ai.util.iso8601"
  print(show(iso8601.parse "2025-12-08T10:30:00.5Z"))
  print((select(2, client:generation(ID):wait { timeout = -1.5 }):match "^[^;]*"))
  client:close()
]]

describe("the wire and the results", function()
  local folder, server

  setup(function() folder = locales.folder() end)
  teardown(function() child.remove(folder) end)
  before_each(function() server = raw.start { script = (SERVER:gsub("ID", ID)) } end)
  after_each(function() server:stop() end)

  local function run(name, when)
    local ended = child.run(SCRIPT, { args = { server.url, name, when }, env = { LOCPATH = folder } })
    assert.equal(0, ended.code, ended.err)
    local sent = {}
    for i, request in ipairs(server:requests()) do
      sent[i] = request.method .. " " .. request.target .. " "
        .. request.body:gsub("boundary[^\r\n]*", ""):gsub("%-%-%-%-[^\r\n]*", "")
      local text = request.body:match('name="instructions"\r\n\r\n([^\r]*)')
      if text then assert.same({ prompt = "x", strength = 0.75, steps = 20 }, cjson.decode(text)) end
      sent[i] = sent[i]:gsub("(instructions\"\r\n\r\n)[^\r]*", "%1") -- fields stand in any order
    end
    if when == "between" then table.remove(sent, 1) end
    return ended.out, sent
  end

  local expected, expected_sent

  it("are right in the locale C", function()
    expected, expected_sent = run("C", "before")
    local lines = {
      "pending\t250", "completed\t2\t750", "true", "1", "429\tapplication/json", "config", "7", "1762509600000",
      "1765189800500", "gen:wait: timeout and interval must be numbers of seconds", "",
    }
    assert.equal(table.concat(lines, "\n"), expected)
    local limits = expected_sent[#expected_sent]
    assert.equal('POST /api/v1/limits?name=caf%E9%20i&share=0.5 {"n":1.25}', limits)
  end)

  for _, name in ipairs(locales.NAMES) do
    local whens = { "before", "between", "back" }
    if name:find "^ps" then whens[3] = nil end -- cjson ends the process of another library that makes one there
    for _, when in ipairs(whens) do
      it(("are the same in %s, set %s"):format(name, when), function()
        local out, sent = run(name, when)
        assert.equal(expected, out)
        assert.same(expected_sent, sent)
      end)
    end
  end
end)
