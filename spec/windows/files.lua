-- Files on Windows: long and unusual paths, a file that is replaced, a save that is killed, the store and its lock.
local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"
local wine = require "spec.windows.wine"

local LUAS = { "lua5.4", "luajit" }
local EMAIL, PASSWORD = "dev@example.com", "SecurePass123"

local CLIENT = [[
local url, developer_key, project_id, project_key, token = (table.unpack or unpack)(arg, 1, 5)
local devkit4ai = require "devkit4ai"
local options = { base_url = url, developer_key = developer_key, project_id = project_id, project_key = project_key }
local function words(...) return select(6, ...) end
]]

-- Sends the image, and saves the result at out. mode "replace": over a file that is there.
local SAVE = CLIENT .. [[
options.access_token = token
local image, out, mode = words(...)
local gen = assert(assert(devkit4ai.new(options)):generate { images = { image }, prompt = "in winter" })
assert(gen:wait())
print "waited"
io.stdout:flush()
assert(gen:save(out, { overwrite = mode == "replace" }))
]]

local LOGIN = CLIENT .. [[
local path, email, password = words(...)
options.store = require("devkit4ai.store.file").new(path)
local client = assert(devkit4ai.new(options))
if email then assert(client:login(email, password)) end
print(assert(client:me()).email)
]]

describe("on Windows", function()
  local box, developer, folder, image
  setup(wine.unpack)
  before_each(function()
    box = helper.start { step_time = 0 }
    developer = assert(box:developer { email = EMAIL, password = PASSWORD })
    folder = wine.folder()
    image = wine.path(helper.shell "pwd":match "[^\n]+" .. "/" .. helper.PNG)
  end)
  after_each(helper.stop_all)
  teardown(wine.remove_all)

  local function args(...)
    local one = developer
    return { box.url, one.developer_key, one.project_id, one.project_key, one.access_token, ... }
  end

  local function write(path, text)
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
  end

  local function is_png(path)
    return child.read(path):find "^\137PNG\r\n\26\n.*IEND....$" ~= nil
  end

  local function count(operation)
    local n = 0
    for _, request in ipairs(assert(box:requests())) do n = n + (request.operation == operation and 1 or 0) end
    return n
  end

  for _, lua in ipairs(LUAS) do
    it("images are read from and saved to paths with spaces, umlauts and 300 characters, on " .. lua, function()
      local deep = folder .. "/B\195\164ume & mehr"
      while #deep < 300 do deep = deep .. "/" .. ("lang"):rep(10) end
      os.execute(("mkdir -p '%s' && cp %s '%s/ein Bild \195\188.png'"):format(deep, helper.PNG, deep))
      -- in the script, since the words of a command line are in the system's code page
      local script = SAVE:gsub("local image, out, mode = [^\n]+", function()
        return ("local image, out = [[%s]], [[%s]]"):format(wine.path(deep .. "/ein Bild \195\188.png"),
          wine.path(deep .. "/f\195\188nf.png"))
      end)
      wine.succeed(lua, script, { args = args() })
      assert.same({ "ein Bild \195\188.png", "f\195\188nf.png" }, child.list(deep))
      assert.is_true(is_png(deep .. "/f\195\188nf.png"))
      local requests = assert(box:requests())
      local names = require("cjson").encode(requests):gsub("\\", "")
      assert.truthy(names:find("ein Bild \195\188.png", 1, true))
      assert.is_nil(names:find("langlang", 1, true)) -- the folders of the path are not sent
    end)
  end

  it("an image replaces an existing one only with overwrite", function()
    local out = folder .. "/image.png"
    write(out, "old")
    local ended = wine.run("lua5.4", SAVE, { args = args(image, wine.path(out)) })
    assert.equal(1, ended.code)
    assert.truthy(ended.err:find("it exists already", 1, true), ended.err)
    assert.equal("old", child.read(out))
    wine.succeed("lua5.4", SAVE, { args = args(image, wine.path(out), "replace") })
    assert.is_true(is_png(out))
    assert.same({ "image.png" }, child.list(folder))
  end)

  it("a file that another program has open is not replaced, and keeps its bytes", function()
    local out = folder .. "/image.png"
    write(out, "old")
    local reader = wine.start("lua5.4", [[
      local file = assert(io.open((...), "rb"))
      print "open"
      io.stdout:flush()
      io.read()
      file:close()]], { args = { wine.path(out) }, input = "pipe" })
    reader:await_output "open"
    local ended = wine.run("lua5.4", SAVE, { args = args(image, wine.path(out), "replace") })
    assert.equal(0, reader:finish().code)
    assert.equal(1, ended.code)
    assert.truthy(ended.err:find("Permission denied", 1, true), ended.err)
    assert.equal("old", child.read(out))
    assert.same({ "image.png" }, child.list(folder))
  end)

  it("a save that is killed leaves the old image, and the next save removes its part file", function()
    local out = folder .. "/image.png"
    write(out, "old")
    box:fault { operation = "picture", slow = 20000 }
    local saver = wine.start("lua5.4", SAVE, { args = args(image, wine.path(out), "replace") })
    saver:await(("[ -e %s/devkit4ai-unfinished-0 ] && grep -q waited $out"):format(folder))
    saver:signal "KILL"
    saver:finish()
    assert.equal("old", child.read(out))
    wine.succeed("lua5.4", SAVE, { args = args(image, wine.path(out), "replace") })
    assert.same({ "image.png" }, child.list(folder))
    assert.is_true(is_png(out))
    assert.equal(2, #box:generations())
  end)

  for _, lua in ipairs(LUAS) do
    it("a store keeps the login for another process, on " .. lua, function()
      local store = folder .. "/the sessions.json"
      assert.equal(EMAIL .. "\n", wine.succeed(lua, LOGIN, { args = args(wine.path(store), EMAIL, PASSWORD) }))
      assert.equal(EMAIL .. "\n", wine.succeed(lua, LOGIN, { args = args(wine.path(store)) }))
      assert.equal(1, count "login")
      assert.same({ "the sessions.json" }, child.list(folder))
      assert.is_nil(child.read(store):find(PASSWORD, 1, true))
    end)
  end

  -- wine keeps of an access control list what the mode of the file here can hold: the owner, everybody, and for the administrators
  -- the group
  it("a store's file grants nobody else access, and one that does is refused", function()
    local store = folder .. "/sessions.json"
    local login = { args = args(wine.path(store), EMAIL, PASSWORD) }
    wine.succeed("lua5.4", LOGIN, login)
    assert.matches("^%d%d0\n$", helper.shell("stat -c %a " .. store))
    os.execute("chmod 644 " .. store)
    local ended = wine.run("lua5.4", LOGIN, login)
    assert.equal(1, ended.code)
    assert.truthy(ended.err:find("others can read or write it", 1, true), ended.err)
    assert.is_nil(ended.err:find("chmod", 1, true), ended.err)
  end)

  it("one process at a time holds a store's lock, also after the other was killed", function()
    local LOCK = [[
      local store = require("devkit4ai.store.file").new((...))
      local unlock = store.lock("key", 10)
      print(unlock and "locked" or "busy")
      io.stdout:flush()
      if unlock then io.read() unlock() end]]
    local path = { wine.path(folder .. "/sessions.json") }
    local first = wine.start("lua5.4", LOCK, { args = path, input = "pipe" })
    first:await_output "locked"
    assert.equal("busy\n", wine.succeed("luajit", LOCK, { args = path }))
    first:signal "KILL"
    first:finish()
    assert.equal("locked\n", wine.succeed("luajit", LOCK, { args = path }))
    assert.same({}, child.list(folder))
  end)

  it("two processes that log in to one store at once leave both logins", function()
    local store = folder .. "/sessions.json"
    local SET = [[
      local store = require("devkit4ai.store.file").new((...))
      local core = require "devkit4ai.core"
      for i = 1, 20 do
        while true do
          local done, why = store.set(select(2, ...) .. i, "value")
          if done then break end
          assert(why == "busy", why)
          core.pause(0.01)
        end
      end]]
    local one = wine.start("lua5.4", SET, { args = { wine.path(store), "a" } })
    local two = wine.start("luajit", SET, { args = { wine.path(store), "b" } })
    for _, process in ipairs { one, two } do
      local ended = process:finish()
      assert.equal(0, ended.code, ended.err)
    end
    local n = 0
    for _ in pairs(require("cjson").decode(child.read(store))) do n = n + 1 end
    assert.equal(40, n)
    assert.same({ "sessions.json" }, child.list(folder))
  end)
end)
