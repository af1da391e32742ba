# Writes devkit4ai.c and devkit4ai.h into package/ of the build folder, by tools/amalgamation. Sets DEVKIT4AI_AMALGAMATION to
# that folder; empty: there is no Lua that can run the tool. DEVKIT4AI_LUA_PROGRAM names one that is not found by itself.

include(cmake/find_lua.cmake)
foreach(version 5.4 5.3 5.5)
  string(REPLACE "." "" digits ${version})
  if(NOT DEVKIT4AI_LUA_PROGRAM)
    devkit4ai_find_lua(DEVKIT4AI_LUA_PROGRAM ${version} lua${version} lua-${version} lua${digits} lua)
  endif()
endforeach()

set(DEVKIT4AI_AMALGAMATION "")
if(DEVKIT4AI_LUA_PROGRAM)
  set(DEVKIT4AI_AMALGAMATION "${CMAKE_CURRENT_BINARY_DIR}/package")
  file(GLOB_RECURSE amalgamated "include/*.h" "src/*.[ch]" "lua/*.lua")
  add_custom_command(OUTPUT "${DEVKIT4AI_AMALGAMATION}/devkit4ai.c" "${DEVKIT4AI_AMALGAMATION}/devkit4ai.h"
    COMMAND "${DEVKIT4AI_LUA_PROGRAM}" "${CMAKE_CURRENT_SOURCE_DIR}/tools/amalgamation" "${DEVKIT4AI_AMALGAMATION}"
    DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/tools/amalgamation" ${amalgamated} VERBATIM)
endif()
