#!/usr/bin/env bash
# Installs by LuaRocks and by CMake, for Lua 5.1 and 5.4, from a clean copy of the tree, and uses what was installed from
# another folder. The last line is `N passed, N failed`.
set -u
cd "$(dirname "$0")/../.." || exit

work=$(mktemp -d "${TMPDIR:-/tmp}/install.XXXXXX") || exit
trap 'rm -rf "$work"' EXIT
mkdir "$work/copy" "$work/elsewhere"
git ls-files -coz --exclude-standard | tar --null --files-from=- --ignore-failed-read -cf - | tar -C "$work/copy" -xf -

passed=0
failed=0
# Runs a command in the folder $1 as the test called $2; what it prints is shown when it fails.
check() {
  local folder=$1 name=$2
  shift 2
  if (cd "$folder" && "$@") > "$work/output" 2>&1; then
    echo "ok: $name"
    passed=$((passed + 1))
  else
    echo "FAILED: $name"
    cat "$work/output"
    failed=$((failed + 1))
  fi
}

rocks() {
  luarocks --lua-version "$version" --tree "$work/rocks$version" "$@"
}

# A command with an installed tree on Lua's paths, as a user has it.
with_tree() {
  LUA_PATH="$1/share/lua/$version/?.lua;$1/share/lua/$version/?/init.lua;;" LUA_CPATH="$1/lib/lua/$version/?.so;;" "${@:2}"
}

# One function, for require: the names of the others could be those of a host's own.
shows_one_function() {
  diff <(nm -D --defined-only "$1" | cut -d ' ' -f 3) <(echo luaopen_devkit4ai_core)
}

# What must hold in a tree where everything was installed. The command needs no variables.
check_tree() {
  local tree=$1 kind=$2
  check "$work/elsewhere" "$kind: a client on Lua $version says that no server is there" \
    with_tree "$tree" "lua$version" "$work/copy/spec/support/programs/installed.lua" "$tree"
  check "$work/elsewhere" "$kind for Lua $version: core.so shows one function to the linker" \
    shows_one_function "$tree/lib/lua/$version/devkit4ai/core.so"
  check "$work/elsewhere" "$kind: the sandbox's module loads on Lua $version" \
    with_tree "$tree" "lua$version" -e 'require "devkit4ai.sandbox"'
  check "$work/elsewhere" "$kind for Lua $version: the command tells its use" env -i PATH=/usr/bin:/bin "$tree/bin/devkit4ai" --help
}

# Runs the command of a tree with nothing but a PATH.
quickstart() {
  rm -f picture.png
  env -i PATH="${2-/usr/bin:/bin}" "$1/bin/devkit4ai" quickstart --out picture.png && [ "$(head -c 4 picture.png)" = $'\x89PNG' ]
}

# The modules of lua/ and the compiled one, by the places of their files. What the two rocks list must be the same, and each once.
each_module_once() {
  diff <({ find lua -name '*.lua' | sed 's,^lua/,,; s,\.lua$,,; s,/,.,g'; echo devkit4ai.core; } | sort) \
    <({ rocks show --modules devkit4ai; rocks show --modules devkit4ai-sandbox; } | sort) &&
    diff <(cd lua && find . -type f | sort) <(cd "$work/rocks$version/share/lua/$version" && find . -type f | sort)
}

check "$work/copy" "cmake configures, as a user does" cmake -S . -B build
check "$work/copy" "cmake builds" cmake --build build -j 2
check "$work/copy" "cmake installs" cmake --install build --prefix "$work/prefix"
for version in 5.1 5.4; do
  check_tree "$work/prefix" cmake
  for rock in devkit4ai devkit4ai-sandbox; do
    check "$work/copy" "luarocks make $rock for Lua $version" rocks make --deps-mode=none "rockspec/$rock-scm-1.rockspec"
  done
  check "$work/copy" "each module for Lua $version is in one rock" each_module_once
  check_tree "$work/rocks$version" luarocks
done
# Ctrl-C at moments of the first half second: whatever the command does by then, it ends with 130 and without a traceback.
interrupted() {
  local moment status
  for moment in 0.00{1,3,5,7,9} 0.0{1,2,3,4,5,6,7,8,9}{0,5} 0.{1,2,3,4,5}; do
    status=0
    env -i PATH=/usr/bin:/bin timeout --preserve-status --signal=INT "$moment" "$1/bin/devkit4ai" sandbox 2> errors || status=$?
    if [ $status != 130 ] || grep -v '^devkit4ai: interrupted$' errors; then
      echo "after $moment s: status $status"
      cat errors
      return 1
    fi
  done
}

for kind in cmake luarocks; do
  if [ $kind = cmake ]; then tree=$work/prefix; else tree=$work/rocks5.4; fi
  check "$work/elsewhere" "$kind: the sandbox starts" quickstart "$tree"
  check "$work/elsewhere" "$kind: Ctrl-C ends the command with 130 at once" interrupted "$tree"
done

# make install for other users, into a home, and into a folder from which a package is made.
umask_077() {
  (umask 077 && make install PREFIX="$work/home/.local") > "$work/lines" 2>&1 || { cat "$work/lines"; return 1; }
  [ "$(wc -l < "$work/lines")" -lt 20 ] || { cat "$work/lines"; return 1; }  # the lines to copy are not lost among others
  [ -z "$(find "$work/home/.local" ! -perm -o+r -print -o -type d ! -perm -o+x -print)" ]
}
check "$work/copy" "make install under umask 077 is for all users" umask_077
check "$work/elsewhere" "make install into a home: the sandbox starts" quickstart "$work/home/.local"
printed_lines() {
  eval "$(sed -n 's/^  export /export /p' "$work/lines")"
  [ "$(command -v devkit4ai)" = "$work/home/.local/bin/devkit4ai" ] || return
  for lua in lua5.1 lua5.4; do "$lua" "$work/copy/spec/support/programs/installed.lua" "$work/home/.local" || return; done
}
check "$work/elsewhere" "make install into a home prints the lines that programs need" printed_lines
destdir() {
  make install PREFIX=/usr DESTDIR="$work/package" > "$work/lines" 2>&1 || { cat "$work/lines"; return 1; }
  ! grep -rF "$work/package" "$work/package" && [ "$(ls "$work/package")" = usr ] && ls "$work/package/usr/bin/devkit4ai"
}
check "$work/copy" "make install with DESTDIR names the prefix alone" destdir
# A folder in which nobody may write, root included.
not_writable() {
  mkdir "$work/taken" && : > "$work/taken/lib" || return
  ! cmake --install build --prefix "$work/taken" > "$work/lines" 2>&1 || return
  # shellcheck disable=SC2016  # the message has $HOME
  grep -F 'make install PREFIX="$HOME/.local"' "$work/lines" && [ -z "$(find "$work/taken" -name '*.lua')" ]
}
check "$work/copy" "where the prefix can't be written, it says what to do" not_writable

# What root builds in another user's clone, that user can build again.
if [ "$(id -u)" = 0 ]; then
  owner() {
    chown -R 12345:12345 . && rm -rf build && (umask 077 && tools/build build) || return
    [ -z "$(find build ! -uid 12345)" ] && chown -R 0:0 .
  }
  check "$work/copy" "root's build is the owner's of the clone" owner
fi

# A system whose one Lua is a program called `lua`.
mkdir "$work/programs"
ln -s /usr/bin/* /bin/* "$work/programs" 2> /dev/null
rm "$work"/programs/*lua*
ln -s "$(command -v lua5.4)" "$work/programs/lua"
one_lua() {
  export PATH=$work/programs
  cmake -S . -B one -DDEVKIT4AI_LUAS=5.4 -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF && cmake --build one -j 2 &&
    cmake --install one --prefix "$work/one" && one/devkit4ai --help
}
check "$work/copy" "a Lua that is called lua: it is built and installed" one_lua
check "$work/elsewhere" "a Lua that is called lua: the sandbox starts" quickstart "$work/one" "$work/programs"

# A host of its own, with the C sources linked in and no module to load from disk but the Lua files and lua-cjson: the lines
# that its comment prints.
echo 'assert(package.preload["devkit4ai.core"]) assert(select(3, require("devkit4ai").new {
  base_url = "http://127.0.0.1:1", access_token = "token" }:me()).kind == "network")' > "$work/copy/script.lua"
sed -n '/^ \*\//q; s/^ \*   //p' "$work/copy/examples/embed.c" > "$work/embed.sh"
check "$work/copy" "the lines of examples/embed.c build it and run a script" \
  sh -ec '[ "$(wc -l < "$1")" = 3 ]; . "$1"' sh "$work/embed.sh"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
