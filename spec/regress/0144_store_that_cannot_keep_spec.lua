-- A store that could not store a session was reported only by an event, which most programs do not read. devkit4ai.new and
-- client:login now fail before anything is sent, if the store knows that it can't be written.
local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local devkit4ai = require "devkit4ai"
local file = require "devkit4ai.store.file"
local memory = require "devkit4ai.store.memory"
local token_server = require "spec.support.servers.token_server"

describe("a store that can't be written", function()
  local folder, server

  before_each(function()
    folder = child.folder()
    server = token_server.start()
  end)
  after_each(function()
    server:stop()
    child.remove(folder)
  end)

  local function shell(line)
    os.execute((line:gsub("FOLDER", "'" .. folder .. "'")))
  end

  local function options(store)
    return { base_url = server.url, store = store, on_event = function() end }
  end

  local function is_refused(says, why, value, message, err)
    assert.is_nil(value)
    assert.same({ "file", "not_sent", false, message }, { err.kind, err.outcome, err.retryable, err.message })
    assert.equal(1, (message:find(says .. ": the store can't keep a session: ", 1, true)), message)
    assert.is_truthy(message:find(why, 1, true), message)
    assert.equal("", token_server.seen(server))
  end

  local BROKEN = {
    ["a dangling link"] = { "ln -s nothing FOLDER/store", "leads to nothing: make that file, or remove the link" },
    ["a folder that is missing"] = { "rmdir FOLDER", "No such file or directory" },
    ["a file in place of its folder"] = { "rmdir FOLDER; touch FOLDER", "Not a directory" },
    ["a folder of that name"] = { "mkdir FOLDER/store", "it is a folder" },
    ["a pipe"] = { "mkfifo FOLDER/store", "it is not a regular file" },
    ["a file that others can read"] = { "touch FOLDER/store; chmod 644 FOLDER/store", "chmod 600 it" },
  }

  for what, case in pairs(BROKEN) do
    it(what .. " is reported by new", function()
      shell(case[1])
      is_refused("devkit4ai.new", case[2], devkit4ai.new(options(file.new(folder .. "/store"))))
    end)

    it(what .. " is reported by login, if it happened after new", function()
      local client = assert(devkit4ai.new(options(file.new(folder .. "/store"))))
      shell(case[1])
      is_refused("client:login", case[2], client:login("someone@example.com", "x"))
      client:close()
    end)
  end

  it("leaves no file, and works after the repair", function()
    local client = assert(devkit4ai.new(options(file.new(folder .. "/store"))))
    assert.same({}, child.list(folder))
    shell "ln -s nothing FOLDER/store"
    assert.is_nil((client:login("someone@example.com", "x")))
    assert.same({ "store" }, child.list(folder))
    shell "rm FOLDER/store"
    assert(client:login("someone@example.com", "x"))
    assert.same({ "store" }, child.list(folder))
    client:close()
  end)

  it("may be the program's own; can_write is optional", function()
    for _, case in ipairs {
      { function() return nil, "the database is read-only" end, "the database is read-only" },
      { function() error("no database", 0) end, "no database" },
      { function() return false end, "did not say why" },
    } do
      local store = memory.new()
      store.can_write = case[1]
      is_refused("devkit4ai.new", case[2], devkit4ai.new(options(store)))
    end
    local store = memory.new()
    store.can_write = function() return true end
    assert(devkit4ai.new(options(store))):close()
    store.can_write = nil
    assert(devkit4ai.new(options(store))):close()
  end)

  it("has locks beside a file with the longest possible name", function()
    local path = folder .. "/" .. ("n"):rep(255)
    local store = options(file.new(path))
    local client = assert(devkit4ai.new(store))
    assert(client:login("someone@example.com", "x"))
    assert(client:refresh_token())
    client:close()
    local unlock = assert(file.new(path).lock("key", 10))
    assert.is_nil((file.new(path).lock("key", 10) or nil))
    unlock()
    assert.same({ ("n"):rep(255) }, child.list(folder))
  end)
end)

describe("devkit4ai with a sessions file that can't be written", function()
  local workspace
  setup(function() workspace = command.new() end)
  teardown(function() workspace:remove() end)

  it("fails at login before it prompts, and the other commands report the reason", function()
    local path = workspace.folder .. "/devkit4ai/sessions.json"
    os.execute(("mkdir -p '%s/devkit4ai' && ln -s nothing '%s'"):format(workspace.folder, path))
    for _, args in ipairs { { "login", "--email", command.EMAIL, "--password-stdin" }, { "me" } } do
      local ended = workspace:run(args, { input = command.PASSWORD .. "\n" })
      assert.equal(1, ended.code, ended.err)
      assert.is_truthy(ended.err:find("leads to nothing: make that file, or remove the link", 1, true), ended.err)
    end
    os.execute(("rm '%s'"):format(path))
    workspace:login()
  end)
end)
