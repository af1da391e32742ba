-- Some files can be written but not replaced: another user's file in a sticky folder, a mount point (`docker run -v`), a file
-- with an attribute of chattr. The command found out only after the payment. An image with the name of a part file was
-- removed by the next save. The C tests have more: download_test.c.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"

describe("devkit4ai generate --out, before anything is paid for,", function()
  local workspace, picture
  setup(function()
    workspace = command.new { step_time = 0 }
    workspace:login()
    picture = workspace.folder .. "/a.png"
  end)
  teardown(function() workspace:remove() end)

  local function shell(line)
    local pipe = assert(io.popen(("cd '%s' && { %s; } 2>/dev/null && echo done"):format(workspace.folder, line)))
    local output = pipe:read("*a")
    pipe:close()
    return output == "done\n"
  end

  local function is_refused(path, why)
    local before, names = workspace:count_generations(), child.list(workspace.folder)
    local ended = workspace:run { "generate", helper.PNG, "--prompt", "neon", "--out", path, "--overwrite" }
    assert.equal(2, ended.code, ended.err)
    assert.is_truthy(ended.err:find(why, 1, true), ended.err)
    assert.same({ before, names }, { workspace:count_generations(), child.list(workspace.folder) })
  end

  it("refuses the name of a part file", function()
    is_refused(workspace.folder .. "/devkit4ai-unfinished-3", "a file can't have this name")
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
