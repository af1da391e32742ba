-- The contact sheet in a real browser: contact_sheet_browser.js steers Chromium. Chromium is large, so the tests do not install
-- it: without one, this test is skipped (apt-get install chromium). One Lua is enough, because the page is the subject.
if _VERSION ~= "Lua 5.4" then return end

local child = require "spec.support.process.child"
local contact_sheet = require "devkit4ai.batch.report.contact_sheet"
local sheets = require "spec.devkit4ai.batch.report.sheets"

local SCRIPT = "<img src=x onerror=alert(1)><script>alert(1)</script>"

local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read("*a")
  return pipe:close(), text
end

describe("the contact sheet in a browser", function()
  it("shows its images, in light and dark, in a wide window and at 360 pixels", function()
    local found, chromium = run "command -v chromium || command -v chromium-browser"
    if not found then return pending "Chromium is not installed here" end
    local installed, why = run "tools/browser"
    assert(installed, why)
    local folder, jobs = child.folder(), {}
    finally(function() child.remove(folder) end)
    local image = child.read "examples/images/neon.png"
    for i, name in ipairs {
      "a.png", "a#1 100%.png", "a?b=c&d.png", "a:b.png", "Zürich.png", "ok\255.png", "it's \"x\".png",
      SCRIPT:gsub("/", "") .. ".png",
    } do
      jobs[i] = { name, SCRIPT .. (" long"):rep(60), "saved" }
      local file = assert(io.open(folder .. "/" .. name, "wb"))
      file:write(image)
      file:close()
    end
    for i, step in ipairs { "failed", "undecided", "refused" } do
      jobs[#jobs + 1] = { ("w"):rep(100) .. i .. ".png", SCRIPT, step, reason = ("reason"):rep(50) }
    end
    assert(contact_sheet.write(folder .. "/index.html", sheets.new(jobs, { title = SCRIPT, note = SCRIPT })))
    local done, text = run(("node spec/devkit4ai/batch/report/contact_sheet_browser.js %s/index.html %s build/browser")
      :format(folder, chromium:match "%S+"))
    assert(done, text)
    local count = 0
    for images in text:gmatch "ok %a+ %a+: shown after %d+ ms, (%d+) images loaded" do
      assert.equal("8", images)
      count = count + 1
    end
    assert.equal(4, count)
  end)
end)
