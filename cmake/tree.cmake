# Makes build/run and build/devkit4ai, which use the built tree in its place.

file(RELATIVE_PATH DEVKIT4AI_ROOT "${CMAKE_BINARY_DIR}" "${CMAKE_SOURCE_DIR}")
string(REGEX REPLACE "/$" "" DEVKIT4AI_ROOT "${DEVKIT4AI_ROOT}")
foreach(script run devkit4ai)
  configure_file(cmake/${script}.in ${script} @ONLY
    FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
endforeach()
