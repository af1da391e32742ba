# Functions for tools/release and tools/release-check, read by a shell in the root of the tree: LuaRocks for each Lua here.

# The versions whose program and headers are here; those in LUAS alone, if it is set.
luas() {
  for lua in ${LUAS:-5.1 5.2 5.3 5.4 5.5}; do
    if command -v "lua$lua" > /dev/null && [ -e "/usr/include/lua$lua/lua.h" ]; then echo "$lua"
    elif [ "$lua" = 5.5 ] && [ -e build/lua55/finished ]; then echo "$lua"; fi
  done
}

root=$PWD

# luarocks for a Lua and a tree. That of Debian 12 does not know where our Lua 5.5 has its headers.
rocks() {  # version, tree, arguments
  lua=$1
  tree=$2
  shift 2
  if [ "$lua" = 5.5 ]; then
    set -- --lua-dir="$root/build/lua55" "$@"
    case $* in *" build "* | *" install "*) set -- "$@" LUA_INCDIR="$root/build/lua55/include" ;; esac
  fi
  luarocks --lua-version "$lua" --tree "$tree" "$@"
}
