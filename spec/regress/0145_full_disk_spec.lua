-- A full disk was reported only with the C library's text, or not at all. gen:save, stores and the command's settings report it,
-- with what to do; existing files stay, and no part file is left. The disk is a real one of 128 KiB.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local devkit4ai = require "devkit4ai"
local file = require "devkit4ai.store.file"
local helper = require "spec.devkit4ai.sandbox.helper"

describe("a full disk", function()
  local workspace, disk, client, gen, id

  local function shell(line)
    local pipe = assert(io.popen(("(%s) 2>&1 && echo done"):format((line:gsub("DISK", disk)))))
    local said = pipe:read("*a")
    pipe:close()
    return said:find "done\n$" ~= nil
  end

  setup(function()
    workspace = command.new { step_time = 0.05 }
    workspace:login()
    local ended = workspace:run { "generate", helper.PNG, "--prompt", "neon", "--interval", "0.1",
      "--out", workspace.folder .. "/a.png" }
    id = assert(ended.err:match "generation ([%x-]+)", ended.err)
    client = assert(devkit4ai.new(workspace.developer))
    assert(client:login(command.EMAIL, command.PASSWORD))
    gen = client:generation(id)
  end)
  teardown(function()
    client:close()
    workspace:remove()
  end)

  before_each(function()
    disk = workspace.folder .. "/disk"
    if not shell "mkdir -p DISK && mount -t tmpfs -o size=128k none DISK" then disk = nil end -- not the superuser
  end)
  after_each(function()
    if disk then shell "umount DISK" end
  end)

  local KINDS = {
    ["full"] = { "cat /dev/zero >DISK/rest; true", "the disk is full" },
    ["read-only"] = { "mount -o remount,ro DISK", "the file system is read-only" },
  }

  for what, case in pairs(KINDS) do
    it("is reported, and existing files stay: " .. what, function()
      if not disk then return end
      local store = file.new(disk .. "/store")
      assert(store.set("key", "old"))
      assert(shell "echo old >DISK/old.png; mkdir -p DISK/settings/devkit4ai")
      local settings = { env = { XDG_CONFIG_HOME = disk .. "/settings" } }
      assert.equal(0, workspace:run({ "config", "--set", "role=developer" }, settings).code)
      shell(case[1])
      local names, config = child.list(disk), child.list(disk .. "/settings/devkit4ai")

      for _, try in ipairs { { "/old.png", true }, { "/new.png", false } } do
        local saved, message, err = gen:save(disk .. try[1], { overwrite = try[2] })
        assert.is_nil(saved)
        assert.equal("file", err.kind)
        assert.is_truthy(message:find(("%s%s: %s ("):format(disk, try[1], case[2]), 1, true), message)
      end
      local done, why = store.set("key", ("x"):rep(200000))
      assert.is_nil(done)
      assert.is_truthy(why:find(case[2], 1, true), why)
      local other = devkit4ai.new { base_url = workspace.box.url, store = store }
      assert.is_nil(other)
      local before = workspace:count_generations()
      for _, args in ipairs {
        { "save", id, "--out", disk .. "/new.png" },
        { "generate", helper.PNG, "--prompt", "neon", "--out", disk .. "/new.png" },
      } do
        local ended = workspace:run(args)
        assert.equal(1, ended.code, ended.err)
        assert.is_truthy(ended.err:find(("new.png can't be written (%s "):format(case[2]), 1, true), ended.err)
      end
      assert.equal(before, workspace:count_generations())
      for _, args in ipairs {
        { "config", "--set", "role=end_user" }, { "login", "--email", command.EMAIL, "--password-stdin" },
      } do
        local ended = workspace:run(args, { env = settings.env, input = command.PASSWORD .. "\n" })
        assert.equal(1, ended.code, ended.err)
        assert.is_truthy(ended.err:find(case[2], 1, true), ended.err)
      end

      assert.equal("old\n", child.read(disk .. "/old.png"))
      assert.equal("old", file.new(disk .. "/store").get("key"))
      assert.same({ names, config }, { child.list(disk), child.list(disk .. "/settings/devkit4ai") })
    end)
  end
end)
