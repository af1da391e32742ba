# Finds the headers and the program of each requested Lua, under the names that systems use.
# Sets DEVKIT4AI_FOUND_LUAS; for each of them LUA<version>_INCLUDE_DIRS and LUA<version>_PROGRAM (empty: not found); and
# DEVKIT4AI_COMMAND_LUA: the interpreter of build/devkit4ai.

include(cmake/find_lua.cmake)

set(DEVKIT4AI_FOUND_LUAS)
set(DEVKIT4AI_COMMAND_LUA lua)
pkg_check_modules(LUA QUIET lua)  # systems with one Lua call it lua
foreach(version IN LISTS DEVKIT4AI_LUAS)
  string(REPLACE "." "" digits ${version})
  set(names lua${version} lua-${version} lua${digits})
  set(programs ${names} lua)
  if(LUA_VERSION MATCHES "^${version}\\.")
    list(APPEND names lua)
  endif()
  if(version STREQUAL "5.1")
    list(APPEND names luajit)  # its ABI is 5.1's, so its headers replace missing headers of 5.1
    list(APPEND programs luajit)
  endif()
  pkg_search_module(LUA${version} QUIET IMPORTED_TARGET ${names})
  if(LUA${version}_FOUND)
    list(APPEND DEVKIT4AI_FOUND_LUAS ${version})
    devkit4ai_find_lua(LUA${version}_PROGRAM ${version} ${programs})
    if(LUA${version}_PROGRAM AND NOT (version STREQUAL "5.5" AND NOT DEVKIT4AI_COMMAND_LUA STREQUAL "lua"))
      # of several Luas the last but 5.5, which the sandbox's modules do not have yet
      cmake_path(GET LUA${version}_PROGRAM FILENAME DEVKIT4AI_COMMAND_LUA)
      devkit4ai_find_lua(luajit "${version}" luajit)
      if(luajit)
        set(DEVKIT4AI_COMMAND_LUA luajit)  # the sandbox does not run on PUC Lua 5.1
      endif()
    endif()
  endif()
endforeach()

if(NOT DEVKIT4AI_FOUND_LUAS)
  message(FATAL_ERROR "no Lua headers found; on Debian: apt-get install liblua5.4-dev")
endif()
list(JOIN DEVKIT4AI_FOUND_LUAS ", " found)
message(STATUS "Building for Lua ${found}")
