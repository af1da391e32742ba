#!/usr/bin/env bash
# Projects outside of the tree that use the library by CMake: with add_subdirectory and with find_package, in C and in C++, with
# threads and without. The lines are those of docs/building.md. Each program makes calls. The last line is `N passed, N failed`.
set -u
cd "$(dirname "$0")/../.." || exit
tree=$PWD

work=$(mktemp -d "${TMPDIR:-/tmp}/projects.XXXXXX") || exit
trap 'rm -rf "$work"' EXIT
mkdir "$work/c" "$work/c/devkit4ai" "$work/cpp"
git ls-files -coz --exclude-standard | tar --null --files-from=- --ignore-failed-read -cf - | tar -C "$work/c/devkit4ai" -xf -

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

# The block with the number $2 of the language $1 in docs/building.md, without those that say more than their language.
block() {
  awk -v fence="\`\`\`$1" -v wanted="$2" '/^```/ { inside = !inside && $0 == fence && ++n == wanted; next } inside' docs/building.md
}

# A program makes calls: to a server of this machine, with so many threads.
calls() {
  local program=$PWD/$1
  (cd "$tree" && build/run lua5.4 spec/install/projects/call.lua "$program") > "$work/said" || return
  cat "$work/said"
  [ "$(cut -f 1 "$work/said")" = "$2" ]
}

# ---- add_subdirectory, in C ----

cp examples/embed.c "$work/c/game.c"
block cmake 1 > "$work/c/CMakeLists.txt"
block sh 1 > "$work/build.sh"
block sh 2 > "$work/build-no-threads.sh"

check "$work/c" "add_subdirectory: the lines of docs/building.md build a program" sh -e "$work/build.sh"
check "$work/c" "add_subdirectory: the program makes calls" calls build/game 2
check "$work/c" "without threads: the lines of docs/building.md build a program" sh -e "$work/build-no-threads.sh"
check "$work/c" "without threads: the program makes calls in one thread" calls build-no-threads/game 1
no_pthread() {
  nm "$(find build-no-threads -name libdevkit4ai.a)" > symbols && grep -q curl_multi_perform symbols && ! grep pthread symbols
}
check "$work/c" "without threads: the library has no symbol of pthread" no_pthread

# What the project gets besides the target: nothing.
only_a_target() {
  mkdir empty && ln -s ../devkit4ai empty/devkit4ai && sed '/game/d' CMakeLists.txt > empty/CMakeLists.txt || return
  cat >> empty/CMakeLists.txt << 'EOT'
project(empty LANGUAGES C)
get_property(targets DIRECTORY devkit4ai PROPERTY BUILDSYSTEM_TARGETS)
message(STATUS "targets=${targets} type=${CMAKE_BUILD_TYPE} flags=${CMAKE_C_FLAGS} standard=${CMAKE_C_STANDARD}")
EOT
  cmake -S empty -B empty/build > configured && cmake --build empty/build > /dev/null || return
  grep -- '-- targets=' configured
  grep -qx -- '-- targets=devkit4ai type= flags= standard=' configured || return
  grep -o '^DEVKIT4AI_[A-Z_]*' empty/build/CMakeCache.txt > cached
  [ "$(cat cached)" = DEVKIT4AI_NO_THREADS ] || { cat cached; return 1; }
  [ -z "$(find empty/build -name '*.a' -o -name devkit4ai.c -o -name CTestTestfile.cmake)" ] || return
  cmake --install empty/build --prefix "$work/nothing" && [ -z "$(find "$work/nothing" -type f)" ]
}
check "$work/c" "add_subdirectory adds a target alone, and builds it only for a program that links it" only_a_target
pictures=$(sed -n 's|^/\(.*\.png\)$|--exclude=\1|p' "$tree/.gitignore")  # such as that of make quickstart
# shellcheck disable=SC2086  # a list of options
check "$work/c" "the sources are as they were" diff -r --exclude=build --exclude=.git $pictures devkit4ai "$tree"

no_lua() {
  sed '/^set(DEVKIT4AI_LUA/d; s/build/build-without/' CMakeLists.txt > without && mkdir lua_unset && mv without lua_unset/CMakeLists.txt &&
    ln -s ../devkit4ai lua_unset/devkit4ai && ! cmake -S lua_unset -B lua_unset/build > said 2>&1
  tr -s '\n ' ' ' < said | grep 'set it to the Lua of your program, a target or the folder of its lua.h'
}
check "$work/c" "without DEVKIT4AI_LUA and a target lua, it says what to set" no_lua

# ---- find_package, in C++; the Lua is a folder ----

cp spec/install/projects/game.cpp "$work/cpp"
version=$(sed -n 's/^return "\([0-9]*\.[0-9]*\)\..*/\1/p' lua/devkit4ai/util/version.lua)
# shellcheck disable=SC2016  # a variable of CMake
block cmake 1 | sed -e 's/LANGUAGES C/LANGUAGES C CXX/; s/game\.c/game.cpp/; s/DEVKIT4AI_LUA PkgConfig::LUA/DEVKIT4AI_LUA ${LUA_INCLUDE_DIRS}/' \
  -e "s/^add_subdirectory.*/find_package(devkit4ai $version REQUIRED)/" > "$work/cpp/CMakeLists.txt"
check "$tree" "cmake installs the package" cmake --install build --prefix "$work/prefix"
found() { cmake -S . -B build -DCMAKE_PREFIX_PATH="$work/prefix" && cmake --build build; }
check "$work/cpp" "find_package: a program in C++ is built" found
check "$work/cpp" "find_package: the program makes calls" calls build/game 2
other_version() {
  sed 's/find_package(devkit4ai [0-9.]*/find_package(devkit4ai 7.0/' CMakeLists.txt > other && mkdir seven && mv other seven/CMakeLists.txt &&
    ! cmake -S seven -B seven/build -DCMAKE_PREFIX_PATH="$work/prefix"
}
check "$work/cpp" "find_package: another version is not taken" other_version

echo "$passed passed, $failed failed"
[ $failed = 0 ]
