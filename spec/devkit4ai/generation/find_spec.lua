-- find_generation finds a generation by its instructions, in every form that a server writes them. It never guesses.
local answered_ids = require "devkit4ai.generation.answered_ids"
local cjson = require "cjson"
local devkit4ai = require "devkit4ai"
local instructions = require "devkit4ai.generation.input.instructions"
local raw = require "spec.support.servers.raw"
local iso8601 = require "devkit4ai.util.iso8601"
local wire = require "spec.support.calls.wire"

local NOW = 1800000000 -- the server's time: 2027-01-15 08:00:00

local function id(i)
  return ("00000000-0000-4000-8000-%012d"):format(i)
end

local function iso(time)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", time)
end

describe("find_generation", function()
  local server, client

  -- A server with the time NOW and these generations in this order, 100 on a page. create: "cut", or the id that it returns.
  local function start(list, create)
    for i, gen in ipairs(list) do
      gen.id, gen.status = gen.id or id(i), "completed"
      if gen.at then gen.created_at, gen.at = iso(gen.at), nil end
    end
    server = raw.start { script = ("local list, create = require('cjson').decode(%q), %q\n"):format(
      cjson.encode { list = list }, create or "") .. [[
      return function(conn)
        local request = conn:read_request()
        while request do
          if request.method == "POST" then
            if create == "cut" then return conn:reset() end
            conn:respond(200, { id = create })
          else
            local page, out = tonumber(request.target:match("[?&]page=(%d+)")), {}
            for i = page * 100 - 99, page * 100 do out[#out + 1] = list.list[i] end
            conn:respond(200, { generations = setmetatable(out, require("cjson").array_mt), total = #list.list },
              { Date = "Fri, 15 Jan 2027 08:00:00 GMT" })
          end
          request = conn:read_request()
        end
      end
    ]] }
    client = assert(devkit4ai.new(wire.options(server.url, { retry = { attempts = 1 } })))
  end

  after_each(function()
    if server then
      client:close()
      server:stop()
      server = nil
    end
  end)

  local function fails(kind, gen, message, err)
    assert.is_nil(gen)
    assert.same({ kind, "refused", "list_generations", message }, { err.kind, err.outcome, err.operation, err.message })
    return message, err
  end

  it("returns the generation with the instructions, with its methods", function()
    start {
      { instructions = '{"prompt":"noir"}', at = NOW - 20 }, { instructions = '{"prompt":"neon"}', at = NOW - 30 },
    }
    local gen = assert(client:find_generation { instructions = { prompt = "neon" }, since = NOW - 40 })
    assert.same({ id(2), "completed" }, { gen.id, gen.status })
    assert.equal("devkit4ai.Generation", getmetatable(gen).__name)
    assert.equal(id(2), assert(client:project(wire.sample.project_id):find_generation { instructions = "neon" }).id)
    local request = server:requests()[1]
    assert.equal("/api/v1/generation/generations-v2?page=1&per_page=100", request.target)
    assert.equal("end_user", wire.header(request, "X-User-Role"))
  end)

  -- as they were sent; as the server returns them
  for what, case in pairs {
    ["the JSON text, sent back as it was"] = { { prompt = "neon", style = "a" }, '{"prompt":"neon","style":"a"}' },
    ["another order and blanks"] = { { prompt = "neon", style = "noir" }, '{ "style": "noir",\n "prompt": "neon" }' },
    ["a null"] = { { prompt = "neon" }, '{"prompt":"neon","style":null}' },
    ["escapes"] = { "\195\188ber/\"alles\"", [[{"prompt":"\u00fcber\/\"alles\""}]] },
    ["a prompt alone"] = { { prompt = "neon" }, "neon" },
    ["a prompt that was given as text"] = { "neon", '{"prompt":"neon"}' },
    ["a JSON string"] = { "neon", '"neon"' },
    ["JSON in JSON"] = { { prompt = "neon", steps = 30 }, cjson.encode(cjson.encode { prompt = "neon", steps = 30 }) },
    ["JSON wrapped as a prompt"] = { { prompt = "neon", steps = 30 },
      cjson.encode { prompt = cjson.encode { prompt = "neon", steps = 30 } } },
    ["an object"] = { { prompt = "neon", tags = { "a", "b" } }, { prompt = "neon", tags = { "a", "b" } } },
    ["whole numbers with a point"] = { { prompt = "neon", steps = 30 }, '{"prompt":"neon","steps":30.0}' },
    ["blanks at the ends"] = { " neon\n", '{"prompt":"neon"}' },
    ["JSON as text, of a message's line"] = { '{"prompt":"neon","style":"a"}', '{"style":"a","prompt":"neon"}' },
    ["a prompt that is JSON's text"] = { '"[["', '{"prompt":"\\"[[\\""}' },
    ["a prompt that is a number"] = { "7", '{"prompt":"7"}' },
    ["a field that is named as a secret"] = { { prompt = "neon", key = "C" }, '{"prompt":"neon","key":"C"}' },
  } do
    it("treats as equal: " .. what, function()
      assert.is_true(instructions.equal(instructions.normalize(case[1]), instructions.normalize(case[2])))
    end)
  end

  for what, case in pairs {
    ["another prompt"] = { "neon", '{"prompt":"noir"}' },
    ["capitals"] = { "neon", '{"prompt":"Neon"}' },
    ["one field more"] = { "neon", '{"prompt":"neon","style":"noir"}' },
    ["one field less"] = { { prompt = "neon", style = "noir" }, '{"prompt":"neon"}' },
    ["another list"] = { { prompt = "neon", tags = { "a", "b" } }, '{"prompt":"neon","tags":["b","a"]}' },
    ["a longer list"] = { { prompt = "neon", tags = { "a" } }, '{"prompt":"neon","tags":["a","b"]}' },
    ["a number for a text"] = { { prompt = "neon", steps = "30" }, '{"prompt":"neon","steps":30}' },
    ["a key that is named as a secret"] = { { prompt = "neon", key = "C" }, '{"prompt":"neon","key":"D"}' },
    ["nothing"] = { "neon", nil },
    ["an empty object, for nothing"] = { "{}", nil },
    ["null, for nothing"] = { "null", nil },
    ["an empty list, for an empty object"] = { "[]", '{"prompt":"{}"}' },
    ["null, for an empty object"] = { "null", '{"prompt":"{}"}' },
  } do
    it("treats as different: " .. what, function()
      assert.is_false(instructions.equal(instructions.normalize(case[1]), instructions.normalize(case[2])))
    end)
  end

  it("reports no match, and that it may still appear", function()
    start {
      { instructions = '{"prompt":"noir"}', at = NOW - 20 }, { instructions = '{"prompt":"neon"}', at = NOW - 500 },
    }
    local message, err = fails("not_found", client:find_generation { instructions = "neon", since = NOW - 40 })
    assert.is_true(err.retryable)
    assert.is_truthy(message:find("none of the 1 generations since", 1, true), message)
    assert.is_truthy(message:find("may still appear", 1, true))
  end)

  it("finds a generation of any age without since", function()
    start { { instructions = '{"prompt":"neon"}', at = NOW - 500000 } }
    assert.equal(id(1), assert(client:find_generation { instructions = "neon" }).id)
    fails("not_found", client:find_generation { instructions = "noir" })
  end)

  it("returns an error with the ids if two match", function()
    start {
      { instructions = '{"prompt":"neon"}', at = NOW - 20 }, { instructions = "neon", at = NOW - 25 },
      { instructions = '{"prompt":"neon"}', at = NOW - 5000 },
    }
    local message, err = fails("conflict", client:find_generation { instructions = "neon", since = NOW - 30 })
    assert.is_false(err.retryable)
    assert.is_truthy(message:find(id(1), 1, true) and message:find(id(2), 1, true), message)
    assert.is_falsy(message:find(id(3), 1, true))
  end)

  it("includes the minute before since: the clocks of a service's machines differ", function()
    start { { instructions = '{"prompt":"neon"}', at = NOW - 119 } }
    assert(client:find_generation { instructions = "neon", since = NOW - 60 })
    fails("not_found", client:find_generation { instructions = "neon", since = NOW - 55 })
  end)

  it("does not return the result of another call for that of the lost one", function()
    start({ { instructions = '{"prompt":"neon"}', at = NOW - 10, id = id(7) } }, id(7))
    assert(client:generate { images = { { data = wire.image.png, filename = "a.png" } }, prompt = "neon" })
    fails("not_found", client:find_generation { instructions = "neon", since = NOW - 5 })
    assert(client:find_generation { instructions = "neon", since = NOW - 15 })
    assert(client:find_generation { instructions = "neon" })
  end)

  it("does not guess if the time can't be read", function()
    start { { instructions = '{"prompt":"neon"}', created_at = "yesterday" } }
    local message = fails("conflict", client:find_generation { instructions = "neon", since = NOW })
    assert.is_truthy(message:find(id(1), 1, true))
    assert(client:find_generation { instructions = "neon" })
  end)

  -- 250 generations with one match; time_of: the creation time of the i-th
  local function many(wanted, time_of)
    local list = {}
    for i = 1, 250 do list[i] = { instructions = i == wanted and "neon" or "noir", at = time_of(i) } end
    return list
  end

  it("stops at generations that are too old, in a list with the newest first", function()
    start(many(1, function(i) return NOW - i * 10 end))
    assert.equal(id(1), assert(client:find_generation { instructions = "neon", since = NOW - 100 }).id)
    assert.equal(2, #server:requests())
  end)

  it("reads to the end of a list with the oldest first", function()
    start(many(250, function(i) return NOW - 2500 + i * 10 end))
    assert.equal(id(250), assert(client:find_generation { instructions = "neon", since = NOW - 100 }).id)
  end)

  it("reads to the end of an unsorted list", function()
    start(many(250, function(i) return i == 250 and NOW - 5 or NOW - 5000 + i % 3 end))
    assert.equal(id(250), assert(client:find_generation { instructions = "neon", since = NOW - 100 }).id)
  end)

  it("reads to the end of a list whose order is not visible", function()
    start(many(250, function(i) return i == 250 and NOW - 5 or NOW - 5000 end))
    assert.equal(id(250), assert(client:find_generation { instructions = "neon", since = NOW - 100 }).id)
  end)

  it("refuses instructions that generate refuses, with nothing sent", function()
    start {}
    for _, given in ipairs {
      { instructions = "" }, { instructions = " \n" }, { instructions = {} }, { instructions = { style = "noir" } },
      { instructions = { prompt = 7 } }, { instructions = { prompt = "neon", f = print } },
      { instructions = "neon", since = -1 }, { instructions = "neon", since = 0 / 0 },
      { instructions = "neon", since = math.huge },
    } do
      local gen, _, err = client:find_generation(given)
      assert.is_nil(gen)
      assert.same({ "invalid", "not_sent" }, { err.kind, err.outcome })
    end
    assert.equal(0, #server:requests())
    assert.has_error(function() client:find_generation { since = 1 } end)
  end)

  it("reports a failure of the list", function()
    start {}
    server:stop()
    local gen, message, err = client:find_generation { instructions = "neon" }
    assert.is_nil(gen)
    assert.equal("list_generations", err.operation)
    assert.is_truthy(message:find("^client:find_generation: "))
  end)

  describe("in the message of a create call with an unknown outcome", function()
    local function order(object, given)
      given.images = { { data = wire.image.png, filename = "a.png" } }
      local gen, message, err = object:generate(given)
      assert.is_nil(gen)
      assert.same({ "unknown", message }, { err.outcome, tostring(err) })
      return message:match("this line looks for it: (.*)$"), message
    end

    local function run(line)
      local code = "local client = ... return " .. line
      return assert((loadstring or load)(code))(client) -- luacheck: ignore 113
    end

    for _, prompt in ipairs {
      "neon", "\"quoted\" and 'quoted'", "a back\\slash \\n", "two\nlines\r\n", "[[brackets]]", "]]", "]", "a]",
      "nul \0 and 1\1" .. "2", "\195\188ber \226\130\172", "\"[[\"", "'", "--", "\127", "%d %s", "=]=]",
      '"a"]', '"a"]]', '"][',
    } do
      it("runs as printed: " .. ("%q"):format(prompt), function()
        start({ { instructions = cjson.encode { prompt = prompt }, at = NOW + 1 } }, "cut")
        local line = order(client, { prompt = prompt })
        assert.is_truthy(line:find("^client:find_generation { instructions = "), line)
        assert.is_falsy(line:find("%c"))
        assert.equal(id(1), run(line).id)
        assert.equal(2, #server:requests())
      end)
    end

    it("runs for a project and a table", function()
      start({ { instructions = '{"style":"[noir]","prompt":"neon \\"lights\\""}', at = NOW + 1 } }, "cut")
      local before = os.time()
      local line = order(client:project(wire.sample.project_id),
        { instructions = { prompt = 'neon "lights"', style = "[noir]" } })
      local prefix = ('client:project("%s"):find_generation { '):format(wire.sample.project_id)
      assert.equal(prefix, line:sub(1, #prefix))
      local since = tonumber(line:match("since = (%d+) }$"))
      assert.is_true(since >= before and since <= os.time())
      assert.equal(id(1), run(line).id)
    end)

    it("has no secret", function()
      start({}, "cut")
      local _, message = order(client, { prompt = "draw " .. wire.sample.project_key })
      assert.is_falsy(message:find(wire.sample.project_key, 1, true))
    end)

    it("is absent if the call was refused", function()
      start {}
      server:stop()
      server = wire.server {}
      client = devkit4ai.new(wire.options(server.url))
      local images = { { data = wire.image.png, filename = "a.png" } }
      local _, message, err = client:generate { images = images, prompt = "neon" }
      assert.equal("refused", err.outcome)
      assert.is_falsy(message:find("find_generation", 1, true))
    end)
  end)

  it("keeps the ids of the last thousand answered requests", function()
    local fake = {}
    for i = 1, 2500 do answered_ids.add(fake, id(i)) end
    local ids, count = answered_ids.set(fake), 0
    for _ in pairs(ids) do count = count + 1 end
    assert.equal(1000, count)
    assert.is_true(ids[id(2500)] and ids[id(1501)])
  end)
end)

describe("times", function()
  for text, time in pairs { -- wire.md D64
    ["2025-12-08T10:30:00Z"] = 1765189800,
    ["2025-12-08T10:30:00"] = 1765189800,
    ["2025-12-08 10:30:00"] = 1765189800,
    ["2025-12-08t10:30:00z"] = 1765189800,
    ["2025-12-08T10:30:00+00:00"] = 1765189800,
    ["2025-12-08T12:30:00+02:00"] = 1765189800,
    ["2025-12-08T05:00:00-0530"] = 1765189800,
    ["2025-12-08T11:30:00+01"] = 1765189800,
    ["2025-12-08T10:30:00.5Z"] = 1765189800.5,
    ["2025-12-08T10:30:00.250000+00:00"] = 1765189800.25,
    ["2025-12-08T10:30:00.125"] = 1765189800.125,
    ["2025-12-08T10:30:00." .. ("0"):rep(400) .. "Z"] = 1765189800,
    ["1970-01-01T00:00:00Z"] = 0,
    ["2000-02-29T00:00:00Z"] = 951782400,
    ["2100-03-01T00:00:00Z"] = 4107542400,
    ["9999-12-31T23:59:59Z"] = 253402300799,
  } do
    it("are read: " .. text:sub(1, 40), function() assert.equal(time, iso8601.parse(text)) end)
  end

  for _, text in ipairs {
    "", "soon", "2025-12-08", "2025-12-08T10:30", "2025-13-08T10:30:00Z", "2025-00-08T10:30:00Z",
    "2025-12-32T10:30:00Z", "2025-02-29T10:30:00Z", "2100-02-29T10:30:00Z", "2025-12-00T10:30:00Z",
    "2025-12-08T24:30:00Z", "2025-12-08T10:60:00Z",
    "2025-12-08T10:30:61Z", "2025-12-08T10:30:00ZZ", "2025-12-08T10:30:00+2", "2025-12-08T10:30:00+02:0",
    "2025-12-08T10:30:00+24:00", "2025-12-08T10:30:00.Z", " 2025-12-08T10:30:00Z", "2025-12-08T10:30:00Z ",
    "1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z", 1765189800, {}, true, "2025-12-08T10:30:00Z\0",
  } do
    it("are not read: " .. tostring(text):sub(1, 40), function() assert.is_nil(iso8601.parse(text)) end)
  end

  it("are nil for nil", function() assert.is_nil(iso8601.parse(nil)) end)

  it("are the same after formatting and parsing", function()
    for _ = 1, 2000 do
      local time = math.floor(math.random() * 253402300799)
      assert.equal(time, iso8601.parse(iso(time)))
    end
  end)

  it("never raise", function()
    local pieces = { "2025-12-08", "T", "10:30:00", ".5", "Z", "+", "-", "02:00", ":", " ", "9", "\0", "e9", "0x1" }
    for _ = 1, 5000 do
      local text = {}
      for i = 1, math.random(0, 8) do
        text[i] = math.random() < 0.2 and string.char(math.random(0, 255)) or pieces[math.random(#pieces)]
      end
      local time = iso8601.parse(table.concat(text))
      assert.is_true(time == nil or time >= 0 and time < 253402400000)
    end
  end)
end)
