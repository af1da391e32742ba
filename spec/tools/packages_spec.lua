-- tools/packages with stub programs for apt: the choice of packages, the output, and Ctrl-C during apt-get.
if _VERSION ~= "Lua 5.4" then return end -- tests a shell script

local child = require "spec.support.process.child"
local helper = require "spec.devkit4ai.sandbox.helper"

local STUBS = {
  id = "echo 0",
  ["dpkg-query"] = "exit 1",
  dpkg = "exit 0",
  -- Debian 13 has no such packages
  ["apt-cache"] = [[case $2 in
    libclang-rt-14-dev | luajit2 | libcurl4-openssl-dev) echo "  Candidate: (none)" ;;
    *) echo "  Candidate: 1.0" ;;
  esac]],
  ["apt-get"] = [[echo "$*" >>"$FOLDER/calls"
  case $* in *install*) ;; *) exit 0 ;; esac
  echo "Get:1 http://host suite/main amd64 one amd64 1.0 [7 kB]"
  echo "Unpacking one (1.0) ..."
  sleep "${APT_TAKES:-0}"
  echo "Setting up one (1.0) ..."
  echo whole >"$FOLDER/end"]],
}

describe("tools/packages", function()
  local folder

  before_each(function()
    folder = child.folder()
    for name, text in pairs(STUBS) do
      local path = folder .. "/" .. name
      local file = assert(io.open(path, "wb"))
      file:write("#!/bin/sh\n", text, "\n")
      file:close()
      os.execute("chmod +x " .. helper.quote(path))
    end
  end)
  after_each(function() child.remove(folder) end)

  local function run(command)
    return helper.shell(("export FOLDER=%s; PATH=$FOLDER:$PATH; %s"):format(helper.quote(folder), command))
  end

  it("installs the first name that apt-get has, and reports it", function()
    local said = run "tools/packages test 2>&1; echo $?"
    assert.matches("\n0\n$", said)
    local installed = child.read(folder .. "/calls"):match("install[^\n]*") .. " "
    for _, name in ipairs { "libclang-rt-dev", "luajit", "libcurl4-gnutls-dev", "liblua5.4-dev" } do
      assert.is_truthy(installed:find(" " .. name .. " ", 1, true), installed)
    end
    for _, name in ipairs { "libclang-rt-14-dev", "luajit2", "libcurl4-openssl-dev", "npm" } do
      assert.is_nil(installed:find(" " .. name .. " ", 1, true), installed)
    end
    assert.matches("\n  fetches one %[7 kB%]\n  unpacks one\n  sets up one\n", said)
  end)

  it("goes on without an optional package that the suite does not have, and names it", function()
    local said = run [[sed -i 's/luajit2 |/luajit2 | luajit |/' $FOLDER/apt-cache
      tools/packages test 2>&1; echo $?]]
    assert.matches("\n0\n$", said)
    assert.matches("\n  luajit2 +not in this suite, its tests are skipped: tests on LuaJIT\n", said)
    local installed = child.read(folder .. "/calls"):match "install[^\n]*"
    assert.is_nil(installed:find "luajit ", installed)
    assert.is_truthy(installed:find(" libluajit2-5.1-dev ", 1, true), installed)
  end)

  it("names the alternatives if apt-get has none of them", function()
    local said = run [[echo 'echo "  Candidate: (none)"' >$FOLDER/apt-cache; tools/packages test 2>&1; echo $?]]
    assert.matches("packages: apt%-get has none of these here: .*\n1\n$", said)
  end)

  describe("without root and sudo", function()
    -- Runs it with the stubs and these programs only, and with the Debian packages in `installed`.
    local function unprivileged(target, installed)
      return run(([[
        for name in sh sed grep cat mktemp rm; do ln -s "$(PATH=/usr/bin:/bin command -v $name)" $FOLDER/$name; done
        printf '#!/bin/sh\necho 1000\n' >$FOLDER/id
        printf '#!/bin/sh\ncase " $* " in %s) echo installed ;; esac\n' >$FOLDER/dpkg-query
        PATH=$FOLDER
        sh tools/packages %s 2>&1
        echo $?]]):format(installed, target))
    end

    local COMPILER = [[*" gcc "* | *" libc6-dev "* | *" make "* | *" cmake "* | *" pkg-config "*]]
      .. [[ | *" libcurl4-openssl-dev "*]]
    local CODES = { build = 0, install = 0, quickstart = 1, test = 1 }

    for target, code in pairs(CODES) do
      it("prints the line for root; with a compiler and libcurl, " .. target .. " ends with " .. code, function()
        local said = unprivileged(target, COMPILER)
        assert.matches("\nNeither root nor sudo here. As root, run:\n  apt%-get install [^\n]* lua5.4 ", said)
        assert.matches("\n" .. code .. "\n$", said)
      end)
    end

    it("stops without a compiler", function()
      assert.matches("\n  apt%-get install [^\n]* gcc .*\n1\n$", unprivileged("build", '*" lua5.4 "*'))
    end)
  end)

  it("lets apt-get finish after Ctrl-C, and ends with 130", function()
    local said = run [[export APT_TAKES=1; bash -c 'set -m
      tools/packages test >$FOLDER/said 2>&1 &
      until grep -q unpacks $FOLDER/said || ! kill -0 $!; do sleep 0.05; done
      kill -INT -- -$!
      wait $!
      echo $? $(cat $FOLDER/end)' 2>&1]]
    assert.matches("130 whole\n$", said)
  end)
end)
