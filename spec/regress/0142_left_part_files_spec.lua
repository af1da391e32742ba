-- The part file of a killed process stayed forever, under a name that did not say what it is. The next save into that folder
-- removes it. Part files of running processes stay. The C tests have more: download_test.c.
local child = require "spec.support.process.child"
local devkit4ai = require "spec.support.calls.no_retry_pauses"
local raw = require "spec.support.servers.raw"
local wire = require "spec.support.calls.wire"

local ID = "990e8400-e29b-41d4-a716-446655440004"
local PNG = wire.image.png

describe("a part file", function()
  local folder, server, client

  before_each(function()
    folder = child.folder()
    -- /slow/ sends only the first half
    server = raw.start { script = ([[
      local PNG = %q
      return function(conn)
        local request = conn:read_request()
        while request do
          local url = "http://" .. request.head:match("[Hh]ost: ([^\r]+)")
          local slow = request.head:find("X-Slow: yes", 1, true) and "/slow" or ""
          if request.target:find("/status$") then
            conn:respond(200, { id = "%s", status = "completed", result_image_url = url .. slow .. "/a.png" })
          elseif request.target:find("/slow/", 1, true) then
            conn:write("HTTP/1.1 200 OK\r\nContent-Length: " .. #PNG .. "\r\n\r\n" .. PNG:sub(1, 20))
            conn:hold()
            return
          else
            conn:respond(200, PNG)
          end
          request = conn:read_request()
        end
      end]]):format(PNG, ID) }
    client = assert(devkit4ai.new(wire.options(server.url)))
  end)
  after_each(function()
    client:close()
    server:release()
    server:stop()
    child.remove(folder)
  end)

  -- Starts a process that saves a slow image; gives its pid when the part file exists.
  local function start(name)
    local before = #child.list(folder)
    local script = folder .. "-" .. name .. ".lua"
    local file = assert(io.open(script, "wb"))
    file:write(([[
      local wire = require "spec.support.calls.wire"
      local client = assert(require("devkit4ai").new(wire.options(%q)))
      client:generation(%q):save(%q, { headers = { ["X-Slow"] = "yes" } })
    ]]):format(server.url, ID, folder .. "/" .. name))
    file:close()
    local environment = "ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0"
    local pipe = assert(io.popen(("%s '%s' '%s' >/dev/null 2>&1 & echo $!"):format(
      environment, child.interpreter(), script)))
    local pid = pipe:read("*l")
    pipe:close()
    repeat client:generation(ID):refresh() until #child.list(folder) > before
    os.remove(script)
    return pid
  end

  -- A zombie has closed its files, although nobody has reaped it yet.
  local function kill(pid)
    os.execute(("kill -9 %s; while [ -e /proc/%s ] && ! grep -q '^State:.Z' /proc/%s/status; do sleep 0.01; done")
      :format(pid, pid, pid))
  end

  it("of a killed process has a clear name, and the next save into the folder removes it", function()
    for _, name in ipairs { "a.png", "b.png" } do
      kill(start "a.png")
      local left = child.list(folder)
      assert.equal(1, #left)
      assert.matches("^devkit4ai%-unfinished%-%d+$", left[1])
      assert(client:generation(ID):save(folder .. "/" .. name))
      assert.same({ name }, child.list(folder))
      os.remove(folder .. "/" .. name)
    end
  end)

  it("of a running process stays", function()
    local pids = { start "a.png", start "b.png" }
    kill(pids[1])
    assert(client:generation(ID):save(folder .. "/c.png"))
    assert.equal(2, #child.list(folder))
    kill(pids[2])
    assert(client:generation(ID):save(folder .. "/c.png", { overwrite = true }))
    assert.same({ "c.png" }, child.list(folder))
  end)
end)
