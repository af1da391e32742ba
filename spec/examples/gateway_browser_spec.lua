-- The gateway's page in a real browser: gateway_browser.js steers Chromium. Chromium is large, so the tests do not install it:
-- without one, this test is skipped (apt-get install chromium).
local support = require "spec.support.servers.gateway"

local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read("*a")
  return pipe:close(), text
end

describe("the gateway's page", function()
  it("works with the mouse, with the keyboard alone, and at 360 pixels", function()
    local found, chromium = run "command -v chromium || command -v chromium-browser"
    if not found then return pending "Chromium is not installed here" end
    local installed, why = run "tools/browser"
    assert(installed, why)
    local gateway = support.start "--step-time 2"
    finally(function() gateway:stop() end)
    local done, text = run(("node spec/examples/gateway_browser.js %s %s build/browser"):format(gateway.origin,
      chromium:match "%S+"))
    assert(done, text)
    assert.equal(11, select(2, text:gsub("ok ", "")))
  end)
end)
