-- The journal stays valid JSON in UTF-8, whatever was sent, and shows a JSON body as it was sent. One null, one 1e400 or one
-- byte that is not UTF-8 made the whole journal unreadable, and sandbox:requests() then reported that the sandbox had ended.
local helper = require "spec.devkit4ai.sandbox.helper"
local sandbox = require "devkit4ai.sandbox"

-- Python reads strictly: UTF-8, no NaN, no Infinity.
local STRICT = [[
import json, sys
def refuse(word): raise ValueError(word)
print(len(json.loads(sys.stdin.buffer.read().decode("utf-8"), parse_constant=refuse)["requests"]))
]]

local function post(body, head)
  return "POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    .. "Content-Type: application/json\r\n" .. (head or "") .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
end

-- body -> how the journal shows it; false: not at all
local BODIES = {
  ['{"full_name":null}'] = '{"full_name":null}', ["[null,1]"] = "[null,1]", ['{"a":[],"b":{}}'] = '{"a":[],"b":{}}',
  ['{"a":1e400,"b":-1e400}'] = '{"a":1e400,"b":-1e400}', ['{"a":1.50,"b":-0,"c":1E+5}'] = '{"a":1.50,"b":-0,"c":1E+5}',
  ['{"a":9007199254740993,"b":18446744073709551616}'] = '{"a":9007199254740993,"b":18446744073709551616}',
  ['{"b":1,"a":2,"b":3}'] = '{"b":1,"a":2,"b":3}',
  ['\r\n{ "a" :\t[ 1 , "x y" ] }\n'] = '{"a":[1,"x y"]}',
  ['{"a":"\255\254"}'] = '{"a":"\\\\xFF\\\\xFE"}',
  ['{"\233":"caf\233 \195\169"}'] = '{"\\\\xE9":"caf\\\\xE9 \195\169"}',
  ['{"a":"\\ud800 \\\\ud800 \\ud83d\\ude00"}'] = '{"a":"\\\\ud800 \\\\ud800 \\ud83d\\ude00"}',
  ['{"a":"\127\\u0000\\/"}'] = '{"a":"\127\\u0000\\/"}',
  ['{"pass\\u0077ord":"SecurePass123","token":[1234567890123456,"\195\164\195\164\195\164"]}'] =
    '{"pass\\u0077ord":"Sec...","token":["1234...","..."]}',
  [("["):rep(900) .. ("]"):rep(900)] = ("["):rep(900) .. ("]"):rep(900),
  [("["):rep(5000) .. ("]"):rep(5000)] = false,
  ['{"a":NaN}'] = false, ["[Infinity]"] = false, ["[0x1F]"] = false, ["[01]"] = false,
  ["[1.]"] = false,
  ["[.5]"] = false,
  ["[-]"] = false, ["[+1]"] = false, ["[1,]"] = false, ['{"a":1,}'] = false, ['{"a"}'] = false, ["[1] 2"] = false,
  ['["\\x"]'] = false, ['["\n"]'] = false, ["[tru]"] = false, ["[1"] = false, ['["a'] = false, ["{a:1}"] = false,
}

describe("the journal", function()
  teardown(helper.stop_all)
  local box
  before_each(function() box = helper.start {} end)

  local function text()
    return helper.shell("curl -s " .. box.url .. "/_sandbox/requests")
  end

  local function assert_valid(count)
    local path = helper.file(text())
    local read = helper.shell(("python3 -c %s < %s 2>&1"):format(helper.quote(STRICT), path))
    os.remove(path)
    assert.equal(count .. "\n", read)
    local list, message = box:requests()
    assert.equal(count, list and #list, message)
  end

  if pcall(require, "cqueues.socket") then
    it("shows a body as it was sent only if it is JSON", function()
      local count = 0
      for body, shown in pairs(BODIES) do
        box:clear_requests()
        helper.raw(box, post(body))
        local found = text():match('"body_bytes":%d+(.-),"status":')
        assert.equal(shown and ',"body":' .. shown or "", found)
        count = count + 1
        assert(box:requests(), body)
      end
      assert.is_true(count > 25)
      assert_valid(1)
    end)

    it("is valid if a path, a query, a header, a file name or a form is not UTF-8", function()
      local get = "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
      local form = '--B\r\nContent-Disposition: form-data; name="n\233"; filename="caf\233.png"\r\n\r\nx\r\n--B--\r\n'
      for _, bytes in ipairs {
        get:format "/caf\233", get:format "/health?a=caf\233\255", post("{}", "X-A: caf\233\r\n"),
        post "a=\233&token=\233\233",
        "POST /api/v1/generation/generate-anonymous-v2 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
          .. "Content-Type: multipart/form-data; boundary=B\r\nContent-Length: " .. #form .. "\r\n\r\n" .. form,
      } do
        helper.raw(box, bytes)
      end
      assert_valid(5)
      local list = box:requests()
      assert.same({ "/caf\\xE9", "a=caf\\xE9\\xFF", "caf\\xE9", "n\\xE9", "caf\\xE9.png" },
        { list[1].path, list[2].query, list[3].headers["x-a"], list[5].parts[1].name, list[5].parts[1].filename })
    end)
  end

  it("shows a fault that was set by HTTP with any numbers and strings", function()
    local set = helper.curl("-X", "POST", box.url .. "/_sandbox/faults", "-d",
      '{"operation": "login", "status": 503, "headers": {"X-A": 1e400, "X-B": ["\233", 0.1]}}')
    assert.equal(200, set.status)
    helper.request("POST", box.url .. "/api/v1/auth/login", {})
    assert_valid(1)
    assert.same({ "\\xE9", 0.1 }, box:requests()[1].fault.headers["X-B"])
  end)

  it("that can't be read is not reported as an ended sandbox", function()
    local odd = assert(sandbox.start {
      command = [[sh -c 'echo "{\"url\":\"http://127.0.0.1:1\"}"; while read -r line; do echo "{broken"; done' sh]],
    })
    local list, message = odd:requests()
    odd:stop()
    assert.is_nil(list)
    assert.truthy(message:find("sandbox:requests: the result is not JSON: ", 1, true), message)
  end)
end)

describe("the sandbox's JSON", function()
  if not pcall(require, "openssl.rand") then return end
  local json = require "devkit4ai.sandbox.util.json"

  it("has only numbers that a reader accepts and reads back unchanged", function()
    assert.equal("[1e999,-1e999,null]", json.encode { 1 / 0, -1 / 0, 0 / 0 })
    for _, value in ipairs { 1, 1.5, 0.1, 1 / 3, 2 ^ 53, 2 ^ 64, 1e21, -1e-7 } do
      assert.equal(value, tonumber(json.encode(value)))
    end
    assert.equal('{"a":null}', json.encode_any({ a = json.null }, {}))
    assert.is_false(pcall(json.encode, io.stdout))
  end)

  it("rejects hexadecimal numbers and values that are not numbers", function()
    for _, source in ipairs { "[0x1F]", "[NaN]", "[Infinity]", "[-Infinity]" } do
      assert.is_nil((json.decode(source)))
    end
  end)
end)
