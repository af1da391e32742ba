-- /_sandbox/ and the control line refuse unknown fields: a filter that is ignored looks like one that works.
local helper = require "spec.devkit4ai.sandbox.helper"

describe("/_sandbox/", function()
  teardown(helper.stop_all)

  it("refuses a query on every path, and changes nothing", function()
    local box = helper.start {}
    helper.curl(box.url .. "/nowhere")
    box:fault { status = 503 }
    local endpoints = helper.curl(box.url .. "/_sandbox/").json.paths
    assert.is_true(#endpoints >= 10)
    for _, endpoint in ipairs(endpoints) do
      local answer = helper.request(endpoint.method, box.url .. endpoint.path .. "?operation=login", {}, "-d", "{}")
      assert.equal(400, answer.status, endpoint.path)
      assert.truthy(answer.json.error:find("remove 'operation=login'", 1, true), answer.json.error)
    end
    assert.equal(1, #box:requests())
    assert.equal(1, #box:faults())
  end)
end)

if _VERSION ~= "Lua 5.4" then return end -- the sandbox's process is the same for each Lua

describe("the control line", function()
  it("refuses an unknown field of a command", function()
    local text = helper.shell([[{
      for command in index faults clear_faults requests clear_requests generations mails fault clock; do
        echo "{\"command\":\"$command\",\"filter\":1}"
      done
      echo '{"command":"developer","email":"a@example.com","password":"SecurePass123","full_name":"A"}'
    } | devkit4ai sandbox --control]])
    local count = 0
    for line in text:gmatch("[^\n]+") do
      count = count + 1
      if count > 1 then assert.truthy(line:find('^{"error":".*\'f[iu]ll?t?e?r?_?n?a?m?e?\'') , line) end
    end
    assert.equal(11, count)
  end)
end)
