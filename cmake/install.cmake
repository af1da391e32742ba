# Installs the modules for every Lua found, the header and the command. The command finds its Lua itself.

# First checks that the user may write there. Does not list the files, so that the last message stays visible.
set(CMAKE_INSTALL_MESSAGE NEVER)
install(CODE [[
  set(root "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")
  foreach(folder bin include lib/lua share/lua share/man/man1)
    execute_process(COMMAND sh -c "mkdir -p \"$1\" && test -w \"$1\"" sh "${root}/${folder}" RESULT_VARIABLE failed ERROR_QUIET)
    if(failed)
      message(FATAL_ERROR "You may not write in ${root}/${folder}. Install as root, or into your home: "
        "make install PREFIX=\"$HOME/.local\"")
    endif()
  endforeach()
]])

set(DEVKIT4AI_PROGRAMS)  # VERSION=PROGRAM for each Lua with a program
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

configure_file(cmake/paths.cmake.in paths.cmake @ONLY)  # the prefix is known at install time
install(SCRIPT "${CMAKE_BINARY_DIR}/paths.cmake")
