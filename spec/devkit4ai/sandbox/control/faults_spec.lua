-- Faults, by curl and by a raw socket.
local cjson = require("cjson").new()
local helper = require "spec.devkit4ai.sandbox.helper"

local EMPTY, PARTIAL, RESET = "52", "18", "56" -- curl's exit codes: no response, a part of one, a reset

describe("sandbox:fault", function()
  local box, developer
  setup(function()
    box = helper.start()
    developer = helper.developer(box)
  end)
  before_each(function()
    box:clear_faults()
    box:clear_requests()
  end)
  teardown(helper.stop_all)

  local function me(...)
    local headers = { Authorization = "Bearer " .. developer.access_token }
    return helper.request("GET", box.url .. "/api/v1/auth/me", headers, ...)
  end

  -- curl's exit code, and the head and body that it got.
  local function curl(...)
    local text = me("-w", "<%{exitcode}>", ...).text
    local got, code = text:match("^(.*)<(%d+)>$")
    return code, got
  end

  local function statuses(n)
    local list = {}
    for i = 1, n do list[i] = me().status end
    return list
  end

  local function generate()
    return helper.generate(developer, "-w", "<%{exitcode}>", "-F", "example_images=@" .. helper.PNG,
      "--form-string", 'instructions={"prompt": "a city"}').text
  end

  local function problem_of(fault)
    local ok, message = pcall(function() box:fault(fault) end)
    assert.is_false(ok)
    assert.truthy(message:find("faults_spec.lua:", 1, true), message)
    return message
  end

  describe("hits requests", function()
    it("of an operation, once by default", function()
      box:fault { operation = "list_projects", status = 500 }
      box:fault { operation = "get_me", status = 503, times = 2 }
      assert.same({ 503, 503, 200 }, statuses(3))
      assert.same({ 500 }, { helper.request("GET", box.url .. "/api/v1/projects/", {}).status })
      assert.same({}, box:faults())
    end)

    it("after some that pass, one fault after another", function()
      box:fault { operation = "get_me", status = 503, after = 2 }
      box:fault { operation = "get_me", status = 500, after = 1 }
      assert.same({ 200, 500, 503, 200 }, statuses(4))
    end)

    it("of any operation, if it names none", function()
      box:fault { status = 500, times = 2 }
      assert.equal(500, me().status)
      assert.equal(500, helper.curl(box.url .. "/nowhere").status)
      assert.equal(404, helper.curl(box.url .. "/nowhere").status)
    end)

    it("by chance, the same ones for the same seed", function()
      local function draw(seed)
        box:clear_faults()
        box:fault { operation = "get_me", status = 500, chance = 0.5, seed = seed, times = 100 }
        return table.concat(statuses(12), " ")
      end
      local first = draw(7)
      assert.equal(first, draw(7))
      assert.truthy(first:find "200" and first:find "500")
      assert.not_equal(first, draw(8))
    end)
  end)

  describe("on the wire", function()
    it("refuses a connection before it reads", function()
      box:fault { refuse = true }
      assert.equal(RESET, (curl()))
      assert.equal("0", (curl()))
      assert.equal(1, #box:requests())
    end)

    it("delays a response", function()
      box:fault { operation = "get_me", delay = 0.25 }
      assert.is_true(tonumber(me("-w", "\n%{time_total}").text:match("[%d.]+$")) >= 0.25)
      assert.is_true(box:requests()[1].seconds >= 0.25)
    end)

    it("cuts before the work", function()
      box:fault { operation = "create_generation", cut = "before" }
      local count = #box:generations()
      assert.equal("<" .. EMPTY .. ">", generate())
      assert.equal(count, #box:generations())
      local entry = box:requests()[1]
      assert.equal("example_images", entry.parts[1].name) -- the request was read
      assert.is_nil(entry.status)
      assert.equal(0, entry.bytes)
    end)

    it("cuts during the response, after the work", function()
      box:fault { operation = "create_generation", cut = "during" }
      local count = #box:generations()
      local got = generate()
      local head, body = got:match("^(.-\r\n\r\n)(.*)<" .. PARTIAL .. ">$")
      assert.equal(math.floor(tonumber(head:match("Content%-Length: (%d+)")) / 2), #body)
      assert.equal(count + 1, #box:generations())
      local entry = box:requests()[1]
      assert.equal(#head + #body, entry.bytes)
      assert.equal(box:generations()[count + 1].id, entry.generation_id)
    end)

    it("cuts after the work, without a response", function()
      box:fault { operation = "create_generation", cut = "after" }
      local count = #box:generations()
      assert.equal("<" .. EMPTY .. ">", generate())
      assert.equal(count + 1, #box:generations())
    end)

    it("resets at the cut", function()
      for _, cut in ipairs { "before", "during", "after" } do
        box:fault { operation = "get_me", cut = cut, reset = true }
        local code, got = curl()
        assert.equal(RESET, code)
        assert.equal(cut == "during", got ~= "")
      end
    end)

    it("sends a body slowly", function()
      box:fault { operation = "get_me", slow = 400 }
      local text = me("-w", "\n%{http_code} %{time_starttransfer} %{time_total}").text
      local status, first, all = text:match("\n(%d+) ([%d.]+) ([%d.]+)$")
      assert.equal("200", status)
      local body = tonumber(text:match("Content%-Length: (%d+)"))
      assert.is_true(all - first >= (body / 400) * 0.8)
      assert.is_string(cjson.decode(text:match("\r\n\r\n(.*)\n")).email)
    end)

    it("gives a false length, too high or too low", function()
      box:fault { operation = "get_me", length = 7 }
      box:fault { operation = "get_me", length = -7 }
      local code, long = curl()
      assert.equal(PARTIAL, code)
      local _, short = curl()
      local _, true_one = curl()
      local length = tonumber(true_one:match("Content%-Length: (%d+)"))
      assert.equal(length + 7, tonumber(long:match("Content%-Length: (%d+)")))
      assert.equal(length - 7, tonumber(short:match("Content%-Length: (%d+)")))
      assert.equal(true_one:match("\r\n\r\n(.*)$"), long:match("\r\n\r\n(.*)$"))
    end)

    it("gives a proxy's error page", function()
      box:fault { operation = "get_me", html = true }
      local answer = me()
      assert.equal(502, answer.status)
      assert.equal("text/html", answer.headers["content-type"])
      assert.truthy(answer.body:find("^<html>.*502 Bad Gateway.*</html>\r\n$"))
      box:fault { operation = "get_me", html = true, status = 200 }
      assert.equal(200, me().status)
    end)

    it("cuts the JSON off", function()
      box:fault { operation = "get_me", broken = true }
      local answer = me()
      assert.equal(200, answer.status)
      assert.equal(#answer.body, tonumber(answer.headers["content-length"]))
      assert.equal("{", answer.body:sub(1, 1))
      assert.is_false(pcall(cjson.decode, answer.body))
    end)

    it("gives any status, headers and body, without the work or with it", function()
      local count = #box:generations()
      box:fault { operation = "create_generation", status = 503, detail = "no", headers = {
        ["Retry-After"] = "soon", ["X-Many"] = { "a", "b" }, ["content-type"] = "text/plain",
        Date = "Thu, 01 Jan 1970 00:00:00 GMT" } }
      local got = generate()
      assert.truthy(got:find("^HTTP/1.1 503 Service Unavailable\r\n"), got)
      assert.truthy(got:find("\r\nRetry-After: soon\r\n", 1, true))
      assert.truthy(got:find("\r\nX-Many: a\r\nX-Many: b\r\n", 1, true))
      assert.truthy(got:find("\r\nContent-Type: text/plain\r\n", 1, true))
      assert.truthy(got:find("\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n", 1, true))
      assert.truthy(got:find('{"detail":"no"}', 1, true))
      assert.equal(count, #box:generations())
      box:fault { operation = "create_generation", status = 500, body = "", work = true }
      assert.truthy(generate():find("^HTTP/1.1 500 .*\r\nContent%-Length: 0\r\n\r\n<0>$"))
      assert.equal(count + 1, #box:generations())
      box:fault { operation = "get_me", status = 204 }
      local _, empty = curl()
      assert.truthy(empty:find("^HTTP/1.1 204 No Content\r\n.*\r\n\r\n$"))
      assert.falsy(empty:find("Content-", 1, true))
    end)

    it("adds headers to the true response, if it has headers only", function()
      box:fault { operation = "get_me", headers = { ["X-RateLimit-Remaining"] = 3 } }
      local answer = me()
      assert.equal(200, answer.status)
      assert.equal("3", answer.headers["x-ratelimit-remaining"])
      assert.is_string(answer.json.email)
    end)

    it("gives the API's 429", function()
      box:fault { operation = "get_me", rate_limit = 7 }
      local answer = me()
      assert.equal(429, answer.status)
      assert.equal("7", answer.headers["retry-after"])
      assert.equal(7, answer.json.retry_after)
      assert.equal("Rate limit exceeded. Try again in 7 seconds.", answer.detail)
    end)

    it("hits the port of the images", function()
      local id = generate():match('"id":"([^"]+)"')
      local url = helper.wait(developer, id).json.result_image_url
      box:fault { operation = "picture", status = 404 }
      assert.equal(404, helper.curl(url).status)
      box:fault { operation = "picture", refuse = true }
      assert.equal("0", (curl()))
      assert.equal("<" .. RESET .. ">", helper.curl("-w", "<%{exitcode}>", url).text)
      box:fault { operation = "picture", cut = "during" }
      assert.truthy(helper.shell("curl -s -o /dev/null -w '%{exitcode}' " .. helper.quote(url)):find(PARTIAL, 1, true))
      assert.equal("\137PNG", helper.curl(url).body:sub(1, 4))
    end)
  end)

  describe("on a raw socket", function()
    local found, socket = pcall(require, "cqueues.socket")
    if not found then
      pending "needs cqueues for raw sockets"
      return
    end
    local ENDS = { [require("cqueues.errno").EPIPE] = "closed", [require("cqueues.errno").ECONNRESET] = "reset" }

    -- All bytes until the end, and how the connection ended: "closed" or "reset".
    local function exchange(more)
      local connection = socket.connect("127.0.0.1", tonumber(box.url:match(":(%d+)$")))
      connection:setmode("b", "bn")
      connection:onerror(function(_, _, why) return why end)
      assert(connection:write("GET /api/v1/auth/me HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer "
        .. developer.access_token .. "\r\n" .. (more or "\r\n")))
      local pieces = {}
      local bytes, why = connection:read(-1) -- a fixed count would read to the end and lose the reason
      while bytes do
        pieces[#pieces + 1] = bytes
        bytes, why = connection:read(-1)
      end
      connection:close()
      return table.concat(pieces), ENDS[why or 0] or why or "closed"
    end

    it("ends every cut with a close or a reset", function()
      local whole = exchange "Connection: close\r\n\r\n" :gsub("Connection: close\r\n", "")
      local head, body = whole:match("^(.-\r\n\r\n)(.*)$")
      local half = #head + math.floor(#body / 2)
      for cut, sent in pairs { before = 0, during = half, after = 0 } do
        for reset, ending in pairs { [true] = "reset", [false] = "closed" } do
          box:fault { operation = "get_me", cut = cut, reset = reset }
          local bytes, how = exchange()
          assert.equal(ending, how, cut)
          assert.equal(sent, #bytes, cut)
          assert.equal(body:sub(1, math.max(0, sent - #head)), bytes:match("\r\n\r\n(.*)$") or "")
        end
      end
      box:fault { refuse = true }
      assert.same({ "", "reset" }, { exchange() })
    end)

    it("sends the true body with a false length", function()
      box:fault { operation = "get_me", length = 9 }
      local bytes, how = exchange() -- the server closes it, since the client waits for more bytes
      assert.equal("closed", how)
      local length, body = bytes:match("Content%-Length: (%d+)\r\n\r\n(.*)$")
      assert.equal(#body + 9, tonumber(length))
      box:fault { operation = "get_me", length = -9 }
      local two = exchange("\r\nGET /nowhere HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
      length, body = two:match("Content%-Length: (%d+)\r\n\r\n(.-)HTTP/1.1 404 ")
      assert.equal(#body - 9, tonumber(length)) -- it stays open: the extra bytes come before the next response
    end)
  end)

  it("makes a generation fail, with a reason", function()
    for fail, reason in pairs { ["too dark"] = "too dark", [true] = "The image could not be generated" } do
      box:fault { operation = "create_generation", fail = fail }
      local ended = helper.wait(developer, generate():match('"id":"([^"]+)"')).json
      assert.equal("failed", ended.status)
      assert.equal(reason, ended.error)
    end
  end)

  it("makes a generation hang for any time", function()
    box:fault { operation = "create_generation", hang = true }
    local id = generate():match('"id":"([^"]+)"')
    box:advance(1000)
    assert.equal("processing", helper.request("GET", developer.base_url .. "/api/v1/generation/generations-v2/" .. id
      .. "/status", helper.end_user_headers(developer)).json.status)
    local list = box:generations()
    assert.same({ id = id, status = "processing" }, { id = list[#list].id, status = list[#list].status })
  end)

  it("delays no other request", function()
    if not pcall(require, "cqueues.socket") then return end
    box:fault { operation = "get_me", delay = 3600 }
    local stuck = helper.connect(box.url)
    stuck:send("GET /api/v1/auth/me HTTP/1.1\r\nHost: h\r\n\r\n")
    repeat until #box:requests() == 1
    assert.equal(200, me().status)
    assert.is_true(stuck:silent())
    assert.is_nil(box:requests()[1].status) -- not sent yet
  end)

  it("raises an error about an invalid fault at the caller's line", function()
    for fragment, fault in pairs {
      ["unknown field 'foo' (known: operation, times, "] = { foo = 1 },
      ["unknown operation 'get_you' (known: create_anonymous_generation, "] = { operation = "get_you", status = 500 },
      ["a fault must do something"] = { operation = "get_me", times = 3 },
      ["status must be a whole number from 200 to 599"] = { status = 99 },
      ["times must be a whole number from 1 "] = { status = 500, times = 0 },
      ["chance must be a number from 0 to 1"] = { status = 500, chance = 2 },
      ["cut must be 'before', 'during' or 'after'"] = { cut = "soon" },
      ["reset needs cut"] = { status = 500, reset = true },
      ["work needs a field that replaces the response"] = { delay = 1, work = true },
      ["body excludes detail"] = { body = "a", detail = "b" },
      ["refuse excludes delay"] = { refuse = true, delay = 1 },
      ["refuse can only have the operation picture"] = { refuse = true, operation = "get_me" },
      ["fail and hang need an operation that creates a generation"] = { hang = true, operation = "get_me" },
      ["headers must have values of one line: 'A' has none"] = { headers = { A = "x\r\ny" } },
      ["headers has 'A B', which is not a header name"] = { headers = { ["A B"] = "x" } },
      ["headers can't have Content-Length: use the field length"] = { headers = { ["Content-Length"] = "1" } },
      ["a table is needed"] = "status",
    } do
      local message = problem_of(fault)
      assert.truthy(message:find("sandbox:fault: " .. fragment, 1, true), message)
    end
    assert.same({}, box:faults())
  end)
end)
