-- Starting a sandbox, and the ways in which it ends.
local helper = require "spec.devkit4ai.sandbox.helper"
local sandbox = require "devkit4ai.sandbox"

-- The Lua that runs this spec.
local function interpreter()
  local first = 0
  while arg[first - 1] do first = first - 1 end
  return arg[first]
end

-- Runs Lua code in a child process and gives the output of it and of all its children, when all have ended. The output
-- ends with "still there" if one still runs after 20 seconds.
local function run(code)
  local file = helper.file('local sandbox = require "devkit4ai.sandbox"\n' .. code)
  local text = helper.shell(("{ %s %s 2>&1; } 2>&1 | { timeout 20 cat || echo still there; }"):format(
    helper.quote(interpreter()), file))
  os.remove(file)
  return text
end

local function answers(url)
  return helper.shell("curl -s -o /dev/null -w '%{http_code}' " .. url .. "/") ~= "000"
end

describe("sandbox.start", function()
  teardown(helper.stop_all)

  it("gives an address, an operator key and developers that are logged in", function()
    local box = helper.start {}
    assert.truthy(box.url:find "^http://127%.0%.0%.1:%d+$")
    assert.is_true(#box.operator_key >= 32)
    local developer = helper.developer(box)
    assert.equal(box.url, developer.base_url)
    local answer = helper.request("GET", box.url .. "/api/v1/projects/", helper.developer_headers(developer))
    assert.equal(200, answer.status)
    assert.equal(developer.project_id, answer.json[1].id)
    assert.equal("Default Project", answer.json[1].name)
  end)

  it("gives the reason why a developer can't be registered", function()
    local box = helper.start {}
    local email = helper.email()
    local account = { email = email, password = helper.PASSWORD }
    assert(box:developer(account))
    assert.same({ nil, "the email is registered already" }, { box:developer(account) })
    assert.is_nil((box:developer { email = "x", password = helper.PASSWORD }))
    assert.is_nil((box:developer { email = helper.email(), password = "weak" }))
    local ok, message = pcall(box.developer, box, { email = 5 })
    assert.is_false(ok)
    assert.truthy(message:find("email and password must be strings", 1, true))
  end)

  it("can run several times at once, and each ends alone", function()
    local a, b, c = helper.start {}, helper.start {}, helper.start {}
    a:stop()
    assert.is_false(answers(a.url))
    assert.is_true(answers(b.url))
    c:stop()
    assert.is_false(answers(c.url))
    assert.is_true(answers(b.url))
    b:stop()
    assert.is_false(answers(b.url))
  end)

  it("can be stopped twice", function()
    local box = helper.start {}
    box:stop()
    box:stop()
    local ok, message = pcall(box.developer, box, { email = "a@example.com", password = "x" })
    assert.is_false(ok)
    assert.truthy(message:find("the sandbox was stopped", 1, true))
  end)

  it("ends when its object is collected or closed", function()
    local box = assert(sandbox.start {})
    local url = box.url
    box = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.is_false(answers(url))
    local compile = loadstring or load
    local scope = compile 'local start = ... local box <close> = start {} return box.url'
    if scope then assert.is_false(answers(scope(sandbox.start))) end
  end)

  it("fails at once when the port is in use", function()
    local box = helper.start {}
    local port = tonumber(box.url:match(":(%d+)$"))
    local other, message = sandbox.start { port = port }
    assert.is_nil(other)
    assert.equal(("the sandbox did not start: port %d is in use"):format(port), message)
    box:stop()
    other = assert(sandbox.start { port = port })
    assert.equal(box.url, other.url)
    other:stop()
  end)

  it("fails at once when the command is missing or ends, and no process stays", function()
    local text = run [[
      print(sandbox.start { command = "/nowhere/devkit4ai" })
      print(sandbox.start { command = "false" })
      print(sandbox.start { command = "true" })
      print(sandbox.start { command = "echo nonsense; true" })
      print(sandbox.start { command = "'" })
    ]]
    assert.truthy(text:find("no command '/nowhere/devkit4ai'. It comes with the rock devkit4ai", 1, true))
    assert.truthy(text:find("'false sandbox' ended with exit code 1", 1, true))
    assert.truthy(text:find("'true sandbox' ended", 1, true))
    assert.truthy(text:find("'echo nonsense; true sandbox' ended", 1, true))
    assert.truthy(text:find("'' sandbox' ended", 1, true))
    assert.falsy(text:find("still there", 1, true))
  end)

  it("fails when it can't make its FIFO", function()
    local tmpname = os.tmpname
    finally(function() os.tmpname = tmpname end) -- luacheck: ignore
    for fragment, stub in pairs {
      ["no unique name"] = function() error("no unique name", 0) end,
      ["cannot make a FIFO in /dev/null/x"] = function() return "/dev/null/x" end,
    } do
      os.tmpname = stub -- luacheck: ignore
      assert.same({ nil, "the sandbox did not start: " .. fragment }, { sandbox.start { step_time = 0 } })
    end
  end)

  it("raises an error at the caller's line for an unknown option or a bad value", function()
    for option, fragment in pairs {
      prot = "unknown option 'prot' (known: access_life, activation, anonymous_limit, auth_limit, command, "
        .. "daily_request_limit, data, dialect, ",
      port = "port must be a whole number from 0 to 65535", step_time = "step_time must be a number of seconds",
      command = "command must be a string", tier = "tier must be one of: none, free, starter, premium",
    } do
      local ok, message = pcall(function()
        sandbox.start { [option] = -1 }
      end)
      assert.is_false(ok)
      assert.truthy(message:find(fragment, 1, true), message)
      assert.truthy(message:find("start_spec.lua:", 1, true), message)
    end
    assert.is_false(pcall(sandbox.start, "x"))
  end)

  describe("ends the sandbox with its program, which", function()
    for how, code in pairs {
      ["runs to its end"] = "", ["exits without closing"] = "os.exit(3)", ["fails"] = 'error "on purpose"',
      ["is killed with -9"] = 'os.execute "kill -9 $PPID"',
    } do
      it(how, function()
        local text = run('a, b = assert(sandbox.start {}), assert(sandbox.start {})\n'
          .. 'io.stdout:write(a.url, "\\n", b.url, "\\n") io.stdout:flush()\n' .. code)
        local first, second = text:match("(http%S+)\n(http%S+)\n")
        assert.is_string(first, text)
        assert.falsy(text:find("still there", 1, true), text)
        assert.is_false(answers(first))
        assert.is_false(answers(second))
      end)
    end
  end)

  -- The child inherits the pipe, and ends when the sandbox stops answering.
  describe("ends the sandbox though a child of its program holds the pipe open, when the program", function()
    for how, code in pairs {
      ["stops it"] = "box:stop()", ["exits without closing"] = "os.exit(3)",
      ["is killed with -9"] = 'os.execute "kill -9 $PPID"',
    } do
      it(how, function()
        local text = run(([[
          box = assert(sandbox.start {})
          os.execute("timeout 20 sh -c 'while curl -so /dev/null " .. box.url .. "; do :; done' || echo still there &")
          io.stdout:write(box.url, "\n") io.stdout:flush()
          %s
        ]]):format(code))
        assert.falsy(text:find("still there", 1, true), text)
        assert.is_false(answers(text:match("http%S+")))
      end)
    end
  end)

  it("gives nil and a message after the sandbox was killed", function()
    local pid = os.tmpname()
    local text = run(([[
      local box = assert(sandbox.start { command = %q })
      os.execute("kill -9 $(cat %s)")
      print("end:", box:developer { email = "a@example.com", password = "SecurePass123" })
      print("again:", box:developer { email = "a@example.com", password = "SecurePass123" })
    ]]):format(("sh -c 'echo $$ >%s; exec devkit4ai \"$@\"' sh"):format(pid), pid))
    os.remove(pid)
    assert.truthy(text:find("end:\tnil\tthe sandbox has ended", 1, true), text)
    assert.truthy(text:find("again:\tnil\tthe sandbox has ended", 1, true), text)
  end)
end)

describe("devkit4ai sandbox", function()
  local function exit_code(command)
    return helper.shell(command .. " >/dev/null 2>&1; echo $?"):match("%d+")
  end

  it("prints its address and how to use it, and exits with 130 after Ctrl-C", function()
    local folder = os.tmpname()
    os.remove(folder)
    local text = helper.shell(([[
      mkdir '%s' && cd '%s' && mkfifo said
      devkit4ai sandbox --step-time 0.5 >said 2>&1 & pid=$!
      while read -r line; do
        echo "$line"
        case $line in *OPERATOR_KEY*) kill -INT $pid;; esac
      done <said
      wait $pid
      echo "exit code $?"
      rm -r '%s'
    ]]):format(folder, folder, folder))
    assert.truthy(text:find("exit code 130\n$"), text)
    local url = text:match("export DEVKIT4AI_BASE_URL=(http://127%.0%.0%.1:%d+)\n")
    assert.is_string(url, text)
    assert.truthy(text:find("export DEVKIT4AI_OPERATOR_KEY=op_", 1, true))
  end)

  it("accepts commands in pieces and continues to serve", function()
    local folder = os.tmpname()
    os.remove(folder)
    local text = helper.shell(([[
      mkdir '%s' && cd '%s' && mkfifo in out
      devkit4ai sandbox --control <in >out & exec 3>in 4<out
      read -r line <&4
      url=${line#*:\"} url=${url%%%%\"*}
      printf '{"command":"clo' >&3
      curl -s -m 20 -o /dev/null -w '%%{http_code}\n' "$url/_sandbox/clock"
      printf 'ck"}\n{"command":"nothing"}\nx\n[]\n{"command":"fault","status":5}\n{}\n' >&3
      for i in 1 2 3 4 5 6; do read -r line <&4; echo "$line"; done
      exec 3>&-
      wait
      echo "exit code $?"
      rm -r '%s'
    ]]):format(folder, folder, folder))
    local said = {}
    for line in text:gmatch("[^\n]+") do said[#said + 1] = line end
    assert.equal("200", said[1])
    assert.truthy(said[2]:find('^{"now":.*"frozen":false}$'), text)
    assert.equal('{"error":"unknown command"}', said[3])
    assert.equal('{"error":"a JSON object is needed"}', said[4])
    assert.equal('{"error":"a JSON object is needed"}', said[5])
    assert.truthy(said[6]:find("status must be a whole number from 200 to 599", 1, true), text)
    assert.equal('{"error":"unknown command"}', said[7])
    assert.equal("exit code 0", said[8])
  end)

  it("exits with 1 when the port is in use, and names it", function()
    local box = helper.start {}
    local port = box.url:match(":(%d+)$")
    assert.equal("1", exit_code("devkit4ai sandbox --port " .. port))
    local text = helper.shell("devkit4ai sandbox --port " .. port .. " 2>&1")
    assert.truthy(text:find("devkit4ai: the sandbox did not start: port " .. port .. " is in use", 1, true), text)
    helper.stop_all()
  end)

  it("exits with 2 after wrong use, and with 0 after --help", function()
    for _, arguments in ipairs {
      "", "fly", "sandbox --nothing", "sandbox --port x", "sandbox --port 70000", "sandbox --step-time -1",
      "sandbox --parent x",
    } do
      assert.equal("2", exit_code("devkit4ai " .. arguments), arguments)
    end
    assert.equal("0", exit_code("devkit4ai sandbox --help"))
    assert.truthy(helper.shell("devkit4ai sandbox --help"):find("--step-time", 1, true))
  end)
end)
