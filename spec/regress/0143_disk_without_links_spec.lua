-- A file system may have neither RENAME_NOREPLACE nor hard links, and says so by different reasons. gen:save failed there for
-- some of them. It saves, and without overwrite it never replaces a file. The C tests have more reasons: part_file_test.c.
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"

local EPERM, EINVAL, ENOSYS, EOPNOTSUPP = 1, 22, 38, 95
local ID = "990e8400-e29b-41d4-a716-446655440004"

local SAVE = [[
  local url, path, overwrite = ...
  local client = assert(require("devkit4ai").new { base_url = url, access_token = "t", developer_key = "d",
    project_id = "550e8400-e29b-41d4-a716-446655440000", project_key = "p" })
  local saved, message, err = client:generation("990e8400-e29b-41d4-a716-446655440004"):save(path,
    { overwrite = overwrite == "yes" })
  print(saved and "saved" or err.kind .. " " .. message)
]]

describe("gen:save on a file system without links", function()
  local folder, server

  before_each(function() folder = child.folder() end)
  after_each(function()
    server:stop()
    child.remove(folder)
  end)

  -- taken: another program takes the name while the picture comes
  local function serve(taken)
    server = raw.start { script = ([[
      return function(conn)
        local request = conn:read_request()
        while request do
          local url = "http://" .. request.head:match("[Hh]ost: ([^\r]+)")
          if request.target:find("/status$") then
            conn:respond(200, { id = "%s", status = "completed", result_image_url = url .. "/a.png" })
          else
            if %s then
              local file = assert(io.open("%s/a.png", "w"))
              file:write("theirs")
              file:close()
            end
            conn:respond(200, %q)
          end
          request = conn:read_request()
        end
      end]]):format(ID, taken and "true" or "false", folder, require("spec.support.calls.wire").image.png) }
  end

  local function save(reasons, overwrite)
    local ended = child.run(SAVE, {
      args = { server.url, folder .. "/a.png", overwrite and "yes" or "no" }, preload = "plain_disk",
      env = { PLAIN_DISK_RENAME = reasons[1], PLAIN_DISK_LINK = reasons[2] },
    })
    assert.equal(0, ended.code, ended.err)
    assert.same({ "a.png" }, child.list(folder))
    return ended.out, child.read(folder .. "/a.png")
  end

  for _, reasons in ipairs {
    { EINVAL, EPERM }, { ENOSYS, EOPNOTSUPP }, { EPERM, EPERM }, { EPERM, ENOSYS }, { EOPNOTSUPP, EOPNOTSUPP },
  } do
    it(("saves: errno %d, %d"):format(reasons[1], reasons[2]), function()
      serve()
      local said, bytes = save(reasons)
      assert.same({ "saved\n", "\137PNG" }, { said, bytes:sub(1, 4) })
      said = save(reasons)
      assert.is_truthy(said:find("^file .*it exists already"), said)
      assert.equal("saved\n", (save(reasons, true)))
    end)

    it(("keeps a file that appears meanwhile: errno %d, %d"):format(reasons[1], reasons[2]), function()
      serve(true)
      local said, bytes = save(reasons)
      assert.is_truthy(said:find("^file .*it exists already"), said)
      assert.equal("theirs", bytes)
    end)
  end
end)
