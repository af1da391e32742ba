-- /_sandbox/ refuses a body if the path has none, and a fault with empty or invalid headers. `DELETE /_sandbox/faults` with a
-- number in its body removed every fault.
local helper = require "spec.devkit4ai.sandbox.helper"

describe("/_sandbox/", function()
  teardown(helper.stop_all)
  local box
  setup(function() box = helper.start {} end)

  it("refuses a body if the path has none, and changes nothing", function()
    helper.curl(box.url .. "/nowhere")
    box:fault { status = 503 }
    local count = 0
    for _, endpoint in ipairs(helper.curl(box.url .. "/_sandbox/").json.paths) do
      if endpoint.method ~= "POST" then
        local answer = helper.request(endpoint.method, box.url .. endpoint.path, {}, "-d", '{"number": 1}')
        assert.equal(400, answer.status, endpoint.path)
        assert.truthy(answer.json.error:find("takes no body", 1, true), answer.json.error)
        count = count + 1
      end
    end
    assert.is_true(count >= 8)
    assert.equal(1, #box:requests())
    assert.equal(1, #box:clear_faults():requests())
  end)

  it("refuses empty or invalid headers of a fault", function()
    for _, headers in ipairs {
      "{}", "[]", '{"A": []}', '{"A": {}}', '{"A": {"b": "c"}}', '{"A": null}', '{"A": [null]}',
    } do
      local answer = helper.request("POST", box.url .. "/_sandbox/faults", {}, "-d", '{"headers": ' .. headers .. "}")
      assert.equal(400, answer.status, headers)
      assert.truthy(answer.json.error:find("^headers must have"), answer.json.error)
    end
    assert.same({}, box:faults())
  end)
end)
