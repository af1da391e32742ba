-- Faults that a review of the loop found: a secret in the error of an upload whose client was closed, a parent's task that ran
-- in a forked child, a join of a closed coroutine that never ended, and a cancel inside of on_upload that was not seen.
local child = require "spec.support.process.child"
local raw = require "spec.support.servers.raw"

local PRELUDE = [[
  local devkit4ai = require "devkit4ai"
  local id = "990e8400-e29b-41d4-a716-446655440004"
  local client = devkit4ai.new { base_url = arg[1], access_token = "MARKER-SECRET-TOKEN-123456", developer_key = "d",
    project_id = id, project_key = "p", retry = { attempts = 1 } }
  local image = { data = "\137PNG\r\n\26\n" .. ("\0"):rep(9000000), filename = "a.png" }
  local function generate(on_upload)
    return client:generate { images = { image }, prompt = "x", on_upload = on_upload }
  end
]]

local function run(server_script, script)
  local server = raw.start { script = server_script }
  finally(function() server:stop() end)
  local ended = child.run(PRELUDE .. script, { args = { server.url } })
  assert.equal(0, ended.code, ended.err)
  return ended.out, server
end

-- Answers when on_upload has been called: the callback makes a file.
local ECHOES = [[return function(conn)
  local head = conn:read_head()
  local file = io.open(%q)
  while not file do
    conn:sleep(0.01)
    file = io.open(%q)
  end
  file:close()
  local body = '{"detail":"bad token ' .. head:match("Bearer (%%S+)") .. '"}'
  conn:write("HTTP/1.1 422 Bad\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body)
  conn:sleep(1)
end]]

for _, where in ipairs { "a script", "a task" } do
  it("on_upload that closes the client and raises shows no secret of the response, in " .. where, function()
    local path = os.tmpname()
    os.remove(path)
    local out = run(ECHOES:format(path, path), ([[
      local function fn()
        return generate(function()
          io.open(%q, "w"):close()
          devkit4ai.sleep(0.5)
          client:close()
          error "boom"
        end)
      end
      local task = devkit4ai.spawn(function() %s end)
      local _, why = pcall(%s)
      print(tostring(why))
    ]]):format(path, where == "a task" and "return fn()" or "", where == "a task" and "task.join, task" or "fn"))
    os.remove(path)
    assert.is_truthy(out:find("boom", 1, true), out)
    assert.is_nil(out:find("MARKER", 1, true), out)
  end)
end

it("a cancel inside of on_upload ends the upload", function()
  local out = run("return function(conn) conn:read_head() conn:sleep(100) end", [[
    local task
    task = devkit4ai.spawn(function()
      return generate(function()
        task:cancel()
        devkit4ai.sleep(50)
      end)
    end)
    local _, _, err = task:join()
    print(err.kind)
  ]])
  assert.equal("cancelled\n", out)
end)

if coroutine.close then
  it("a task whose coroutine the program closed fails, and its join ends", function()
    local out = run("return function(conn) conn:read_head() conn:sleep(100) end", [[
      local co
      local task = devkit4ai.spawn(function()
        co = coroutine.running()
        devkit4ai.sleep(0.05)
      end)
      devkit4ai.update()
      coroutine.close(co)
      print((pcall(task.join, task)))
    ]])
    assert.equal("false\n", out)
  end)
end

if rawget(_G, "jit") then -- fork, by the ffi
  for how, wait in pairs { join = "forks:join()", all = "devkit4ai.all { fork }" } do
    it("a forked child does not run a task of its parent that waited for the forked one: " .. how, function()
      local out = run("return function(conn) conn:read_head() conn:sleep(100) end", ([[
        local ffi = require "ffi"
        ffi.cdef "int fork(void); int waitpid(int, int *, int); void _exit(int);"
        io.stdout:setvbuf "no"
        local pid
        local function fork()
          devkit4ai.sleep(0.01)
          pid = ffi.C.fork()
          devkit4ai.sleep(0.02)
        end
        local forks = %s
        local task = devkit4ai.spawn(function()
          %s
          print(pid == 0 and "child goes on" or "parent goes on")
        end)
        pcall(task.join, task)
        devkit4ai.sleep(0.1)
        if pid == 0 then ffi.C._exit(0) end
        ffi.C.waitpid(pid, nil, 0)
      ]]):format(how == "join" and "devkit4ai.spawn(fork)" or "nil", wait))
      assert.equal("parent goes on\n", out)
    end)
  end
end
