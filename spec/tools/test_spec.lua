-- tools/test in a small tree: counts, output of failures, and the stop of a part that hangs.
if _VERSION ~= "Lua 5.4" then return end -- tests a shell script

local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"

local quote = helper.quote

describe("tools/test", function()
  local folder

  local function write(name, text)
    local file = assert(io.open(folder .. "/" .. name, "wb"))
    file:write(text)
    file:close()
    os.execute("chmod +x " .. quote(folder .. "/" .. name))
  end

  before_each(function()
    folder = child.folder()
    assert(os.execute(([[cd %s && mkdir -p tools build spec/support/process &&
      cp "$OLDPWD/spec/support/report.lua" spec/support &&
      cp "$OLDPWD/spec/support/process/lsan.supp" spec/support/process &&
      sed 's/^STALL=300 /STALL=10 /' "$OLDPWD/tools/test" >tools/test &&
      chmod +x tools/test]]):format(quote(folder))))
    write("tools/build", "#!/bin/sh\n")
    write("tools/contract", "#!/bin/sh\n")
    write("build/run", '#!/bin/sh\nexec "$@"\n')
  end)
  after_each(function() child.remove(folder) end)

  -- Its output and exit code.
  local function run(arguments)
    local said = helper.shell(("cd %s && tools/test %s 2>&1; echo $?"):format(quote(folder), arguments))
    return said:match("^(.*\n)(%d+)\n$")
  end

  local function last_line(said) return said:match("([^\n]*)\n$") end

  it("adds up its parts, and reports the start and the end of each", function()
    write("spec/a_spec.lua", [[it("a", function() end) it("b", function() end)]])
    local said, code = run "lua5.4=spec/a_spec.lua"
    assert.equal("0", code)
    assert.equal("2 passed, 0 failed", last_line(said))
    assert.matches("^lua5%.4 +started\n", said)
    assert.matches("\nlua5%.4 +2 passed, 0 failed  %(%d+ s%)\n", said)
  end)

  it("skips and counts the parts and tests whose program is not installed", function()
    write("spec/a_spec.lua", [[it("a", function() end) it("b", function() pending "no program" end)]])
    local said, code = run "lua5.9 lua5.4=spec/a_spec.lua"
    assert.equal("0", code)
    assert.matches("\nlua5%.9 +skipped: lua5%.9 is not installed\n", "\n" .. said)
    assert.matches("\nlua5%.4 +1 passed, 0 failed, 1 skipped  %(%d+ s%)\n", said)
    assert.matches("\n2 skipped, since their programs are not installed\n1 passed, 0 failed\n$", said)
    local alone, alone_code = run "lua5.9"
    assert.equal("1", alone_code)
    assert.equal("0 passed, 0 failed", last_line(alone))
  end)

  it("runs a part with another libcurl, and skips it where that libcurl can't be built", function()
    write("tools/libcurl", [[#!/bin/sh
      [ "$1" = there ] && mkdir -p build/libcurl/there/lib && : > build/libcurl/there/lib/libcurl.so.4]])
    write("spec/a_spec.lua", [[it("a", function()
      assert.matches("/build/libcurl/there/lib$", os.getenv "LD_LIBRARY_PATH")
    end)]])
    assert(os.execute(("mkdir -p %s/src/core/base"):format(quote(folder))))
    write("src/core/base/a.c", "int dk_a (void);\nint dk_a (void) { return 1; }\n")
    local said, code = run "libcurl-there=spec/a_spec.lua libcurl-nowhere"
    assert.equal("0", code, said)
    assert.matches("\nlibcurl%-nowhere skipped: the libcurl of nowhere is not installed\n", "\n" .. said)
    assert.matches("\n1 skipped, since their programs are not installed\n2 passed, 0 failed\n$", said)
    write("src/core/base/a.c", "int dk_a (void);\nint dk_a (void) { return no_such_name; }\n")
    assert.equal("1 passed, 1 failed", last_line((run "libcurl-there=spec/a_spec.lua")))
  end)

  it("names the missing packages if busted is not installed", function()
    local said = helper.shell(("cd %s && %s 2>&1"):format(quote(folder),
      [[sed -i 's/command -v busted/command -v no-busted/' tools/test && tools/test lua5.4=spec/a_spec.lua]]))
    assert.matches("busted is missing, which runs the specs; .* tools/packages test\n", said)
  end)

  it("installs Prism only for specs that need it", function()
    write("tools/contract", "#!/bin/sh\necho Prism\n")
    write("spec/a_spec.lua", [[it("a", function() end)]])
    write("spec/b_spec.lua", [[it("b", function() end) -- spec.support.servers.prism]])
    assert.is_nil((run "lua5.4=spec/a_spec.lua"):find "Prism")
    assert.is_truthy((run "lua5.4=spec/a_spec.lua,spec/b_spec.lua"):find "Prism")
    assert.is_truthy((run "lua5.4"):find "Prism")
  end)

  it("shows control characters in names and reasons", function()
    write("spec/a_spec.lua", [[it("red\27[31m\n9 passed, 0 failed\r\194\155m", function() error("bell\7") end)]])
    local said, code = run "lua5.4=spec/a_spec.lua"
    assert.equal("1", code)
    assert.equal("0 passed, 1 failed", last_line(said))
    assert.is_truthy(said:find([[red\027[31m\n9 passed, 0 failed\r\u{9B}m]], 1, true), said)
    assert.is_truthy(said:find([[bell\007]], 1, true), said)
    assert.is_nil(said:find "[%z\1-\9\11-\31\127]")
  end)

  it("stops a part that hangs: passed tests count, and the hanging test fails", function()
    write("spec/a_spec.lua", [[it("a", function() end) it("b", function() end)
      it("fails", function() error "no" end) it("hangs", function() os.execute "exec sleep 1000" end)]])
    local said, code = run "lua5.4=spec/a_spec.lua"
    assert.equal("1", code)
    assert.equal("2 passed, 2 failed", last_line(said))
    assert.matches("nothing finished for 10 seconds; the last that began: run +spec/a_spec.lua:2 hangs", said)
  end)

  it("does not stop a program whose tests finish, and stops one whose tests hang", function()
    local function program(name, pause, last)
      write("build/spec/core/" .. name, ([[#!/bin/sh
for test in 1 2 3 4; do sleep %d; echo "ok     $test"; done
%s
echo '4 passed, 0 failed']]):format(pause, last))
    end
    os.execute("mkdir -p " .. quote(folder .. "/build/spec/core"))
    program("slow_test", 4, "")
    program("stuck_test", 0, "exec sleep 1000")
    local said, code = run "c=slow_test,stuck_test"
    assert.equal("1", code)
    assert.equal("8 passed, 1 failed", last_line(said))
    assert.matches("nothing finished for 10 seconds; the last that began: == build/spec/core/stuck_test", said)
  end)

  it("rejects a second run in the same tree, and a part that is named twice", function()
    write("spec/a_spec.lua", [[it("waits", function() repeat until io.open "go" end)]])
    local said = helper.shell(([[cd %s && {
      tools/test lua5.4=spec/a_spec.lua >first & first=$!
      until grep -qs '^run ' build/test/lua5.4.log || ! kill -0 $first; do sleep 0.05; done
      tools/test lua5.4=spec/a_spec.lua; echo $?
      touch go; wait $first; echo $?; tail -n 1 first
      tools/test lua5.4=spec/a_spec.lua lua5.4; echo $?
    }]]):format(quote(folder)))
    local busy = "test: another run of tools/test works in this tree; wait for its end\n2\n"
    assert.equal(busy .. "0\n1 passed, 0 failed\n"
      .. "test: a part is named twice: lua5.4 (give its files in one list: PART=FILE,FILE)\n2\n", said)
  end)

  it("ends the processes of its parts at Ctrl-C", function()
    write("spec/a_spec.lua", [[it("hangs", function() os.execute "echo $$ >pid; exec sleep 1000" end)]])
    local said = helper.shell(([[cd %s && bash -c 'set -m
      tools/test lua5.4=spec/a_spec.lua >said 2>&1 &
      until [ -s pid ] || ! kill -0 $!; do sleep 0.05; done
      kill -INT -- -$!
      wait $!
      echo $?
      while kill -0 $(cat pid); do sleep 0.05; done' 2>/dev/null]]):format(quote(folder)))
    assert.equal("130\n", said)
  end)

  it("ends the processes of a killed part, and counts the part as failed", function()
    write("spec/a_spec.lua", [[it("a", function() end) it("b", function()
      os.execute "echo $$ >pid; kill -KILL $(ps -o ppid= -p $PPID); exec sleep 1000" end)]])
    local said, code = run "lua5.4=spec/a_spec.lua"
    assert.equal("1", code)
    assert.equal("1 passed, 1 failed", last_line(said))
    local left = helper.shell(("sed -n 's/^State:.//p' /proc/$(cat %s/pid)/status 2>&-"):format(quote(folder)))
    assert.is_truthy(left == "" or left:find "^Z", left) -- Z: ended, but not yet reaped
  end)

  it("counts a process that ends early as failed", function()
    write("spec/a_spec.lua", [[it("a", function() end) it("ends", function() os.exit(0) end)]])
    local said, code = run "lua5.4=spec/a_spec.lua"
    assert.equal("1", code)
    assert.equal("1 passed, 1 failed", last_line(said))
  end)

  it("counts a file that can't be loaded, and a setup that fails", function()
    write("spec/a_spec.lua", [[local = 1]])
    write("spec/b_spec.lua", [[describe("x", function() setup(function() error "no" end) it("a", function() end) end)]])
    local said, code = run "lua5.4=spec/a_spec.lua,spec/b_spec.lua"
    assert.equal("1", code)
    assert.equal("0 passed, 2 failed", last_line(said))
  end)
end)
