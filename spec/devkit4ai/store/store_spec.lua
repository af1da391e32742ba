-- Session stores of the library: the store interface, and failures of the file system.
local child = require "spec.support.process.child"
local file = require "devkit4ai.store.file"
local memory = require "devkit4ai.store.memory"

local folder, path

local function shell(command)
  local pipe = assert(io.popen(command))
  local out = pipe:read("*a")
  pipe:close()
  return (out:gsub("\n$", ""))
end

local function write(text, mode)
  local out = assert(io.open(path, "wb"))
  out:write(text)
  out:close()
  os.execute(("chmod %s '%s'"):format(mode or "600", path))
end

local function content()
  local from = assert(io.open(path, "rb"))
  local text = from:read("*a")
  from:close()
  return text
end

before_each(function()
  folder = child.folder()
  path = folder .. "/tokens.json"
end)
after_each(function() child.remove(folder) end)

for name, new in pairs { memory = function() return memory.new() end, file = function() return file.new(path) end } do
  describe("a store in a " .. name, function()
    local store
    before_each(function() store = new() end)

    it("returns the last value, and removes a key with a nil value", function()
      assert.is_nil(store.get("key"))
      assert.is_true(store.set("key", "one"))
      assert.is_true(store.set("key", 'two, with "quotes"\nand \195\164 line'))
      assert.is_true(store.set("other", "three"))
      assert.equal('two, with "quotes"\nand \195\164 line', store.get("key"))
      assert.is_true(store.set("key", nil))
      assert.is_nil(store.get("key"))
      assert.is_true(store.set("key", nil))
      assert.equal("three", store.get("other"))
    end)

    it("gives the lock of each key to one holder at a time", function()
      local unlock = assert(store.lock("key", 10))
      assert.is_falsy(store.lock("key", 10))
      local unlock_other = assert(store.lock("other", 10))
      unlock()
      local again = assert(store.lock("key", 10))
      unlock() -- of the first holder: it releases nothing now
      assert.is_falsy(store.lock("key", 10))
      again()
      unlock_other()
    end)
  end)
end

describe("a store in memory", function()
  it("frees a lock when its lease ends", function()
    local store = memory.new()
    local dead = assert(store.lock("key", 0))
    local unlock = assert(store.lock("key", 10))
    dead()
    assert.is_falsy(store.lock("key", 10))
    unlock()
  end)
end)

describe("a store in a file", function()
  it("needs a path", function()
    for _, wrong in ipairs { "", 7, {} } do
      local ok, why = pcall(function() file.new(wrong) end)
      assert.is_false(ok)
      assert.is_truthy(why:find("store_spec.lua", 1, true))
      assert.is_truthy(why:find("needs the path of a file", 1, true))
    end
  end)

  it("creates nothing before its first use, and leaves only its file", function()
    local store = file.new(path)
    assert.is_nil(store.get("key"))
    assert.same({}, child.list(folder))
    assert(store.set("key", "value"))
    local unlock = assert(store.lock("key"))
    assert.equal(2, #child.list(folder))
    unlock()
    assert.same({ "tokens.json" }, child.list(folder))
  end)

  it("is readable by its owner only, with any umask", function()
    local ended = child.run([[assert(require("devkit4ai.store.file").new(...).set("key", "value"))]],
      { args = { path }, before = "umask 0" })
    assert.same({ 0, "" }, { ended.code, ended.err })
    assert.equal("600", shell(("stat -c %%a '%s'"):format(path)))
  end)

  for mode, what in pairs { ["640"] = "its group", ["604"] = "others", ["620"] = "its group, to write" } do
    it("is rejected if it is open to " .. what, function()
      write('{"key":"value"}', mode)
      local store = file.new(path)
      local value, why = store.get("key")
      assert.is_nil(value)
      assert.is_truthy(why:find(path .. ": others can read or write it: chmod 600 it", 1, true))
      value, why = store.set("key", "other")
      assert.is_nil(value)
      assert.is_truthy(why:find("others can read or write it", 1, true))
      assert.equal('{"key":"value"}', content())
    end)
  end

  for name, text in pairs {
    empty = "", half = '{"key":"val', rubbish = "\0\255rubbish", list = '["key"]', ["number's"] = "7",
    ["number as value"] = '{"key":7}',
  } do
    it("counts as empty if it has no sessions: " .. name, function()
      write(text)
      local ended = child.run([[
        local store = require("devkit4ai.store.file").new(...)
        assert(store.get("key") == nil and store.get("key") == nil)
        assert(store.set("other", "value"))
        print(store.get("other"))
      ]], { args = { path } })
      assert.equal("value\n", ended.out)
      assert.equal(name == "empty" and 0 or 1, select(2, ended.err:gsub("has no readable sessions", "")))
      assert.equal('{"other":"value"}', content())
    end)
  end

  it("keeps its old content if the disk is full", function()
    assert(file.new(path).set("key", "value"))
    local ended = child.run([[
      local store = require("devkit4ai.store.file").new(...)
      local done, why = store.set("key", ("x"):rep(5000))
      print(done, why, store.get("key"))
    ]], { args = { path }, before = "ulimit -f 1" })
    assert.equal("nil\t" .. path .. ": the process may not write so large a file (File too large): "
      .. "raise its limit (ulimit -f)\tvalue\n", ended.out)
    assert.same({ "tokens.json" }, child.list(folder))
  end)

  it("gives the reason if the folder is missing, is not a folder, or is not writable", function()
    for _, wrong in ipairs { folder .. "/none/tokens.json", "/dev/null/tokens.json", "/proc/tokens.json" } do
      local store = file.new(wrong)
      local done, why = store.set("key", "value")
      assert.is_nil(done)
      assert.is_truthy(why:find(wrong, 1, true), why)
      assert.is_false((pcall(store.lock, "key")))
    end
  end)

  it("can't be a folder, a pipe or a device", function()
    os.execute(("mkdir '%s' && mkfifo '%s/pipe'"):format(path, folder))
    for wrong, reason in pairs { [path] = "it is a folder", [folder .. "/pipe"] = "not a regular file",
      ["/dev/null"] = "not a regular file" } do
      local store = file.new(wrong)
      assert.is_truthy(select(2, store.get("key")):find(reason, 1, true))
      assert.is_nil((store.set("key", "value")))
    end
  end)

  it("follows a symbolic link of the same user, and keeps the link", function()
    local link = folder .. "/link"
    write("{}")
    os.execute(("ln -s tokens.json '%s'"):format(link))
    assert(file.new(link).set("key", "value"))
    assert.equal("value", file.new(link).get("key"))
    assert.equal('{"key":"value"}', content())
    assert.equal("tokens.json", shell(("readlink '%s'"):format(link)))
  end)

  it("rejects a symbolic link and a file of another user", function()
    if shell("id -u") ~= "0" then return end -- only root can create them
    write('{"key":"value"}')
    local link = folder .. "/link"
    os.execute(("ln -s tokens.json '%s' && chown -h nobody '%s'"):format(link, link))
    local store = file.new(link)
    assert.is_truthy(select(2, store.get("key")):find("symbolic link of another user", 1, true))
    assert.is_truthy(select(2, store.set("key", "other")):find("symbolic link of another user", 1, true))
    os.execute(("chown nobody '%s'"):format(path))
    assert.is_truthy(select(2, file.new(path).get("key")):find("belongs to another user", 1, true))
    assert.is_truthy(select(2, file.new(path).set("key", "other")):find("belongs to another user", 1, true))
    assert.equal('{"key":"value"}', content())
  end)

  it("excludes other programs by its lock, which a dead owner releases", function()
    local TRY = [[
      local unlock = require("devkit4ai.store.file").new(...).lock("key", 10)
      io.write(unlock and "locked" or "busy")
      io.flush()
      os.exit(3) -- without closing the state or releasing the lock
    ]]
    local store = file.new(path)
    local unlock = assert(store.lock("key", 10))
    assert.equal("busy", child.run(TRY, { args = { path } }).out)
    unlock()
    local ended = child.run(TRY, { args = { path } })
    assert.equal("locked", ended.out)
    assert.equal(3, ended.code)
    assert.equal(1, #child.list(folder)) -- of the dead process
    unlock = assert(store.lock("key", 10))
    unlock()
    assert.same({}, child.list(folder))
  end)

  it("does not wait for another writer, but returns busy", function()
    local turn = assert(require("devkit4ai.core").lock(path .. ".lock")) -- held until the end of the test
    local store = file.new(path)
    assert.same({ nil, "busy" }, { store.set("key", "value") })
    assert.is_nil(store.get("key"))
    turn:release()
    assert.is_true(store.set("key", "value"))
    assert.equal("value", store.get("key"))
  end)

  it("loses nothing when several programs write at once", function()
    local WRITE = [[
      local path, name = ...
      local store = require("devkit4ai.store.file").new(path)
      for i = 1, 30 do
        local done, why
        repeat done, why = store.set(name .. i, "value") until why ~= "busy"
        assert(done, why)
      end
    ]]
    local script = folder .. "/write.lua"
    local out = assert(io.open(script, "wb"))
    out:write(WRITE)
    out:close()
    local pipes = {}
    for i, name in ipairs { "a", "b", "c" } do
      pipes[i] = assert(io.popen(("ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 '%s' '%s' '%s' %s 2>&1"):format(
        child.interpreter(), script, path, name)))
    end
    for _, pipe in ipairs(pipes) do
      assert.equal("", pipe:read("*a"))
      pipe:close()
    end
    local store = file.new(path)
    for _, name in ipairs { "a", "b", "c" } do
      for i = 1, 30 do assert.equal("value", store.get(name .. i), name .. i) end
    end
  end)
end)
