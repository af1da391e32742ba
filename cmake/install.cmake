# Installs the modules for every Lua found, the header and the command. The command finds its Lua by itself.

set(DEVKIT4AI_PROGRAMS)  # VERSION=PROGRAM of each Lua that has a program
foreach(version IN LISTS DEVKIT4AI_FOUND_LUAS)
  install(TARGETS module${version} LIBRARY DESTINATION lib/lua/${version}/devkit4ai)
  install(DIRECTORY lua/devkit4ai DESTINATION share/lua/${version} FILES_MATCHING PATTERN "*.lua")
  if(LUA${version}_PROGRAM)
    list(APPEND DEVKIT4AI_PROGRAMS "${version}=${LUA${version}_PROGRAM}")
  endif()
endforeach()
install(FILES include/devkit4ai.h DESTINATION include)
install(FILES docs/devkit4ai.1 DESTINATION share/man/man1)
install(PROGRAMS bin/devkit4ai DESTINATION bin)

configure_file(cmake/paths.cmake.in paths.cmake @ONLY)  # the prefix is known when it installs
install(SCRIPT "${CMAKE_BINARY_DIR}/paths.cmake")
