-- A build without threads (DEVKIT4AI_NO_THREADS), in build/no-threads: the part `lua5.4-no-threads` of tools/test. There,
-- devkit4ai.update() steps the engine.
local child = require "spec.support.process.child"
local core = require "devkit4ai.core"
local devkit4ai = require "devkit4ai"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "550e8400-e29b-41d4-a716-446655440000"
local SIZE = 4 * 1024 * 1024 -- bytes of an image
local MOST_SENT = 112 * 1024 -- bytes of an upload in one update, as docs/building.md says

-- As the system counts those of this process.
local function count_threads()
  return tonumber(child.read("/proc/self/status"):match("\nThreads:%s*(%d+)"))
end

-- Where require finds the compiled module.
local function path_of_core()
  for template in package.cpath:gmatch("[^;]+") do
    local path = template:gsub("%?", "devkit4ai/core")
    local file = io.open(path)
    if file then
      file:close()
      return path
    end
  end
end

describe("a build without threads", function()
  local server, client
  setup(function()
    server = raw.start { script = ([[return function(conn)
      while conn:read_request() do conn:respond(200, { id = "%s" }) end
    end]]):format(ID) }
    client = assert(devkit4ai.new(wire.options(server.url)))
  end)
  teardown(function()
    client:close()
    server:stop()
  end)

  it("says so", function()
    assert.is_false(core.threads)
    assert.same({ nil, "no thread could be started" }, { core.engine():start() })
  end)

  it("has no symbol of pthread", function()
    local pipe = assert(io.popen("nm '" .. path_of_core() .. "'"))
    local symbols = pipe:read("*a")
    pipe:close()
    assert.is_truthy(symbols:find("curl_multi_perform", 1, true))
    assert.is_nil(symbols:match("[^\n]*pthread[^\n]*"))
  end)

  it("takes calls and an upload through updates alone, in one thread", function()
    local before, done, gen, most, frames = #server:requests(), 0, nil, 0, 0
    local reported = {}
    for _ = 1, 3 do
      devkit4ai.spawn(function()
        for _ = 1, 3 do assert(client:me()) end
        done = done + 1
      end)
    end
    devkit4ai.spawn(function()
      local image = { data = wire.image.png .. ("x"):rep(SIZE), filename = "x.png" }
      gen = assert(client:generate { images = { image }, prompt = "neon", on_upload = function(sent)
        reported[#reported + 1] = sent
      end })
      done = done + 1
    end)
    repeat
      devkit4ai.update()
      frames = frames + 1
      most = math.max(most, count_threads())
    until done == 4
    assert.equal(1, most)
    assert.equal(ID, gen.id)
    assert.equal(before + 10, #server:requests())
    assert.is_true(reported[#reported] > SIZE)
    assert.is_true(frames >= SIZE / MOST_SENT, frames .. " updates")
  end)

  it("goes on in a call that waits, in one thread", function()
    local id
    devkit4ai.spawn(function() id = assert(client:me()).id end)
    devkit4ai.update()
    assert.equal(ID, assert(client:me()).id)
    while not id do devkit4ai.update() end
    assert.equal(1, count_threads())
  end)
end)

describe("in a build without threads,", function()
  -- A first client with the options; then, what loop = "own" gives.
  local NEW = [[
    %s
    local devkit4ai = require "devkit4ai"
    local client, message, err = devkit4ai.new { base_url = "http://127.0.0.1:1", access_token = "t", loop = %s }
    print(client, err and err.kind, message)
    print(select(3, devkit4ai.new { base_url = "http://127.0.0.1:1", access_token = "t", loop = "own" }:me()).kind)
  ]]
  local NGINX = 'ngx = { get_phase = function() return "content" end } package.loaded.ngx = ngx '
    .. 'package.loaded["ngx.semaphore"] = {}'
  local function text_for(loop)
    return ("nil\tconfig\tdevkit4ai.new: loop = %q needs a thread, and this library was built without threads "
      .. "(DEVKIT4AI_NO_THREADS): build it with threads, or use loop = \"own\" and call devkit4ai.update()\n"
      .. "network\n"):format(loop)
  end

  for _, loop in ipairs { "copas", "cqueues", "luv" } do
    it("the loop " .. loop .. " is refused, and the loop own is not", function()
      local ended = child.run(NEW:format("", ("%q"):format(loop)))
      assert.equal(text_for(loop), ended.out, ended.err)
    end)
  end

  it("nginx is refused where it is the loop of the program", function()
    local ended = child.run(NEW:format(NGINX, "nil"))
    assert.equal(text_for("nginx"), ended.out, ended.err)
  end)
end)
