-- examples/engine: hot reloads, kill -9 and memory limits in a program that links everything in. What was paid is counted at
-- the server.
local child = require "spec.support.process.child"
local engine = require "spec.support.programs.engine"
local raw = require "spec.support.servers.raw"

local EMPTY_LIST = { generations = {}, pagination = { page = 1, per_page = 100, total = 0 } }

-- What the game says at the end of an order.
local SAVED, NOT_THERE = "%x+%.png$", "the server does not have the order"

describe("examples/engine", function()
  local sandbox, options, folder
  setup(function()
    sandbox = assert(require("devkit4ai.sandbox").start { step_time = 0 })
    options = assert(sandbox:developer { email = "dev@example.com", password = "SecurePass123" })
    folder = engine.folder()
    engine.build(folder)
  end)
  teardown(function()
    sandbox:stop()
    child.remove(folder)
  end)
  before_each(function()
    os.remove(folder .. "/orders.txt")
    sandbox:clear_faults()
    sandbox:clear_requests()
  end)

  -- Requests of an operation, and generations with a prompt.
  local function requests(operation)
    local count = 0
    for _, request in ipairs(sandbox:requests()) do
      if request.operation == operation then count = count + 1 end
    end
    return count
  end
  local function generations(prompt)
    local count = 0
    for _, generation in ipairs(sandbox:generations()) do
      if generation.instructions:find(('"prompt":"%s"'):format(prompt), 1, true) then count = count + 1 end
    end
    return count
  end

  local started
  after_each(function()
    for _, one in ipairs(started or {}) do one:kill() end
    started = nil
  end)
  local function start(name, image_bytes, its_options)
    local one = engine.start(folder, name or "engine", its_options or options, image_bytes)
    started = started or {}
    table.insert(started, one)
    return one
  end

  it("runs by the lines of its comment, with the client in it", function()
    assert.equal("engine: Lua has 0 bytes in 0 blocks; loading examples/engine/game.lua\n", engine.run_comment(folder))
  end)

  it("saves the image of each line of its input, and ends when that is done", function()
    local running = start()
    running:type "a castle"
    running:type "a cave [fail: too dark]"
    running:close_input()
    running:wait "a cave %[fail: too dark%]: gen:wait: .*failed: too dark"
    local path = running:wait("a castle: " .. SAVED):match "%S+$"
    assert.equal(0, running:finish())
    assert.equal("\137PNG", child.read(folder .. "/" .. path):sub(1, 4))
    assert.equal("", child.read(folder .. "/orders.txt"))
    assert.equal(2, requests "create_generation")
  end)

  for how, restart in pairs {
    ["a reload"] = function(running) running:save() return running end,
    ["kill and start"] = function(running) running:kill() return start() end,
  } do
    it(how .. " before the answer: the generation is found, and paid once", function()
      sandbox:fault { operation = "create_generation", delay = 1000 }
      local running, prompt = start(), "a tower, " .. how
      running:type(prompt)
      repeat until generations(prompt) == 1
      running = restart(running)
      running:wait(prompt .. ": accepted")
      running:wait(prompt .. ": " .. SAVED)
      assert.equal(1, generations(prompt))
      assert.equal(1, requests "create_generation")
    end)

    it(how .. " after the answer: the game waits for the id that it has", function()
      sandbox:fault { operation = "get_generation_status", delay = 1000 }
      local running, prompt = start(), "a bridge, " .. how
      running:type(prompt)
      repeat until requests "get_generation_status" == 1
      running = restart(running)
      running:wait(prompt .. ": " .. SAVED)
      assert.equal(1, generations(prompt))
      assert.equal(1, requests "create_generation")
      assert.equal(0, requests "list_generations")
    end)
  end

  it("a start just after the answer: the game waits for a generation that its server does not show yet", function()
    sandbox:fault { operation = "get_generation_status", delay = 1000 }
    local running = start()
    running:type "a road"
    repeat until requests "get_generation_status" == 1
    running:kill()
    sandbox:fault { operation = "get_generation_status", status = 404, times = 2 }
    start():wait("a road: " .. SAVED)
    assert.equal(1, generations "a road")
  end)

  it("a line that comes in parts is one order", function()
    local running, prompt = start(), ("a long way "):rep(60) -- the engine reads 512 bytes in a frame
    running:type(prompt)
    running:type "a short way"
    running:wait("a short way: " .. SAVED)
    running:wait(prompt .. ": " .. SAVED)
    assert.equal(1, generations(prompt))
    assert.equal(2, requests "create_generation")
  end)

  it("another copy in the same folder does not run, a damaged line is no order, another project's stays", function()
    local file, foreign = assert(io.open(folder .. "/orders.txt", "w")), "5f2c9a41 another-project - a wall\n"
    file:write("\n5f2c9a41\n", foreign)
    file:close()
    local running = start()
    sandbox:fault { operation = "create_generation", delay = 1000 }
    running:type "a gate"
    repeat until generations "a gate" == 1
    assert.matches("orders.txt is in use", engine.run_copy(folder, "engine", options))
    assert.matches("a gate", child.read(folder .. "/orders.txt"))
    running:kill()
    running = start()
    running:wait("a gate: " .. SAVED)
    running:close_input()
    assert.equal(0, running:finish())
    assert.equal(foreign, child.read(folder .. "/orders.txt"))
    assert.equal(1, generations "a gate")
  end)

  -- A server that reads nothing of an upload has no generation of it.
  local function upload_stuck()
    local server = raw.start { script = ([[
      return function(conn)
        while conn:read_head() do
          if conn.head:find "^POST" then conn:hold() end
          conn:read_body()
          conn:respond(200, %q)
        end
      end]]):format(require("cjson").encode(EMPTY_LIST)) }
    finally(function() server:stop() end)
    local stuck = {}
    for key, value in pairs(options) do stuck[key] = value end
    stuck.base_url = server.url
    local running = start("engine", 10 * 1024 * 1024, stuck)
    running:type "a wall"
    running:wait "a wall: %d+ of %d+ bytes are sent"
    return running, server
  end

  local function posts(server)
    local count = 0
    for _, request in ipairs(server:requests()) do
      if request.method == "POST" then count = count + 1 end
    end
    return count
  end

  it("a reload during an upload that never arrives: the game looks for it, and sends nothing again", function()
    local running, server = upload_stuck()
    running:save()
    running:wait("a wall: " .. NOT_THERE)
    assert.equal("", child.read(folder .. "/orders.txt"))
    assert.equal(1, posts(server))
    running:signal "TERM"
    assert.equal(0, running:finish())
  end)

  it("the player ends it during an upload", function()
    local running = upload_stuck()
    running:signal "TERM"
    assert.equal(0, running:finish())
    assert.matches("a wall", child.read(folder .. "/orders.txt"))
    os.remove(folder .. "/orders.txt")
  end)

  it("an error in the game, and a lack of memory: the engine goes on, and loads the next version", function()
    local running = start()
    running:save "this is not Lua"
    repeat until running:errors():find "syntax error"
    running:save "local t = {} while true do t[#t + 1] = ('x'):rep(2 ^ 20) .. #t end"
    repeat until running:errors():find "not enough memory"
    running:save()
    running:type "a lake"
    running:wait("a lake: " .. SAVED)
  end)

  it("a save folder that can't be written: nothing is sent", function()
    local running, blocker = start(), folder .. "/orders.txt.new"
    os.execute("mkdir " .. blocker)
    running:type "a boat"
    repeat until running:errors():find "orders.txt.new: Is a directory"
    os.execute("rmdir " .. blocker)
    running:save()
    running:type "a ship"
    running:wait("a ship: " .. SAVED)
    assert.equal(0, generations "a boat")
    assert.equal(1, requests "create_generation")
  end)

  -- Types an order, and reloads at one of four moments: at once, during the upload, when the generation exists, after the answer.
  local function order_and_reload(running, prompt, moment)
    local before = #sandbox:requests()
    running:type(prompt .. "[fail: made]")
    if moment == 1 then repeat until #sandbox:requests() > before end
    if moment == 2 then repeat until generations(prompt .. "[fail: made]") == 1 end
    if moment == 3 then running:wait("^" .. prompt .. ".*: accepted") end
    running:save()
  end

  -- Waits for the end of an order. Returns whether its generation was found; if not, the game has looked, and sent nothing again.
  local function is_found(running, prompt)
    local line = running:wait("^" .. prompt .. "%[fail: made%]: [^a%d]") -- neither accepted nor a number of bytes
    local found = line:find("failed: made", 1, true) ~= nil
    local count = generations(prompt .. "[fail: made]")
    assert.is_true(count == 1 or count == 0 and not found, ("%s, %d generations"):format(line, count))
    return found or not assert.matches(NOT_THERE, line)
  end

  -- Reloads so many times. At least half of the orders are found: those that the server had before the reload.
  local function reload_under_load(name, reloads)
    local running, found = start(name, 4 * 1024 * 1024), 0
    for i = 1, reloads do
      order_and_reload(running, ("%s %d "):format(name, i), i % 4)
      if i % 10 == 0 or i == reloads then
        for k = i - (i - 1) % 10, i do found = found + (is_found(running, ("%s %d "):format(name, k)) and 1 or 0) end
        sandbox:clear_requests()
      end
    end
    running:close_input()
    assert.equal(0, running:finish())
    assert.equal("", running:errors())
    assert.is_true(found >= reloads / 2, found)
  end

  for _, name in ipairs { "first", "second", "third", "fourth" } do
    it("50 reloads under load, for the " .. name .. " time: no order is paid twice", function()
      os.execute(("cp %s/engine %s/%s"):format(folder, folder, name))
      reload_under_load(name, 50)
    end)
  end

  it("12 reloads under AddressSanitizer and UndefinedBehaviorSanitizer", function()
    engine.build(folder, "address",
      "gcc -fsanitize=address,undefined -fno-sanitize-recover=all -g -Wall -Wextra -Werror")
    reload_under_load("address", 12)
  end)

  -- As in an engine that gives its work to a pool of threads. Only one of them uses the state at a time.
  it("12 reloads under ThreadSanitizer, with each frame on another thread", function()
    engine.build(folder, "threads", "clang -fsanitize=thread -g -Wall -Wextra -Werror", {
      ["int main ("] = "#include <pthread.h>\n"
        .. "static void *run_on_thread (void *engine) { run_protected(engine, run_frame); return NULL; }\n\nint main (",
      ["run_protected(&engine, run_frame);"] = "{ pthread_t thread; "
        .. "if (pthread_create(&thread, NULL, run_on_thread, &engine) == 0) pthread_join(thread, NULL); }",
    })
    reload_under_load("threads", 12)
  end)
end)
