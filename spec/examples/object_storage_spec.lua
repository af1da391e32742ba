-- examples/queue/object_storage.lua: a worker whose results go to a storage through presigned URLs. The storage is a server of
-- this spec that writes down what it gets, and refuses the first upload.
local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"
local redis_servers = require "spec.support.servers.redis"

local STORAGE = [[
local folder = ...
local server = assert(require("socket").bind("127.0.0.1", 0))
local _, port = server:getsockname()
io.stdout:write(port, "\n")
io.stdout:flush()
for count = 1, 2 do
  local client = server:accept()
  local request, length = client:receive "*l", 0
  repeat
    local line = client:receive "*l"
    length = tonumber(line:lower():match "^content%-length: (%d+)") or length
    if line:lower():find "^expect" then client:send "HTTP/1.1 100 Continue\r\n\r\n" end
  until line == ""
  local body = client:receive(length)
  local status = count == 1 and "503 Slow Down" or "200 OK"
  client:send(("HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"):format(status))
  client:close()
  local file = assert(io.open(folder .. "/put" .. count, "wb"))
  file:write(request, "\n", body)
  file:close()
end
]]

describe("the example of a worker with an object storage", function()
  local folder

  setup(function() folder = child.folder() end)
  teardown(function()
    child.remove(folder)
    redis_servers.stop_all()
    helper.stop_all()
  end)

  it("puts each image to its presigned URL, again after a failure, and pays once", function()
    local path = folder .. "/storage.lua"
    local file = assert(io.open(path, "w"))
    file:write(STORAGE)
    file:close()
    local storage = assert(io.popen(("exec timeout 250 %s %s %s"):format(child.interpreter(), path, folder)))
    local port = storage:read "*l"
    local redis, box = redis_servers.start(), helper.start { step_time = 0 }
    local developer = assert(box:developer { email = "dev@example.com", password = "SecurePass123" })
    local client = assert(require("devkit4ai").new { base_url = box.url })
    local url = ("http://127.0.0.1:%s/bucket/a%%20b.png?X-Amz-Signature=abc&partNumber=1"):format(port)
    assert(client:push_batch { queue = redis.url, jobs = { { image = "examples/images/neon.png", prompt = "a",
      name = "a.png", put_url = url } } })
    assert(os.execute("mkdir " .. folder .. "/out"))
    local ended = child.run(child.read "examples/queue/object_storage.lua", { args = { folder .. "/out" }, env = {
      DEVKIT4AI_QUEUE = redis.url, DEVKIT4AI_BASE_URL = box.url, DEVKIT4AI_DEVELOPER_KEY = developer.developer_key,
      DEVKIT4AI_PROJECT_ID = developer.project_id, DEVKIT4AI_PROJECT_KEY = developer.project_key,
      DEVKIT4AI_EMAIL = "dev@example.com", DEVKIT4AI_PASSWORD = "SecurePass123",
    } })
    assert.equal("1 saved, 0 failed, 0 undecided\n", ended.out, ended.err)
    local image = child.read(folder .. "/out/a.png")
    local request, body = child.read(folder .. "/put2"):match "^([^\n]*)\n(.*)$"
    assert.equal("PUT /bucket/a%20b.png?X-Amz-Signature=abc&partNumber=1 HTTP/1.1", request:gsub("\r", ""))
    assert.is_true(body == image)
    assert.is_true(child.read(folder .. "/put1"):match "^[^\n]*\n(.*)$" == image)
    assert.equal(1, #box:generations())
    assert.same({ "a.png" }, child.list(folder .. "/out"))
    storage:close()
  end)
end)
