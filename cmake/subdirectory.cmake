# For a project that contains this one, by add_subdirectory: the target devkit4ai::devkit4ai, and nothing else.

include(cmake/amalgamation.cmake)
if(NOT DEVKIT4AI_AMALGAMATION)
  message(FATAL_ERROR "devkit4ai: no Lua program was found, which makes devkit4ai.c. Install Lua 5.3 or newer, or set "
    "DEVKIT4AI_LUA_PROGRAM to the program")
endif()
if(NOT TARGET CURL::libcurl)
  find_package(CURL 7.80 REQUIRED)
endif()
if(NOT DEVKIT4AI_NO_THREADS)
  find_package(Threads REQUIRED)
endif()
include(cmake/package/devkit4aiTargets.cmake)
devkit4ai_add_library("${DEVKIT4AI_AMALGAMATION}" "${DEVKIT4AI_AMALGAMATION}")
