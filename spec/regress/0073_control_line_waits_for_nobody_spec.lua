-- The control line does not block the server while its output is not read. It does not read its input byte by byte.
if _VERSION ~= "Lua 5.4" then return end -- the sandbox's process is the same for each Lua

local helper = require "spec.devkit4ai.sandbox.helper"

-- Runs shell lines with a sandbox on its control line: 3 to write to, 4 to read from, its $url and $pid.
local function run(lines)
  return helper.shell(([[
    folder=$(mktemp -d) && cd "$folder" && mkfifo in out
    devkit4ai sandbox --control <in >out & pid=$!
    exec 3>in 4<out
    read -r line <&4
    url=${line#*:\"} url=${url%%%%\"*}
    %s
    exec 3>&-
    wait $pid
    echo "ended with $?"
    rm -r "$folder"
  ]]):format(lines))
end

-- A command of some 300,000 bytes, whose answer is as long.
local LONG = [[{
  printf '{"command":"fault","status":503,"body":"'
  head -c 300000 /dev/zero | tr '\0' x
  echo '"}'
} >&3]]

describe("the control line", function()
  it("does not block the server while its output is not read", function()
    local text = run(LONG .. [[

      # Until the command was taken, and its answer with it is on the way.
      while code=$(curl -s -m 20 -o taken -w '%{http_code}' "$url/_sandbox/faults"); do
        if grep -q '"status":503' taken; then break; fi
      done
      echo "$code"
      echo '{"command":"clear_faults"}' >&3
      curl -s -m 20 -o seen -w '%{http_code}\n' "$url/_sandbox/clock"
      for i in 1 2; do read -r line <&4; echo "${#line}"; done
    ]])
    local first, second, long, short, code = text:match("^(%d+)\n(%d+)\n(%d+)\n(%d+)\nended with (%d+)\n$")
    assert.same({ "200", "200", "13", "0" }, { first, second, short, code }, text)
    assert.is_true(tonumber(long) > 300000, text)
  end)

  it("reads in blocks", function()
    local text = run([[reads() { sed -n 's/^syscr: //p' "/proc/$pid/io"; }
      before=$(reads)]] .. "\n" .. LONG .. "\n" .. [[read -r line <&4
      echo "$(($(reads) - before)) reads of ${#line} bytes"]])
    local reads = text:match("^(%d+) reads of 300%d%d%d bytes\nended with 0\n$")
    if text:find("^0 reads") then return end -- a system that counts none
    assert.is_true(tonumber(reads) < 3000, text)
  end)

  it("reads a closed pipe, a file and empty input", function()
    local function begins(command) return helper.shell("{ " .. command .. "; } | cut -c1-8") end
    for _, command in ipairs {
      [[printf '{"command":"mails"}\n\n{"half' | { sleep 1; devkit4ai sandbox --control; }]],
      [[file=$(mktemp)
        printf '{"command":"mails"}\n\n' > $file
        timeout 60 devkit4ai sandbox --control < $file
        rm $file]],
    } do
      assert.equal('{"url":"\n{"mails"\n{"error"\n', begins(command))
    end
    assert.equal('{"url":"\n', begins "devkit4ai sandbox --control </dev/null")
  end)

  it("does not change the flags of input that it shares with a shell", function()
    local text = helper.shell([[python3 -c '
import fcntl, os, subprocess
r, w = os.pipe()
child = subprocess.Popen(["devkit4ai", "sandbox", "--control"], stdin=r, stdout=subprocess.PIPE)
child.stdout.readline()
os.write(w, b"{\"command\":\"mails\"}\n")
child.stdout.readline()
print(bool(fcntl.fcntl(r, fcntl.F_GETFL) & os.O_NONBLOCK))
os.close(w)
print(child.wait())']])
    if helper.shell "uname" ~= "Linux\n" then return end -- elsewhere the same pipe can't be opened anew
    assert.equal("False\n0\n", text)
  end)

  it("ends when its output is closed", function()
    local text = helper.shell([[python3 -c '
import subprocess
child = subprocess.Popen(["devkit4ai", "sandbox", "--control"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
child.stdout.close()
child.stdin.write(b"{\"command\":\"mails\"}\n")
child.stdin.flush()
print(child.wait(60))']])
    assert.equal("0\n", text)
  end)
end)
