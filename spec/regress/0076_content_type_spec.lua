-- A body is read by its Content-Type, as the API's framework does it. The sandbox accepted JSON with any type, so a program
-- that forgot the header passed its tests.
local helper = require "spec.devkit4ai.sandbox.helper"

local JSON = { "application/json", "Application/JSON; charset=utf-8", "application/problem+json", "" }
local OTHER = {
  "text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "image/png", "json", "text/json",
  "application/jsonx", "application/octet-stream", "multipart/form-data; boundary=x", "text/plain; a=application/json",
}
local NO_OBJECT = { { loc = { "body" }, msg = "value is not a valid dict", type = "type_error.dict" } }

-- What curl is told; "" is no header of this name.
local function typed(kind)
  return "Content-Type:" .. (kind ~= "" and " " or "") .. kind
end

describe("the sandbox and Content-Type:", function()
  teardown(helper.stop_all)
  local box, developer
  setup(function()
    box = helper.start { step_time = 0 }
    developer = helper.developer(box)
  end)

  local function send(method, path, headers, kind, ...)
    return helper.request(method, box.url .. "/api/v1" .. path, headers, "-H", typed(kind), ...)
  end

  local function routes()
    local dev, project = helper.developer_headers(developer), "/projects/" .. developer.project_id
    return {
      { "POST", "/auth/register", { ["X-Operator-Key"] = box.operator_key } }, { "POST", "/auth/login", {} },
      { "POST", "/auth/refresh", {} }, { "POST", "/auth/verify-email", {} }, { "POST", "/auth/developer-keys", dev },
      { "POST", "/projects/", dev }, { "PUT", project, dev }, { "POST", project .. "/api-keys", dev },
    }
  end

  it("JSON is read if the type is JSON or absent", function()
    for _, kind in ipairs(JSON) do
      for _, route in ipairs(routes()) do
        local answer = send(route[1], route[2], route[3], kind, "-d", '{"name": 5, "email": 5, "user_id": 5}')
        local at = answer.json.detail[1].loc[2]
        assert.equal(422, answer.status, route[2])
        assert.truthy(at, route[2] .. " " .. kind)
      end
    end
  end)

  it("a body of another type is not an object, and an empty body is missing", function()
    for _, route in ipairs(routes()) do
      for _, kind in ipairs(route[2] == "/auth/login" and OTHER or { OTHER[1], OTHER[3] }) do
        local answer = send(route[1], route[2], route[3], kind, "-d", '{"email": "a@example.com", "name": "abc"}')
        assert.equal(422, answer.status, route[2] .. " " .. kind)
        assert.same(NO_OBJECT, answer.json.detail)
      end
      local answer = send(route[1], route[2], route[3], OTHER[1])
      assert.equal("field required", answer.json.detail[1].msg)
    end
  end)

  it("a form may have either form type, and has no fields with another type", function()
    local id = helper.generate(developer, "-F", "example_images=@" .. helper.PNG,
      "--form-string", 'instructions={"prompt": "a city"}').json.id
    local url = box.url .. "/api/v1/generation/generations-v2/" .. id .. "/public"
    local headers = helper.end_user_headers(developer)
    assert.is_true(helper.request("PATCH", url, headers, "-d", "is_public=true").json.is_public)
    assert.is_false(helper.request("PATCH", url, headers, "-F", "is_public=false").json.is_public)
    for _, kind in ipairs { "text/plain", "application/json", "" } do
      local answer = helper.request("PATCH", url, headers, "-H", typed(kind), "-d", "is_public=true")
      assert.same({ 422, "is_public", "field required" },
        { answer.status, answer.json.detail[1].loc[2], answer.json.detail[1].msg }, kind)
    end
    assert.equal(400, helper.request("PATCH", url, headers, "-H", typed "multipart/form-data", "-d", "x").status)
  end)

  it("an upload is multipart with a boundary; another form has only its text fields, another body has none", function()
    local function missing(...)
      local answer, names = helper.generate(developer, ...), {}
      if answer.status ~= 422 then return answer.status end
      for i, finding in ipairs(answer.json.detail) do names[i] = finding.loc[2] end
      return table.concat(names, " ")
    end
    assert.equal("example_images", missing("-d", 'instructions={"prompt": "x"}'))
    for _, kind in ipairs { "application/json", "image/png", "multipart/mixed; boundary=x" } do
      assert.equal("example_images instructions", missing("-H", typed(kind), "-d", '{"instructions": "x"}'))
    end
    for _, boundary in ipairs { "", "; boundary=", '; boundary=""' } do
      assert.equal(400, missing("-H", typed("multipart/form-data" .. boundary), "-d", "--x--"), boundary)
    end
    assert.equal(1, #box:generations())
  end)

  it("a body to /_sandbox/ is JSON, with any type", function()
    for _, kind in ipairs { "text/plain", "application/json", "" } do
      local answer = helper.request("POST", box.url .. "/_sandbox/clock", {}, "-H", typed(kind), "-d", '{"advance": 1}')
      assert.equal(200, answer.status, kind)
    end
  end)
end)
