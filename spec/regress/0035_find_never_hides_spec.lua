-- find_generation never hides a generation that was paid for, and never denies one without proof: wrong clocks, lists that lose
-- items while they are read, lists that report more than they return, ids of other calls.
local cjson = require "cjson"
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local instructions = require "devkit4ai.generation.input.instructions"
local raw = require "spec.support.servers.raw"
local server_clock = require "devkit4ai.request.time.server_clock"
local wire = require "spec.support.calls.wire"

local NOW = 1800000000 -- the server's time: 2027-01-15 08:00:00
local DATE = "Fri, 15 Jan 2027 08:00:00 GMT"
local IMAGE = { data = wire.image.png, filename = "a.png" }
local load_text = loadstring or load -- luacheck: ignore 113

local function id(i)
  return ("00000000-0000-4000-8000-%012d"):format(i)
end

local function item(i, prompt, ago)
  return { id = id(i), status = "pending", instructions = cjson.encode { prompt = prompt },
    created_at = os.date("!%Y-%m-%dT%H:%M:%SZ", NOW - (ago or 0)) }
end

describe("find_generation", function()
  local server, client

  -- script: Lua that sets `answer` from page, per_page, list and n, the number of the page's request; posts: the answer to each
  -- POST; the last one repeats
  local function start(list, script, posts)
    server = raw.start { script = ("local list, posts, DATE = require('cjson').decode(%q).list, { %s }, %q\n"):format(
      cjson.encode { list = list }, posts or "", DATE) .. [[
      local n, ordered = 0, 0
      local array = require("cjson").array_mt
      local function of(from, to)
        local out = setmetatable({}, array)
        for i = from, math.min(to, #list) do out[#out + 1] = list[i] end
        return out
      end
      return function(conn)
        local request = conn:read_request()
        while request do
          if request.method == "POST" and request.target:find("generate") then
            ordered = ordered + 1
            posts[math.min(ordered, #posts)](conn, ordered)
          elseif request.method == "POST" then
            conn:respond(200, { access_token = "a.new.token" }, { Date = DATE })
          else
            n = n + 1
            local page, per_page = request.target:match("page=(%d+)&per_page=(%d+)$")
            page, per_page = tonumber(page), tonumber(per_page)
            local answer
            ]] .. (script or "answer = { generations = of(page * 100 - 99, page * 100), total = #list }") .. [[

            conn:respond(200, answer, { Date = DATE })
          end
          request = conn:read_request()
        end
      end
    ]] }
    client = assert(devkit4ai.new(wire.options(server.url, { retry = { attempts = 1 } })))
  end

  after_each(function()
    client:close()
    server:stop()
  end)

  local CUT = "function(conn) conn:reset() conn.read_request = function() end end"

  local function lose(given)
    given.images = { IMAGE }
    local gen, message, err = client:generate(given)
    assert.is_nil(gen)
    assert.equal("unknown", err.outcome)
    return message:match("this line looks for it: (.*)$"), message
  end

  local function run(line)
    return load_text("local client = ... return " .. line)(client)
  end

  -- advice that a message must not give if the generation may exist
  local function is_careful(message)
    for _, fragment in ipairs { "order anew", "send it anew", "create", "generate {", "generate again" } do
      assert.is_falsy(message:find(fragment, 1, true), message)
    end
  end

  describe("accepts every prompt that generate accepts:", function()
    for _, prompt in ipairs {
      '["neon","city"]', "[]", "[1]", "123", "null", "true", '"quoted"', '{"prompt":"x","style":"y"}',
      "  spaced  ", "a\0b", "tab\there", "a]]b\"c\\d", "[[]]", "[[[]]]", '[{"a":{}}]', "{",
      "[1,", "-0", "1e5", '""', '""x', "nil", '"\\ud83d"', "{}{}", '\239\187\191{"prompt":"x"}',
      '{"prompt":"a","b":1}\n',
    } do
      it(("%q"):format(prompt), function()
        -- as servers return it: as it was sent, the prompt alone, an object, JSON in JSON
        local sent = assert(instructions.encode(prompt))
        for _, told in ipairs { sent, prompt, { prompt = prompt }, cjson.encode(sent) } do
          local created = { id = id(1), status = "pending", instructions = told, created_at = "2027-01-15T08:00:00Z" }
          start({ created }, nil, CUT)
          assert.equal(id(1), assert(run(lose { prompt = prompt })).id)
          client:close()
          server:stop()
        end
        start {}
      end)
    end

    it("and instructions as a text", function()
      start({ item(1, "a cat") }, nil, CUT)
      assert.equal(id(1), assert(run(lose { instructions = '{ "prompt": "a cat" }' })).id)
    end)
  end)

  describe("and wrong clocks:", function()
    local time
    before_each(function() time = os.time end)
    after_each(function() os.time = time end) -- luacheck: ignore 122

    for _, wrong in ipairs { 90, 7200, -7200, 0 } do
      it(("the line has the server's time, by a clock that was %d s ahead at the login"):format(wrong), function()
        start({ item(1, "neon") }, nil, CUT)
        os.time = function() return NOW - 50000 + wrong end -- luacheck: ignore 122
        assert(client:login("dev@example.com", "SecurePass123"))
        os.time = time -- luacheck: ignore 122
        local line, message = lose { prompt = "neon" }
        local since = tonumber(line:match("since = (%d+) }$"))
        assert.is_true(since >= NOW - 1 and since <= NOW + 60, line)
        assert.is_falsy(message:find("this machine's time", 1, true))
        assert.equal(id(1), assert(run(line)).id)
      end)
    end

    it("the failed response may have the server's time", function()
      start({ item(1, "neon") }, nil, [[function(conn) conn:respond(502, "{}", { Date = DATE }) end]])
      assert.equal(id(1), assert(run((lose { prompt = "neon" }))).id)
    end)

    it("the message says if no response had the server's time", function()
      start({}, nil, CUT)
      local _, message = lose { prompt = "neon" }
      assert.is_truthy(message:find("since is this machine's time: leave it out", 1, true), message)
    end)

    it("the server's time is kept by the steady clock, not by the system clock", function()
      local fake = {}
      server_clock.note(fake, "HTTP/1.1 200 OK\r\nDate: " .. DATE .. "\r\n\r\n")
      os.time = function() return 5 end -- luacheck: ignore 122
      local seconds, known = server_clock.at(fake, core.now() + 1000)
      assert.is_true(known)
      assert.is_true(math.abs(seconds - NOW - 1000) < 1)
      start {}
    end)

    for _, ahead in ipairs { 90, 7200, 40000000 } do
      it(("a since %d s after the server's time never leads to another create call"):format(ahead), function()
        start { item(1, "neon", 5) }
        local gen, message, err = client:find_generation { instructions = "neon", since = NOW + ahead }
        assert.is_nil(gen)
        assert.same({ "conflict", "refused", false }, { err.kind, err.outcome, err.retryable })
        is_careful(message)
        for _, fragment in ipairs { id(1), "2027-01-15T07:59:55Z", "after the server's time", "without since" } do
          assert.is_truthy(message:find(fragment, 1, true), message)
        end
      end)
    end

    it("a generation created before since is named, with its own time", function()
      start { item(1, "neon", 500), item(2, "noir", 600) }
      local _, message, err = client:find_generation { instructions = "neon", since = NOW - 100 }
      assert.equal("not_found", err.kind)
      assert.is_truthy(message:find(id(1) .. " (2027-01-15T07:51:40Z)", 1, true), message)
      assert.is_falsy(message:find(id(2), 1, true))
      is_careful(message)
    end)

    it("since is the server's time, not this machine's", function()
      start { item(1, "neon", 5) }
      os.time = function() return 5 end -- luacheck: ignore 122
      assert.equal(id(1), assert(client:find_generation { instructions = "neon", since = NOW - 10 }).id)
    end)
  end)

  describe("and ids of other calls:", function()
    local ANSWER = [[function(conn, n)
      conn:respond(200, { id = ("00000000-0000-4000-8000-%012d"):format(n), status = "pending" }, { Date = DATE })
    end]]

    local function order(n)
      for _ = 1, n do assert(client:generate { images = { IMAGE }, prompt = "neon" }) end
    end

    it("the only one that is not the result of another call is returned", function()
      start({ item(4, "neon"), item(3, "neon"), item(2, "neon"), item(1, "neon") }, nil,
        ANSWER .. "," .. ANSWER .. "," .. ANSWER .. "," .. CUT)
      order(3)
      assert.equal(id(4), assert(run(lose { prompt = "neon" })).id)
      assert.equal(id(4), assert(client:find_generation { instructions = "neon" }).id)
    end)

    it("two of them are ambiguous, and the results of other calls are not named", function()
      start({ item(4, "neon"), item(3, "neon"), item(2, "neon"), item(1, "neon") }, nil,
        ANSWER .. "," .. ANSWER .. "," .. CUT)
      order(2)
      local _, message, err = run(lose { prompt = "neon" })
      assert.equal("conflict", err.kind)
      assert.is_truthy(message:find(id(3), 1, true) and message:find(id(4), 1, true), message)
      assert.is_falsy(message:find(id(1), 1, true) or message:find(id(2), 1, true), message)
    end)

    it("several results of other calls are ambiguous", function()
      start({ item(2, "neon"), item(1, "neon") }, nil, ANSWER)
      order(2)
      assert.equal("conflict", select(3, client:find_generation { instructions = "neon" }).kind)
    end)
  end)

  describe("and lists:", function()
    local function many(n, wanted)
      local list = {}
      for i = 1, n do list[i] = item(i, i == wanted and "neon" or "noir", i) end
      return list
    end

    it("that report more than they return prove nothing", function()
      start({}, [[answer = { generations = of(1, 0), total = 5 }]])
      local _, message, err = client:find_generation { instructions = "neon" }
      assert.equal("conflict", err.kind)
      assert.is_truthy(message:find("reports 5 generations and returned 0", 1, true), message)
      is_careful(message)
    end)

    it("that report more than they return prove nothing, even if every item is too old", function()
      local list = { item(1, "noir", 500), item(2, "noir", 600) }
      start(list, [[answer = { generations = of(page * 2 - 1, 2), total = 5 }]])
      local _, message, err = client:find_generation { instructions = "neon", since = NOW - 60 }
      assert.equal("conflict", err.kind)
      is_careful(message)
    end)

    for _, cap in ipairs { 1, 20, 99 } do
      it(("whose pages have %d items, without a total"):format(cap), function()
        start(many(100, 100), ("answer = of((page - 1) * %d + 1, page * %d)"):format(cap, cap))
        assert.equal(id(100), assert(client:find_generation { instructions = "neon" }).id)
      end)
    end

    for what, deleted in pairs { ["one item"] = 1, ["many items"] = 70, ["a page of items"] = 100 } do
      for _, total in ipairs { "#list", "nil" } do
        it(("that lose %s between two pages, with the total %s"):format(what, total), function()
          -- the matching one moves from the second page to the first after that was read
          start(many(250, 101), ([[
            answer = { generations = of(page * 100 - 99, page * 100), total = %s }
            if n == 1 then for _ = 1, %d do table.remove(list, 1) end end]]):format(total, deleted))
          assert.equal(id(101), assert(client:find_generation { instructions = "neon" }).id)
        end)
      end
    end

    for what, sizes in pairs { ["many"] = { 131, 40, 100 }, ["more than are left"] = { 131, 100, 100 },
      ["some of capped pages"] = { 30, 15, 20 } } do
      it("that lose " .. what .. " items, so that the second page is empty", function()
        -- the matching one is the last; the server deletes the newest after each first page
        start(many(sizes[1], sizes[1]), ([[
          local size = %d
          answer = of((page - 1) * size + 1, page * size)
          if n == 1 then for _ = 1, %d do table.remove(list, 1) end end]]):format(sizes[3], sizes[2]))
        assert.equal(id(sizes[1]), assert(client:find_generation { instructions = "neon" }).id)
      end)
    end

    it("that have one page are read once", function()
      start(many(5, 9))
      assert.equal("not_found", select(3, client:find_generation { instructions = "neon" }).kind)
      assert.equal(1, #server:requests())
    end)

    it("that change all the time are read to an end", function()
      start({}, [[
        local out = {}
        for i = 1, page < 3 and 100 or 0 do
          out[i] = { id = ("%08d-0000-4000-8000-%012d"):format(n, i), status = "pending", instructions = "noir" }
        end
        answer = { generations = setmetatable(out, array) }]])
      assert.is_nil((client:find_generation { instructions = "neon" }))
      assert.equal(9, #server:requests())
    end)
  end)
end)
