# For find_package(devkit4ai): the target devkit4ai::devkit4ai. devkit4aiTargets.cmake has the variables that choose the Lua.

include(CMakeFindDependencyMacro)
if(NOT TARGET CURL::libcurl)
  find_dependency(CURL 7.80)
endif()
if(NOT DEVKIT4AI_NO_THREADS)
  find_dependency(Threads)
endif()
include("${CMAKE_CURRENT_LIST_DIR}/devkit4aiTargets.cmake")
get_filename_component(devkit4ai_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
devkit4ai_add_library("${devkit4ai_prefix}/share/devkit4ai" "${devkit4ai_prefix}/include")
unset(devkit4ai_prefix)
