-- The sandbox reads a request as the API's framework does: it took bodies that are not JSON, and a Content-Type with a
-- parameter that has no semicolon in front. It refused blanks around "=" in the header of a part.
if _VERSION ~= "Lua 5.4" or not pcall(require, "cqueues.socket") then return end -- the server is the same for each Lua

local helper = require "spec.devkit4ai.sandbox.helper"

describe("the sandbox", function()
  teardown(helper.stop_all)
  local box
  setup(function() box = helper.start { step_time = 0 } end)

  local function login(body)
    return helper.raw(box, "POST /api/v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
      .. "Content-Length: " .. #body .. "\r\n\r\n" .. body)
  end

  it("refuses invalid JSON with 422 and the position of the error", function()
    local good = '{"email":"a@example.com","password":"x"}'
    assert.equal(401, login(good).status)
    for body, at in pairs {
      [good .. "\0"] = 40, [good .. "\0 more"] = 40, [good .. " x"] = 41, ['{"email":"a\nb@example.com"}'] = 9,
      ['{"a":"\t"}'] = 5, ['{"a":\v1}'] = 5, ['{"a":1.}'] = 6, ['{"a":.5}'] = 5, ['{"a":1,}'] = 7, ["{'a':1}"] = 1,
    } do
      local answer = login(body)
      assert.equal(422, answer.status, body)
      assert.same({ "json_invalid", { "body", at } }, { answer.json.detail[1].type, answer.json.detail[1].loc }, body)
    end
  end)

  it("reads a Content-Type up to its semicolon", function()
    local developer = helper.developer(box)
    local dev = helper.developer_headers(developer)
    local function make(kind)
      return helper.request("POST", box.url .. "/api/v1/projects/", dev, "-H", "Content-Type: " .. kind,
        "-d", '{"name": "abc"}').status
    end
    assert.same({ 201, 201, 422, 422 }, {
      make "application/json", make "application/json ; charset=utf-8", make "application/json charset=utf-8",
      make "application/json x; charset=utf-8",
    })
    local answer = helper.generate(developer, "-H", "Content-Type: multipart/form-data boundary=x", "-d", "--x--")
    assert.equal("field required", answer.json.detail[1].msg)
  end)

  it("accepts blanks around = and ; in a part's header", function()
    local developer, pieces = helper.developer(box), {}
    for _, row in ipairs {
      { 'name = "example_images" ; filename = "a.png"', "\137PNG\r\n\26\n1234" },
      { "name = instructions", '{"prompt":"x"}' },
    } do
      pieces[#pieces + 1] = "--B\r\nContent-Disposition: form-data ; " .. row[1] .. "\r\n\r\n" .. row[2] .. "\r\n"
    end
    local path = helper.file(table.concat(pieces) .. "--B--\r\n")
    local answer = helper.generate(developer, "-H", "Content-Type: multipart/form-data; boundary=B", "--data-binary",
      "@" .. path)
    os.remove(path)
    assert.equal(200, answer.status, answer.body)
  end)

  it("refuses control characters in the URL", function()
    for _, path in ipairs { "/a\0", "/api/v1/projects/\1/", "/health?a=\127", "/\27[2J" } do
      assert.equal(400, helper.raw(box, "GET " .. path .. " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").status)
    end
    assert.equal(404, helper.raw(box, "GET /caf\233 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").status)
  end)
end)
