-- A sandbox with too few descriptors reports that and ends. It reported that it listens, and then had no control line, or did
-- not notice SIGTERM. SIGHUP ends it as process 1, too, and stays ignored under nohup.
if _VERSION ~= "Lua 5.4" then return end -- the sandbox's process is the same for each Lua

local cjson = require("cjson").new()
local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"

-- The command runs in the interpreter itself: a shell around it needs descriptors of its own. It inherits no other ones.
local function limited(count, options)
  return ("bash -c 'for n in {3..20}; do eval \"exec $n>&-\"; done; ulimit -n %d; exec %s bin/devkit4ai sandbox %s'")
    :format(count, child.interpreter(), options)
end

describe("a sandbox with few descriptors", function()
  it("responds on its control line, or reports why it does not start", function()
    local started, refused = 0, 0
    for count = 4, 14 do
      local text = helper.shell(([[echo '{"command":"mails"}' | timeout -k 1 60 %s 2>/dev/null]])
        :format(limited(count, "--control")))
      local said = cjson.decode(text:match("[^\n]*"))
      if said.url then
        started = started + 1
        assert.truthy(text:find('\n{"mails":[]}\n', 1, true), text)
      else
        refused = refused + 1
        assert.truthy(said.error:find("^the sandbox did not start: .*Too many open files$"), text)
      end
    end
    assert.is_true(started > 0 and refused > 0)
  end)
end)

-- SIGHUP as a shell on a terminal leaves it: who runs the tests may have it ignored.
local PLAIN = "env --default-signal=HUP"

-- Starts the sandbox with words in front of it, sends SIGHUP, then SIGTERM, when it listens; gives its exit codes. The sandbox
-- is the process that has no child.
local function hang_up(before, options)
  return helper.shell(([[
    folder=$(mktemp -d) && cd "$folder" && mkfifo in out
    exec 5<>in
    %s devkit4ai sandbox %s <in >out 2>err & pid=$!
    while read -r line; do
      case $line in *op_*) break;; esac
    done <out
    sandbox=$pid
    while child=$(ps -o pid= --ppid "$sandbox" | head -n 1) && [ "$child" ]; do sandbox=$((child)); done
    kill -HUP "$sandbox"
    case $(grep SigIgn "/proc/$sandbox/status" 2>&-) in
      *[13579bdf]) echo "ignores it"; kill -TERM "$sandbox";;
    esac
    for i in $(seq 300); do kill -0 "$sandbox" 2>&- || break; sleep 0.1; done
    kill -0 "$sandbox" 2>&- && echo "still there" && kill -KILL "$sandbox"
    wait "$pid"
    echo "ended with $?"
    rm -r "$folder"
  ]]):format(before, options))
end

describe("SIGHUP", function()
  it("ends a sandbox that a user started", function() assert.equal("ended with 0\n", hang_up(PLAIN, "")) end)

  it("is ignored under nohup", function()
    assert.equal("ignores it\nended with 0\n", hang_up("nohup", ""))
  end)

  local unshare = "unshare --pid --fork --mount-proc"
  if helper.shell(unshare .. " true 2>&1 && echo fine") == "fine\n" then
    it("ends it as process 1", function() assert.equal("ended with 0\n", hang_up(PLAIN .. " " .. unshare, "")) end)
  end
end)
