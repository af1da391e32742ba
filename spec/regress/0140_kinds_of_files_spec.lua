-- gen:save with overwrite replaced a device, a pipe or a symbolic link by a regular file, and gave a private file the mode
-- 0644. Each kind of file has a rule now: docs/waiting.md, "What has the name already". The C tests have more:
-- download_test.c. All devices are made here: a broken library would replace those in /dev.
local child = require "spec.support.process.child"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local PNG = wire.image.png

describe("gen:save to a name that exists:", function()
  local folder, server, client, gen

  setup(function()
    server = raw.start { script = ([[
      return function(conn)
        local request = conn:read_request()
        while request do
          local url = "http://" .. request.head:match("[Hh]ost: ([^\r]+)")
          if request.target:find("/status$") then
            conn:respond(200, { id = "%s", status = "completed", result_image_url = url .. "/a.png" })
          else
            conn:respond(200, %q)
          end
          request = conn:read_request()
        end
      end]]):format(ID, PNG) }
  end)
  teardown(function() server:stop() end)

  before_each(function()
    folder = child.folder()
    client = assert(devkit4ai.new(wire.options(server.url)))
    gen = client:generation(ID)
  end)
  after_each(function()
    client:close()
    child.remove(folder)
  end)

  local function shell(line)
    local pipe = assert(io.popen(("cd '%s' && %s"):format(folder, line)))
    local said = pipe:read("*a")
    pipe:close()
    return (said:gsub("\n$", ""))
  end

  local function write(name, mode)
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write("old")
    file:close()
    shell(("chmod %s %s"):format(mode or "644", name))
  end

  -- The suggested line runs as printed: from the folder, since its path may be relative.
  local function try_line(message)
    local line = assert(message:match("go on with (client:.*)$"), message)
    local ended = child.run([[
      local url, line = ...
      client = assert(require("devkit4ai").new { base_url = url, access_token = "t", developer_key = "d",
        project_id = "550e8400-e29b-41d4-a716-446655440000", project_key = "p" })
      print(assert(assert((loadstring or load)("return " .. line))()))
    ]], { args = { server.url, line }, before = ("cd '%s'"):format(folder) })
    assert.equal(0, ended.code, line .. "\n" .. ended.err)
  end

  for what, case in pairs {
    ["a folder"] = { "mkdir odd", "directory", "it is a folder" },
    ["a pipe"] = { "mkfifo odd", "fifo", "it is a pipe" },
    ["a device"] = { "mknod odd c 1 3", "character special file", "it is a device" },
    ["a link that leads to nothing"] = { "ln -s nothing odd", "symbolic link", "leads to nothing" },
    ["a link to a device"] = { "mknod device c 1 3; ln -s device odd", "symbolic link", "it is a device" },
    ["a link to an open file of the process"] = { "ln -s /proc/self/fd/0 odd", "symbolic link", "gen:bytes()" },
    ["a link to a pipe"] = { "mkfifo pipe; ln -s pipe odd", "symbolic link", "it is a pipe" },
  } do
    it(what .. " is refused, and stays", function()
      shell(case[1] .. " 2>/dev/null")
      if case[1]:find("mknod", 1, true) and shell "stat -L -c %F odd 2>/dev/null" == "" then return end -- not the superuser
      local names = child.list(folder)
      for _, overwrite in ipairs { false, true } do
        local path = folder .. "/odd"
        local saved, message, err = gen:save(path, { overwrite = overwrite })
        assert.is_nil(saved)
        assert.same({ "file", ID, false }, { err.kind, err.generation_id, err.retryable })
        assert.is_truthy(message:find(("gen:save: %s: "):format(path), 1, true), message)
        assert.is_truthy(message:find(case[3], 1, true), message)
        assert.same({ case[2], names }, { shell "stat -c %F odd", child.list(folder) })
        try_line(message)
        shell(("rm %s.png"):format(ID))
      end
    end)
  end

  it("a regular file stays without overwrite, and the suggested line has another name, of any length", function()
    for _, name in ipairs { "a.png", ("n"):rep(251) .. ".png", ("n"):rep(255) } do
      write(name)
      local saved, message, err = gen:save(folder .. "/" .. name)
      assert.is_nil(saved)
      assert.equal("file", err.kind)
      assert.equal("old", child.read(folder .. "/" .. name))
      try_line(message)
      shell "rm *"
    end
  end)

  for _, mode in ipairs { "600", "640", "664", "755" } do
    it("a regular file of mode " .. mode .. " is replaced with overwrite, and keeps its mode", function()
      write("a.png", mode)
      assert(gen:save(folder .. "/a.png", { overwrite = true }))
      assert.same({ PNG, mode }, { child.read(folder .. "/a.png"), shell "stat -c %a a.png" })
      assert.same({ "a.png" }, child.list(folder))
    end)
  end

  it("a symbolic link stays with overwrite, and the file that it leads to is replaced", function()
    shell "mkdir deep"
    write("deep/real.png", "600")
    shell "ln -s deep/real.png one; ln -s one two"
    local names = child.list(folder)
    assert(gen:save(folder .. "/two", { overwrite = true }))
    assert.same({ PNG, "600" }, { child.read(folder .. "/deep/real.png"), shell "stat -c %a deep/real.png" })
    assert.same({ "one", "deep/real.png" }, { shell "readlink two", shell "readlink one" })
    assert.same({ names, { "real.png" } }, { child.list(folder), child.list(folder .. "/deep") })
  end)

  it("each name that the file system allows can be saved", function()
    for _, name in ipairs { ("n"):rep(255), ("\226\130\172"):rep(85), "-", "-o.png", " ", "a\nb" } do
      assert.equal(folder .. "/" .. name, (assert(gen:save(folder .. "/" .. name))))
      assert(gen:save(folder .. "/" .. name, { overwrite = true }))
      assert.equal(PNG, child.read(folder .. "/" .. name))
    end
  end)
end)
