# Installs the modules for every Lua found, the header and the command, which finds its Lua itself; and the package for
# find_package(devkit4ai).

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

if(DEVKIT4AI_AMALGAMATION)
  include(CMakePackageConfigHelpers)
  set(compatibility SameMajorVersion)
  if(PROJECT_VERSION VERSION_LESS 1)
    set(compatibility SameMinorVersion)  # before 1.0, a minor version may change anything
  endif()
  write_basic_package_version_file("${CMAKE_BINARY_DIR}/devkit4aiConfigVersion.cmake" COMPATIBILITY ${compatibility} ARCH_INDEPENDENT)
  add_custom_target(amalgamation ALL DEPENDS "${DEVKIT4AI_AMALGAMATION}/devkit4ai.c")
  install(FILES "${DEVKIT4AI_AMALGAMATION}/devkit4ai.c" DESTINATION share/devkit4ai)
  install(FILES cmake/package/devkit4aiConfig.cmake cmake/package/devkit4aiTargets.cmake
    "${CMAKE_BINARY_DIR}/devkit4aiConfigVersion.cmake" DESTINATION share/cmake/devkit4ai)
else()
  message(STATUS "No Lua 5.3 or newer was found, so the package for find_package(devkit4ai) is not installed")
endif()

configure_file(cmake/paths.cmake.in paths.cmake @ONLY)  # the prefix is known at install time
install(SCRIPT "${CMAKE_BINARY_DIR}/paths.cmake")
