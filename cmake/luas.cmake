# Finds the headers of every Lua asked for, under the names that systems give them.
# Sets DEVKIT4AI_FOUND_LUAS, LUA<version>_INCLUDE_DIRS, and DEVKIT4AI_LUA: the interpreter of build/devkit4ai.

set(DEVKIT4AI_FOUND_LUAS)
set(DEVKIT4AI_LUA lua)
pkg_check_modules(LUA QUIET lua)  # systems with one Lua call it just that
foreach(version IN LISTS DEVKIT4AI_LUAS)
  string(REPLACE "." "" digits ${version})
  set(names lua${version} lua-${version} lua${digits})
  if(LUA_VERSION MATCHES "^${version}\\.")
    list(APPEND names lua)
  endif()
  if(version STREQUAL "5.1")
    list(APPEND names luajit)  # the ABI is 5.1's, so its headers serve where 5.1's own are missing
  endif()
  pkg_search_module(LUA${version} QUIET IMPORTED_TARGET ${names})
  if(LUA${version}_FOUND)
    list(APPEND DEVKIT4AI_FOUND_LUAS ${version})
    find_program(LUA${version}_PROGRAM NAMES lua${version} lua-${version} lua${digits} NO_CACHE)
    if(LUA${version}_PROGRAM)
      cmake_path(GET LUA${version}_PROGRAM FILENAME DEVKIT4AI_LUA)
    endif()
  endif()
endforeach()

if(NOT DEVKIT4AI_FOUND_LUAS)
  message(FATAL_ERROR "no Lua headers found; on Debian: apt-get install liblua5.4-dev")
endif()
list(JOIN DEVKIT4AI_FOUND_LUAS ", " found)
message(STATUS "Building for Lua ${found}")
