-- The lock of a store was beside the link, not beside the file: programs that used different links overwrote each other's
-- sessions. A link in a read-only folder kept no session, and new and login reported nothing. Of a chain of links, only the
-- owner of the first was checked.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local file = require "devkit4ai.store.file"

describe("a store that is named by links", function()
  local folder, names

  before_each(function()
    folder = child.folder()
    names = {}
    for i, name in ipairs { "real/store", "links/store", "alias/store", "links/second" } do
      names[i] = folder .. "/" .. name
    end
    os.execute(([[cd '%s' && mkdir real links && ln -s real alias && ln -s ../real/store links/store
      ln -s store links/second]]):format(folder))
    assert(file.new(names[1]).set("key", "value"))
  end)
  after_each(function()
    os.execute(("chmod -R u+w '%s'"):format(folder))
    child.remove(folder)
  end)

  it("has one lock for all names", function()
    for _, holder in ipairs(names) do
      local unlock = assert(file.new(holder).lock("key", 10))
      assert.equal(2, #child.list(folder .. "/real"))
      for _, name in ipairs(names) do assert.is_false(file.new(name).lock("key", 10)) end
      unlock()
    end
    assert.same({ "store" }, child.list(folder .. "/real"))
    assert.same({ "second", "store" }, child.list(folder .. "/links"))
  end)

  it("is written by one program at a time, by all names", function()
    local core = require "devkit4ai.core"
    local turn = assert(core.lock(names[1] .. ".lock"))
    for _, name in ipairs(names) do assert.equal("busy", select(2, file.new(name).set("key", "other"))) end
    turn:release()
    for i, name in ipairs(names) do
      assert(file.new(name).set("key" .. i, "value"))
      assert.equal("value", file.new(names[1]).get("key" .. i))
    end
  end)

  it("does not write to the folder of the link", function()
    local pipe = assert(io.popen "id -u")
    local wrap = pipe:read("*l") == "0" and "setpriv --bounding-set -dac_override" or nil -- root could write everywhere
    pipe:close()
    os.execute(("chmod 555 '%s/links'"):format(folder))
    local ended = child.run([[
      local store = require("devkit4ai.store.file").new(...)
      print(store.can_write(), store.set("key", "theirs"), store.get "key")
    ]], { args = { names[4] }, wrap = wrap })
    assert.equal("true\ttrue\ttheirs\n", ended.out, ended.err)
  end)
end)

describe("the command's settings, named by a link", function()
  it("have their lock beside the file", function()
    local workspace = command.new()
    finally(function() workspace:remove() end)
    os.execute(("cd '%s' && mkdir -p devkit4ai dotfiles && install -m 600 /dev/null dotfiles/config && "
      .. "ln -s ../dotfiles/config devkit4ai/config"):format(workspace.folder))
    local core = require "devkit4ai.core"
    local turn = assert(core.lock(workspace.folder .. "/dotfiles/config.lock"))
    local busy = workspace:run { "config", "--set", "base_url=https://api.example.com" }
    assert.is_truthy(busy.err:find("another program is writing it", 1, true), busy.err)
    turn:release()
    assert.equal(0, workspace:run({ "config", "--set", "base_url=https://api.example.com" }).code)
  end)
end)
