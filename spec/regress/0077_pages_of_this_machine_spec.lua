-- A page of this machine may call the sandbox and read its responses; a page of another machine may not, and no page
-- reads /_sandbox/.
local helper = require "spec.devkit4ai.sandbox.helper"

local PAGES = { "http://localhost:3000", "http://127.0.0.1", "https://localhost", "http://[::1]:8080" }
local OTHERS = {
  "http://evil.example", "null", "http://localhost.evil.example", "http://127.0.0.1.evil.example:80", "file://",
}

describe("a page in a browser", function()
  teardown(helper.stop_all)
  local box
  setup(function() box = helper.start {} end)

  local function allowed(method, path, origin, ...)
    local answer = helper.request(method, box.url .. path, { Origin = origin }, ...)
    return answer.headers["access-control-allow-origin"], answer
  end

  local function preflight(origin)
    return allowed("OPTIONS", "/api/v1/auth/me", origin, "-H", "Access-Control-Request-Method: GET",
      "-H", "Access-Control-Request-Headers: authorization,x-user-role")
  end

  it("of this machine reads every response, also failures and responses of faults", function()
    for _, origin in ipairs(PAGES) do
      for path, status in pairs { ["/health"] = 200, ["/api/v1/auth/me"] = 401, ["/nowhere"] = 404 } do
        local origin_of, answer = allowed("GET", path, origin)
        assert.same({ origin, status }, { origin_of, answer.status })
        assert.equal("Origin", answer.headers.vary)
      end
    end
    box:fault { operation = "get_me", status = 503, headers = { ["X-A"] = "b" } }
    local origin, answer = allowed("GET", "/api/v1/auth/me", PAGES[1])
    assert.same({ PAGES[1], 503, "b" }, { origin, answer.status, answer.headers["x-a"] })
    assert.is_nil(helper.curl(box.url .. "/health").headers["access-control-allow-origin"])
  end)

  it("of this machine may send requests after a preflight, which is not in the journal", function()
    box:clear_requests()
    for _, page in ipairs(PAGES) do
      local origin, answer = preflight(page)
      assert.same({ page, 204, "authorization,x-user-role" },
        { origin, answer.status, answer.headers["access-control-allow-headers"] })
      assert.truthy(answer.headers["access-control-allow-methods"]:find("PATCH", 1, true))
    end
    assert.same({}, box:requests())
  end)

  it("of another machine reads nothing, and its preflight fails", function()
    for _, page in ipairs(OTHERS) do
      assert.is_nil((allowed("GET", "/health", page)), page)
      local origin, answer = preflight(page)
      assert.same({ nil, 405 }, { origin, answer.status })
    end
  end)

  it("never reads /_sandbox/", function()
    assert.is_nil((allowed("GET", "/_sandbox/clock", PAGES[1])))
    assert.is_nil((allowed("OPTIONS", "/_sandbox/clock", PAGES[1], "-H", "Access-Control-Request-Method: DELETE")))
  end)
end)
