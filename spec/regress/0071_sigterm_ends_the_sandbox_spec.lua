-- SIGTERM ends the sandbox, also as process 1 of a container, to which the system delivers only signals with a handler.
-- The sandbox had no handler.
if _VERSION ~= "Lua 5.4" then return end -- the sandbox's process is the same for each Lua

local helper = require "spec.devkit4ai.sandbox.helper"

-- Starts the sandbox with words in front of it, sends SIGTERM when it listens, and gives its exit code. The sandbox is the
-- process that has no child.
local function ends_with(before, options)
  return helper.shell(([[
    folder=$(mktemp -d) && cd "$folder" && mkfifo in out
    exec 5<>in
    %s devkit4ai sandbox %s <in >out 2>&1 & pid=$!
    while read -r line; do
      case $line in *op_*) break;; esac
    done <out
    sandbox=$pid
    while child=$(ps -o pid= --ppid "$sandbox" | head -n 1) && [ "$child" ]; do sandbox=$((child)); done
    kill -TERM "$sandbox"
    for i in $(seq 300); do kill -0 "$sandbox" 2>&- || break; sleep 0.1; done
    kill -0 "$sandbox" 2>&- && echo "still there" && kill -KILL "$sandbox"
    wait "$pid"
    echo "ended with $?"
    rm -r "$folder"
  ]]):format(before, options))
end

describe("SIGTERM", function()
  it("ends the sandbox with 0, started by a user or a program", function()
    assert.equal("ended with 0\n", ends_with("", ""))
    assert.equal("ended with 0\n", ends_with("", "--control"))
  end)

  local unshare = "unshare --pid --fork --mount-proc"
  if helper.shell(unshare .. " true 2>&1 && echo fine") == "fine\n" then
    it("ends it as process 1", function()
      assert.equal("ended with 0\n", ends_with(unshare, ""))
      assert.equal("ended with 0\n", ends_with(unshare, "--control"))
    end)
  end
end)
