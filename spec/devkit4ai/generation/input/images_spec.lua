-- Options that project:generate accepts and refuses, before it sends a byte.
local child = require "spec.support.process.child"
local devkit4ai = require "devkit4ai"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local MOST = 10 * 1024 * 1024

-- Root can read every file; without these capabilities it is an ordinary user.
local WITHOUT_ROOTS_LICENCE =
  "$([ $(id -u) != 0 ] || echo setpriv --bounding-set=-dac_override,-dac_read_search)"

describe("project:generate", function()
  local server, client, project, folder

  setup(function()
    folder = child.folder()
    server = wire.server { ["POST /api/v1/generation/generate-v2"] = { 200, { id = ID, status = "pending" } } }
    client = devkit4ai.new(wire.options(server.url))
    project = client:project(wire.sample.project_id)
  end)

  teardown(function()
    client:close()
    server:stop()
    child.remove(folder)
  end)

  local function file(name, bytes)
    local path = folder .. "/" .. name
    local handle = assert(io.open(path, "wb"))
    handle:write(bytes)
    handle:close()
    return path
  end

  local function image(bytes)
    return { data = bytes or wire.image.jpeg, filename = "a.jpg" }
  end

  -- The call is refused with these words in the message, and nothing is sent.
  local function refused(kind, options, ...)
    local before = #server:requests()
    options.prompt = options.prompt or not options.instructions and "neon" or nil
    local gen, message, err = project:generate(options)
    assert.is_nil(gen)
    assert.same({ kind, "not_sent", "create_generation", false, 0 },
      { err.kind, err.outcome, err.operation, err.retryable, err.attempts })
    assert.equal(before, #server:requests())
    assert.equal(1, (message:find("project:generate: ", 1, true)))
    for _, fragment in ipairs { ... } do assert.is_truthy(message:find(fragment, 1, true), message) end
  end

  local function accepted(options)
    options.prompt = options.prompt or not options.instructions and "neon" or nil
    assert.equal(ID, assert(project:generate(options)).id)
  end

  it("refuses an empty list and six images", function()
    refused("invalid", { images = {} }, "give 1 to 5 images; there is none")
    local six = {}
    for i = 1, 6 do six[i] = image() end
    refused("invalid", { images = six }, "give 1 to 5 images, not 6")
    six[6] = nil
    accepted { images = six }
  end)

  it("refuses an image that is missing, and names it", function()
    refused("file", { images = { folder .. "/missing.jpg" } },
      folder .. "/missing.jpg: No such file", "nothing was sent",
      "give the path of a file that can be read")
  end)

  it("refuses a folder, and a pipe without a writer", function()
    refused("file", { images = { folder } }, folder .. ": it is a folder, not a file")
    os.execute("mkfifo " .. folder .. "/pipe")
    refused("file", { images = { folder .. "/pipe" } }, "pipe: it is not a regular file")
  end)

  it("refuses an image that can't be read", function() -- not even by root
    local path = file("secret.jpg", wire.image.jpeg)
    os.execute("chmod 000 " .. path)
    local ended = child.run([[
      local client = require("devkit4ai").new { base_url = "http://127.0.0.1:1", access_token = "t",
        developer_key = "d",
        project_id = "550e8400-e29b-41d4-a716-446655440000", project_key = "p" }
      local gen, message, err = client:generate { images = { arg[1] }, prompt = "neon" }
      print(err.kind, err.outcome, message)
    ]], { args = { path }, wrap = WITHOUT_ROOTS_LICENCE })
    assert.equal("file\tnot_sent\tclient:generate: " .. path .. ": Permission denied; nothing was sent; "
      .. "give the path of a file that can be read or written\n", ended.out, ended.err)
  end)

  it("refuses an empty image", function()
    refused("file", { images = { file("empty.jpg", "") } }, "empty.jpg: it is empty")
    refused("file", { images = { image "" } }, "a.jpg: it is empty")
  end)

  it("accepts exactly 10 MiB, and refuses a byte more", function()
    local bytes = wire.image.jpeg .. ("x"):rep(MOST - #wire.image.jpeg)
    accepted { images = { image(bytes) } }
    accepted { images = { file("most.jpg", bytes) } }
    refused("too_large", { images = { image(bytes .. "x") } }, "a.jpg: it has 10485761 bytes; the limit is 10485760")
    refused("too_large", { images = { file("more.jpg", bytes .. "x") } }, "more.jpg: it has 10485761 bytes",
      "give a smaller image")
  end)

  it("refuses a file that is not an image by its first bytes", function()
    for _, bytes in ipairs { "GIF89a..............", "BM..............", "II*\0............", "<svg></svg>........",
      "\255\216",
      "RIFF....WAVEfmt ....", "\137PNG\r\n", "x" } do
      refused("invalid", { images = { file("a.png", bytes) } }, "a.png: it is not a JPEG, PNG or WebP image",
        "give a JPEG, PNG or WebP image")
    end
  end)

  it("names the wrong image of several", function()
    refused("file", { images = { image(), folder .. "/missing.png", image() } }, "missing.png")
  end)

  it("refuses a prompt that is empty or not UTF-8", function()
    refused("invalid", { images = { image() }, prompt = "" }, "the prompt is empty")
    refused("invalid", { images = { image() }, instructions = { style = "noir" } }, "the prompt is empty")
    refused("invalid", { images = { image() }, prompt = "neon \255" }, "UTF-8")
  end)

  it("accepts instructions of 1,000 characters, and refuses 1,001 with the count", function()
    local frame = #'{"prompt":""}'
    accepted { images = { image() }, prompt = ("/"):rep(1000 - frame) }
    accepted { images = { image() }, prompt = ("\226\130\172"):rep(1000 - frame) }
    refused("invalid", { images = { image() }, prompt = ("/"):rep(1001 - frame) }, "1001 characters", "at most 1000")
  end)

  it("refuses a bad timeout", function()
    local gen, message, err = project:generate { images = { image() }, prompt = "neon", timeout = 0 }
    assert.is_nil(gen)
    assert.equal("config", err.kind)
    assert.is_truthy(message:find("timeout must be a number of seconds above 0", 1, true))
  end)

  it("needs a key of the project, and says how to get one", function()
    local other = client:project("880e8400-e29b-41d4-a716-446655440003") -- the option project_key is not its key
    local _, message, err = other:generate { images = { image() }, prompt = "neon" }
    assert.same({ "config", "not_sent" }, { err.kind, err.outcome })
    assert.is_truthy(message:find("create one with project:new_key", 1, true), message)
  end)

  it("uploads a file that is removed after the call", function()
    local path = file("gone.jpg", wire.image.jpeg)
    local task = devkit4ai.spawn(function()
      local gen = assert(project:generate { images = { path }, prompt = "neon" })
      return gen.id
    end)
    local remover = devkit4ai.spawn(function() return os.remove(path) end)
    assert(remover:join())
    assert.equal(ID, task:join())
  end)
end)

describe("an image that becomes shorter while it is sent", function()
  it("is a file failure, and the outcome is unknown", function()
    local folder = child.folder()
    local path = folder .. "/shrinks.jpg"
    local handle = assert(io.open(path, "wb"))
    handle:write(wire.image.jpeg, ("x"):rep(8 * 1024 * 1024))
    handle:close()
    local raw = require "spec.support.servers.raw"
    local server = raw.start { script = ([[return function(conn)
      conn:read_head()
      os.execute("truncate -s 1000 %s")
      conn:read_body()
    end]]):format(path) }
    finally(function()
      server:stop()
      child.remove(folder)
    end)
    local client = devkit4ai.new(wire.options(server.url))
    local gen, message, err = client:generate { images = { path }, prompt = "neon" }
    assert.is_nil(gen)
    assert.same({ "file", "unknown", false }, { err.kind, err.outcome, err.retryable })
    assert.is_truthy(message:find("shrinks.jpg: it became shorter", 1, true))
    client:close()
  end)
end)
