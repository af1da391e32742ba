-- devkit4ai batch push and batch work with a real Redis and a sandbox: data on standard output, exit codes, Ctrl-C, and that no
-- password of the queue's URL shows. One Lua is enough for what the commands add.
if _VERSION ~= "Lua 5.4" then return end

local child = require "spec.support.process.child"
local command = require "spec.devkit4ai.cli.command"
local helper = require "spec.devkit4ai.sandbox.helper"
local queues = require "devkit4ai.batch.queue"
local free_port = require "spec.support.servers.free_port"
local redis_servers = require "spec.support.servers.redis"

-- Short pauses between the status requests.
local FAST = 'require("devkit4ai.generation.pacing.poll_schedule").pause = function() return 0.05 end'

-- Forgets the limits of all accounts.
local FORGET = [[
for _, key in ipairs(redis.call("keys", "devkit4ai:account:*")) do redis.call("del", key) end]]

describe("devkit4ai batch push and work", function()
  local workspace, image, server, url, count
  setup(function()
    count = 0
    image = helper.shell "pwd":match "[^\n]+" .. "/" .. helper.PNG
    workspace = command.new { step_time = 0.05 }
    workspace:login()
    local port = free_port()
    server = redis_servers.start { "port " .. port, "requirepass GEHEIM" }
    url = ("redis://:GEHEIM@127.0.0.1:%d"):format(port)
  end)
  teardown(function()
    workspace:remove()
    redis_servers.stop_all()
  end)
  before_each(function() count = count + 1 end)
  after_each(function() assert(workspace.box:clear_faults()) end)

  local function name() return "q" .. count end

  local function open() return assert(assert(queues.open(url, name())):open {}) end

  -- Runs a command with the queue in the environment.
  local function run(args, options)
    options = options or {}
    local code = FAST .. " " .. (options.code or "")
    local all = { "batch", table.unpack(args) }
    for _, word in ipairs { "--queue-name", name() } do all[#all + 1] = word end
    local ended = workspace[options.word and "interrupt" or "run"](workspace, all,
      options.word or { code = code, env = { DEVKIT4AI_QUEUE = options.url or url } },
      { code = code, env = { DEVKIT4AI_QUEUE = options.url or url } })
    local text = ended.output or ended.out .. ended.err
    assert.is_nil(text:find("GEHEIM", 1, true), text)
    return ended
  end

  local function push(...)
    local lines = { "name,image,city" }
    for _, city in ipairs { ... } do lines[#lines + 1] = ("%s.png,%s,%s"):format(city, image, city) end
    local path = workspace:write(name() .. ".csv", table.concat(lines, "\n") .. "\n")
    return { "push", path, "--prompt", "a lighthouse" }
  end

  local function work(...) return { "work", "--out", workspace.folder .. "/out" .. count, ... } end

  it("make a file for each job, and pay once for it; a second worker finds nothing to do", function()
    local before = workspace:count_generations()
    local ended = run(push("Oslo", "Rome"))
    assert.equal(0, ended.code, ended.err)
    assert.matches("^2 jobs, 2 of them new\nto send: 2; estimate: %d+ min, with %d at once\n$", ended.out)
    ended = run { "push", workspace.folder .. "/" .. name() .. ".csv", "--prompt", "a lighthouse", "--json" }
    assert.same({ 2, 0, 2 }, { ended.json.total, ended.json.added, ended.json.estimate.to_send })
    ended = run(work())
    assert.same({ 0, "2 saved, 0 failed, 0 undecided\n" }, { ended.code, ended.out }, ended.err)
    assert.same({ "Oslo.png", "Rome.png" }, child.list(workspace.folder .. "/out" .. count))
    ended = run(work "--json")
    assert.same({ 0, 0 }, { ended.code, ended.json.saved }, ended.err)
    assert.equal(before + 2, workspace:count_generations())
  end)

  it("end with 2 if the queue's URL is missing or wrong, and with 1 if Redis does not answer", function()
    assert.equal(2, workspace:run({ "batch", "work", "--out", workspace.folder .. "/out" }).code)
    for _, wrong in ipairs { "http://:GEHEIM@h", "redis://:GEHEIM@", "redis://user:GEHEIM@h:99999" } do
      local ended = run(work(), { url = wrong })
      assert.equal(2, ended.code, ended.err)
      assert.matches("the queue's URL", ended.err)
    end
    local ended = run(work "--json", { url = "redis://:GEHEIM@127.0.0.1:1" })
    assert.same({ 1, "network" }, { ended.code, ended.json.error.kind })
  end)

  it("end with 4 if Redis refuses the password, and with 1 if the queue does not exist", function()
    assert.equal(4, run(work(), { url = (url:gsub(":GEHEIM", ":FALSCH")) }).code)
    local ended = run(work())
    assert.equal(1, ended.code)
    assert.matches("batch push creates it", ended.err)
  end)

  it("warn of a password in --queue, which others see, and take the URL from a file for --env-file", function()
    run(push "Oslo")
    local ended = workspace:run({ "batch", "work", "--queue", url, "--queue-name", name(), "--out",
      workspace.folder .. "/out" .. count }, { code = FAST })
    assert.equal(0, ended.code, ended.err)
    assert.matches("can see the password in %-%-queue: set DEVKIT4AI_QUEUE", ended.err)
    assert.is_nil((ended.out .. ended.err):find("GEHEIM", 1, true))
    local path = workspace:write("queue.env", "DEVKIT4AI_QUEUE=" .. url .. "\n")
    ended = workspace:run { "batch", "work", "--env-file", path, "--queue-name", name(), "--out",
      workspace.folder .. "/out" .. count }
    assert.equal(0, ended.code, ended.err)
    assert.is_nil((ended.out .. ended.err):find("GEHEIM", 1, true))
  end)

  it("end with 5 at a quota, and tell a failed job", function()
    run(push("Oslo", "Rome"))
    assert(workspace.box:fault { operation = "create_generation", rate_limit = 7200, times = 99 })
    local ended = run(work "--json")
    assert.same({ 5, "rate_limited" }, { ended.code, ended.json.error.kind }, ended.err)
    assert(workspace.box:clear_faults())
    server:cli("-a GEHEIM --no-auth-warning eval " .. helper.quote(FORGET) .. " 0")
    assert(workspace.box:fault { operation = "create_generation", fail = "too dark", times = 1 })
    ended = run(work())
    assert.same({ 9, "1 saved, 1 failed, 0 undecided\n" }, { ended.code, ended.out }, ended.err)
    assert.matches("failed: too dark", ended.err)
    local letter = open():dead()[1]
    ended = run { "push", "--again", letter.name }
    assert.equal(0, ended.code, ended.err)
    assert.equal(0, run(work()).code)
  end)

  -- Code for a command: Redis is killed when the first job is to be given back.
  local KILL_REDIS = [[
local redis, scripts = require "devkit4ai.batch.queue.redis", require "devkit4ai.batch.queue.scripts"
local open = redis.open
redis.open = function(url)
  local connection, message, err = open(url)
  local script = connection.script
  connection.script = function(self, text, ...)
    if text == scripts.release then os.execute "kill -9 %s" end
    return script(self, text, ...)
  end
  return connection, message, err
end
]]

  it("Ctrl-C says that jobs come back with their leases if Redis is gone", function()
    run(push("Oslo", "Rome"))
    assert(workspace.box:fault { operation = "get_generation_status", delay = 30, times = 99 })
    local ended = run(work "--json", { word = '"accepted"', code = KILL_REDIS:format(server.pid) })
    server:run()
    assert.equal(8, ended.code, ended.output)
    local text = "Redis did not answer, so %d of its jobs come back to the queue when their leases are over; %d of "
      .. "them accepted and paid for"
    assert.matches(text, ended.output)
  end)

  it("Ctrl-C gives the jobs of a worker back", function()
    run(push("Oslo", "Rome"))
    assert(workspace.box:fault { operation = "get_generation_status", delay = 30, times = 99 })
    local ended = run(work "--json", { word = '"accepted"' })
    assert.equal(8, ended.code, ended.output)
    assert.matches("back in the queue, %d of them accepted and paid for; other workers continue", ended.output)
    local queue = open()
    assert.equal(2, queue:counts().open)
    local claimed = queue:claim("next", 60, 10, 5) -- at once, although the lease has 60 s
    assert.equal(2, #claimed)
    for _, one in ipairs(claimed) do assert.equal(1, one.state.deliveries) end
  end)
end)
