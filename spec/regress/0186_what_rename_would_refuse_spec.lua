-- A file that can be written and yet not replaced was found out when the picture had been paid for and fetched: another user's
-- file in a sticky folder, a file that something is mounted on (`docker run -v`), one with an attribute of chattr. A picture
-- under the name of a part file was removed by the next save. The C tests have more: download_test.c.
local child = require "spec.support.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

describe("devkit4ai generate --out, before anything is paid for,", function()
  local desk, picture
  setup(function()
    desk = command.new { step_time = 0 }
    desk:login()
    picture = desk.folder .. "/a.png"
  end)
  teardown(function() desk:remove() end)

  local function shell(line)
    local pipe = assert(io.popen(("cd '%s' && { %s; } 2>/dev/null && echo done"):format(desk.folder, line)))
    local said = pipe:read("*a")
    pipe:close()
    return said == "done\n"
  end

  local function is_refused(path, why)
    local before, names = desk:made(), child.list(desk.folder)
    local ended = desk:run { "generate", helper.PNG, "--prompt", "neon", "--out", path, "--overwrite" }
    assert.equal(2, ended.code, ended.err)
    assert.is_truthy(ended.err:find(why, 1, true), ended.err)
    assert.same({ before, names }, { desk:made(), child.list(desk.folder) })
  end

  it("refuses the name of a part file", function()
    is_refused(desk.folder .. "/devkit4ai-unfinished-3", "a file can't have this name")
  end)

  it("refuses a file that something is mounted on", function()
    if not shell "touch a.png other && mount --bind other a.png" then return end -- not the superuser
    finally(function() shell "umount a.png; rm a.png other" end)
    is_refused(picture, "something is mounted there")
  end)

  for _, attribute in ipairs { "a", "i" } do
    it("refuses a file with the attribute " .. attribute, function()
      if not shell(("touch a.png && chattr +%s a.png"):format(attribute)) then return end -- or a file system without
      finally(function() shell(("chattr -%s a.png; rm a.png"):format(attribute)) end)
      is_refused(picture, "attribute of chattr")
    end)
  end
end)
